"""A project folder: where everything lies in it, and what `project.toml` says.

Everything is relative to the folder, so it can be moved and shared:

    project.toml                what is labelled
    clips/, clips/clips.json    the clips as they came, and what was measured of each
    labels/                     labels.json (COCO keypoints), ranges.csv, split.json, frames/ ...
    flags/                      moments flagged in `tracker live`
    models/RUN/                 trained models
    cache/                      may be deleted at any time
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tracker.errors import UserError, writing
from tracker.find.markups import (
    BASES,
    DRAWN,
    WEIGHTS,
    Drawing,
    Markup,
    Pairs,
    bundled_markup,
    parse_markup,
)
from tracker.find.model_file import TOML, is_project
from tracker.plain_data import from_toml, is_plain_word
from tracker.types import CropRule, Ends, Kind
from tracker.whole_files import read_text, write_whole

SCHEMA = 1
NO_GESTURE = "none"
# Yaw, pitch, roll in degrees; signs as in find/head_pose.py (yaw > 0: to the picture's right).
POSES: Mapping[str, tuple[float, float, float]] = MappingProxyType({
    "front": (0.0, 0.0, 0.0),
    "left": (-35.0, 0.0, 0.0),
    "right": (35.0, 0.0, 0.0),
    "up": (0.0, 25.0, 0.0),
    "down": (0.0, -25.0, 0.0),
    "tilted_left": (0.0, 0.0, -25.0),
    "tilted_right": (0.0, 0.0, 25.0),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Project:
    """What `project.toml` says. Numbers are 0-based landmark indices."""

    root: Path
    name: str
    kind: Kind
    base: str
    landmarks: tuple[str, ...]
    edges: Pairs
    flip_pairs: Pairs
    normaliser: tuple[int, ...]  # two landmarks; (): the longer side of the points' box
    crop: CropRule | None = None  # None: the bundled markup's, and so it is drawn
    drawing: Drawing | None = None
    gestures: tuple[str, ...] = ()
    pose: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)  # preset: degrees

    @property
    def clips_dir(self) -> Path:
        return self.root / "clips"

    @property
    def labels_dir(self) -> Path:
        return self.root / "labels"

    @property
    def labels_path(self) -> Path:
        return self.labels_dir / "labels.json"

    @property
    def ranges_path(self) -> Path:
        return self.labels_dir / "ranges.csv"

    @property
    def frames_dir(self) -> Path:
        return self.labels_dir / "frames"

    @property
    def split_path(self) -> Path:
        return self.labels_dir / "split.json"

    @property
    def journal_path(self) -> Path:
        return self.labels_dir / "journal.jsonl"

    @property
    def backup_dir(self) -> Path:
        return self.labels_dir / "backup"

    @property
    def models_dir(self) -> Path:
        return self.root / "models"

    @property
    def cache_dir(self) -> Path:
        return self.root / "cache"

    @property
    def gesture_classes(self) -> tuple[str, ...]:
        """The classes of the model's gesture output; () without gestures."""
        return (NO_GESTURE, *self.gestures) if self.gestures else ()


def open_project(root: Path) -> Project:
    """Read a project. UserError when there is none or project.toml is broken (names the key)."""
    given, root = root, root.absolute()
    path = root / TOML
    if not path.is_file():
        fact = "is no project" if root.is_dir() else "does not exist"
        raise UserError(
            f"{root} {fact} (there is no {TOML} in it); give the folder of one, or make one with "
            f"'train init {given} --landmarks hand21'"
        )
    try:
        found = from_toml(read_text(path))
    except ValueError as error:
        raise UserError(f"{path} is no valid TOML: {error}; mend that line") from error
    if found.get("schema") != SCHEMA:
        raise UserError(
            f"{path}: schema is {found.get('schema')!r}, this program reads {SCHEMA}; "
            "update the program, or write schema = 1"
        )
    project = _parse(root, found, str(path))
    refuse_leading_out(root)
    return project


def refuse_leading_out(root: Path) -> None:
    """UserError when a link in a project leads out of it; clips alone may be links (`add --link`).

    So nothing that is read or written by a path in the project lies elsewhere, whoever made it.
    """
    home, folders = root.resolve(), [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            raise UserError(
                f"{folder} could not be read: {error.strerror}; check the folder"
            ) from error
        for entry in entries:
            if not entry.is_symlink():
                if entry.is_dir():
                    folders.append(Path(entry.path))
                continue
            path = Path(entry.path)
            place = path.parent.relative_to(root).parts
            is_clip = place == ("clips",) or place[:1] == ("removed",)
            if not (is_clip and not path.is_dir()) and not _resolved(path).is_relative_to(home):
                raise UserError(
                    f"{path} is a link that leads out of the project, to {path.readlink()}; put "
                    "the file or folder itself there (clips alone may be links)"
                )


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself leads nowhere
        return path.parent.resolve() / path.name


def create_project(
    root: Path,
    markup: Markup,
    name: str = "",
    gestures: Iterable[str] = (),
    pose: Mapping[str, tuple[float, float, float]] | None = None,
) -> Project:
    """Make the folders and project.toml. UserError where a project is already, or it cannot be.

    Nothing that lies in the folder is touched.
    """
    root = root.absolute()
    if is_project(root):
        raise UserError(
            f"{root} holds a project already; nothing was changed: add clips with 'train add', or "
            "choose another folder"
        )
    project = Project(
        root, name or root.name, markup.kind, markup.base, markup.landmarks, markup.edges,
        markup.flip_pairs, markup.normaliser,
        None if markup.is_bundled else markup.crop,
        None if markup.is_bundled else markup.drawing,
        check_gestures(list(gestures), "--gestures"), dict(pose or {}),
    )  # fmt: skip
    with writing(root):
        for folder in (root, project.clips_dir, project.labels_dir, project.models_dir):
            folder.mkdir(parents=True, exist_ok=True)
    write_whole(root / TOML, to_toml(project).encode())
    return open_project(root)


def to_toml(project: Project) -> str:
    """The text of project.toml."""
    p = project
    normaliser = [p.landmarks[i] for i in p.normaliser]
    lines = [
        "# What is labelled in this project. Numbers count the landmarks from 0.",
        f"schema = {SCHEMA}",
        f"name = {_toml(p.name)}",
        f"kind = {_toml(p.kind)}  # what finds it: hand or face detector, object: the network",
        f"base = {_toml(p.base)}  # what a training starts from: {', '.join(BASES)} or scratch",
        "landmarks = [", *(f"    {_toml(n)}," for n in p.landmarks), "]",
        f"edges = {_toml([list(e) for e in p.edges])}",
        f"flip_pairs = {_toml([list(e) for e in p.flip_pairs])}",
        f"normaliser = {_toml(normaliser)}  # two landmarks; []: the longer side of their box",
    ]  # fmt: skip
    if p.drawing is not None:
        one = {"nose": p.drawing.nose, "text_at": p.drawing.text_at}
        lines += [f"{k} = {_toml(p.landmarks[i])}" for k, i in one.items() if i is not None]
    if p.crop is not None:
        lines += ["", "[crop]", f"scale = {p.crop.scale}"]
        two = {"across": p.crop.across, "up": p.crop.up}
        lines += [f"{k} = {_toml(_named(ends, p.landmarks))}" for k, ends in two.items() if ends]
    for paint in () if p.drawing is None else p.drawing.colours:
        of = [p.landmarks[i] for i in paint.of]
        lines += ["", "[[colours]]", f"of = {_toml(of)}", f"points = {_toml(paint.points)}"]
        lines += [f"lines = {_toml(paint.lines)}"] if paint.lines else []
    if p.gestures:
        lines += ["", "[gestures]", f"names = {_toml(list(p.gestures))}"]
    if p.pose:
        lines += ["", "[pose.presets]  # yaw, pitch, roll in degrees; yaw > 0: to the right"]
        lines += [f"{_toml(k)} = {_toml(list(v))}" for k, v in p.pose.items()]
    return "\n".join(lines) + "\n"


def check_gestures(found: object, where: str) -> tuple[str, ...]:
    """Gesture names: each once, and none of them 'none'."""
    if not isinstance(found, list) or not all(isinstance(n, str) and n.strip() for n in found):
        raise UserError(f'{where} must be a list of names, such as ["fist", "open_palm"]')
    names = tuple(n.strip() for n in found)
    for i, name in enumerate(names):
        if name == NO_GESTURE:
            raise UserError(f"{where} names '{NO_GESTURE}', which every model has; leave it out")
        if name in names[:i]:
            raise UserError(f"{where} names '{name}' twice; name each gesture once")
        if "," in name or not is_plain_word(name):
            raise UserError(
                f"{where}: the name {name!r} holds a comma or a control letter, or begins like a "
                "formula; write it without"
            )
    return names


def _parse(root: Path, found: Mapping[str, Any], origin: str) -> Project:
    crop = found.get("crop")
    if crop is not None and not isinstance(crop, dict):
        raise UserError(f"{origin}: crop must be a table; write [crop] and scale = 1.6 below it")
    rows = {key: found[key] for key in found if key in _MARKUP_KEYS}
    markup = parse_markup({**rows, **(crop or {})}, origin)
    known = bundled_markup(markup.kind, len(markup.landmarks))
    ours = () if known is None else {names[known.kind] for names in WEIGHTS.values()}
    if crop is None and markup.base not in ours:
        crop = {}  # an own markup without [crop]: the defaults
    gestures = found.get("gestures", {})
    if not isinstance(gestures, dict):
        raise UserError(f'{origin}: gestures must be a table: [gestures] and names = ["fist"]')
    return Project(
        root, str(found.get("name") or root.name), markup.kind, markup.base, markup.landmarks,
        markup.edges, markup.flip_pairs, markup.normaliser,
        None if crop is None else markup.crop, markup.drawing,
        check_gestures(gestures.get("names", []), f"{origin}: gestures.names"),
        _poses(found.get("pose", {}), origin),
    )  # fmt: skip


_MARKUP_KEYS = ("kind", "base", "landmarks", "edges", "flip_pairs", "normaliser", *DRAWN)


def _named(ends: Ends, names: Sequence[str]) -> list[str | list[str]]:
    """The landmarks of a crop rule by name."""
    return [names[e] if isinstance(e, int) else [names[i] for i in e] for e in ends]


def _poses(found: object, origin: str) -> Mapping[str, tuple[float, float, float]]:
    presets = found.get("presets", {}) if isinstance(found, dict) else None
    if not isinstance(presets, dict):
        raise UserError(f"{origin}: pose must be a table: [pose.presets] and front = [0, 0, 0]")
    poses = {}
    for name, value in presets.items():
        numbers = isinstance(value, list) and len(value) == 3
        if not numbers or not all(type(v) in (int, float) and abs(v) <= 360 for v in value):
            raise UserError(
                f"{origin}: pose.presets.{name} is {value!r}; write yaw, pitch and roll in degrees,"
                " such as [-35, 0, 0]"
            )
        poses[str(name)] = (float(value[0]), float(value[1]), float(value[2]))
    return poses


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)  # strings and lists are written alike in both
