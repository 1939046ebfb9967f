"""What is seen in a frame, and what is mostly done with it: tables, pictures, other libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engines.installation import pip_install
from tracker.outputs.skeleton import Skeleton, skeleton
from tracker.rounding import number, rounded
from tracker.types import Floats, Frame, Image, Kind, Side, Track

if TYPE_CHECKING:
    import pandas as pd
    import supervision as sv

SKETCH = 96  # side of a track's picture in a notebook, pixels


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """Everything seen in one frame. No hand and no face is an empty tuple."""

    t: float  # seconds
    tracks: tuple[Track, ...]
    # How each kind is drawn: colours, and which landmarks are joined. A kind without one is drawn
    # like the bundled model of as many landmarks, or plainly.
    skeletons: Mapping[Kind, Skeleton] = field(default_factory=dict)

    def __repr__(self) -> str:
        """One line."""
        seen = "; ".join(track.words for track in self.tracks) or "nothing"
        return f"Result(t={self.t:.3f} s: {seen})"

    def draw(self, frame_bgr: Image, sure: float = 0.5, on_black: bool = False) -> Image:
        """A copy of the frame with skeletons, words and head axes drawn on it.

        `frame_bgr` is (H, W, 3) uint8, BGR, the frame that gave this result. Landmarks scored
        below `sure` ([0, 1]) are hollow. `on_black`: nothing of the frame is shown but its size.
        ValueError: it is no such array.
        """
        from tracker.outputs.overlay import Style, draw

        if getattr(frame_bgr, "dtype", None) != np.uint8 or frame_bgr.shape[2:] != (3,):
            raise ValueError("a frame to draw on must be a uint8 array (H, W, 3) in BGR order")
        style = Style(sure=sure, on_black=on_black)
        return draw(frame_bgr, self.tracks, self.skeletons, style)

    def to_rows(self) -> list[dict[str, object]]:
        """One plain dict a landmark, in the order of the tracks and of the model's landmarks.

        Keys and digits are those of the CSV files: `t_s` (seconds), `track_id`, `kind`, `side`,
        `side_p`, `gesture`, `gesture_p`, `yaw`, `pitch`, `roll` (degrees), `presence`; then
        `landmark` (its name, or its number where the model gives none), `x`, `y`, `x_raw`, `y_raw`
        (frame pixels), `score` ([0, 1]) and `x_palm`, `y_palm`, `z_palm` (palm lengths). A number
        that is not known is None.
        """
        return [row for track in self.tracks for row in _rows(self.t, track)]

    def to_pandas(self) -> pd.DataFrame:
        """`to_rows` as a table: one row a landmark. ModuleNotFoundError where pandas is not."""
        return table(self.to_rows())

    def to_supervision(self, kind: Kind | None = None) -> sv.KeyPoints:
        """The tracks of one kind as `supervision.KeyPoints`, for its annotators.

        `xy` (N, K, 2) frame pixels, `keypoint_confidence` (N, K), `detection_confidence` (N,)
        presence, `class_id` (N,): 0 hand, 1 face, 2 object, and in `data` what it is called
        (`class_name`), `track_id`, `side` and `gesture` ('' where there is none). Landmarks without
        a place are at (0, 0) with confidence 0, as supervision has it. `kind` None: all tracks.
        ValueError where these have different numbers of landmarks; name a kind then.
        ModuleNotFoundError where supervision is not installed.
        """
        sv = _library("supervision")
        chosen = [track for track in self.tracks if kind in (None, track.kind)]
        if len({len(track.xy) for track in chosen}) > 1:
            kinds = sorted({track.kind for track in chosen})
            raise ValueError(
                f"KeyPoints hold one kind of object and {' and '.join(kinds)} were seen; "
                f"call to_supervision({kinds[0]!r})"
            )
        if not chosen:
            return sv.KeyPoints.empty()
        xy = np.stack([track.xy for track in chosen]).astype(np.float32)
        known = _known(xy)
        score = np.stack([track.score for track in chosen]).astype(np.float32)
        order: tuple[Kind, ...] = ("hand", "face", "object")
        return sv.KeyPoints(
            xy=np.where(known[..., None], xy, np.float32(0)),
            keypoint_confidence=np.where(known, score, np.float32(0)),
            detection_confidence=np.array([track.presence for track in chosen], np.float32),
            class_id=np.array([order.index(track.kind) for track in chosen]),
            data={
                "class_name": np.array([track.kind for track in chosen]),
                "track_id": np.array([track.id for track in chosen]),
                "side": np.array([track.side or "" for track in chosen]),
                "gesture": np.array([track.gesture or "" for track in chosen]),
            },
        )

    def _repr_html_(self) -> str:
        """A table for notebooks: each track with a sketch of its landmarks."""
        rows = "".join(
            f"<tr><td>{_sketch(track, self._look(track))}</td><td>{track.kind}</td>"
            f"<td>{escape(track.words)}</td><td>{track.presence:.2f}</td></tr>"
            for track in self.tracks
        )
        head = "<tr><th></th><th>kind</th><th>what is seen</th><th>presence</th></tr>"
        body = f"<table>{head}{rows}</table>" if rows else "nothing is seen"
        return f"<div>t = {self.t:.3f} s {body}</div>"

    def _look(self, track: Track) -> Skeleton:
        look = self.skeletons.get(track.kind)
        fits = look is not None and len(look.points) == len(track.xy)
        return look if look is not None and fits else skeleton(track.kind, len(track.xy))


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame of a live stream and what was seen in it."""

    serial: int  # of the captured frame; numbers are missing where frames were dropped
    frame: Frame  # its `bgr` is never None
    result: Result
    other: Result | None  # of the second tracker that is compared with the first
    t_capture: float  # monotonic seconds at which the frame was handed over,
    t_done: float  # and at which its results were there


def oldest_face(result: Result | None) -> Track | None:
    """Of the faces with a head pose the one that has been seen for longest; None: there is none."""
    faces = [] if result is None else [t for t in result.tracks if t.pose is not None]
    return min(faces, key=lambda track: track.id, default=None)


def oldest_hands(result: Result | None) -> dict[Side | None, Track]:
    """The hand of each side that has been seen for longest."""
    hands = [] if result is None else [t for t in result.tracks if t.kind == "hand"]
    return {track.side: track for track in sorted(hands, key=lambda t: t.id, reverse=True)}


def table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Rows as a pandas table. ModuleNotFoundError where pandas is not installed."""
    return _library("pandas").DataFrame(rows)


def _library(name: str) -> Any:
    """An optional library, or a sentence on how to get it."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"this needs {name}, which is not installed; run: {pip_install(name)}", name=error.name
        ) from error


def _rows(t: float, track: Track) -> list[dict[str, object]]:
    pose, gesture = track.pose, track.gesture
    common: dict[str, object] = {
        "t_s": round(t, 6), "track_id": track.id, "kind": track.kind,
        "side": track.side, "side_p": number(track.side_p) if track.side else None,
        "gesture": gesture, "gesture_p": number(track.gesture_p) if gesture else None,
        "yaw": None if pose is None else number(pose.yaw, 2),
        "pitch": None if pose is None else number(pose.pitch, 2),
        "roll": None if pose is None else number(pose.roll, 2),
        "presence": number(track.presence),
    }  # fmt: skip
    motion = track.happened
    event: dict[str, object] = {
        "motion": None if motion is None else motion.name,
        "motion_p": None if motion is None else number(motion.p),
    }
    spots = np.full((len(track.xy), 3), np.nan) if track.xyz is None else track.xyz
    columns = zip(
        track.names or range(len(track.xy)), rounded(track.xy, 2), rounded(track.xy_raw, 2),
        rounded(track.score, 3), rounded(spots, 3), strict=True,
    )  # fmt: skip
    return [
        common | {
            "landmark": name, "x": xy[0], "y": xy[1], "score": score,
            "x_raw": raw[0], "y_raw": raw[1],
            "x_palm": xyz[0], "y_palm": xyz[1], "z_palm": xyz[2],
        } | event
        for name, xy, raw, score, xyz in columns
    ]  # fmt: skip


def _sketch(track: Track, look: Skeleton) -> str:
    """The landmarks and their lines as SVG, as large as fits."""
    known = _known(track.xy)
    if not known.any():
        return ""
    low, high = track.xy[known].min(0), track.xy[known].max(0)
    xy = (track.xy - low) / max(float((high - low).max()), 1.0) * (SKETCH - 8) + 4
    lines = "".join(
        f'<line x1="{xy[a][0]:.1f}" y1="{xy[a][1]:.1f}" x2="{xy[b][0]:.1f}" y2="{xy[b][1]:.1f}" '
        f'stroke="{_css(colour)}"/>'
        for (a, b), colour in zip(look.edges, look.lines, strict=True)
        if known[a] and known[b]
    )
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.8" fill="{_css(colour)}"/>'
        for (x, y), colour, is_known in zip(xy, look.points, known, strict=True)
        if is_known
    )
    return f'<svg width="{SKETCH}" height="{SKETCH}" style="background:#222">{lines}{dots}</svg>'


def _known(xy: Floats) -> NDArray[np.bool_]:
    """(..., K) of (..., K, 2): which landmarks have a place."""
    return np.asarray(np.isfinite(xy).all(-1), np.bool_)


def _css(bgr: tuple[int, int, int]) -> str:
    return "#{2:02x}{1:02x}{0:02x}".format(*bgr)
