"""Cameras, through OpenCV.

OpenCV is imported when a camera is opened, so that importing this costs nothing. A program with a
Qt window clears QT_QPA_PLATFORM_PLUGIN_PATH after that (the OpenCV wheel sets it).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Protocol, cast

from tracker.errors import UserError
from tracker.slots import Holder
from tracker.sources.cameras import Camera, find_camera, list_cameras, users_of
from tracker.sources.source import CameraError
from tracker.types import Frame, Image


class Capture(Protocol):
    """What is used of cv2.VideoCapture."""

    def isOpened(self) -> bool: ...
    def set(self, propId: int, value: float, /) -> bool: ...
    def read(self) -> tuple[bool, Image | None]: ...
    def release(self) -> None: ...


class DeviceSource:
    """A camera. The first `open` finds out its stable identity, later ones look for just that."""

    live = True
    lap = 0

    def __init__(
        self,
        spec: str,
        size_wh: tuple[int, int] | None = None,
        fps: float | None = None,
        cameras: Callable[[], Sequence[Camera]] = list_cameras,
        capture: Callable[[Camera], Capture] | None = None,
    ) -> None:
        """`cameras` and `capture` are the system and OpenCV, but in tests."""
        self.identity = spec
        self.name = f"camera {spec}" if spec.isdigit() else spec
        self._size_wh, self._fps = size_wh, fps
        self._cameras, self._capture = cameras, capture or _capture
        self._camera: Camera | None = None
        self._holder: Holder[Capture] = Holder(lambda opened: opened.release())
        self._count = 0

    def open(self) -> None:
        """CameraError when it is not there, in use, or does not start."""
        ticket = self._holder.begin()
        camera = self._camera = self._find()
        self.identity, self.name = camera.identity, camera.name
        if camera.trouble:
            raise CameraError("failed", camera.trouble)
        opened = self._capture(camera)
        if not opened.isOpened():
            opened.release()
            raise self._busy() or CameraError(
                "failed", f"{self.name} could not be opened; unplug it and plug it in again"
            )
        self._wish(opened)
        if not self._holder.keep(ticket, opened):
            raise CameraError("failed", f"{self.name} was opened too late")

    def read(self) -> Frame | None:
        """The next picture; `t` is the monotonic time at which the driver gave it."""
        import cv2

        with self._holder.use() as opened:
            if opened is None:
                return None
            try:
                good, bgr = opened.read()
            except cv2.error as error:
                raise CameraError("failed", f"{self.name} failed: {error.err}") from error
        if not good or bgr is None or bgr.size == 0:
            if self.present() is False:
                raise self._unplugged()
            busy = self._busy()
            if busy is not None:
                raise busy
            return None
        if bgr.ndim == 2:
            bgr = cast(Image, cv2.cvtColor(bgr, cv2.COLOR_GRAY2BGR))
        self._count += 1
        return Frame(self._count - 1, monotonic(), bgr)

    def close(self) -> None:
        """Let go of the device."""
        self._holder.drop()

    def present(self) -> bool | None:
        """Is its file there? None where cameras have no file."""
        path = self._camera.path if self._camera else ""
        return Path(path).exists() if path.startswith("/dev/") else None

    def _find(self) -> Camera:
        try:
            cameras = self._cameras()
        except UserError:
            if self.identity.isdigit():  # a number needs no list
                return Camera(int(self.identity), self.name, "", self.identity)
            raise
        try:
            return find_camera(self.identity, cameras)
        except CameraError as error:
            if self._camera is None or error.phase != "unplugged":
                raise
            raise self._unplugged() from error

    def _wish(self, opened: Capture) -> None:
        import cv2

        mjpg = (cv2.CAP_PROP_FOURCC, float(cv2.VideoWriter.fourcc(*"MJPG")))
        wishes: list[tuple[int, float]] = []
        if self._size_wh is not None:
            wishes += [(cv2.CAP_PROP_FRAME_WIDTH, float(self._size_wh[0]))]
            wishes += [(cv2.CAP_PROP_FRAME_HEIGHT, float(self._size_wh[1]))]
        if self._fps is not None:
            wishes += [(cv2.CAP_PROP_FPS, self._fps)]
        # DirectShow forgets the pixel format at each new size; V4L2 wants it first.
        for prop, value in [*wishes, mjpg] if sys.platform == "win32" else [mjpg, *wishes]:
            opened.set(prop, value)

    def _busy(self) -> CameraError | None:
        users = users_of(self._camera.path) if self._camera and self._camera.path else []
        if not users:
            return None
        return CameraError(
            "busy",
            f"{self.name} is in use by {', '.join(users)}; close that program, then it starts here",
        )

    def _unplugged(self) -> CameraError:
        return CameraError(
            "unplugged", f"{self.name} was unplugged; plug it in again, it goes on by itself"
        )


def _capture(camera: Camera) -> Capture:
    # Media Foundation takes minutes to open some cameras unless told so, before it is loaded.
    os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
    import cv2

    backends = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
    opened = cv2.VideoCapture(camera.index, backends.get(sys.platform, cv2.CAP_ANY))
    return cast(Capture, opened)
