"""A project of hands that MediaPipe has labelled: a teacher, not truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tracker.find.markups import find_markup
from tracker.find.model_file import is_project
from train.data.from_project import Split, write_split
from train.project.adding import add_clips
from train.project.clips import ClipFrames, read_clips
from train.project.labels import FrameLabel
from train.project.layout import Project, create_project, open_project
from train.project.store import Store
from train.suggest.prelabel import Guesser


def taught_project(clips: Sequence[Path], bundle: Path, root: Path, every: int) -> Project:
    """The project in `root`, made first where there is none.

    Each `every`-th frame of the clips is labelled by MediaPipe's hand landmarker (`bundle` is its
    .task file), where that finds a hand; the last clip is held out.
    """
    if is_project(root):
        return open_project(root)
    project = create_project(root, find_markup("hand21"))
    add_clips(project, clips)
    guesser = Guesser(project, None, most=1, bundle=bundle)
    with Store.open(project) as store:
        for clip in read_clips(project):
            with ClipFrames(project, clip) as frames:
                for i in range(0, clip.frames, every):
                    frame = frames.frame(i)
                    found = () if frame.bgr is None else guesser.from_mediapipe(frame.bgr)
                    if frame.bgr is None or not found:
                        continue
                    store.keep_picture(clip.name, i, frame.bgr)
                    height, width = frame.bgr.shape[:2]
                    store.set_frame(FrameLabel(clip.name, i, frame.t, (width, height), found))
        store.save()
    guesser.close()
    write_split(project, Split((clips[-1].name,), None, "another clip"))
    return project
