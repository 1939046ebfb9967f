"""JSON Lines that `tracker video`, `image` and `live` wrote, read back: `tracker.read(path)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from tracker.errors import UserError
from tracker.outputs.landmark_files import SCHEMA_VERSION
from tracker.outputs.skeleton import Skeleton, skeleton
from tracker.plain_data import count, finite, from_json
from tracker.result import Result, table
from tracker.types import Floats, Kind, Motion, Pose, Track

if TYPE_CHECKING:
    import pandas as pd

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, eq=False)
class SavedFrame:
    """The line of one frame. `result` None: a gap, or, in a live recording, not looked at."""

    index: int  # decode order, from 0
    t: float  # seconds
    result: Result | None
    marks: Mapping[str, Any]  # what else the line says: damaged, missing_before, file, size_wh...


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """A whole file. Iterating gives its frames in their order."""

    header: Mapping[str, Any]  # the first line: units, landmark names, models, source
    frames: tuple[SavedFrame, ...]
    events: tuple[Mapping[str, Any], ...] = ()  # of a live recording, each with its `event`

    def __iter__(self) -> Iterator[SavedFrame]:
        """Its frames."""
        return iter(self.frames)

    def __len__(self) -> int:
        """How many frames."""
        return len(self.frames)

    def __repr__(self) -> str:
        """One line."""
        seen = sum(frame.result is not None and bool(frame.result.tracks) for frame in self.frames)
        source = self.header.get("source", "pictures")
        return f"Saved({source}: {len(self.frames)} frames, something is seen in {seen})"

    def to_rows(self) -> list[dict[str, object]]:
        """`Result.to_rows` of all frames, each row with the number of its `frame` before it."""
        return [
            {"frame": frame.index, **row}
            for frame in self.frames
            if frame.result is not None
            for row in frame.result.to_rows()
        ]

    def to_pandas(self) -> pd.DataFrame:
        """One row a landmark. ModuleNotFoundError where pandas is not installed."""
        return table(self.to_rows())


def read(path: str | Path) -> Saved:
    """A JSON Lines file of this program: its header, and a `Result` for every frame.

    What was not written is not there: `Track.gestures` is empty, and numbers are as exact as the
    file. A last line that a crash cut off is left out. UserError where the file cannot be read or
    is no such file.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8", errors="backslashreplace").split("\n")
    except OSError as error:
        raise UserError(f"{path} could not be read: {error.strerror or error}") from error
    rows = _parsed(lines, path)
    header = rows[0] if rows else {}
    if not isinstance(header.get("schema_version"), int) or "landmarks" not in header:
        raise UserError(
            f"{path} is no JSON Lines file of this program: its first line is no header; "
            "'tracker video CLIP --json OUT.jsonl' writes one"
        )
    if header["schema_version"] > SCHEMA_VERSION:
        raise UserError(f"{path} was written by a newer version of this program; update this one")
    try:
        return _saved(rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _parsed(lines: list[str], path: Path) -> list[dict[str, Any]]:
    """Whole lines only: what follows the last line's end was cut off by a crash, or is nothing."""
    rows = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            row = from_json(line)
            if not isinstance(row, dict):
                raise ValueError("it is no object")
        except ValueError as error:
            raise UserError(f"{path}, line {number} is no JSON object: {error}") from error
        rows.append(row)
    return rows


def _saved(rows: list[dict[str, Any]]) -> Saved:
    facts = _Facts(rows[0])
    frames: list[SavedFrame] = []
    events: list[Mapping[str, Any]] = []
    for row in rows[1:]:
        if "event" in row:
            events.append(row)
            if row["event"] in ("models", "source"):
                facts = _Facts(row)
            continue
        t = finite(row["t_s"])
        unseen = row.get("gap") or row.get("skipped")
        tracks = tuple(facts.track(track) for track in row["tracks"])
        result = None if unseen else Result(t, tracks, facts.looks)
        known = ("frame", "t_s", "tracks")
        marks = {key: value for key, value in row.items() if key not in known}
        frames.append(SavedFrame(count(row["frame"]), t, result, marks))
    return Saved(rows[0], tuple(frames), tuple(events))


class _Facts:
    """What a header, or a change of models, says of the lines after it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.names = {kind: tuple(map(str, names)) for kind, names in row["landmarks"].items()}
        edges = row.get("edges", {})
        self.looks: dict[Kind, Skeleton] = {
            kind: skeleton(kind, len(names), [(count(a), count(b)) for a, b in edges.get(kind, ())])
            for kind, names in self.names.items()
        }

    def track(self, row: Mapping[str, Any]) -> Track:
        kind: Kind = KINDS[KINDS.index(row["kind"])]
        pose, xyz = row["pose"], row.get("xyz")
        return Track(
            count(row["id"]), kind, _array(row["xy"], 2), _array(row["xy_raw"], 2),
            _array(row["score"]), _or_nan(row["presence"]), row["side"], _or_zero(row["side_p"]),
            row["gesture"], _or_zero(row["gesture_p"]), None if pose is None else _pose(pose),
            count(row["age"]), xyz=None if xyz is None else _array(xyz, 3),
            names=self.names.get(kind, ()),
            attributes=tuple((str(n), _or_nan(v)) for n, v in row.get("attributes", {}).items()),
            irises=_given(row, "irises", 3), visible=_given(row, "visible"),
            expressions=_given(row, "expressions"),
            expressions_raw=_given(row, "expressions_raw"),
            motion=_motion(row.get("motion")),
        )  # fmt: skip


def _array(values: Any, width: int | None = None) -> Floats:
    """(K, width) or (K,), NaN where the file has null."""
    found = np.array(values, object).astype(np.float32)
    return found.reshape(-1) if width is None else found.reshape(-1, width)


def _given(row: Mapping[str, Any], name: str, width: int | None = None) -> Floats | None:
    """What only some models give."""
    return None if row.get(name) is None else _array(row[name], width)


def _pose(row: Mapping[str, Any]) -> Pose:
    matrix = row.get("matrix")
    yaw, pitch, roll = (_or_nan(row[axis]) for axis in ("yaw", "pitch", "roll"))
    return Pose(yaw, pitch, roll, None if matrix is None else _array(matrix, 4))


def _motion(row: Mapping[str, Any] | None) -> Motion | None:
    """The one that happened in the frame."""
    return None if row is None else Motion(str(row["name"]), _or_zero(row["p"]), 0.0)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _or_zero(value: float | None) -> float:
    return 0.0 if value is None else float(value)
