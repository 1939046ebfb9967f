"""The panel of actions, the tray and the keys, in the window with a fake pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from tests.helpers.fake_window import Studio
from tests.helpers.seen import hand, times
from tracker.actions.actions import Actions, ActionsState
from tracker.result import Result
from tracker.types import Frame, Track
from ui.live.app import with_actions
from ui.live.choices import Choices
from ui.live.panels.actions_panel import counts

DO = """
[[do]]
name = "play"
when = "fist"
hold = 1.0
run = "command:true"
[[slide]]
name = "volume"
from = "right pinch"
in = [0.0, 2.0]
run = "osc:/volume"
"""
BLACK = np.zeros((480, 640, 3), np.uint8)


@pytest.fixture
def profile(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(DO, encoding="utf-8")
    return str(path)


def show(studio: Studio, seconds: float, *tracks: Track, start: float) -> None:
    """Give frames to the actions as the pipeline would, then look at the window."""
    actions = studio.window.controls.acting.actions
    assert actions is not None
    for t in times(seconds, 30, start):
        actions.put(Frame(0, t, BLACK), Result(t, tracks))
    studio.settle()


def texts(studio: Studio) -> list[tuple[str, str, str]]:
    """Name, state and count of each line."""
    lines = studio.window.actions_panel._lines
    return [(name.text(), is_so.text(), fired.text()) for name, _, is_so, fired in lines]


def test_levels_states_and_counts(studio: Studio, profile: str) -> None:
    window = studio.open(actions=profile, actions_test=True, tab="actions")
    assert studio.calls("add_output") == [("actions",)] and window.actions_panel.isVisible()
    assert texts(studio) == [("play", "no picture yet", ""), ("volume", "no picture yet", "")]
    show(studio, 1, hand("fist", 0.35), start=0)
    level = window.actions_panel._lines[0][1]
    assert level._row is not None and level._row.level == pytest.approx(0.5)
    show(studio, 0.5, hand("fist"), start=1)
    assert texts(studio) == [("play", "holding", ""), ("volume", "0.50", "")]
    assert level._row.progress == pytest.approx(0.5, abs=0.05)
    show(studio, 1, hand("fist"), start=1.5)
    assert texts(studio)[0] == ("play", "fired", "1")
    panel = window.actions_panel
    assert panel._counts.text() == (
        "Test, nothing is done: 1 fired in 0.0 minutes. Where nothing should have fired, these "
        "are 1459 false triggers an hour."
    ), "1 in 74 / 30 s"
    assert panel._fired.text() == "2.0 s  play: command:true"
    window.actions_panel._on.click()
    assert not window.controls.choices.actions_on
    studio.settle()
    assert panel._counts.text() == "Switched off: nothing fires."


def test_the_pause_key_is_told() -> None:
    state = ActionsState(Path("mine.toml"), on=False, pause="ctrl+alt+p")
    assert counts(state) == ("Switched off: nothing fires.\nctrl+alt+p switches, in every program.")


def test_a_profile_that_sleeps_tells_what_wakes_it(tmp_path: Path) -> None:
    """Five rows said "asleep", and nothing said for how long."""
    path = tmp_path / "asleep.toml"
    for which, wake in (("", "open_palm"), ('hand = "left"\n', "left open_palm")):
        path.write_text(f'[enable]\nwhen = "open_palm"\n{which}{DO}', encoding="utf-8")
        state = replace(Actions(path, test=True).state(), enabled=False, seconds=60.0)
        assert state.wake == wake
        assert counts(state).split("\n")[1] == f"Asleep: {wake} wakes it."
        assert counts(replace(state, test=False)).endswith(f"minutes\nAsleep: {wake} wakes it.")
        assert "Asleep" not in counts(replace(state, enabled=True))


def test_a_page_without_a_profile_says_what_one_is(studio: Studio, profile: str) -> None:
    panel = studio.open(tab="actions").actions_panel
    studio.settle()
    assert "choose one above" in panel._counts.text()
    studio.window.controls.choose("actions", profile)
    studio.settle()
    assert "choose one above" not in panel._counts.text()


def test_the_bar_is_as_long_as_the_level(studio: Studio, profile: str) -> None:
    window = studio.open(actions=profile, tab="actions")
    show(studio, 1, hand("fist", 0.35), start=0)
    level = window.actions_panel._lines[0][1]
    level.setFixedSize(102, 14)
    image = level.grab().toImage()
    ratio = image.devicePixelRatio()
    row = [image.pixelColor(round(x * ratio), round(6 * ratio)) for x in range(3, 99)]
    blue = [c.blue() - c.red() > 40 for c in row]
    assert blue == sorted(blue, reverse=True) and abs(sum(blue) - 47) <= 3


def test_choosing_a_profile_and_one_with_faults(
    studio: Studio, profile: str, tmp_path: Path
) -> None:
    window = studio.open(tab="actions")
    assert studio.calls("add_output") == [] and not window.actions_panel._on.isEnabled()
    window.controls.choose("actions", profile)
    assert studio.calls("add_output") == [("actions",)]
    bad = tmp_path / "bad.toml"
    bad.write_text("[[do]]\nwhen = 'fist'\nrun = 'key:spce'\n", encoding="utf-8")
    window.controls.choose("actions", str(bad))
    assert "line 3: run: there is no key 'spce'" in studio.message()
    assert window.controls.choices.actions == profile, "the one before stays"
    assert studio.store().load().actions == profile
    window.controls.choose("actions", "")
    assert studio.calls("remove_output") == [("actions",)]
    studio.settle()
    assert texts(studio) == []


def test_keys_and_the_pause_key(studio: Studio, profile: str) -> None:
    window = studio.open(actions=profile)
    assert not window.actions_panel.isVisible()
    studio.key("a")
    assert window.actions_panel.isVisible() and window.acts["actions"].isChecked()
    studio.key("a", Qt.KeyboardModifier.ShiftModifier)
    state = window.controls.acting.state()
    assert state is not None and not state.on and not window.actions_panel._on.isChecked()
    actions = window.controls.acting.actions
    assert actions is not None
    actions.toggle()  # as the pause key does, on a thread of its own
    studio.settle()
    assert window.controls.choices.actions_on and window.actions_panel._on.isChecked()
    assert "actions are on" in studio.message().lower()


def test_a_profile_that_is_gone_is_told_and_forgotten(studio: Studio, tmp_path: Path) -> None:
    window = studio.open(actions=str(tmp_path / "gone.toml"))
    assert window.controls.choices.actions == "" and "gone.toml cannot be read" in studio.message()


def test_a_remembered_profile_does_nothing_until_it_is_switched_on(profile: str) -> None:
    kept = Choices(actions=profile, actions_on=True)
    assert not with_actions(kept, {}).actions_on
    given = with_actions(kept, {"actions": profile})
    assert given.actions_on and given.panel and given.tab == "actions"


def test_the_tray(studio: Studio, profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    window = studio.open(actions=profile)
    window.acts["hide"].trigger()
    if not window.tray.is_there:  # as on the offscreen platform
        assert window.isVisible() and "no-window" in studio.message()
    window.tray.on.trigger()
    assert not window.controls.choices.actions_on
    window.tray.test.trigger()
    assert window.controls.choices.actions_test
    monkeypatch.setattr(type(window.tray), "is_there", property(lambda self: True))
    window.acts["hide"].trigger()
    assert not window.isVisible()
    show(studio, 1, hand(), start=0)
    window.controls.choose("actions_on", True)
    show(studio, 1, hand(), start=1)
    show(studio, 1.5, hand("fist"), start=2)
    state = window.controls.acting.state()
    assert state is not None and state.count == 1, "it works while the window is hidden"
    window.tray.show_window(True)
    assert window.isVisible()


def test_the_tray_of_sending_alone(studio: Studio, profile: str) -> None:
    window = studio.open(to=["ws://", "osc://"])
    tray = window.tray
    assert tray.send.isVisible() and tray.send.isChecked() and not tray.on.isVisible()
    assert tray.icon.toolTip() == "Landmark Tracker: sends to 2"
    tray.send.trigger()
    assert studio.calls("remove_output") == [("ws://",), ("osc://",)]
    assert tray.icon.toolTip() == "Landmark Tracker: sending off"
    window.controls.choose("actions", profile)
    assert tray.on.isVisible()
    assert tray.icon.toolTip() == "Landmark Tracker: actions on, sending off"
    for target in ("ws://", "osc://"):
        window.controls.stop_sending(target)
    assert not tray.send.isVisible() and tray.icon.toolTip() == "Landmark Tracker: actions on"


def test_the_end_lets_go(studio: Studio, profile: str) -> None:
    window = studio.open(actions=profile)
    ended: list[bool] = []
    actions = window.controls.acting.actions
    assert actions is not None
    actions.end = lambda: ended.append(True)  # type: ignore[method-assign]
    with studio.bot.waitSignal(window.ended, timeout=10_000):
        window.close()
    assert ended == [True]
