"""A small network in numpy that tells classes apart: trained in seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracker.types import Floats

HIDDEN = 64
TOGETHER = 3  # networks, from other first weights
EPOCHS = 12
BATCH = 128
RATE = 3e-3  # of Adam; falls to nothing along a cosine
DECAY = 1e-3  # of weights, a step, times the rate
SOFT = 0.03  # of each target that is spread over all classes: nothing is quite certain
BEYOND = 4.0  # standard deviations at which a feature is cut


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Features (N, F) to probabilities (N, C): one hidden layer, the mean of M such networks."""

    mean: Floats  # (F,)
    scale: Floats  # (F,)
    first: Floats  # (M, F + 1, H): of M networks; the last row is added
    last: Floats  # (M, H + 1, C)

    def __call__(self, features: Floats) -> Floats:
        """(N, C), each row adds up to 1."""
        return self.of_scaled(self.scaled(features))

    def scaled(self, features: Floats) -> Floats:
        """(N, F) in standard deviations from the mean, cut at BEYOND."""
        return _scaled(features, self.mean, self.scale)

    def of_scaled(self, scaled: Floats) -> Floats:
        """The same of features that are `scaled`."""
        hidden = np.maximum(np.matmul(_with_one(scaled), self.first), 0)
        raised = np.matmul(_with_one(hidden), self.last)
        raised = np.exp(raised - np.maximum.reduce(raised, 2, keepdims=True))
        each = raised / np.add.reduce(raised, 2, keepdims=True)
        return np.asarray(np.add.reduce(each) / len(each), np.float32)


def train(
    features: Floats, classes: NDArray[np.intp], seed: int = 0, hidden: int = HIDDEN
) -> Network:
    """A network for rows (N, F) of `classes` (N,) 0 to C - 1, with so many hidden units.

    The same rows and seed give the same network.
    """
    mean, spread = features.mean(0), features.std(0)
    scale = np.maximum(spread, 0.02).astype(np.float32)
    x = _with_one(_scaled(features, mean, scale))
    count = int(classes.max()) + 1
    target = np.full((len(x), count), SOFT / count, np.float32)
    target[np.arange(len(x)), classes] += 1 - SOFT
    layers = [_layers(x, target, hidden, np.random.default_rng((seed, k))) for k in range(TOGETHER)]
    first, last = (np.stack(part) for part in zip(*layers, strict=True))
    return Network(mean.astype(np.float32), scale, first, last)


def _scaled(features: Floats, mean: Floats, scale: Floats) -> Floats:
    scaled = np.maximum((features - mean) / scale, -BEYOND)
    return np.asarray(np.minimum(scaled, BEYOND), np.float32)


def _layers(
    x: Floats, target: Floats, hidden: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """The two layers, by Adam."""
    first = rng.normal(0, np.sqrt(2 / x.shape[1]), (x.shape[1], hidden)).astype(np.float32)
    last = rng.normal(0, np.sqrt(1 / hidden), (hidden + 1, target.shape[1])).astype(np.float32)
    layers = (first, last)
    slow = [(np.zeros_like(w), np.zeros_like(w)) for w in layers]
    steps = EPOCHS * (-(-len(x) // BATCH))
    order = np.concatenate([rng.permutation(len(x)) for _ in range(EPOCHS)])
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        if not len(rows):
            break
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        for w, slope, (m, v) in zip(
            layers, _slopes(x[rows], target[rows], layers), slow, strict=True
        ):
            m += 0.1 * (slope - m)
            v += 0.001 * (slope * slope - v)
            fair_m, fair_v = m / (1 - 0.9 ** (step + 1)), v / (1 - 0.999 ** (step + 1))
            w -= rate * (fair_m / (np.sqrt(fair_v) + 1e-8) + DECAY * w)
    return layers


def _slopes(x: Floats, target: Floats, layers: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Gradients of the mean cross entropy of a batch by each layer."""
    first, last = layers
    hidden = np.maximum(x @ first, 0)
    inside = _with_one(hidden)
    error = (_softmax(inside @ last) - target) / np.float32(len(x))
    back = (error @ last[:-1].T) * (hidden > 0)
    return x.T @ back, inside.T @ error


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def _with_one(x: Floats) -> Floats:
    """(..., N, F + 1): a column of ones after the others."""
    found = np.ones((*x.shape[:-1], x.shape[-1] + 1), np.float32)
    found[..., :-1] = x
    return found
