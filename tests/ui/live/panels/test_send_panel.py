"""The panel of what is sent, in the window with a fake pipeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QPushButton

from tests.helpers.fake_pipeline import HEALTH
from tests.helpers.fake_window import Studio
from tests.helpers.seen import face
from tracker.live.live_output import OutputFacts
from tracker.result import Result
from tracker.types import Pose
from ui.live.panels.send_panel import SendPanel, words
from ui.live.sending import SendRow

WS = OutputFacts("ws://", "running", fps=29.6, sent=90, dropped=2, heard="1 client")
BROKEN = OutputFacts("x.csv", "failed", error="x.csv ended, the rest goes on: no space is left")


def panel(studio: Studio) -> SendPanel:
    return studio.window.send_panel


def texts(studio: Studio) -> list[tuple[bool, str, str]]:
    """Switch, target and words of each line."""
    return [(x.box.isChecked(), x.box.text(), x.words.text()) for x in panel(studio)._lines]


def test_state_rate_and_faults_of_each_target(studio: Studio) -> None:
    window = studio.open(to=["ws://", "x.csv", "osc://"], tab="send")
    assert window.send_panel.isVisible()
    assert studio.calls("add_output") == [("ws://",), ("x.csv",), ("osc://",)]
    studio.pipeline.now = replace(HEALTH, outputs=(WS, BROKEN))
    studio.settle()
    assert texts(studio) == [
        (True, "ws://", "1 client, 30 frames/s, 2 dropped"),
        (True, "x.csv", "x.csv ended, the rest goes on: no space is left"),
        (True, "osc://", "waits for a picture"),
    ]
    assert not panel(studio)._nothing.isVisible()


def test_switches_and_removing(studio: Studio) -> None:
    studio.open(to=["ws://", "osc://"], tab="send")
    studio.pipeline.calls.clear()
    panel(studio)._lines[0].box.click()
    studio.settle()
    assert studio.calls("remove_output") == [("ws://",)]
    assert texts(studio)[0] == (False, "ws://", "off")
    panel(studio)._lines[0].box.click()
    assert studio.calls("add_output") == [("ws://",)]
    panel(studio)._lines[1].forget.click()
    studio.settle()
    assert studio.calls("remove_output") == [("ws://",), ("osc://",)]
    assert [target for _, target, _ in texts(studio)] == ["ws://"]


def test_a_target_is_typed(studio: Studio) -> None:
    studio.open(tab="send")
    shown = panel(studio)
    assert shown._nothing.isVisible() and texts(studio) == []
    studio.bot.keyClicks(shown.entry, "x.nope")
    studio.bot.keyClick(shown.entry, Qt.Key.Key_Return)
    assert "othing can be sent to x.nope: it must begin or end with" in shown._problem.text()
    assert shown.entry.text() == "x.nope", "what was typed can be mended"
    shown.entry.clear()
    studio.bot.keyClicks(shown.entry, "vmc://")
    studio.bot.keyClick(shown.entry, Qt.Key.Key_Return)
    studio.settle()
    assert studio.calls("add_output")[-1] == ("vmc://",)
    assert shown._problem.text() == "" and shown.entry.text() == ""
    offers = shown.entry.completer().popup()  # type: ignore[union-attr]
    assert not offers.isVisible(), "what is offered lies on nothing"  # type: ignore[union-attr]
    assert texts(studio)[-1] == (True, "vmc://", "waits for a picture")


def test_targets_go_along_to_the_next_camera(studio: Studio) -> None:
    studio.open(to=["ws://", "osc://"])
    studio.window.controls.switch_sending("osc://", False)
    studio.window.controls.choose("camera", "other.mp4")
    studio.bot.waitUntil(lambda: len(studio.pipelines) == 2)
    assert studio.calls("add_output") == [("ws://",)]


def test_privacy_reaches_what_shows_pictures(studio: Studio) -> None:
    window = studio.open(privacy=True)
    assert window.controls.sending.is_private
    studio.key("p")
    assert not window.controls.sending.is_private
    studio.key("p")
    assert window.controls.sending.is_private


def test_the_key_shows_the_panel(studio: Studio) -> None:
    window = studio.open()
    assert not window.send_panel.isVisible()
    studio.key("o")
    assert window.send_panel.isVisible() and window.acts["send"].isChecked()
    studio.key("o")
    assert not window.send_panel.isVisible()


def test_recentring_by_key_and_buttons(studio: Studio) -> None:
    studio.open(tab="send")
    centring = studio.pipeline.centring
    head = Result(1.0, (face(yaw=20, pitch=-10),))
    studio.key("c")
    assert "traight ahead is where the head points now" in studio.message()
    centring.see(head)
    assert centring.relative(Pose(20, -10, 0)).yaw == pytest.approx(0, abs=1e-6)
    buttons = {b.text(): b for b in panel(studio).findChildren(QPushButton)}
    buttons["As seen"].click()
    assert centring.relative(Pose(20, -10, 0)).yaw == pytest.approx(20)
    buttons["Recentre"].click()
    centring.see(head)
    assert centring.relative(Pose(20, -10, 0)).yaw == pytest.approx(0, abs=1e-6)
    panel(studio).follow.click()
    assert studio.window.controls.choices.auto_centre
    assert studio.store().load().auto_centre


def test_words() -> None:
    row = SendRow("ws://", True, "silent", replace(WS, fps=0.0, heard=""))
    assert words(row) == "no picture, 0 frames/s, 2 dropped"
    assert words(replace(row, state="sends")) == "sends, 0 frames/s, 2 dropped"
    assert words(replace(row, state="failed")).startswith("It has ended")
