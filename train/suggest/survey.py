"""One pass over the clips: where objects are, where they are lost, how unsure the network is.

Pictures of a set are looked at one by one. Bounded whatever the clips' length: at most about
MOST_TRACKED frames are tracked (of long clips, short windows evenly spread) and MOST_MEASURED of
these are measured. What was found is kept in cache/suggest.json by model and clip, so that only
what is new is looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError
from tracker.find.geometry import box_from_landmarks
from tracker.find.locate import Model
from tracker.plain_data import from_json
from tracker.progress import Report
from tracker.track import Tracker
from tracker.types import Floats, Image, Track
from tracker.whole_files import write_whole
from train.project.clips import Clip
from train.project.layout import Project
from train.project.stills import frames_of, read_set
from train.suggest.prelabel import tracker_of
from train.suggest.ranking import WarpSpec, look_of
from train.suggest.uncertainty import uncertainty_of

SCHEMA = 1
FILE = "suggest.json"
MOST_TRACKED, MOST_MEASURED = 2000, 400
STEP_S = 0.1  # between two tracked frames
WINDOW_S = 4.0  # of a long clip, tracked at a stretch
LOST_S = 1.0  # an object that is back within this time was lost, not gone
FINE = 1000  # looks are kept as whole numbers of this fraction

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A frame that may be suggested, with its least sure object."""

    frame: int
    t: float  # seconds
    state: str  # 'measured', 'lost' (seen before and after) or 'nothing' (no object found)
    xy: Floats | None  # (K, 2) frame pixels, landmarks of the model; measured frames only
    each: Floats | None  # (K,) disagreement, % of the crop's side; measured frames only
    look: Floats  # of the object's crop, or of the whole frame where none was found


@dataclass(frozen=True, slots=True)
class Pass:
    """Which frames of the clips are looked at."""

    share: float  # of a clip's time that lies in a window: 1, 1/2, 1/4 ...
    every: int  # of the tracked frames, one in so many is measured: 1, 2, 4 ...


def plan_pass(seconds: float) -> Pass:
    """Bounded for clips of `seconds` together. In powers of two: one more clip rarely changes it,
    so what is known of the others stays good.
    """
    budget = MOST_TRACKED * STEP_S
    share = 1.0
    while seconds * share > budget:
        share /= 2
    every = 1
    while seconds * share / (STEP_S * every) > MOST_MEASURED:
        every *= 2
    return Pass(share, every)


def tracked_frames(times: NDArray[np.float64], plan: Pass) -> list[int]:
    """Frame numbers: the first of each STEP_S, within the windows of the plan."""
    since = times - times[0]
    windows = since % (WINDOW_S / plan.share) < WINDOW_S if plan.share < 1 else since >= 0
    slot = np.floor(since / STEP_S + 1e-6).astype(int)
    new = np.diff(slot, prepend=-1) > 0
    return [int(i) for i in np.flatnonzero(new & windows)]


def pictures(count: int, plan: Pass) -> list[int]:
    """Numbers of the pictures of a set that are looked at: all, or evenly spread ones."""
    return list(range(0, count, round(1 / plan.share)))


def length_of(clip: Clip) -> float:
    """Seconds that a clip counts for in the plan; a picture as much as a tracked frame."""
    return clip.frames * STEP_S if clip.is_stills else clip.seconds


def lost_rows(counts: Sequence[int], times: Sequence[float]) -> list[int]:
    """The middle of each stretch with fewer objects than within LOST_S both before and after."""
    count, t = np.asarray(counts), np.asarray(times)
    missing = [
        c < min(max(count[(t >= t[i] - LOST_S) & (t < t[i])], default=0),
                max(count[(t <= t[i] + LOST_S) & (t > t[i])], default=0))
        for i, c in enumerate(count)
    ]  # fmt: skip
    out, start = [], None
    for i, is_missing in enumerate([*missing, False]):
        if is_missing and start is None:
            start = i
        elif not is_missing and start is not None:
            out.append((start + i - 1) // 2)
            start = None
    return out


def survey(
    project: Project, clips: Sequence[Clip], model: Model | None, report: Report, stop: Stop
) -> dict[str, list[Row]]:
    """The rows of each clip, by name. Where `stop` becomes true, those up to there."""
    kept = _Kept(project, model)
    plan = plan_pass(sum(length_of(c) for c in clips))
    rows = {c.name: found for c in clips if (found := kept.get(c, plan)) is not None}
    missing = [c for c in clips if c.name not in rows]
    if not missing:
        return rows
    tracker = None if model is None else tracker_of(model, most_objects(project))
    known = {c.name: _frames_of(project, c, plan) for c in missing}
    total, before = sum(len(k) for k in known.values()), 0
    for clip in missing:
        looking = _Look(model, tracker, plan)
        told = partial(_told, report, before, total)
        rows[clip.name] = looking.clip(project, clip, known[clip.name], stop, told)
        if stop():
            break  # of this clip, what was looked at by now; not kept
        kept.put(clip, plan, rows[clip.name])
        before += len(known[clip.name])
    return rows


def _told(report: Report, before: int, total: int, done: int) -> None:
    report(before + done, total)


def most_objects(project: Project) -> int:
    """Objects looked for in one frame."""
    return 2 if project.kind == "hand" else 1


def _frames_of(project: Project, clip: Clip, plan: Pass) -> list[int]:
    if clip.is_stills:
        return pictures(clip.frames, plan)
    with closing(frames_of(project, clip)) as frames:
        return tracked_frames(np.asarray(frames.times), plan)


class _Look:
    """Looks at one clip, each frame decoded once."""

    def __init__(self, model: Model | None, tracker: Tracker | None, plan: Pass) -> None:
        self._model, self._tracker, self._plan = model, tracker, plan

    def clip(
        self, project: Project, clip: Clip, wanted: Sequence[int], stop: Stop,
        told: Callable[[int], None],
    ) -> list[Row]:  # fmt: skip
        """Rows in order of time, up to where it was stopped."""
        if self._tracker is not None:
            self._tracker.reset()
        seen: list[tuple[int, Row]] = []  # number of objects, row
        measured: list[bool] = []
        with closing(frames_of(project, clip)) as frames:
            for n, i in enumerate(wanted):
                if stop():
                    break
                if clip.is_stills and self._tracker is not None:
                    self._tracker.reset()  # a picture says nothing about the next one
                found = frames.frame(i)
                if found.bgr is not None:
                    is_due = n % self._plan.every == 0
                    seen.append(self._frame(i, found.t, found.bgr, is_due))
                    measured.append(is_due)
                told(n + 1)
        if self._tracker is None or clip.is_stills:
            return [row for (_, row), due in zip(seen, measured, strict=True) if due]
        lost = set(lost_rows([n for n, _ in seen], [r.t for _, r in seen]))
        return [
            Row(r.frame, r.t, "lost", None, None, r.look) if k in lost else r
            for k, (_, r) in enumerate(seen)
            if k in lost or measured[k]
        ]

    def _frame(self, i: int, t: float, bgr: Image, is_due: bool) -> tuple[int, Row]:
        tracks: Sequence[Track] = ()
        if self._tracker is not None:
            tracks = self._tracker.process(bgr, t).tracks
        if not tracks or not is_due:
            return len(tracks), Row(i, t, "nothing", None, None, _rounded(look_of(bgr), FINE))
        assert self._model is not None
        info = self._model.info
        boxes = [box_from_landmarks(info.kind, k.xy_raw, rule=info.crop) for k in tracks]
        found = [uncertainty_of(bgr, box, self._model, WarpSpec()) for box in boxes]
        worst = max(found, key=lambda m: np.nan_to_num(m.disagreement))
        row = Row(
            i, t, "measured", _rounded(worst.xy, 100), _rounded(worst.each, 1000),
            _rounded(worst.look, FINE),
        )  # fmt: skip
        return len(tracks), row


def _rounded(values: Floats, fine: int) -> Floats:
    """As the cache keeps them, so that a kept pass and a fresh one are the same."""
    return (np.round(values.astype(np.float64) * fine) / fine).astype(np.float32)


class _Kept:
    """cache/suggest.json: what is known of the clips for one model."""

    def __init__(self, project: Project, model: Model | None) -> None:
        self._project = project
        self._path = project.cache_dir / FILE
        self._model = model_key(model)
        self._clips: dict[str, Any] = {}
        try:
            body = from_json(self._path.read_text(encoding="utf-8"), nan=True)
            if body["schema"] == SCHEMA and body["model"] == self._model:
                self._clips = dict(body["clips"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # a cache: what cannot be read is made again

    def get(self, clip: Clip, plan: Pass) -> list[Row] | None:
        """The rows of a clip, if they were found in the same way."""
        try:
            body = self._clips[clip.name]
            if body["key"] == self._key(clip, plan):
                return [_row(values) for values in body["rows"]]
        except (KeyError, ValueError, TypeError):
            pass
        return None

    def _key(self, clip: Clip, plan: Pass) -> list[Any]:
        """What the rows of a clip depend on, besides the model; of a set: its pictures."""
        sums = clip.sha256
        if clip.is_stills:
            held = sorted((n, sha) for (_, sha), n in read_set(self._project, clip.name).items())
            sums = sha256(repr(held).encode()).hexdigest()
        return [sums, plan.share, plan.every]

    def put(self, clip: Clip, plan: Pass, rows: Sequence[Row]) -> None:
        """Keep the rows of a clip. A folder that cannot be written costs only time."""
        body = {"key": self._key(clip, plan), "rows": [_values(r) for r in rows]}
        self._clips[clip.name] = body
        whole = {"schema": SCHEMA, "model": self._model, "clips": self._clips}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(whole, separators=(",", ":")).encode())
        except (OSError, UserError):
            pass


def model_key(model: Model | None) -> str:
    """What tells one model from another."""
    if model is None:
        return ""
    if model.path is not None:
        return sha256(model.path.read_bytes()).hexdigest()
    return f"{model.info.network} {model.info.checkpoint_sha256}"


def _values(row: Row) -> dict[str, Any]:
    return {
        "frame": row.frame, "t": row.t, "state": row.state,
        "xy": None if row.xy is None else _whole(row.xy, 100),
        "each": None if row.each is None else _whole(row.each, 1000),
        "look": _whole(row.look, FINE),
    }  # fmt: skip


def _whole(values: Floats, fine: int) -> list[int | None]:
    flat = values.astype(np.float64).ravel() * fine
    return [round(v) if np.isfinite(v) else None for v in flat]


def _floats(values: Sequence[int | None], fine: int) -> Floats:
    return (np.array([np.nan if v is None else v for v in values]) / fine).astype(np.float32)


def _row(values: dict[str, Any]) -> Row:
    xy, each = values["xy"], values["each"]
    return Row(
        int(values["frame"]), float(values["t"]), str(values["state"]),
        None if xy is None else _floats(xy, 100).reshape(-1, 2),
        None if each is None else _floats(each, 1000),
        _floats(values["look"], FINE),
    )  # fmt: skip
