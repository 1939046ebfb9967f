"""How long each gesture was shown in a video, and a picture of each: the typed API from end to end.

python examples/first_steps.py in.mp4 pictures/
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2

from tracker import Frame, Result, Tracker, TrackerConfig, UserError


def pictures(seen: Iterable[tuple[Frame, Result]], folder: Path) -> Counter[str]:
    """Frames of each gesture; the surest frame of each is drawn into `folder`."""
    counts: Counter[str] = Counter()
    best: dict[str, float] = {}
    for frame, result in seen:
        for track in result.tracks:
            if track.gesture is None or frame.bgr is None:
                continue
            counts[track.gesture] += 1
            if track.gesture_p > best.get(track.gesture, 0.0):
                best[track.gesture] = track.gesture_p
                cv2.imwrite(str(folder / f"{track.gesture}.png"), result.draw(frame.bgr))
    return counts


def main(clip: str, folder: Path) -> None:
    """Print a line a gesture."""
    folder.mkdir(parents=True, exist_ok=True)
    with Tracker(TrackerConfig(faces=False)) as tracker:
        counts = pictures(tracker.video(clip, progress=True), folder)
    for gesture, frames in counts.most_common():
        print(f"{gesture}: {frames} frames")


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]))
    except UserError as error:
        raise SystemExit(str(error)) from error
