from __future__ import annotations

import numpy as np
import pytest

from tracker.follow.smooth import PRESETS, OneEuro, SmoothConfig, alpha

FIXED = SmoothConfig(min_cutoff=1 / (2 * np.pi), beta=0.0)  # time constant of exactly 1 s


def test_alpha_by_hand() -> None:
    assert alpha(1 / (2 * np.pi), 1.0) == pytest.approx(0.5)  # tau = 1 s, dt = 1 s
    assert alpha(1 / np.pi, 1.0) == pytest.approx(2 / 3)  # tau = 0.5 s


def test_a_step_by_hand() -> None:
    filt = OneEuro(FIXED)
    assert filt.update([[0.0, 0.0]], 0.0, 1.0) == pytest.approx(np.zeros((1, 2)))
    assert filt.update([[8.0, 4.0]], 1.0, 1.0)[0] == pytest.approx([4, 2])  # alpha 1/2
    assert filt.update([[8.0, 4.0]], 4.0, 1.0)[0] == pytest.approx([7, 3.5])  # alpha 3/4
    assert filt.lag_ms == pytest.approx(1000)


def test_speed_raises_the_cutoff_by_hand() -> None:
    """30 px in 1 s at size 10 px: 3 sizes/s; the speed's own filter (tau 1 s) halves it to 1.5;
    cutoff = (1 + 2 * 1.5) / (2 pi), so tau = 1/4 s and alpha = 1 / 1.25.
    """
    filt = OneEuro(SmoothConfig(1 / (2 * np.pi), 2 / (2 * np.pi), 1 / (2 * np.pi)))
    filt.update([[0.0, 0.0]], 0.0, 10.0)
    assert filt.update([[0.0, 30.0]], 1.0, 10.0)[0] == pytest.approx([0, 24])
    assert filt.lag_ms == pytest.approx(250)


def test_points_do_not_mix() -> None:
    both, alone = OneEuro(PRESETS["light"]), OneEuro(PRESETS["light"])
    rng = np.random.default_rng(1)
    for i in range(5):
        a, b = rng.normal(size=(2, 1, 2))
        pair = both.update(np.concatenate([a, b * 50]), i / 30, 3.0)
        assert pair[:1] == pytest.approx(alone.update(a, i / 30, 3.0))


def test_lag_on_a_ramp_is_what_it_says() -> None:
    filt = OneEuro(PRESETS["strong"])
    for i in range(300):
        out = filt.update([[100.0 * i / 30, 0.0]], i / 30, 80.0)
    behind = 100 * 299 / 30 - out[0, 0]
    assert behind / 100 * 1e3 == pytest.approx(filt.lag_ms, rel=0.01)


def test_size_makes_it_independent_of_distance() -> None:
    near, far = OneEuro(PRESETS["light"]), OneEuro(PRESETS["light"])
    rng = np.random.default_rng(0)
    for i in range(10):
        xy = rng.normal(size=(4, 2))
        big = near.update(xy * 400, i / 30, 400.0)
        assert big / 40 == pytest.approx(far.update(xy * 10, i / 30, 10.0), abs=1e-4)


def test_a_repeated_or_falling_time_changes_nothing() -> None:
    filt = OneEuro(FIXED)
    filt.update([[0.0]], 5.0, 1.0)
    first = filt.update([[8.0]], 6.0, 1.0)
    for t in (6.0, 5.5):
        assert filt.update([[1e9]], t, 1.0) == pytest.approx(first)
    assert filt.update([[4.0]], 7.0, 1.0)[0, 0] == pytest.approx(4.0)  # half way from 4 to 4


def test_reset_forgets() -> None:
    filt = OneEuro(FIXED)
    filt.update([[0.0]], 0.0, 1.0)
    filt.update([[9.0]], 0.0, 1.0)
    filt.reset()
    assert filt.update([[100.0]], 0.0, 1.0)[0, 0] == 100
    assert filt.lag_ms == 0


def test_off_passes_through() -> None:
    filt = OneEuro(PRESETS["off"])
    filt.update([[0.0]], 0.0, 1.0)
    assert filt.update([[9.0]], 0.01, 1.0)[0, 0] == 9
    assert filt.lag_ms == 0


def test_presets_calm_a_still_point_and_follow_a_fast_one() -> None:
    """Noise of 1 % of the size at 30 fps; then 3 sizes per second."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1.0, (200, 21, 2))
    shares, lags = {}, {}
    for name in ("light", "strong"):
        filt = OneEuro(PRESETS[name])
        still = np.array([filt.update(n, i / 30, 100.0) for i, n in enumerate(noise)])[50:]
        shares[name] = float(np.diff(still, axis=0).std() / np.diff(noise[50:], axis=0).std())
        for i in range(60):
            filt.update(noise[i] + 300 * i / 30 * np.array([1, 0]), 10 + i / 30, 100.0)
        lags[name] = filt.lag_ms
    assert shares["strong"] < shares["light"] < 0.45
    assert lags["light"] < lags["strong"] < 25
    assert shares["strong"] < 0.2
