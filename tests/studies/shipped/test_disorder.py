"""How odd a hand's proportions are, of a hand posed by numbers."""

from __future__ import annotations

import numpy as np
import pytest

from docs.studies.shipped.disorder import bone_lengths, oddness
from tracker.find.hand_bones import EVERY, bent


def test_proportions_of_a_hand_and_of_points_in_disorder() -> None:
    xyz = bent("right", [[0, 0, 0]] + [[60, 30, 0]] * 4).astype(float)[None]
    turn = np.deg2rad(30)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    xy = 50 * (xyz[:, :, :2] * (1, -1)) @ rotation.T + (200, 100)
    across, laid, adult = (float(v[0]) for v in oddness(xy, xyz).values())
    assert across == pytest.approx(1.0), "bones that lie in the picture look as long as they are"
    assert laid == pytest.approx(0.0, abs=1e-9) and adult < 0.15
    odd = xy.copy()
    odd[0, 8] += 0.9 * (xy[0, 0] - xy[0, 8])  # the index's tip beside the wrist
    worse, beside, same = (float(v[0]) for v in oddness(odd, xyz).values())
    assert worse > 2 and beside > 0.2 and same == adult
    at = EVERY.index((7, 8))
    assert bone_lengths(xyz)[0, at] == pytest.approx(0.22, abs=1e-6), "USUAL's last of the index"
