"""A small project for the tests: three landmarks, two gestures, one clip."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import Clip as Recipe
from tests.helpers.clips import make
from tracker.find.markups import Markup
from tracker.types import CropRule
from train.project.adding import add_clips
from train.project.clips import Clip
from train.project.labels import FrameLabel, ObjectLabel
from train.project.layout import Project, create_project

MARKUP = Markup(
    "three", "object", "scratch", ("tip", "left", "right"), ((0, 1), (0, 2)), ((1, 2),), (1, 2),
    CropRule(1.6),
)  # fmt: skip


def tiny_network(patch: pytest.MonkeyPatch) -> None:
    """What starts from scratch learns a network of a hundredth of the work of the usual one."""
    from train.networks import NetSpec

    tiny = partial(NetSpec, size=64, stem=8, widths=(16, 16, 16, 16))
    patch.setattr("train.finetune.plan.NetSpec", tiny)


def new_project(folder: Path) -> Project:
    """A project without clips."""
    return create_project(folder, MARKUP, "", ["fist", "point"], {"front": (0.0, 0.0, 0.0)})


def with_clip(project: Project, name: str = "a.mp4", frames: int = 12) -> Clip:
    """Add a clip of 25 frames per second and 96 x 64 pixels; `frames` tells its content apart."""
    source = project.root.parent / "sources" / name
    source.parent.mkdir(exist_ok=True)
    make(source, Recipe(frames=frames))
    return add_clips(project, [source])[0]


def label(frame: int, x: float = 10.0, clip: str = "a.mp4") -> FrameLabel:
    """One object: `tip` visible at (x, 20), `left` hidden, `right` not labelled."""
    xy = np.array([[x, 20], [x + 10, 30.5], [np.nan, np.nan]], np.float32)
    found = ObjectLabel(1, xy, np.array([2, 1, 0], np.uint8), None, "user")
    return FrameLabel(clip, frame, frame / 25, (96, 64), (found,))
