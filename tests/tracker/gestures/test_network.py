from __future__ import annotations

import numpy as np

from tracker.gestures.network import BEYOND, _slopes, train


def rings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in a disc (class 0), around it (1), and further out (2): no line parts them."""
    rng = np.random.default_rng(seed)
    of = rng.integers(3, size=count)
    way, far = rng.uniform(0, 2 * np.pi, count), of + rng.uniform(0.1, 0.9, count)
    return (far * [np.cos(way), np.sin(way)]).T.astype(np.float32), of


def test_it_learns_what_no_line_parts_and_repeats() -> None:
    network = train(*rings(3000, 0))
    xy, of = rings(500, 1)
    p = network(xy)
    assert np.allclose(p.sum(1), 1, atol=1e-5) and (p.argmax(1) == of).mean() > 0.95
    assert np.array_equal(train(*rings(3000, 0))(xy), p)


def test_it_is_the_mean_of_its_networks() -> None:
    """One after the other, in plain words; also of one row, and of none."""
    network, (xy, _) = train(*rings(500, 0)), rings(40, 1)
    for rows in (xy, 100 * xy[:1], xy[:0]):
        one = np.ones(len(rows))
        scaled = np.clip((rows - network.mean) / network.scale, -BEYOND, BEYOND)
        each = []
        for first, last in zip(network.first, network.last, strict=True):
            inside = np.maximum(np.c_[scaled, one] @ first, 0)
            raised = np.exp(np.c_[inside, one] @ last)
            each.append(raised / raised.sum(1, keepdims=True))
        assert np.allclose(network(rows), np.mean(each, axis=0), atol=1e-5)


def test_slopes_are_those_of_the_cost() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 4))
    target = np.eye(3)[rng.integers(3, size=5)]
    layers = rng.normal(size=(4, 6)), rng.normal(size=(7, 3))

    def cost(first: np.ndarray, last: np.ndarray) -> float:
        inside = np.c_[np.maximum(x @ first, 0), np.ones(5)] @ last
        return float(-(target * (inside - np.log(np.exp(inside).sum(1))[:, None])).sum(1).mean())

    found = _slopes(x, target, layers)  # type: ignore[arg-type]
    for k in (0, 1):
        for i, j in ((0, 0), (3, 2)):
            more = [layer.copy() for layer in layers]
            more[k][i, j] += 1e-6
            by_hand = (cost(*more) - cost(*layers)) / 1e-6
            assert abs(found[k][i, j] - by_hand) < 1e-4
