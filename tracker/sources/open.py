"""From what the user typed to a source."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from tracker.errors import UserError
from tracker.sources.source import URL_SCHEMES, Source


def open_source(
    spec: str,
    loop: bool = False,
    size_wh: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Source:
    """The source that `spec` names; nothing is opened yet, so this returns at once.

    A number or a device path or (part of) a camera's name, see `tracker cameras`; an rtsp or http
    URL; or a video file, played at its own pace, again and again with `loop`. `size_wh` and `fps`
    are wishes to a camera. UserError when the spec can be none of these.
    """
    if urlsplit(spec).scheme.lower() in URL_SCHEMES:
        from tracker.sources.device_and_url import UrlSource

        return UrlSource(spec)
    path = Path(spec)
    if path.is_file() or path.suffix.lower() in _video_suffixes():
        from tracker.sources.paced_file import FileSource

        return FileSource(path, loop)
    from tracker.sources.device_and_url import DeviceSource

    if "://" in spec:
        raise UserError(f"{spec} could not be opened: use an rtsp:// or http:// address")
    if not spec.strip():
        raise UserError("no camera was named; see 'tracker cameras'")
    return DeviceSource(spec.strip(), size_wh, fps)


def _video_suffixes() -> frozenset[str]:
    from tracker.sources.video_file import VIDEO_SUFFIXES

    return VIDEO_SUFFIXES
