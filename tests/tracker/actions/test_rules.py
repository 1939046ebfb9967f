"""A profile at work on what a test says is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.seen import GESTURES, SIZE_WH, face, hand, hand_xy, seen, times
from tracker.actions.profile import read_profile
from tracker.actions.rules import Rules
from tracker.actions.run import Event
from tracker.types import Motion, Track

NAMES = {"hand": (*(f"p{i}" for i in range(8)), "index_tip"), "face": ("nose",)}


def rules(folder: Path, text: str) -> Rules:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return Rules(read_profile(path, GESTURES), NAMES, GESTURES)  # type: ignore[arg-type]


def show(rules: Rules, seconds: float, *tracks: Track, start: float) -> list[Event]:
    """All events while this is seen for so long, 30 frames a second."""
    events = []
    for t in times(seconds, 30, start):
        events += rules.update(seen(t, *tracks), SIZE_WH)
    return events


def words(events: list[Event]) -> list[str]:
    return [f"{e.phase} {e.run.text}" for e in events]


DO = "[[do]]\nwhen = 'fist'\nhold = 0.3\ncooldown = 0.0\nrun = 'key:a'\n"


def test_a_rule_fires_once_and_ends(tmp_path: Path) -> None:
    found = rules(tmp_path, DO)
    assert words(show(found, 1, hand(), start=0)) == []
    (event,) = show(found, 2, hand("fist"), start=1)
    assert (event.phase, event.since) == ("begin", 1.0) and event.t == pytest.approx(1.3, abs=0.02)
    assert words(show(found, 1, hand(), start=3)) == ["end key:a"]
    (row,) = found.rows()
    assert (row.fired, row.state, row.when, row.run) == (1, "ready", "fist", "key:a")


def test_two_gestures_one_after_the_other(tmp_path: Path) -> None:
    found = rules(tmp_path, DO + DO.replace("fist", "point").replace(":a", ":b"))
    show(found, 1, hand(), start=0)
    assert words(show(found, 1, hand("fist"), start=1)) == ["begin key:a"]
    assert words(show(found, 1, hand("point"), start=2)) == ["end key:a", "begin key:b"]


def test_levels_and_notes(tmp_path: Path) -> None:
    text = DO + "[[do]]\nwhen = 'head left 20'\nrun = 'key:b'\n"
    found = rules(tmp_path, text)
    show(found, 0.5, hand("fist", 0.35), face(yaw=10), start=0)
    fist, head = found.rows()
    assert (fist.level, head.level) == (pytest.approx(0.5), pytest.approx(0.5))
    show(found, 0.2, hand("fist"), start=0.5)
    assert 0.4 < found.rows()[0].progress < 0.7
    other = Rules(found.profile, NAMES, ("none", "wave"))  # type: ignore[arg-type]
    assert other.rows()[0].note == "the model in use knows no gesture 'fist'"


def test_the_enabling_gesture(tmp_path: Path) -> None:
    text = "[enable]\nwhen = 'open_palm'\nhold = 0.3\nfor = 2\n" + DO
    found = rules(tmp_path, text)
    assert words(show(found, 2, hand(), start=0) + show(found, 2, hand("fist"), start=2)) == []
    assert found.rows()[0].state == "off"
    show(found, 1, hand(), start=4)
    show(found, 1, hand("open_palm"), start=5)
    assert words(show(found, 1, hand("fist"), start=6)) == ["begin key:a"]
    # It renews the two seconds until it ends at 7.2: 8.5 is within, what ends at 9.2 + 2 is over.
    assert words(show(found, 1.5, hand(), start=7)) == ["end key:a"]
    assert words(show(found, 0.5, hand("fist"), start=8.5)) == ["begin key:a"]
    show(found, 2.4, hand(), start=9)
    assert words(show(found, 1, hand("fist"), start=11.4)) == []


def test_stop_ends_what_has_begun_and_locks(tmp_path: Path) -> None:
    found = rules(tmp_path, DO.replace("key:a", "hold:shift"))
    show(found, 1, hand(), start=0)
    assert words(show(found, 1, hand("fist"), start=1)) == ["begin hold:shift"]
    assert words(found.stop()) == ["end hold:shift"] and found.stop() == []
    assert words(show(found, 1, hand("fist"), start=2)) == [], "it must be let go first"


def test_lost_and_found_need_a_change(tmp_path: Path) -> None:
    found = rules(tmp_path, DO.replace("fist", "lost") + DO.replace("fist", "found"))
    assert words(show(found, 1, start=0)) == []
    assert words(show(found, 1, hand(), start=1)) == ["begin key:a"]
    assert words(show(found, 1, start=2)) == ["end key:a", "begin key:a"], "found has ended"


SLIDE = "[[slide]]\nfrom = 'right pinch'\nin = [0.2, 1.2]\nstill = 0.05\nrun = 'midi:cc 7'\n"


def test_a_slider_tells_changes_only(tmp_path: Path) -> None:
    found = rules(tmp_path, SLIDE)
    (event,) = show(found, 1, hand(xy=hand_xy(0.7)), start=0)
    assert (event.phase, event.value) == ("value", pytest.approx(0.5))
    assert show(found, 1, hand(xy=hand_xy(0.72)), start=1) == [], "less than 0.05 of the range"
    (event,) = show(found, 1, hand(xy=hand_xy(1.3)), start=2)
    assert event.value == 1.0
    assert show(found, 1, start=3) == [], "a hand that is gone leaves the value"
    assert show(found, 1, hand(side="left", xy=hand_xy(0.7)), start=4) == []


def test_a_joystick_goes_back_to_its_middle(tmp_path: Path) -> None:
    found = rules(tmp_path, "[[slide]]\nfrom = 'head yaw'\nin = [-20, 20]\nrun = 'joystick:x'\n")
    assert [e.value for e in show(found, 0.5, face(yaw=10), start=0)] == [pytest.approx(0.5)]
    assert [e.value for e in show(found, 0.5, start=1)] == [0.0]
    reverse = rules(
        tmp_path, "[[slide]]\nfrom = 'head yaw'\nin = [20, -20]\nout = [0, 8]\nrun = 'osc:/a'\n"
    )
    assert [e.value for e in show(reverse, 0.1, face(yaw=10), start=0)] == [pytest.approx(2.0)]


def test_a_slider_of_a_landmark_while_a_gesture_holds(tmp_path: Path) -> None:
    text = "[[slide]]\nfrom = 'index_tip y'\nwhen = 'point'\nrun = 'osc:/height'\n"
    found = rules(tmp_path, text)
    low = hand_xy(tip=(320, 360))
    assert show(found, 1, hand(xy=low), start=0) == []
    (event,) = show(found, 1, hand("point", xy=low), start=1)
    assert event.value == pytest.approx(0.75)


POINTER = """
[pointer]
from = "right index_tip"
area = [0.25, 0.25, 0.75, 0.75]
still = 0.0
click = "pinch"
scroll = "victory"
"""


def test_the_pointer_moves_clicks_and_drags(tmp_path: Path) -> None:
    found = rules(tmp_path, POINTER)
    events = show(found, 1, hand(xy=hand_xy(tip=(320, 240))), start=0)
    assert events[-1].run.what.xy == pytest.approx((0.5, 0.5))
    events = show(found, 1, hand(xy=hand_xy(0.2, tip=(324, 240))), start=1)
    kinds = [e.run.what.kind for e in events]
    down = kinds.index("button")
    assert events[down].run.what.down and kinds[:down].count("move") <= 1, "it stays to click"
    events = show(found, 1, hand(xy=hand_xy(0.2, tip=(400, 240))), start=2)
    assert events[-1].run.what.xy[0] == pytest.approx(0.25, abs=0.01) and "button" not in [
        e.run.what.kind for e in events
    ], "a drag"
    events = show(found, 1, hand(xy=hand_xy(1.0, tip=(400, 240))), start=3)
    ups = [e for e in events if e.run.what.kind == "button"]
    assert [e.run.what.down for e in ups] == [False]
    assert show(found, 1, start=4) == []


def test_scrolling_moves_no_pointer(tmp_path: Path) -> None:
    found = rules(tmp_path, POINTER)
    show(found, 1, hand(xy=hand_xy(tip=(320, 300))), start=0)
    show(found, 0.5, hand("victory", xy=hand_xy(tip=(320, 300))), start=1)
    events = []
    for i, t in enumerate(times(0.5, 30, 1.5)):
        events += show(found, 1 / 30, hand("victory", xy=hand_xy(tip=(320, 300 - 6 * i))), start=t)
    assert {e.run.what.kind for e in events} == {"wheel"}
    assert sum(e.run.what.xy[1] for e in events) > 3


def test_a_point_that_no_model_finds(tmp_path: Path) -> None:
    found = rules(tmp_path, POINTER.replace("index_tip", "beak"))
    assert show(found, 1, hand(), start=0) == []
    assert found.rows()[0].note == "no model in use finds 'beak' of a hand"


def test_a_pointer_that_must_be_woken(tmp_path: Path) -> None:
    found = rules(tmp_path, POINTER + 'when = "point"\n')
    pinching, open_hand = hand_xy(0.2, tip=(320, 240)), hand_xy(1.0, tip=(320, 240))
    show(found, 1, hand(xy=open_hand), start=0)
    assert show(found, 1, hand(xy=pinching), start=1) == [], "asleep, nothing clicks"
    show(found, 0.5, hand(xy=open_hand), start=2)
    moves = show(found, 0.5, hand("point", xy=open_hand), start=2.5)
    assert {e.run.what.kind for e in moves} == {"move"}
    events = show(found, 3, hand(xy=pinching), start=3)
    assert [e.run.what.down for e in events if e.run.what.kind == "button"] == [True]
    events = show(found, 1, hand(xy=open_hand), start=6)
    assert [e.run.what.down for e in events if e.run.what.kind == "button"] == [False]
    show(found, 2, hand(xy=open_hand), start=7)
    assert show(found, 1, hand(xy=pinching), start=9) == [], "asleep again"


def test_two_frames_of_a_pinch_are_no_click(tmp_path: Path) -> None:
    """A hand that turns looks like one for that long; three frames, at 30 a second, are one."""
    for frames, clicks in ((2, 0), (3, 1)):
        found = rules(tmp_path, POINTER)
        pinching, open_hand = hand_xy(0.2, tip=(320, 240)), hand_xy(1.0, tip=(320, 240))
        events = show(found, 1, hand(xy=open_hand), start=0)
        events += show(found, frames / 30, hand(xy=pinching), start=1)
        events += show(found, 1, hand(xy=open_hand), start=1 + frames / 30)
        down = [e for e in events if e.run.what.kind == "button" and e.run.what.down]
        assert len(down) == clicks, frames


def test_dwelling_and_the_right_button(tmp_path: Path) -> None:
    found = rules(tmp_path, POINTER + "dwell = 0.5\nright_click = 'thumb_up'\n")
    at = hand_xy(tip=(320, 240))
    events = show(found, 2, hand(xy=at), start=0)
    (click,) = [e for e in events if e.run.what.kind == "click"]
    assert (click.name, click.run.what.name) == ("pointer dwell", "left")
    assert click.t == pytest.approx(0.5, abs=0.04)
    events = show(found, 0.5, hand("thumb_up", xy=at), start=2)
    events += show(found, 0.5, hand(xy=at), start=2.5)
    buttons = [e.run.what for e in events if e.run.what.kind == "button"]
    assert [(b.name, b.down) for b in buttons] == [("right", True), ("right", False)]


def test_a_motion_fires_once_in_its_frame_whatever_hold_says(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(DO.replace("fist", "wave"), encoding="utf-8")
    found = Rules(read_profile(tmp_path / "mine.toml"), NAMES, ("wave",))  # type: ignore[arg-type]
    waved = replace(hand(), motion=Motion("wave", 0.9, 0.0))
    said = replace(hand(), motion=Motion("wave", 0.9, 0.1))
    assert words(show(found, 1, hand(), start=0)) == []
    (event,) = found.update(seen(1.0, waved), SIZE_WH)
    assert (event.phase, event.t, event.since) == ("begin", 1.0, 1.0)
    assert words(show(found, 0.9, said, start=1.03)) == ["end key:a"]
    assert words(found.update(seen(2.0, waved), SIZE_WH)) == ["begin key:a"], "and again"
    other = replace(hand(), motion=Motion("circle", 0.9, 0.0))
    assert words(show(found, 1, hand(), start=2.1)) == ["end key:a"]
    assert found.update(seen(3.2, other), SIZE_WH) == []


def test_a_motion_within_the_cooldown_is_passed_over(tmp_path: Path) -> None:
    found = rules(tmp_path, DO.replace("cooldown = 0.0", "cooldown = 1.0"))
    fisted = replace(hand(), motion=Motion("fist", 0.9, 0.0))
    show(found, 1, hand(), start=0)
    assert words(found.update(seen(1.0, fisted), SIZE_WH)) == ["begin key:a"]
    show(found, 0.5, hand(), start=1.03)
    assert found.update(seen(1.6, fisted), SIZE_WH) == []
    assert show(found, 1, hand(), start=1.63) == [], "nor when the time is over"
    assert words(found.update(seen(2.7, fisted), SIZE_WH)) == ["begin key:a"]


def test_a_motion_of_the_other_hand_does_not_count(tmp_path: Path) -> None:
    found = rules(tmp_path, DO + "hand = 'left'\n")
    show(found, 1, hand(), start=0)
    assert found.update(seen(1.0, replace(hand(), motion=Motion("fist", 0.9, 0.0))), SIZE_WH) == []
