"""What a detector finds of a scene's hand counts where it lies on the hand, view by view."""

import numpy as np

from docs.studies.compose_reach import palms
from docs.studies.compose_scenes import Scene
from tracker.types import Detection


class OnePalm:
    """Finds a palm at one place of every picture that it is shown."""

    def __init__(self, box_xyxy):
        self.found = [
            Detection("hand", np.array(box_xyxy, np.float32), 0.9, np.zeros((7, 2), np.float32))
        ]

    def detect(self, frame_bgr):
        return self.found


def test_a_palm_counts_where_most_of_it_lies_on_the_hand():
    xy = np.array([[100, 100], [200, 220]], np.float32)
    scene = Scene(np.zeros((480, 640, 3), np.uint8), "real", 0.25, xy)
    on, beside = OnePalm((90, 120, 150, 180)), OnePalm((60, 120, 120, 180))
    # the whole frame is views 0, 4 and 8 of the 16; five sixths lie on the hand, or a third
    found = palms(scene, xy, on)
    assert len(found) == 16 and all(found[i] for i in (0, 4, 8))
    assert not any(palms(scene, xy, beside)[i] for i in (0, 4, 8))
