"""What a profile would have done on clips, and how often it fires where nothing should.

Clips are followed frame by frame without dropping any, as by `tracker video`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tracker.actions.actions import Fired
from tracker.actions.conditions import told_by
from tracker.actions.profile import Profile
from tracker.actions.rules import Names, Rules
from tracker.load import Loaded
from tracker.result import Result
from tracker.sources.video_file import VideoReader
from tracker.types import Frame


@dataclass(frozen=True, slots=True)
class ClipTrial:
    """What would have fired in one clip."""

    clip: Path
    seconds: float
    fired: tuple[Fired, ...]


def per_hour(trials: Sequence[ClipTrial]) -> float | None:
    """Firings an hour over all clips; None without a second of them."""
    seconds = sum(trial.seconds for trial in trials)
    return None if seconds < 1 else 3600 * sum(len(t.fired) for t in trials) / seconds


def try_clip(
    profile: Profile,
    clip: Path,
    loaded: Loaded,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int | None], object] = lambda done, total: None,
) -> ClipTrial:
    """Follow a clip. UserError where it cannot be opened. `progress`: frames done, and in all."""
    tracker = loaded.new_tracker()

    def followed(video: VideoReader) -> Iterable[tuple[Frame, Result]]:
        for done, frame in enumerate(video.frames(), 1):
            if stopped():
                return
            progress(done, video.facts.frames)
            if frame.bgr is not None:
                yield frame, tracker.process(frame.bgr, frame.t)

    with closing(VideoReader(clip)) as video:
        names: Names = {m.info.kind: m.info.landmarks for m in loaded.models}
        return try_results(profile, clip, names, told_of(loaded), followed(video))


def try_results(
    profile: Profile,
    clip: Path,
    names: Names,
    told: Sequence[str],
    followed: Iterable[tuple[Frame, Result]],
) -> ClipTrial:
    """The same from results that are there already."""
    rules = Rules(profile, names, told)
    fired: list[Fired] = []
    first = last = None
    for frame, result in followed:
        assert frame.bgr is not None
        height, width = frame.bgr.shape[:2]
        seen = Result(frame.t, result.tracks)
        fired += [
            Fired(event.since, event.name, event.run.text)
            for event in rules.update(seen, (width, height))
            if event.phase == "begin"
        ]
        first, last = frame.t if first is None else first, frame.t
    seconds = 0.0 if first is None or last is None else last - first
    return ClipTrial(clip, seconds, tuple(fired))


def told_of(loaded: Loaded) -> tuple[str, ...]:
    """What conditions may ask of the loaded models: gestures, and classes of other attributes."""
    return told_by([model.info for model in loaded.models])
