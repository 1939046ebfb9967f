"""Real-time hand and face landmarks: `from tracker import Tracker`.

Importing this package loads nothing heavy; the tracker's own modules (OpenCV, the engines) come
with the first use of a name below, so that `tracker --help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.track import Tracker, TrackerConfig
    from tracker.types import Frame, Pose, Result, Track

__all__ = ["Frame", "Pose", "Result", "Track", "Tracker", "TrackerConfig"]

_HOME = {
    "Tracker": "tracker.track",
    "TrackerConfig": "tracker.track",
    "Frame": "tracker.types",
    "Pose": "tracker.types",
    "Result": "tracker.types",
    "Track": "tracker.types",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'tracker' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
