"""What a detector is to the tracker."""

from __future__ import annotations

from typing import Protocol

from tracker.types import CropBox, Detection, Image


class Finder(Protocol):
    """Anything that finds objects in a whole frame. Live, one thread at a time uses it."""

    name: str  # what sentences call it, such as its file

    def detect(self, frame_bgr: Image) -> list[Detection]:
        """Objects in an (H, W, 3) frame, best first, in frame pixels."""
        ...

    def first_crop(self, found: Detection) -> CropBox:
        """Where the network looks first for the landmarks of what was found.

        It should lie as the crop around the landmarks will (`box_from_landmarks`). Any thread.
        """
        ...
