"""What tells own gestures of one hand: a network, and how near a hand is to what was shown.

A network tells classes apart where it has seen hands; of one that lies far from all of them it may
be sure all the same. So the odds of an own gesture fall with the distance to the nearest of its own
rows, in the network's own scale (measured: docs/measured.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.gestures.network import Network, train
from tracker.types import Floats

MOST = 800  # rows of a gesture that are kept to be near to
NEAREST = 3  # of them count
TOGETHER = 2000  # hands whose distances are taken at once


@dataclass(frozen=True, slots=True, eq=False)
class NearNetwork:
    """Features (N, F) to probabilities (N, own gestures)."""

    network: Network
    own: tuple[Floats, ...]  # (MOST, F) rows of each own gesture, in the network's scale
    usual: Floats  # (own gestures,) how far a gesture's own rows are from one another

    def __call__(self, features: Floats) -> Floats:
        """Each row adds up to 1 at most."""
        scaled, count = self.network.scaled(features), len(self.own)
        p = self.network.of_scaled(scaled)
        far = np.stack([_distance(scaled, rows) for rows in self.own], axis=1)
        p[:, -count:] *= np.exp(self.usual - far)
        return np.asarray(p[:, -count:] / p.sum(1, keepdims=True))


def near_network(
    features: Floats, classes: NDArray[np.intp], count: int, seed: int = 0
) -> NearNetwork:
    """Learnt from rows (N, F) of `classes` (N,), the last `count` of which are own gestures."""
    network, rng = train(features, classes, seed), np.random.default_rng(seed)
    first, own, usual = int(classes.max()) + 1 - count, [], []
    for k in range(count):
        rows = network.scaled(features[rng.permutation(np.flatnonzero(classes == first + k))])
        own.append(rows[:MOST])
        others = rows[MOST : 2 * MOST]
        usual.append(np.median(_distance(others, own[-1])) if len(others) else 0.0)
    return NearNetwork(network, tuple(own), np.array(usual, np.float32))


def _distance(features: Floats, rows: Floats) -> Floats:
    """(N,) the root mean square distance to the NEAREST nearest rows, in scale."""
    found, squares = np.zeros(len(features), np.float32), (rows**2).sum(1)
    nearest = min(NEAREST, len(rows))
    for start in range(0, len(features), TOGETHER):
        part = features[start : start + TOGETHER]
        apart = squares - 2 * part @ rows.T + (part**2).sum(1)[:, None]
        least = np.partition(apart, nearest - 1, axis=1)[:, :nearest].mean(1)
        found[start : start + TOGETHER] = np.sqrt(np.maximum(least, 0))
    return found
