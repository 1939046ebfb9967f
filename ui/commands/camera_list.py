"""What `tracker cameras` says: every camera with its modes and what it really delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

from tracker.errors import UserError
from tracker.sources.cameras import Camera, Measured, Mode, list_cameras, measure
from tracker.sources.device import DeviceSource

NONE = "no camera is connected; plug one in, then run 'tracker cameras' again"


@dataclass(frozen=True, slots=True)
class Listed:
    """A camera and its measurement, or why there is none."""

    camera: Camera
    measured: Measured | None = None
    trouble: str | None = None

    def to_json(self) -> dict[str, object]:
        """Plain values only."""
        return {
            **asdict(self.camera),
            "measured": None if self.measured is None else asdict(self.measured),
            "trouble": self.trouble,
        }


def measure_camera(camera: Camera) -> Measured:
    """Open it as `tracker live` does; CameraError when it gives no pictures."""
    return measure(DeviceSource(camera.identity))


def look(
    with_rate: bool,
    cameras: Callable[[], Sequence[Camera]] = list_cameras,
    measured: Callable[[Camera], Measured] = measure_camera,
) -> list[Listed]:
    """All cameras, in the order of their numbers. UserError where they cannot be listed."""
    found = []
    for camera in cameras():
        if camera.trouble or not with_rate:
            found.append(Listed(camera, None, camera.trouble))
            continue
        try:
            found.append(Listed(camera, measured(camera)))
        except UserError as error:
            found.append(Listed(camera, None, str(error)))
    return found


def sentences(found: Sequence[Listed]) -> Iterator[str]:
    """The list for people, line by line."""
    if not found:
        yield NONE
    for listed in found:
        camera = listed.camera
        yield f"{camera.index}  {camera.name}"
        yield f"   --camera {camera.identity}"
        if camera.path not in ("", camera.identity):
            yield f"   device    {camera.path}"
        for mode in camera.modes:
            yield f"   mode      {mode_words(mode)}"
        if listed.measured is not None:
            w, h = listed.measured.size_wh
            yield f"   measured  {listed.measured.fps:.1f} fps at {w}x{h}"
        if listed.trouble:
            yield f"   trouble   {listed.trouble}"


def mode_words(mode: Mode) -> str:
    """Such as 'MJPG 1280x720 at 30, 15 fps'."""
    w, h = mode.size_wh
    rates = ", ".join(f"{fps:g}" for fps in mode.fps)
    return f"{mode.pixels} {w}x{h}" + (f" at {rates} fps" if rates else "")
