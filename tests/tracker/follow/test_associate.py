from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from tracker.follow.associate import (
    assign,
    cost_matrix,
    duplicates,
    is_same,
    landmark_distance,
    object_size,
    overlap_share,
    side_conflict,
)

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], np.float32)


def at(x: float, y: float = 0.0) -> np.ndarray:
    return SQUARE + np.array([x, y], np.float32)


def test_distance_is_in_object_sizes() -> None:
    assert object_size(SQUARE * [2, 1]) == 20
    assert landmark_distance(SQUARE, at(3, 4)) == pytest.approx(0.5)  # 5 px of 10
    assert landmark_distance(SQUARE * 7, at(3, 4) * 7) == pytest.approx(0.5)


def test_same_by_landmarks_or_by_box() -> None:
    assert is_same(SQUARE * 1.5, at(2) * 1.5) is False  # 0.2 sizes apart, 80 % of the box shared
    assert is_same(SQUARE, at(1.9))
    assert is_same(SQUARE, SQUARE[::-1])  # other order, same box
    assert is_same(SQUARE, SQUARE[::-1] * 0.2 + 7)  # shrunk onto its finger tips


def test_one_that_has_a_finger_wrong_is_the_same() -> None:
    """Ten points, two of which stand 1.2 sizes out: 0.24 on average, 0 in the median."""
    line = np.stack([np.arange(10), np.zeros(10)], 1).astype(np.float32) * 10 / 9
    out = line.copy()
    out[4:6, 1] += 12
    assert is_same(line, out) and 0.2 < landmark_distance(line, out) < 0.3
    out[4:7, 1] += 12
    assert not is_same(line, out), "three fingers of another hand are more than a mistake"


def test_overlap_share_by_hand() -> None:
    a = np.array([0, 0, 10, 10], np.float32)
    assert overlap_share(a, np.array([8, 0, 12, 5], np.float32)) == 0.5  # 10 of 20
    assert overlap_share(a, np.array([11, 0, 12, 5], np.float32)) == 0
    assert overlap_share(a, np.array([5, 5, 5, 9], np.float32)) == 0  # empty


def test_assign_finds_the_cheapest_whole() -> None:
    cost = np.array([[1.0, 2.0], [1.1, 9.0]])  # the greedy pair (0, 0) would cost 10
    assert assign(cost, 100.0) == [(0, 1), (1, 0)]
    assert assign(cost.T, 100.0) == [(0, 1), (1, 0)]


def test_assign_leaves_out_what_is_too_far() -> None:
    assert assign(np.array([[0.5, 9.0], [0.4, 9.0]]), 1.0) == [(1, 0)]
    assert assign(np.array([[5.0]]), 1.0) == []
    assert assign(np.zeros((0, 3)), 1.0) == []
    # two pairs are better than one cheap one
    assert assign(np.array([[0.1, 0.9], [0.9, 5.0]]), 1.0) == [(0, 1), (1, 0)]


def test_assign_with_unequal_numbers() -> None:
    cost = np.array([[3.0, 1.0, 2.0]])
    assert assign(cost, np.inf) == [(0, 1)]
    assert assign(cost.T, np.inf) == [(1, 0)]


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 3), (4, 6), (6, 4), (6, 6)])
def test_the_cheapest_whole_is_the_best_of_all_permutations(rows: int, columns: int) -> None:
    rng = np.random.default_rng(rows * 10 + columns)
    for decimals in (1, 6):  # ties, and none
        for _ in range(30):
            cost = rng.random((rows, columns)).round(decimals)
            pairs = assign(cost, np.inf)
            wide = cost if rows <= columns else cost.T
            n = min(rows, columns)
            totals = (
                wide[range(n), list(p)].sum() for p in permutations(range(max(rows, columns)), n)
            )
            assert len(pairs) == len({r for r, _ in pairs}) == len({c for _, c in pairs}) == n
            assert sum(cost[r, c] for r, c in pairs) == pytest.approx(min(totals))


def test_twenty_objects_are_not_assigned_greedily() -> None:
    """The nearest pairs first, (i, i + 1) at 0.9, would leave row 19 with column 0 at 20."""
    n = 20
    cost = np.abs(np.arange(n)[:, None] - np.arange(n)) + 1.0
    cost[range(n - 1), range(1, n)] = 0.9
    cost[n - 1, 0] = 20.0
    assert assign(cost, np.inf) == [(i, i) for i in range(n)]


def test_many_objects_with_a_limit() -> None:
    n = 9
    cost = np.abs(np.arange(n)[:, None] - (np.arange(n) + 3) % n).astype(float)
    assert assign(cost, 0.5) == [(i, (i - 3) % n) for i in range(n)]


def test_side_conflict() -> None:
    assert side_conflict(1.0, 0.0) == 1
    assert side_conflict(0.9, 0.1) == pytest.approx(0.64)
    assert side_conflict(0.9, 0.8) == side_conflict(0.5, 0.0) == side_conflict(None, 0.0) == 0


def test_cost_knows_own_crop_and_side() -> None:
    tracks = [(at(0), 1.0), (at(10), 0.0)]
    found = [(at(10), 0.0), (at(0), 1.0)]
    assert cost_matrix(tracks, found) == pytest.approx(np.array([[1.5, 0], [0, 1.5]]))
    assert cost_matrix(tracks, found, [0, 1])[0, 0] == pytest.approx(1.35)


def test_crossing_hands_keep_their_ids() -> None:
    """Each crop of two crossing hands caught the other hand: the answers are swapped back."""
    tracks = [(at(0), 0.9), (at(12), 0.1)]
    found = [(at(11), 0.15), (at(1), 0.85)]
    assert assign(cost_matrix(tracks, found, [0, 1]), np.inf) == [(0, 1), (1, 0)]


def test_duplicates_keep_the_senior() -> None:
    xy = [at(0), at(1), at(40), at(1.5)]
    assert duplicates(xy, [0, 1, 2, 3]) == {1, 3}
    assert duplicates(xy, [3, 1, 2, 0]) == {0, 1}
