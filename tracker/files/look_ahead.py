"""Landmarks and expressions of a file smoothed with what comes after: frames wait a moment for
those that follow.

The tracker's own filter has gone forwards in time; here it goes backwards over the frames that
wait, and the mean of both is what is written. See `tracker.follow.both_ways`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracker.follow.both_ways import backwards, shares_backwards
from tracker.follow.neutral import above_rest
from tracker.follow.smooth import SmoothConfig
from tracker.result import Result
from tracker.types import Floats, Frame, Track

AHEAD = 0.4  # s that the filter sees ahead, at least where memory allows
HELD = 128 << 20  # bytes of pictures that may wait


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame, what was seen in it (None: a gap), and seconds by stage so far."""

    frame: Frame
    result: Result | None
    seconds: Mapping[str, float] = field(default_factory=dict)


class LookAhead:
    """Gives every frame on, in order, with landmarks that do not trail."""

    def __init__(self, put: Callable[[Seen], None], config: SmoothConfig | None) -> None:
        """`put` takes what is ready. `config` None: all is given on at once, as it is."""
        self._put, self._config = put, config
        self._waiting: list[Seen] = []

    def put(self, item: Seen) -> None:
        """Take the next frame; some that waited may go on."""
        if self._config is None:
            self._put(item)
            return
        self._waiting.append(item)
        times = [waiting.frame.t for waiting in self._waiting]
        held = sum(_size(waiting.frame) for waiting in self._waiting)
        if times[-1] - times[0] >= 2 * AHEAD:
            self._give(sum(t <= times[-1] - AHEAD for t in times))
        elif held + _size(item.frame) > HELD:
            self._give((len(times) + 1) // 2)

    def finish(self) -> None:
        """Give on what still waits."""
        self._give(len(self._waiting))

    def _give(self, count: int) -> None:
        if self._config is None or not count:
            return
        results = led([item.result for item in self._waiting], self._config)
        ready, self._waiting = self._waiting[:count], self._waiting[count:]
        for item, result in zip(ready, results, strict=False):
            self._put(replace(item, result=result))


def led(results: Sequence[Result | None], config: SmoothConfig) -> list[Result | None]:
    """Results of consecutive frames with landmarks and expressions that a pass backwards has led as
    the one before trailed. Where an object is missing for a frame, or its time stands still, the
    pass ends.
    """
    better: list[dict[int, Track]] = [{} for _ in results]
    for run in _runs(results):
        t = [result.t for index in run if (result := results[index]) is not None]
        for index, track in zip(run, _led_run(t, list(run.values()), config), strict=True):
            better[index][track.id] = track
    return [
        result and replace(result, tracks=tuple(found.get(t.id, t) for t in result.tracks))
        for result, found in zip(results, better, strict=True)
    ]


def _led_run(t: Sequence[float], tracks: Sequence[Track], config: SmoothConfig) -> list[Track]:
    """The tracks of one object in consecutive frames at times t."""
    back = backwards(t, np.stack([track.xy_raw for track in tracks]), config, tracks[0].names)
    found = [replace(k, xy=(k.xy + xy) / 2) for k, xy in zip(tracks, back, strict=True)]
    told = [k.expressions_raw for k in tracks if k.expressions_raw is not None]
    if len(told) < len(tracks):
        return found
    told_back = shares_backwards(t, np.stack(told), config)
    return [_express(k, values) for k, values in zip(found, told_back, strict=True)]


def _express(track: Track, back: Floats) -> Track:
    """With the mean of its expressions and of those (52,) of the pass backwards, which its face at
    rest has not been subtracted from.
    """
    if track.expressions is None:
        return track
    less = back if track.rest is None else above_rest(back, track.rest)
    both = np.asarray((track.expressions + less) / 2, np.float32)
    return replace(track, expressions=both)


def _runs(results: Sequence[Result | None]) -> list[Mapping[int, Track]]:
    """Each object's tracks in consecutive frames, by the frame's place in the sequence."""
    runs: list[dict[int, Track]] = []
    open_runs: dict[int, dict[int, Track]] = {}
    before: float | None = None
    for index, result in enumerate(results):
        goes_on = result is not None and before is not None and result.t > before
        was, open_runs = open_runs if goes_on else {}, {}
        for track in result.tracks if result else ():
            run = was.get(track.id)
            if run is None:
                runs.append(run := {})
            run[index] = track
            open_runs[track.id] = run
        before = result.t if result else None
    return list(runs)


def _size(frame: Frame) -> int:
    return 0 if frame.bgr is None else frame.bgr.nbytes
