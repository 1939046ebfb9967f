"""The contract between `train export` and the tracker: one ONNX file that describes itself.

Graph. Input `image`: float32 (N, C, S, S), raw 0..255, RGB (C = 3) or gray (C = 1); the
normalisation is inside. Outputs: `xy` (N, K, 2) crop pixels, `score` (N, K) in [0, 1],
`presence` (N,) in [0, 1], and one output per attribute, by its name: class attributes give
probabilities (N, classes), `pose` gives (N, 3) yaw, pitch, roll in degrees in the crop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from tracker.types import CropRule, Kind

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Attribute:
    """A class attribute has class names; a regression has none and `size` values."""

    name: str
    classes: tuple[str, ...] = ()
    size: int = 0

    @property
    def width(self) -> int:
        """Length of the output vector."""
        return len(self.classes) or self.size


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
    crop: CropRule | None = None  # None: as built in for the kind and its markup

    def to_props(self) -> dict[str, str]:
        """The metadata_props of an ONNX file."""
        return {"tracker": json.dumps(asdict(self))}

    @staticmethod
    def from_props(props: Mapping[str, str], origin: str) -> ModelInfo:
        """Read it back; ValueError says which file is not one of ours."""
        if "tracker" not in props:
            raise ValueError(
                f"{origin} carries no landmark description; make it with 'train export'"
            )
        d = json.loads(props["tracker"])
        if d.get("schema") != SCHEMA:
            raise ValueError(
                f"{origin} has model schema {d.get('schema')}, this program reads {SCHEMA}; "
                "export it again with 'train export'"
            )
        d["attributes"] = tuple(
            Attribute(a["name"], tuple(a["classes"]), a["size"]) for a in d["attributes"]
        )
        for key in ("landmarks", "mean", "std"):
            d[key] = tuple(d[key])
        for key in ("edges", "flip_pairs"):
            d[key] = tuple((int(a), int(b)) for a, b in d[key])
        if d.get("crop") is not None:
            d["crop"] = CropRule(float(d["crop"]["scale"]), tuple(d["crop"]["across"]))
        d["kind"] = cast(Kind, d["kind"])
        return ModelInfo(**d)
