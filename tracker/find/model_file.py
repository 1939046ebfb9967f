"""The contract between `train export` and the tracker: one ONNX file that describes itself.

Graph. Input `image`: float32 (N, C, S, S), raw 0..255, RGB (C = 3) or gray (C = 1); the
normalisation is inside. Outputs: `xy` (N, K, 2) crop pixels, `score` (N, K) in [0, 1],
`presence` (N,) in [0, 1], and one output per attribute, by its name: class attributes give
probabilities (N, classes), `pose` gives (N, 3) yaw, pitch, roll in degrees in the crop, `xyz` gives
(N, 3 K) places in space in palm lengths: x right, y up, z towards the camera, wrist near 0. Of
faces `place` gives (N, 3): x, y of the middle between the outer corners of the eyes from the crop's
middle, and the distance that these have when seen from the front, all in sides of the crop;
`iris` (N, 6) x, y in crop pixels and score of the person's right iris, then of the left; `visible`
(N, K) in [0, 1], with the irises after the landmarks; `expressions` (N, 52) in [0, 1]
(`tracker/find/expressions.py`). An attribute that depends on where the picture's up is in the crop
gives (N, UPS, width): its answers for crops turned by 0, 45, ... 315 degrees (`CropBox.angle`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import assets
from tracker.errors import UserError
from tracker.find.expressions import EXPRESSIONS
from tracker.find.markups import (
    BUNDLED,
    WEIGHTS,
    Drawing,
    Markup,
    Weights,
    bundled_markup,
    drawing_from,
    ends_from,
    rule_of,
)
from tracker.plain_data import count, finite, from_json, is_plain_word
from tracker.types import CropRule, Kind

SCHEMA = 1
PRECISIONS = ("fp32", "fp16", "int8")  # forms of a model: M.onnx, M.fp16.onnx, M.int8.onnx
TOML = "project.toml"  # what makes a folder a project
UPS = 8  # directions of up that such an attribute answers for
KINDS: tuple[Kind, ...] = get_args(Kind)
LARGEST = 2048  # side of an input, pixels
SCALES = (0.1, 100.0)  # of a crop
MOST_CLASSES = 4096  # of an attribute
MOST_LANDMARKS = 10_000
TAKEN = ("xy", "score", "presence")  # outputs that are no attribute
# Attributes of faces that the tracker reads, and how many values each has.
SIZES = {"pose": 3, "place": 3, "iris": 6, "expressions": len(EXPRESSIONS)}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A class attribute has class names; a regression has none and `size` values."""

    name: str
    classes: tuple[str, ...] = ()
    size: int = 0
    ups: int = 0  # UPS where its answer depends on the picture's up, else 0

    @property
    def width(self) -> int:
        """Length of the output vector."""
        return len(self.classes) or self.size

    @property
    def parts(self) -> tuple[str, ...]:
        """What its values are called, where they have names."""
        return EXPRESSIONS if self.name == "expressions" and not self.classes else self.classes


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a model file says about itself (ONNX metadata_props, one JSON under `tracker`)."""

    kind: Kind
    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]  # 0-based landmark indices
    flip_pairs: tuple[tuple[int, int], ...]  # 0-based
    attributes: tuple[Attribute, ...]
    network: str
    size: int  # input side, pixels
    colour: str  # 'rgb' or 'gray'
    mean: tuple[float, ...]
    std: tuple[float, ...]
    beta: float
    licence: str
    data: str
    checkpoint_sha256: str
    schema: int = SCHEMA
    crop: CropRule | None = None  # None: the bundled markup's
    drawing: Drawing | None = None  # None: the bundled markup's, or colours around the wheel
    # Gesture: the probability from which it is shown, chosen on pictures that were kept apart.
    operating_points: Mapping[str, float] = field(default_factory=dict)

    @property
    def markup(self) -> Markup | None:
        """The bundled markup, where this is a model of it."""
        return bundled_markup(self.kind, len(self.landmarks)) if self.crop is None else None

    @property
    def rule(self) -> CropRule:
        """How the crop lies around the landmarks."""
        return rule_of(self.kind, len(self.landmarks)) if self.crop is None else self.crop

    @property
    def is_checked(self) -> bool:
        """Were its probabilities checked on pictures that were kept apart?"""
        return bool(self.operating_points)

    @property
    def gives(self) -> tuple[str, ...]:
        """The names of its attributes."""
        return tuple(attribute.name for attribute in self.attributes)

    def to_props(self) -> dict[str, str]:
        """The metadata_props of an ONNX file."""
        found = asdict(self)
        for key in ("drawing", "operating_points"):  # earlier versions of this program know neither
            if not found[key]:
                del found[key]
        return {"tracker": json.dumps(found)}

    @staticmethod
    def from_props(props: Mapping[str, str], origin: str) -> ModelInfo:
        """Read it back; ValueError says which file is not one of ours."""
        if "tracker" not in props:
            raise ValueError(
                f"{origin} carries no landmark description; make it with 'train export'"
            )
        again = "export it again with 'train export'"
        try:
            d = from_json(props["tracker"])
        except ValueError as error:
            raise ValueError(
                f"{origin} describes its landmarks in broken JSON ({error}); {again}"
            ) from error
        if not isinstance(d, dict) or d.get("schema") != SCHEMA:
            found = d.get("schema") if isinstance(d, dict) else "none"
            raise ValueError(
                f"{origin} has model schema {str(found)[:60]}, this program reads {SCHEMA}; {again}"
            )
        try:
            info = _parse(d)
        except (AttributeError, LookupError, TypeError) as error:
            raise ValueError(
                f"{origin} describes its landmarks incompletely ({error}); {again}"
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{origin} describes its landmarks wrongly: {error}; {again}"
            ) from error
        _check(info, origin)
        return info


def _parse(d: dict[str, Any]) -> ModelInfo:
    """From plain data. LookupError, TypeError, AttributeError or ValueError where it is none."""
    d["attributes"] = tuple(
        Attribute(
            _word(a["name"]),
            tuple(map(_word, a["classes"])),
            count(a["size"], 0, MOST_CLASSES),
            count(a.get("ups", 0), 0, UPS),
        )
        for a in d["attributes"]
    )
    shown = d.get("operating_points", {})
    d["operating_points"] = {str(name): finite(p) for name, p in shown.items()}
    d["landmarks"] = tuple(map(_word, d["landmarks"]))
    for key in ("mean", "std"):
        d[key] = tuple(map(finite, d[key]))
    for key in ("edges", "flip_pairs"):
        d[key] = tuple((count(a), count(b)) for a, b in d[key])
    if d.get("crop") is not None:
        across, up = (ends_from(d["crop"].get(key, ())) for key in ("across", "up"))
        d["crop"] = CropRule(finite(d["crop"]["scale"], *SCALES), across, up=up)
    d["drawing"] = drawing_from(d.get("drawing"))
    d["beta"], d["size"] = finite(d["beta"]), count(d["size"], 0, LARGEST)
    for key in ("network", "licence", "data", "checkpoint_sha256"):
        d[key] = str(d[key])
    return ModelInfo(**d)


def _word(found: object) -> str:
    """A name that may head a column of a CSV file."""
    if not isinstance(found, str) or not found.strip() or not is_plain_word(found):
        raise ValueError(
            f"the name {str(found)[:60]!r} is empty, begins like a formula of a spreadsheet or "
            "holds a control letter"
        )
    return found


def model_file(path: str | Path) -> Path:
    """The model file meant by `path`: itself, or the newest finished one of a project folder.

    Raises UserError when there is nothing at `path`, or no model in the project yet.
    """
    path = Path(path)
    if not path.is_dir():
        if path.suffix == "" and not path.exists():
            raise UserError(f"there is no project and no model file at {path}; check the path")
        return path
    if is_project(path):
        return newest_model(path)
    if (path / "model.onnx").is_file():  # the folder of one run
        return path / "model.onnx"
    raise UserError(
        f"{path} is no project (there is no project.toml in it); give a project folder or an "
        ".onnx file"
    )


def precise_file(path: Path, precision: str) -> Path:
    """The file of a model in this precision; for fp32 the one that was given, whatever it is.

    ValueError for a precision that does not exist, or where its file is missing; it says what
    makes it.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"there is no precision {precision!r}; choose {', '.join(PRECISIONS)}")
    if precision == "fp32" or path.suffix != ".onnx":
        return path
    stem = path.stem.removesuffix(".fp16").removesuffix(".int8")
    form, whole = (path.with_name(f"{stem}{end}") for end in (f".{precision}.onnx", ".onnx"))
    if form.is_file():
        return form
    command = {
        "fp16": f"train export {whole.with_suffix('.safetensors')} --precision fp16 --out {form}",
        "int8": f"train quantize {whole} --data LABELS.json --out {form}",
    }[precision]
    raise ValueError(f"{whole} has no {precision} form beside it; make it with '{command}'")


def bundled_file(kind: Kind, weights: Weights = "best") -> Path:
    """The model of a kind that comes with the program; KeyError where none does.

    `weights`: one of `markups.WEIGHTS`. FileNotFoundError where the installation lacks it.
    """
    name = WEIGHTS[weights][kind]
    try:
        return assets.path(f"models/{name}.onnx")
    except FileNotFoundError as error:
        if name == BUNDLED[kind]:
            raise
        raise FileNotFoundError(
            f"the {weights} weights of {kind}s ({name}.onnx) are not in this installation; leave "
            f"'--weights {weights}' out, or install a landmark-tracker that has them"
        ) from error


def model_name(path: Path) -> str:
    """How to call a model file: its name, or 'PROJECT, run RUN' where it lies in a project."""
    run = path.absolute().parent
    forms = {"model.onnx": "", "model.fp16.onnx": " in fp16", "model.int8.onnx": " in int8"}
    if path.name in forms and run.parent.name == "models":
        return f"{run.parent.parent.name}, run {run.name}{forms[path.name]}"
    return path.name


def _check(info: ModelInfo, origin: str) -> None:
    """ValueError where a description contradicts itself."""
    points = len(info.landmarks)
    indices = [i for pair in (*info.edges, *info.flip_pairs) for i in pair]
    if info.crop is not None:
        for end in (*info.crop.across, *info.crop.up):
            indices += [end] if isinstance(end, int) else end
    if info.drawing is not None:
        indices += [i for paint in info.drawing.colours for i in paint.of]
        indices += [i for i in (info.drawing.nose, info.drawing.text_at) if i is not None]
    if info.kind not in KINDS:
        fact = f"finds {info.kind!r}, this program knows {', '.join(KINDS)}"
    elif any(not 0 <= i < points for i in indices):
        fact = f"has {points} landmarks and names number {max(indices, key=abs)} (from 0)"
    elif any(not 0 <= p <= 1 for p in info.operating_points.values()):
        fact = f"shows gestures from {dict(info.operating_points)}; probabilities are 0 to 1"
    elif info.colour not in ("rgb", "gray"):
        fact = f"wants {info.colour!r} pictures, this program gives rgb or gray"
    elif not 0 < points <= MOST_LANDMARKS or info.size < 1:
        fact = f"describes {points} landmarks in pictures of {info.size} pixels"
    elif any(not a.classes and a.size != SIZES.get(a.name, a.size) for a in info.attributes):
        fact = f"describes an attribute of another size than {SIZES}"
    elif any(a.name in TAKEN or not a.width for a in info.attributes):
        fact = "describes an attribute that gives nothing, or has the name of another output"
    else:
        return
    raise ValueError(f"{origin} {fact}; export it again with 'train export'")


def is_project(path: Path) -> bool:
    """Whether a folder holds a project."""
    return (path / TOML).is_file()


def own_model(root: Path) -> Path | None:
    """The ONNX of the run that was finished last; None where there is none yet."""
    return max(sorted((root / "models").glob("[!.]*/model.onnx")), key=finished_at, default=None)


def newest_model(root: Path) -> Path:
    """The ONNX of the run that was finished last. UserError when there is none."""
    found = own_model(root)
    if found is None:
        raise UserError(
            f"{root} has no trained model yet (models/*/model.onnx); make one with "
            f"'train finetune {root.name}'"
        )
    return found


def finished_at(onnx: Path) -> float:
    """Unix seconds: what run.json beside the model says, else when the file was written."""
    written = onnx.stat().st_mtime
    try:
        when = from_json((onnx.parent / "run.json").read_text(encoding="utf-8"))["finished"]
        return datetime.fromisoformat(when).timestamp() if isinstance(when, str) else float(when)
    except (OSError, ValueError, KeyError, TypeError):
        return written
