"""What takes results: one shape for files, streams and recordings, alike for files and live.

A new one is a file with a class that has `put` and `close`, and one row in `OUTPUTS` of
`tracker/outputs/open.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from tracker.outputs.centring import Centring, oldest_pose
from tracker.outputs.landmark_files import UsedModel, header
from tracker.outputs.numbering import Numbering
from tracker.outputs.out_file import LiveFile, Target
from tracker.outputs.overlay import Style
from tracker.outputs.skeleton import Skeleton, default_skeletons, skeletons
from tracker.result import Result
from tracker.sources.video_file import VideoFacts
from tracker.types import Frame, Kind, Pose


class Output(Protocol):
    """Takes each frame once, in order. Never waits for a reader."""

    def put(self, frame: Frame, result: Result | None) -> None:
        """Take a frame in. `result` None: there is no picture of this time, so nothing is seen."""
        ...

    def close(self, whole: bool) -> None:
        """Complete what was begun. Not `whole`: the stream ended before its end."""
        ...


@runtime_checkable
class Heard(Protocol):
    """What an output may have beside `put` and `close`, where it knows who listens."""

    def heard(self) -> str:
        """Who listens, in a few words for a person; any thread asks. '' while nobody can say."""
        ...


def _untimed(stage: str) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class About:
    """What an output may know of the stream whose results it will get."""

    source: str  # the name of a file, the identity of a camera
    models: tuple[UsedModel, ...]
    style: Style | None = None  # None: nothing is to be drawn
    facts: VideoFacts | None = None  # of a file; None: it is live
    sound_of: Path | None = None  # the video whose sound a video takes over
    options: Mapping[str, object] = field(default_factory=dict)  # of the command, for headers
    # How a file begins: claimed under a name of its own until all is well, or, live, written
    # under its own name so that a crash leaves it readable. UserError where it may not be written.
    target: Callable[[Path], Target] = LiveFile
    # The models in use at the frame that is being put; None: `models` for the whole stream.
    used: Callable[[], tuple[UsedModel, ...]] | None = None
    stage: Callable[[str], AbstractContextManager[None]] = _untimed  # counts the time of a part
    say: Callable[[str], None] = lambda sentence: None  # what the user should know
    centring: Centring = field(default_factory=Centring)  # of heads, for outputs that steer
    private: Callable[[], bool] = lambda: False  # is the picture itself to be shown to nobody?
    numbering: Numbering = field(default_factory=Numbering)  # of the frames in a live file

    def skeletons(self) -> Mapping[Kind, Skeleton]:
        """How to draw what the models find."""
        return {**default_skeletons(), **skeletons([m.info for m in self.models])}

    def models_now(self) -> tuple[UsedModel, ...]:
        """The models that saw the frame which is being put."""
        return self.models if self.used is None else self.used()

    def centred(self, pose: Pose) -> Pose:
        """A head pose as seen from the user's centre."""
        return self.centring.relative(pose)

    def head(self, result: Result | None) -> Pose | None:
        """That of the face that has been seen for longest; None: there is none."""
        pose = oldest_pose(result)
        return None if pose is None else self.centred(pose)

    def header(self, **more: object) -> dict[str, object]:
        """The first line of a JSON Lines stream."""
        facts = self.facts
        if facts is None:
            return header(self.models_now(), source=self.source, options=dict(self.options), **more)
        return header(
            self.models,
            source=self.source,
            fps=f"{facts.rate.numerator}/{facts.rate.denominator}",
            size_wh=list(facts.size_wh),
            options=dict(self.options),
            **more,
        )
