"""What finds new objects in a whole frame: one file a detector, and a dict from kind to loader.

    finder = DETECTORS["hand"](2, 0.5)      # threads, lowest score
    found = finder.detect(frame_bgr)        # [Detection(kind='hand', box_xyxy=..., ...)]
    box = finder.first_crop(found[0])       # where the network looks for its landmarks

A kind without a row is looked for by its own network, in the whole frame.
"""

from __future__ import annotations

from collections.abc import Callable

from tracker.find.detectors import face, palm
from tracker.find.detectors.finder import Finder as Finder
from tracker.types import Kind

Loader = Callable[[int, float], Finder]

DETECTORS: dict[Kind, Loader] = {"hand": palm.load, "face": face.load}
