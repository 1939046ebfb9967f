"""An hour of natural movement: what moves, and what counts as shown."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from docs.studies.gestures.natural import RATE, movement, shows
from train.export.learn_head import SeenByHead

CLASSES = ("none", "fist")


def test_a_hand_goes_from_one_to_another_and_stays() -> None:
    """Two hands, 100 px apart: all lie between them, but for what a still hand strays."""
    xy = torch.tensor([0.0, 100.0])[:, None, None].expand(2, 21, 2)
    up = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    seen = SeenByHead((xy, up), torch.zeros(2, dtype=torch.long), torch.tensor([0.5, 0.9]))
    moved = list(movement(seen, 0.5))
    assert 30 * RATE <= len(moved) < 33 * RATE
    share = torch.cat([one.inputs[0] for one in moved]).mean((1, 2)).numpy() / 100
    assert share.min() > -0.01 and share.max() < 1.01
    assert np.mean(np.minimum(share, 1 - share) < 0.01) > 0.5, "mostly it stays at one"
    assert 0.05 < np.mean((share > 0.1) & (share < 0.9)) < 0.4, "and goes through all between"
    ups = torch.cat([one.inputs[1] for one in moved]).numpy()
    scores = torch.cat([one.score for one in moved]).numpy()
    assert ups.sum(1) == pytest.approx(np.ones(len(moved)))
    assert scores == pytest.approx(0.5 + 0.4 * ups[:, 1], abs=1e-5)


def test_shows_are_counted_once_and_apart_where_they_last() -> None:
    """A second of a fist, a third of a second of one, and one whose landmarks are not read."""
    p = np.array([0.0] * 15 + [0.95] * 15 + [0.0] * 15 + [0.95] * 4 + [0.0] * 15 + [0.95] * 15)
    score = np.array([0.9] * 64 + [0.3] * 15)
    said = np.column_stack([1 - p, p])
    begun, held, frames = shows(said, score, CLASSES, {"fist": 0.9})
    assert begun == {"fist": 2} and held == {"fist": 1}
    assert 16 <= frames <= 22
