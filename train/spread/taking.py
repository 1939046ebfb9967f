"""Accepting proposals: their pictures are kept with those of all labelled frames."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from train.project.clips import Clip, ClipFrames
from train.project.labels import Key
from train.project.layout import Project
from train.project.store import Store, write_picture


def take_all(store: Store, clips: Sequence[Clip], keys: Iterable[Key]) -> int:
    """Make proposals labels, one undo for all; how many.

    Frames that cannot be decoded any more stay proposals. UserError where a clip cannot be read.
    """
    return store.accept(keep_pictures(store.project, clips, keys))


def keep_pictures(project: Project, clips: Sequence[Clip], keys: Iterable[Key]) -> list[Key]:
    """Write the pictures of frames that are to be labelled; those of which there is one now.

    One that is there already stays. UserError where a clip cannot be read.
    """
    wanted: dict[str, list[int]] = {}
    for name, frame in sorted(keys):
        wanted.setdefault(name, []).append(frame)
    ready: list[Key] = []
    for clip in clips:
        if clip.name not in wanted:
            continue
        with ClipFrames(project, clip) as frames:
            for number in wanted[clip.name]:
                bgr = frames.frame(number).bgr
                if bgr is not None:
                    write_picture(project, (clip.name, number), bgr)
                    ready.append((clip.name, number))
    return ready
