"""Real-time hand and face landmarks: `from tracker import Tracker`.

Importing this package loads nothing heavy; the tracker's own modules (OpenCV, the engines) come
with the first use of a name below, so that `tracker --help` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracker.config import TrackerConfig
    from tracker.errors import UserError
    from tracker.outputs.reading import Saved, SavedFrame, read
    from tracker.result import Result
    from tracker.track import Tracker
    from tracker.types import Frame, Pose, Track

__version__ = "0.1.0"

__all__ = [
    "Frame",
    "Pose",
    "Result",
    "Saved",
    "SavedFrame",
    "Track",
    "Tracker",
    "TrackerConfig",
    "UserError",
    "__version__",
    "read",
]

_HOME = {
    "Tracker": "tracker.track",
    "TrackerConfig": "tracker.config",
    "Frame": "tracker.types",
    "Pose": "tracker.types",
    "Track": "tracker.types",
    "Result": "tracker.result",
    "Saved": "tracker.outputs.reading",
    "SavedFrame": "tracker.outputs.reading",
    "read": "tracker.outputs.reading",
    "UserError": "tracker.errors",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'tracker' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
