"""From what the user typed to a source: one opener a kind of source, in a dict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import UserError
from tracker.sources.source import Source


@dataclass(frozen=True, slots=True)
class Playing:
    """How the user wants it; a source takes what concerns it."""

    loop: bool = False  # files: again and again
    size_wh: tuple[int, int] | None = None  # cameras: wishes
    fps: float | None = None


def _camera(spec: str, how: Playing) -> Source:
    from tracker.sources.device import DeviceSource

    if not spec.strip():
        raise UserError("no camera was named; see 'tracker cameras'")
    return DeviceSource(spec.strip(), how.size_wh, how.fps)


def _file(spec: str, how: Playing) -> Source:
    from tracker.sources.paced_file import FileSource

    return FileSource(Path(spec), how.loop)


def _url(spec: str, how: Playing) -> Source:
    from tracker.sources.url import UrlSource

    return UrlSource(spec)


Opener = Callable[[str, Playing], Source]
CAMERA, FILE = "a camera", "a file"  # kinds of source that no scheme names
# By the scheme of an address (SCHEME://...), or one of the two kinds above. Opens nothing yet.
OPENERS: dict[str, Opener] = {
    CAMERA: _camera,
    FILE: _file,
    "rtsp": _url,
    "rtsps": _url,
    "http": _url,
    "https": _url,
}


def open_source(
    spec: str,
    loop: bool = False,
    size_wh: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Source:
    """The source that `spec` names; nothing is opened yet, so this returns at once.

    A number or a device path or (part of) a camera's name, see `tracker cameras`; an address of a
    scheme in OPENERS (rtsp, http); or a video file, played at its own pace, again and again with
    `loop`. `size_wh` and `fps` are wishes to a camera. UserError when the spec is none of these.
    """
    kind = kind_of_source(spec)
    if kind == CAMERA and "://" in spec:
        known = ", ".join(f"{scheme}://" for scheme in OPENERS if scheme not in (CAMERA, FILE))
        raise UserError(f"{spec} could not be opened: use an address that begins with {known}")
    return OPENERS[kind](spec, Playing(loop, size_wh, fps))


def kind_of_source(spec: str) -> str:
    """The row of OPENERS that is meant: a scheme, FILE or CAMERA."""
    from tracker.sources.video_file import VIDEO_SUFFIXES

    scheme, _, rest = spec.partition("://")
    if rest and scheme.lower() in OPENERS:
        return scheme.lower()
    path = Path(spec)
    try:
        return FILE if path.is_file() or path.suffix.lower() in VIDEO_SUFFIXES else CAMERA
    except (OSError, ValueError):  # no name that a file can have
        return CAMERA
