"""Gestures shown on clips whose frames were told what they are by eye.

    python -m docs.studies.gestures.steady FOLDER_OF_CLIPS

Tracks each clip whole, as `tracker video` does. In frames of a clear pose its gesture is to be
shown; in frames between poses it may be shown or not; anything else shown is false. The table
counts frames of clear poses in which theirs is shown, how long after its first frame each pose is
shown, false shows (however long), and how often the shown gesture changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from tracker.config import TrackerConfig
from tracker.follow.gesture import NONE
from tracker.load import load
from tracker.sources.video_file import VideoReader
from tracker.types import Track


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames `first` to `last` in which one of `names` may be shown, and must be where clear."""

    first: int
    last: int
    names: tuple[str, ...]
    clear: bool = False


def _clear(first: int, last: int, name: str) -> Stretch:
    return Stretch(first, last, (name,), clear=True)


CLIPS: Mapping[str, Sequence[Stretch]] = {
    "hand_desk.mp4": (
        Stretch(13, 18, ("point",)),  # it comes in
        _clear(19, 171, "point"),
        Stretch(172, 198, ("point", "l_shape")),
        _clear(199, 213, "point"),
        Stretch(214, 215, ("point", "open_palm")),
        _clear(216, 231, "open_palm"),
        Stretch(232, 234, ("open_palm", "fist")),
        _clear(235, 241, "fist"),
        Stretch(242, 243, ("fist", "open_palm")),
        _clear(244, 256, "open_palm"),
        Stretch(257, 261, ("open_palm", "four")),
        Stretch(262, 290, ("fist", "call")),
        _clear(291, 298, "call"),
        Stretch(299, 304, ("call",)),
        _clear(305, 322, "call"),
        Stretch(323, 327, ("call", "open_palm")),
        _clear(328, 334, "open_palm"),
        Stretch(335, 337, ("open_palm", "four")),
        _clear(338, 344, "four"),
        Stretch(345, 357, ("four", "open_palm")),
        _clear(358, 363, "four"),
        Stretch(364, 380, ("four", "open_palm")),
    ),
    "face_and_thumb.mp4": (
        Stretch(0, 50, ("fist",)),
        Stretch(51, 59, ("fist", "thumb_up")),
        _clear(60, 194, "thumb_up"),
    ),
    "hand_opening.mp4": (Stretch(0, 53, ("fist",)), Stretch(54, 210, ("open_palm",))),
    "face_webcam.mp4": (Stretch(1085, 1145, ("open_palm",)),),
}
HEAD = (
    "| clip | minutes | clear poses shown, frames | shown after ms | false shows | frames of them "
    "| changes |\n" + "|---" * 7 + "|"
)


@dataclass(slots=True, eq=False)
class Tally:
    """What was shown in a clip."""

    stretches: Sequence[Stretch]
    clear: int = 0
    right: int = 0
    false_shows: int = 0
    false_frames: int = 0
    changes: int = 0
    began: dict[Stretch, float] = field(default_factory=dict)
    after: dict[Stretch, float] = field(default_factory=dict)
    last: dict[int, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)

    def add(self, index: int, t: float, hands: Sequence[Track]) -> None:
        """Count one more frame, of which a clear pose counts where a hand is followed or not."""
        self.times.append(t)
        shown = {hand.id: hand.gesture or NONE for hand in hands}
        now = next((s for s in self.stretches if s.first <= index <= s.last), Stretch(0, 0, ()))
        if now.clear:
            self.clear += 1
            self.began.setdefault(now, t)
            if now.names[0] in shown.values():
                self.right += 1
                self.after.setdefault(now, t - self.began[now])
        for i, name in shown.items():
            false = name not in (NONE, *now.names)
            self.false_frames += false
            self.false_shows += false and self.last.get(i) != name
            self.changes += i in self.last and self.last[i] != name
        self.last |= shown

    def row(self, name: str) -> str:
        """The clip's line of the table."""
        minutes = (self.times[-1] - self.times[0]) / 60
        waits = [f"{1000 * self.after[s]:.0f}" if s in self.after else "-" for s in self.began]
        cells = [name, f"{minutes:.2f}", f"{self.right} of {self.clear}", " ".join(waits)]
        cells += [str(self.false_shows), str(self.false_frames), str(self.changes)]
        return f"| {' | '.join(cells)} |"


def main(
    folder: Annotated[Path, typer.Argument(help="The folder of the clips.")],
    model: Annotated[Path | None, typer.Option(help="A hand model of yours.")] = None,
) -> None:
    """Print the table."""
    loaded = load(TrackerConfig(faces=False), [] if model is None else [model])
    typer.echo(HEAD)
    for name, stretches in CLIPS.items():
        tracker, tally = loaded.new_tracker(), Tally(stretches)
        reader = VideoReader(folder / name)
        try:
            for frame in reader.frames():
                if frame.bgr is not None:
                    tally.add(frame.index, frame.t, tracker.process(frame.bgr, frame.t).tracks)
        finally:
            reader.close()
        typer.echo(tally.row(name))


if __name__ == "__main__":
    typer.run(main)
