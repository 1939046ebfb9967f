"""Bounded memories: plots and latency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers import clips
from tracker.result import Result
from tracker.types import Pose
from ui.live.history import MOST_GESTURES, History, Latency


def seen(yaw: float, gesture: str | None = "fist", p: float = 0.9) -> Result:
    face = replace(clips.track("face"), pose=Pose(yaw, 1.0, 2.0))
    hand = replace(clips.track(), gesture=gesture, gesture_p=p)
    return Result(0.0, (hand, face))


def test_values_come_back_in_order() -> None:
    history = History(8)
    for i in range(3):
        history.add(float(i), seen(10.0 * i))
    assert history.times().tolist() == [0, 1, 2]
    assert history.pose()[:, 0].tolist() == [0, 10, 20]
    assert history.gestures()["fist"].tolist() == [0.9, 0.9, 0.9]


def test_what_is_missing_is_a_gap() -> None:
    history = History(8)
    history.add(0.0, seen(5.0))
    history.add(1.0, Result(1.0, ()))
    history.add(2.0, seen(6.0, "palm"))
    assert np.isnan(history.pose()[1]).all()
    gestures = history.gestures()
    assert np.isnan(gestures["fist"][1:]).all() and gestures["fist"][0] == 0.9
    assert np.isnan(gestures["palm"][:2]).all() and gestures["palm"][2] == 0.9


def test_the_surer_of_two_hands_counts() -> None:
    history = History(8)
    hands = [replace(clips.track(), gesture_p=p) for p in (0.4, 0.8, 0.6)]
    history.add(0.0, Result(0.0, tuple(hands)))
    assert history.gestures()["fist"].tolist() == [0.8]


def test_memory_is_bounded() -> None:
    history = History(100)
    for i in range(1050):
        history.add(float(i), seen(float(i), f"g{i % 140}"))
    assert history.times().tolist() == list(range(950, 1050))
    assert history.pose()[:, 0].tolist() == list(range(950, 1050))
    assert len(history.gestures()) == MOST_GESTURES
    assert all(len(values) == 100 for values in history.gestures().values())


def test_clear() -> None:
    history = History(4)
    for i in range(6):
        history.add(float(i), seen(1.0))
    history.clear()
    assert len(history.times()) == 0 and history.gestures() == {}
    history.add(9.0, seen(3.0))
    assert history.times().tolist() == [9] and history.gestures()["fist"].tolist() == [0.9]


def test_latency_percentiles() -> None:
    latency = Latency(101)
    assert latency.percentiles() is None
    for i in range(101):
        latency.add(1.0, 1.0 + i / 1e3)
    found = latency.percentiles()
    assert found is not None and found == (pytest.approx(50), pytest.approx(95))
    for _ in range(500):
        latency.add(0.0, 0.02)
    assert latency.percentiles() == (pytest.approx(20), pytest.approx(20))
    assert latency.count == 601


def test_rate_of_painting() -> None:
    latency = Latency()
    for i in range(10):
        latency.add(0.0, 5 + i / 25)
    assert latency.fps(5.5) == pytest.approx(25)
    assert latency.fps(9.0) == 0, "nothing was painted for a while"
    latency.clear()
    assert latency.fps(5.5) == 0


def test_every_class_of_a_hand_is_noted() -> None:
    history = History(8)
    hand = replace(clips.track(), gestures=(("fist", 0.7), ("palm", 0.3)))
    history.add(0.0, Result(0.0, (hand,)))
    history.add(1.0, Result(1.0, ()))
    assert {k: v[0] for k, v in history.gestures().items()} == {"fist": 0.7, "palm": 0.3}
    assert all(np.isnan(v[1]) for v in history.gestures().values())
