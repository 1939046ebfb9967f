"""How often the shipped profiles fire on natural movement: `python -m docs.studies.false_triggers`.

    python -m docs.studies.false_triggers CLIP... --minutes 10

Every clip is followed as it is, then mirrored, then at other speeds, until so many minutes are
full; those in which hands were seen for most of the time come first again. Mirrored and faster
pictures are no new people and no new movements: what is printed says how many minutes are true
ones, and in how many seconds a hand was seen at all. All profiles listen at once, each as if it
were alone; their enabling gestures count, as they do live. A line of JSON a clip, and one for all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tracker.actions.profile import read_profile, shipped
from tracker.config import TrackerConfig
from tracker.files.action_trial import told_of, try_results
from tracker.load import Loaded, load
from tracker.result import Result
from tracker.sources.video_file import VideoReader
from tracker.types import Frame


@dataclass(frozen=True, slots=True)
class Way:
    """How a clip is shown to the tracker."""

    name: str
    mirrored: bool
    speed: float  # in which its time runs


WAYS = (
    Way("as it is", False, 1.0),
    Way("mirrored", True, 1.0),
    Way("0.8 times as fast", False, 0.8),
    Way("mirrored, 1.25 times as fast", True, 1.25),
)
Followed = list[tuple[Frame, Result]]


def main(
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP...", help="Natural movement.")],
    minutes: Annotated[float, typer.Option(help="How many are wanted.")] = 10.0,
) -> None:
    """Print what fired."""
    loaded = load(TrackerConfig(max_hands=2), [])
    total: dict[str, float] = {"seconds": 0.0, "true_seconds": 0.0, "seconds_with_hands": 0.0}
    fired = dict.fromkeys(shipped(), 0)
    handy = dict.fromkeys(clips, 0.0)
    for way in WAYS:
        for clip in sorted(clips, key=lambda clip: -handy[clip]):
            if total["seconds"] >= 60 * minutes:
                break
            row, counts = tried(clip, way, loaded)
            print(
                json.dumps({"clip": clip.name, "way": way.name, **row, "fired": counts}), flush=True
            )
            share = row["seconds_with_hands"] / max(row["seconds"], 1)
            handy[clip] = max(handy[clip], share)
            total["seconds"] += row["seconds"]
            total["true_seconds"] += row["seconds"] * (way == WAYS[0])
            total["seconds_with_hands"] += row["seconds_with_hands"]
            fired = {name: fired[name] + counts[name] for name in fired}
    told = {name: round(seconds, 1) for name, seconds in total.items()}
    per_minute = 60 * sum(fired.values()) / max(total["seconds"], 1)
    print(json.dumps({**told, "fired": fired, "fired_a_minute": round(per_minute, 3)}))


def tried(clip: Path, way: Way, loaded: Loaded) -> tuple[dict[str, float], dict[str, int]]:
    """Seconds of a clip, and how often each profile fires."""
    seen = list(followed(clip, way, loaded))
    times = np.array([frame.t for frame, _ in seen])
    hands = np.array([any(t.kind == "hand" for t in result.tracks) for _, result in seen])
    names = {m.info.kind: m.info.landmarks for m in loaded.models}
    counts = {}
    for name, path in shipped().items():
        profile = read_profile(path)
        trial = try_results(profile, clip, names, told_of(loaded), seen)
        counts[name] = len(trial.fired)
    seconds = float(times[-1] - times[0])
    share = float(hands.mean())
    row = {"seconds": round(seconds, 1), "seconds_with_hands": round(share * seconds, 1)}
    return row, counts


def followed(clip: Path, way: Way, loaded: Loaded) -> Iterator[tuple[Frame, Result]]:
    """What the tracker sees; the pictures themselves are not kept, only their size."""
    tracker = loaded.new_tracker()
    with closing(VideoReader(clip)) as video:
        for frame in video.frames():
            if frame.bgr is None:
                continue
            bgr = np.ascontiguousarray(frame.bgr[:, ::-1]) if way.mirrored else frame.bgr
            t = frame.t / way.speed
            result = tracker.process(bgr, t)
            blank = np.broadcast_to(np.uint8(0), bgr.shape)
            yield Frame(frame.index, t, blank), result


if __name__ == "__main__":
    typer.run(main)
