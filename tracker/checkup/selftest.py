"""The self-test of `tracker doctor`: the whole data path on a bundled picture of one face."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import cv2
import numpy as np

import assets
from tracker.files.video_job import FrameTracker
from tracker.find.geometry import bounds_xyxy, overlap_share
from tracker.types import Image, Result

PICTURE = "pictures/selftest.jpg"
FACE_XYXY = (105.0, 82.0, 206.0, 183.0)  # where the landmarks of its face lie, frame pixels
OVERLAP = 0.7  # of the smaller box
FPS = 30.0  # of the stream that the picture stands for
FRAMES, WARM_UP = 60, 5
LIMIT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What came of it."""

    frames: int  # timed ones
    with_face: int  # of them, where the face was found in its place
    seconds: float
    ms_per_stage: dict[str, float]  # mean per frame

    @property
    def ms_per_frame(self) -> float:
        """Mean of all stages together."""
        return sum(self.ms_per_stage.values())


def run(tracker: FrameTracker, limit: float = LIMIT) -> SelfTest:
    """Show the picture to `tracker` again and again, as a video, for up to `limit` seconds.

    FileNotFoundError or ValueError when the picture is missing or damaged.
    """
    picture = read_picture()
    begun, count, found = perf_counter(), 0, 0
    while count < WARM_UP + FRAMES and (count <= WARM_UP or perf_counter() - begun < limit):
        if count == WARM_UP:
            tracker.timings.clear()
            found = 0
        found += sees_the_face(tracker.process(picture, count / FPS))
        count += 1
    timings = tracker.timings
    return SelfTest(timings.frames, found, perf_counter() - begun, timings.ms_per_frame())


def read_picture() -> Image:
    """(H, W, 3) uint8 BGR."""
    path = assets.checked_path(PICTURE)
    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ValueError(f"OpenCV cannot read {path}; install opencv-contrib-python again")
    return picture.astype(np.uint8, copy=False)


def sees_the_face(result: Result) -> bool:
    """Is there a face where the picture has one?"""
    place = np.array(FACE_XYXY, np.float32)
    return any(
        track.kind == "face" and overlap_share(bounds_xyxy(track.xy), place) >= OVERLAP
        for track in result.tracks
    )
