"""Landmarks as data: JSON Lines (everything) and CSV (one tidy table per kind).

JSON Lines: the first line is a header, then one object per frame: `frame` (decode order, from 0),
`t_s`, `tracks`, and `gap: true` where the frame could not be decoded, `damaged: true` where not
whole, `missing_before: N` where a damaged file lost N frames before this one. In pictures the row
also has `file` and `size_wh`. A live recording has further rows: with `event` instead of `frame`
where something happened (`gap`: `start_s` and `end_s`, the times of the frames around it, `phase`
and `reason`; `models`: others were used from here on, described as in the header; `source`: the
same, and another camera is seen from here on), and
`skipped: true` in frames that were filmed but not looked at, since the tracker was busy.
CSV: OUT_hand.csv, OUT_face.csv and OUT_object.csv, one row per track and frame, and a row with only
`frame` and `t_s` where the frame could not be decoded. A frame without a hand has no row in
OUT_hand.csv. All hold the smoothed points and the raw ones, and where the model gives depth (`xyz`)
the columns NAME_x_palm, NAME_y_palm and NAME_z_palm after them. The next two columns are of the
frame: `damaged` (1: not whole) and `missing_before`, both 0 in a sound one, in each of its rows. A
gap says the latter alone, and only where frames are missing. Where the model of faces gives them,
tracks have `irises`, `visible`, `expressions` and `expressions_raw`, and tables, behind all others,
the columns right_iris_x, ..., left_iris_score, NAME_visible, and the expressions by their names. A
motion of a hand, such as a swipe, stands once, in the frame in which it was seen to have ended:
`motion` with its `name` and probability `p`, in tables the last columns `motion` and `motion_p`. A
number that is not known is null, or empty.

Within a version, keys and columns are added, columns at the end; none is taken away, changes its
place or what it means. Else SCHEMA_VERSION rises.
"""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import TextIO

import numpy as np

from tracker.errors import UserError, writing
from tracker.find.expressions import EXPRESSIONS
from tracker.find.model_file import ModelInfo
from tracker.outputs.out_file import Target
from tracker.result import Result
from tracker.rounding import number, rounded
from tracker.types import Floats, Frame, Kind, Pose, Track

SCHEMA_VERSION = 1
# Names of files need not be text. Python's escapes of what is none are JSON's own.
ESCAPED = "backslashreplace"
HEAD_POSE = (
    "degrees, in the picture as it is seen: yaw > 0: the nose points to the picture's right side; "
    "pitch > 0: the nose points up; roll > 0: the head is tilted clockwise on screen; "
    "R = Rz(roll) Ry(yaw) Rx(pitch), axes x right, y down, z away from the camera"
)
XYZ = (
    "palm lengths (wrist to middle knuckle) from the wrist, smoothed, in the picture as it is seen:"
    " x right, y up, z towards the camera; null where the model gives no depth"
)
HEAD_PLACE = (
    "xyz_cm: centimetres from the camera to the point between the eyes, x to the picture's right, "
    "y down, z away from the camera, by an average face and the lens of --fov (else 53 degrees); "
    "matrix: 4x4, face axes in cm to these"
)
UNITS = {
    "xy": "pixels of the upright picture, smoothed; pixel centres at integers, x right, y down",
    "xy_raw": "the same, as the network said",
    "score": "0 to 1 per landmark",
    "t_s": "seconds from the start of the file",
    "side": "the person's own left or right hand",
    "head_pose": HEAD_POSE,
    "head_place": HEAD_PLACE,
    "xyz": XYZ,
    "motion": "in the frame in which it ended; left is the person's own, the camera facing them;"
    " the picture's where options.mirror is false",
    "irises": "x, y as xy, and score; the person's own right one, then the left",
    "visible": "0 to 1 per landmark: is it seen, not behind something",
    "expressions": "0 to 1 each, in the order of attributes.face.expressions: ARKit's coefficients,"
    " smoothed, less those of a neutral face where options.neutral names one",
    "expressions_raw": "the same, as the network said",
}
PROGRAMS = ("landmark-tracker", "numpy", "opencv-contrib-python", "onnxruntime", "av")
# fmt: off
CSV_COMMON = (
    "frame", "t_s", "track_id", "kind", "side", "side_p", "gesture", "gesture_p",
    "yaw", "pitch", "roll", "presence",
)
CSV_MARKS = ("damaged", "missing_before")
# fmt: on


@dataclass(frozen=True, slots=True)
class UsedModel:
    """A network that was used, as the data files and `--stats` name it."""

    file: str
    sha256: str
    info: ModelInfo
    provider: str  # what truly ran it
    threads: int


def header(models: Sequence[UsedModel], **facts: object) -> dict[str, object]:
    """The first line of a JSON Lines file. `facts`: source, fps as a fraction, size_wh, options."""
    return {
        "schema_version": SCHEMA_VERSION,
        "programs": versions(),
        **model_facts(models),
        "units": UNITS,
        **facts,
    }


def model_facts(models: Sequence[UsedModel]) -> dict[str, object]:
    """Which networks made the data, and what their numbers mean."""
    return {
        "models": [
            {
                "file": m.file,
                "sha256": m.sha256,
                "kind": m.info.kind,
                "network": m.info.network,
                "licence": m.info.licence,
            }
            for m in models
        ],
        "landmarks": {m.info.kind: list(m.info.landmarks) for m in models},
        "edges": {m.info.kind: [list(edge) for edge in m.info.edges] for m in models},
        "attributes": {
            m.info.kind: {a.name: list(a.parts) for a in m.info.attributes} for m in models
        },
    }


def versions() -> dict[str, str]:
    """Versions of this program and of what computes its results."""
    found = {"python": platform.python_version()}
    for name in PROGRAMS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found


def track_row(track: Track) -> dict[str, object]:
    """One hand, face or object of one frame, as it stands in JSON Lines."""
    pose = track.pose
    row: dict[str, object] = {
        "id": track.id,
        "kind": track.kind,
        "side": track.side,
        "side_p": number(track.side_p) if track.side else None,
        "gesture": track.gesture,
        "gesture_p": number(track.gesture_p) if track.gesture else None,
        "pose": pose and pose_row(pose),
        "presence": number(track.presence),
        "age": track.age,
        "xy": rounded(track.xy, 2),
        "xy_raw": rounded(track.xy_raw, 2),
        "score": rounded(track.score, 3),
        "xyz": None if track.xyz is None else rounded(track.xyz, 3),
        **{name: rounded(values, 3) for name, values in of_face(track).items()},
    }
    if track.happened is not None:
        row["motion"] = {"name": track.happened.name, "p": number(track.happened.p)}
    if track.attributes:
        row["attributes"] = {name: number(value) for name, value in track.attributes}
    return row


def of_face(track: Track) -> dict[str, Floats]:
    """What only some models of faces give, by the name of its field in Track."""
    given = {
        "irises": track.irises, "visible": track.visible, "expressions": track.expressions,
        "expressions_raw": track.expressions_raw,
    }  # fmt: skip
    return {name: values for name, values in given.items() if values is not None}


def pose_row(pose: Pose) -> dict[str, object]:
    """A head pose as it stands in JSON Lines."""
    row: dict[str, object] = {a: number(getattr(pose, a), 2) for a in ("yaw", "pitch", "roll")}
    matrix = pose.matrix
    row["xyz_cm"] = None if matrix is None else [number(v) for v in matrix[:3, 3].tolist()]
    row["matrix"] = None if matrix is None else np.round(matrix.astype(float), 5).tolist()
    return row


def as_line(row: object) -> str:
    """A row of JSON Lines, its end included."""
    return json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"


def marks_of(frame: Frame) -> dict[str, object]:
    """What a frame's row has beside its time and tracks: what was damaged, a picture's file."""
    marks: dict[str, object] = {"damaged": True} if frame.damaged else {}
    if frame.missing:
        marks["missing_before"] = frame.missing
    if frame.file is not None and frame.bgr is not None:
        marks["file"] = frame.file
        marks["size_wh"] = [frame.bgr.shape[1], frame.bgr.shape[0]]
    return marks


def frame_line(frame: int, t: float, result: Result | None, **extra: object) -> str:
    """The line of one frame. Its tracks' text is made once, however many outputs write it."""
    start = as_line({"frame": frame, "t_s": round(t, 6), **extra})[:-2]  # without } and the end
    if result is None:
        return start + ', "tracks": [], "gap": true}\n'
    with _ONE_AT_A_TIME:
        return f'{start}, "tracks": {_tracks_text(result)}}}\n'


_ONE_AT_A_TIME = Lock()


@lru_cache(maxsize=4)
def _tracks_text(result: Result) -> str:
    """A result is the same one only when it is the same object."""
    return as_line([track_row(track) for track in result.tracks]).rstrip("\n")


class JsonLines:
    """A JSON Lines file in the making."""

    def __init__(self, out: Target, head: Mapping[str, object]) -> None:
        """Write the header line, unless the file `goes_on`: it has one."""
        self._out = out
        with writing(out.path):  # line by line: what is written survives a crash
            self._file = out.temp.open("a", encoding="utf-8", errors=ESCAPED, buffering=1)
            self.goes_on = self._file.tell() > 0
        if not self.goes_on:
            self._line(head)

    def row(self, frame: int, t: float, result: Result | None, **extra: object) -> None:
        """Add one frame; `result` None: it could not be decoded."""
        with writing(self._out.path):
            self._file.write(frame_line(frame, t, result, **extra))

    def event(self, name: str, **facts: object) -> None:
        """Add what happened between two frames."""
        self._line({"event": name, **facts})

    def finish(self) -> None:
        """End the file and give it its name."""
        _end(self._file, self._out)

    def discard(self) -> None:
        """Give up: remove what was written."""
        _give_up(self._file, self._out)

    def _line(self, row: Mapping[str, object]) -> None:
        with writing(self._out.path):
            self._file.write(as_line(row))


def _end(file: TextIO, out: Target) -> None:
    """It is whole: give it its name."""
    with writing(out.path):
        file.close()
    out.commit()


def _give_up(file: TextIO, out: Target) -> None:
    """Remove what was written."""
    with suppress(OSError):  # the file is removed anyway
        file.close()
    out.discard()


class CsvTable:
    """The table of one kind in the making."""

    def __init__(
        self, out: Target, kind: Kind, landmarks: Sequence[str], gives: Collection[str] = ()
    ) -> None:
        """Write the row of column names, or go on in a file that has the same ones.

        `gives`: names of the model's attributes. UserError where its columns are others.
        """
        self._out, self._kind = out, kind
        self._with_depth = "xyz" in gives
        self._more = more_columns(landmarks, gives)
        self._columns = table_columns(landmarks, gives)
        with writing(out.path):
            with out.temp.open(encoding="utf-8") as before:
                begun = before.readline().rstrip("\n")
            self._file: TextIO = out.temp.open("a", encoding="utf-8", newline="", buffering=1)
        self._csv = csv.writer(self._file)
        if not begun:
            self._row(self._columns)
        elif begun.split(",") != self._columns:
            self._file.close()
            raise self._other()

    def check(self, landmarks: Sequence[str], gives: Collection[str]) -> None:
        """UserError where the model that is used from here on has other columns."""
        if table_columns(landmarks, gives) != self._columns:
            raise self._other()

    def _other(self) -> UserError:
        return UserError(
            f"{self._out.path} cannot go on: it was begun with other columns, of another model or "
            "version; name another file"
        )

    def row(
        self, frame: int, t: float, result: Result | None, damaged: bool = False, missing: int = 0
    ) -> None:
        """Add one frame; `result` None: it could not be decoded. Marks as in `Frame`."""
        start: list[object] = [frame, round(t, 6)]
        if result is None:
            cells = start + [None] * (len(self._columns) - len(start))
            cells[self._columns.index(CSV_MARKS[1])] = missing or None
            self._row(cells)
            return
        for track in result.tracks:
            if track.kind == self._kind:
                marks = (int(damaged), missing)
                more = [cell for part in self._more for cell in part.row(track)]
                self._row([*start, *_csv_cells(track, self._with_depth), *marks, *more])

    def finish(self) -> None:
        """End the file and give it its name."""
        _end(self._file, self._out)

    def discard(self) -> None:
        """Give up: remove what was written."""
        _give_up(self._file, self._out)

    def _row(self, cells: Sequence[object]) -> None:
        with writing(self._out.path):
            self._csv.writerow(cells)


@dataclass(frozen=True, slots=True)
class Columns:
    """What a table has at its end of one attribute."""

    columns: Sequence[str]
    cells: Callable[[Track], list[object] | None]  # of a track; None: it has none

    def row(self, track: Track) -> list[object]:
        """A cell for each column, all empty where the track has none."""
        cells = self.cells(track)
        return [None] * len(self.columns) if cells is None else cells


def table_columns(landmarks: Sequence[str], gives: Collection[str]) -> list[str]:
    """Of the table of a model with these landmarks, and attributes of these names."""
    smooth = [f"{name}_{part}" for name in landmarks for part in ("x", "y", "score")]
    raw = [f"{name}_{part}_raw" for name in landmarks for part in ("x", "y")]
    depth = [f"{name}_{axis}_palm" for name in landmarks for axis in "xyz" if "xyz" in gives]
    more = [column for part in more_columns(landmarks, gives) for column in part.columns]
    return [*CSV_COMMON, *smooth, *raw, *depth, *CSV_MARKS, *more]


def more_columns(landmarks: Sequence[str], gives: Collection[str]) -> list[Columns]:
    """Those of the attributes that a model gives, in the order in which tables have them."""
    irises = [f"{side}_iris_{part}" for side in ("right", "left") for part in ("x", "y", "score")]
    visible = [f"{name}_visible" for name in landmarks]
    known = {
        "iris": Columns(irises, lambda track: _flat(track.irises)),
        "visible": Columns(visible, lambda track: _flat(track.visible)),
        "expressions": Columns(EXPRESSIONS, lambda track: _flat(track.expressions)),
        "motion": Columns(("motion", "motion_p"), _motion_cells),
    }
    return [columns for name, columns in known.items() if name in gives]


def _flat(values: Floats | None) -> list[object] | None:
    """One row of what may be rows, rounded."""
    return None if values is None else list(rounded(values.ravel(), 3))


def _motion_cells(track: Track) -> list[object] | None:
    motion = track.happened
    return None if motion is None else [motion.name, number(motion.p)]


def csv_path(path: Path, kind: Kind) -> Path:
    """Where the table of one kind goes: OUT.csv gives OUT_hand.csv."""
    return path.with_name(f"{path.stem}_{kind}{path.suffix}")


def _csv_cells(track: Track, with_depth: bool) -> list[object]:
    pose = track.pose
    head: list[object] = [
        track.id,
        track.kind,
        track.side,
        number(track.side_p) if track.side else None,
        track.gesture,
        number(track.gesture_p) if track.gesture else None,
        *(
            [None] * 3
            if pose is None
            else [number(a, 2) for a in (pose.yaw, pose.pitch, pose.roll)]
        ),
        number(track.presence),
    ]
    for (x, y), score in zip(rounded(track.xy, 2), track.score.tolist(), strict=True):
        head += [x, y, number(score)]
    for x, y in rounded(track.xy_raw, 2):
        head += [x, y]
    if with_depth:
        xyz = np.full((len(track.xy), 3), np.nan) if track.xyz is None else track.xyz
        head += [value for spot in rounded(xyz, 3) for value in spot]
    return head
