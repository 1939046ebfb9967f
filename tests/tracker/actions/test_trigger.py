"""When a rule fires: hand-made sequences of frames, 0.1 s apart where nothing else is said."""

from __future__ import annotations

import pytest

from tracker.actions.trigger import Timing, Trigger


def run(
    trigger: Trigger, holds: str, start: float = 0.0, step: float = 0.1
) -> list[tuple[float, str]]:
    """What happens at which time: '#' holds, '.' does not, '?' unsure."""
    happened = []
    for i, sign in enumerate(holds):
        t = round(start + i * step, 6)
        phase = trigger.update(t, {"#": True, ".": False, "?": None}[sign])
        if phase is not None:
            happened.append((t, str(phase)))
    return happened


def test_fires_once_after_the_hold_and_ends_after_the_release() -> None:
    timing = Timing(hold=0.3, release=0.2, cooldown=0.0)
    assert run(Trigger(timing), ".##########....") == [(0.4, "begin"), (1.2, "end")]


def test_a_short_gesture_fires_nothing() -> None:
    assert run(Trigger(Timing(hold=0.3)), ".###...###....###...") == []


def test_what_holds_from_the_start_must_end_first() -> None:
    timing = Timing(hold=0.2, release=0.1, cooldown=0.0)
    assert run(Trigger(timing), "######..###") == [(1.0, "begin")]


def test_a_flicker_shorter_than_the_release_neither_ends_nor_delays() -> None:
    timing = Timing(hold=0.4, release=0.3, cooldown=0.0)
    assert run(Trigger(timing), ".######.####", step=0.05) == [(0.45, "begin")], "0.3 of 0.4 s"
    # Held from 0.1 to 0.2 and from 0.4: at 0.5 that is 0.2 s, at 0.6 more than 0.6 of 0.4 s.
    assert run(Trigger(timing), ".##.#######") == [(0.6, "begin")]
    assert run(Trigger(timing), "." + "#.." * 10) == [], "single frames are no gesture"
    timing = Timing(hold=0.1, release=0.3, cooldown=0.0)
    assert run(Trigger(timing), ".##..##..##....") == [(0.2, "begin"), (1.3, "end")]


def test_cooldown() -> None:
    timing = Timing(hold=0.1, release=0.1, cooldown=1.0)
    assert run(Trigger(timing), ".##..##..########") == [
        (0.2, "begin"), (0.3, "end"), (1.2, "begin"),
    ], "0.4 is skipped, and what holds when the time is over fires"  # fmt: skip


def test_repeats_while_it_holds() -> None:
    timing = Timing(hold=0.2, release=0.1, cooldown=0.0, repeat=0.3)
    assert run(Trigger(timing), ".##########..") == [
        (0.3, "begin"), (0.6, "repeat"), (0.9, "repeat"), (1.1, "end"),
    ]  # fmt: skip


def test_unsure_frames_stop_the_time_but_not_for_ever() -> None:
    timing = Timing(hold=0.3, release=0.1, cooldown=0.0)
    assert run(Trigger(timing), ".##??####") == [(0.6, "begin")], "0.2 s do not count"
    assert run(Trigger(timing), ".######?????????") == [(0.4, "begin"), (1.1, "end")], (
        "a key that is held is let go half a second after the last sure frame"
    )


def test_the_nearest_frame_fires() -> None:
    timing = Timing(hold=0.3, release=0.2, cooldown=0.0)
    for fps in (25, 30, 60, 24):
        ((t, phase),) = run(Trigger(timing), "." + "#" * fps, step=1 / fps)
        assert phase == "begin" and abs(t - 1 / fps - 0.3) <= 0.5 / fps + 1e-6, fps
    assert run(Trigger(timing), ".####", step=0.2) == [(0.6, "begin")], (
        "0.5 s held or 0.3: at 5 fps a frame may be early by 20 ms only"
    )


def test_a_gap_between_frames_does_not_count_as_held() -> None:
    trigger = Trigger(Timing(hold=1.0))
    trigger.update(0.0, False)
    trigger.update(0.1, True)
    assert trigger.update(5.0, True) is None
    assert trigger.progress == pytest.approx(0.25 / 0.6)


def test_a_clip_that_begins_anew_ends_what_had_begun() -> None:
    trigger = Trigger(Timing(hold=0.0, release=0.1))
    assert run(trigger, ".#") == [(0.1, "begin")]
    assert trigger.update(0.0, True) == "end"
    assert trigger.state == "locked"


def test_progress_and_states() -> None:
    trigger = Trigger(Timing(hold=0.4, release=0.2, cooldown=2.0))
    states = []
    for i, holds in enumerate([True, False, True, True, True, True, True, False, False, False]):
        trigger.update(i / 10, holds)
        states.append((trigger.state, round(trigger.progress, 2)))
    assert states == [
        ("locked", 0.0), ("locked", 0.0), ("locked", 0.0), ("locked", 0.0), ("locked", 0.0),
        ("locked", 0.0), ("locked", 0.0), ("locked", 0.0), ("ready", 0.0), ("ready", 0.0),
    ], "one frame away is no release"  # fmt: skip
    trigger.update(1.0, True)
    trigger.update(1.2, True)
    assert (trigger.state, trigger.progress) == ("holding", pytest.approx(0.5))
    trigger.update(1.4, True)
    assert trigger.has_fired and trigger.cooling(1.9) == pytest.approx(1.5)
