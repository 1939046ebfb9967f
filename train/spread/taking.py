"""Accepting proposals: their pictures are kept with those of all labelled frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from train.project.clips import Clip, ClipFrames
from train.project.labels import Key
from train.project.store import Store


def take_all(store: Store, clips: Sequence[Clip], keys: Iterable[Key]) -> int:
    """Make proposals labels, one undo for all; how many.

    Frames that cannot be decoded any more stay proposals. UserError where a clip cannot be read.
    """
    wanted: dict[str, list[int]] = {}
    for name, frame in sorted(keys):
        wanted.setdefault(name, []).append(frame)
    ready: list[Key] = []
    for clip in clips:
        if clip.name not in wanted:
            continue
        with ClipFrames(store.project, clip) as frames:
            for number in wanted[clip.name]:
                bgr = frames.frame(number).bgr
                if bgr is not None:
                    store.keep_picture(clip.name, number, bgr)
                    ready.append((clip.name, number))
    return store.accept(ready)
