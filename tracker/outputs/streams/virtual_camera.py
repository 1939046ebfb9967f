"""`camera:N`: a virtual camera that shows the picture with its landmarks, for OBS and video calls.

N is a number (on Linux `/dev/videoN` of v4l2loopback), or nothing: any that is free. `camera:N?
landmarks` shows them on black, and so does privacy in the window. On Windows and macOS OBS brings
the camera. A frame without a picture shows the picture before, without landmarks.
"""

from __future__ import annotations

import platform
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from engines.installation import install
from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.overlay import Style, draw
from tracker.result import Result
from tracker.types import Frame, Image

if TYPE_CHECKING:
    from pyvirtualcam import Camera

FPS = 30.0  # what the camera says of itself; frames are sent as they come
BLACK = "?landmarks"


class VirtualCamera:
    """Sends each frame, drawn on; the size of the first one stays."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where pyvirtualcam is not there."""
        try:
            import pyvirtualcam  # noqa: F401
        except ImportError as error:
            raise UserError(
                f"pyvirtualcam is not installed; run: {install('virtualcam')}"
            ) from error
        self._device = device(target)
        style = about.style or Style()
        self._style = replace(style, on_black=style.on_black or target.endswith(BLACK))
        self._about, self._target = about, target
        self._camera: Camera | None = None
        self._last: Image | None = None

    def put(self, frame: Frame, result: Result | None) -> None:
        """Draw and send."""
        bgr = self._last if frame.bgr is None else frame.bgr
        if bgr is None:
            return
        self._last = bgr
        if self._camera is None:
            self._camera = self._opened(bgr)
        tracks = () if result is None else result.tracks
        style = self._style
        if self._about.private():
            style = replace(style, on_black=True)
        drawn = draw(bgr, tracks, self._about.skeletons(), style)
        if drawn.shape[:2] != (self._camera.height, self._camera.width):
            drawn = np.asarray(cv2.resize(drawn, (self._camera.width, self._camera.height)))
        self._camera.send(np.ascontiguousarray(drawn))

    def close(self, whole: bool) -> None:
        """Let the camera go."""
        if self._camera is not None:
            self._camera.close()

    def _opened(self, bgr: Image) -> Camera:
        from pyvirtualcam import Camera, PixelFormat

        height, width = bgr.shape[:2]
        try:
            return Camera(width, height, FPS, fmt=PixelFormat.BGR, device=self._device)
        except RuntimeError as error:
            raise UserError(f"{self._target} could not be opened: {error}; {_remedy()}") from error


def device(target: str) -> str | None:
    """The device's name; None: any. UserError where the target names none."""
    name = target.removesuffix(BLACK).partition(":")[2]
    if not name:
        return None
    if not name.isdecimal():
        raise UserError(f"{target} is no virtual camera; give one such as camera:10")
    return f"/dev/video{name}" if platform.system() == "Linux" else None


def _remedy() -> str:
    if platform.system() == "Linux":
        return "load one: sudo modprobe v4l2loopback video_nr=10 exclusive_caps=1"
    return "install OBS, and start its virtual camera once"
