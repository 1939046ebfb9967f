"""Pictures of a textured thing that moves, whose points are known exactly in every frame."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats, Image

SIZE_WH = (160, 120)
POINTS = np.array([[40, 40], [70, 45], [55, 75]], np.float32)  # in frame 0


def texture(seed: int) -> Image:
    """Smooth noise (H, W, 3)."""
    noise = np.random.default_rng(seed).integers(0, 256, (*SIZE_WH[::-1], 1), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)[..., None]
    spread = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX)  # type: ignore[call-overload]
    return np.repeat(np.asarray(spread, np.uint8).reshape(*SIZE_WH[::-1], 1), 3, axis=2)


def motion(frame: int) -> NDArray[np.float64]:
    """(2, 3) from frame 0 to this one: 1.5 pixels to the right, half a pixel down, 1 degree."""
    middle = tuple(map(float, POINTS.mean(0)))
    matrix = cv2.getRotationMatrix2D(middle, -1.0 * frame, 1.0)
    matrix[:, 2] += (1.5 * frame, 0.5 * frame)
    return np.asarray(matrix, np.float64)


def truth(frame: int) -> Floats:
    """Where the points are, (3, 2)."""
    matrix = motion(frame)
    return (POINTS @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def moved(frame: int) -> Image:
    """The frame (H, W, 3)."""
    drawn = cv2.warpAffine(texture(1), motion(frame), SIZE_WH, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(drawn, np.uint8)


def write_moving(path: Path, frames: int, cut: int | None = None) -> Path:
    """A clip of it, 25 frames per second; from frame `cut` on it shows something else."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "12"})
        assert isinstance(stream, av.VideoStream)
        (stream.width, stream.height), stream.pix_fmt = SIZE_WH, "yuv420p"
        for i in range(frames):
            bgr = moved(i) if cut is None or i < cut else texture(100 + i)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(bgr, format="bgr24")))
        out.mux(stream.encode(None))
    return path
