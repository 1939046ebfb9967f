"""At a glance: words and shapes of how sending and actions stand, and the way to more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.helpers.fake_pipeline import HEALTH
from tests.helpers.fake_window import Studio
from tracker.actions.actions import ActionsState
from tracker.live.live_output import OutputFacts
from ui.live.panels.lights import Level, Light, icon, of_actions, of_sending
from ui.live.sending import SendRow, State


def row(state: State, target: str = "ws://", on: bool = True) -> SendRow:
    return SendRow(target, on, state, OutputFacts(target))


@pytest.mark.parametrize(
    ("rows", "light"),
    [
        ([], Light("off", "Nothing is sent")),
        ([row("off", on=False)], Light("off", "Sending is off")),
        ([row("sends"), row("off", "osc://", False)], Light("good", "Sends to ws://")),
        ([row("sends"), row("sends", "osc://")], Light("good", "Sends to 2")),
        ([row("sends"), row("silent", "osc://")], Light("waits", "Sending waits")),
        ([row("waits")], Light("waits", "Sending waits")),
        ([row("sends"), row("failed", "x.csv")], Light("bad", "1 of 2 not sent")),
    ],
)
def test_sending(rows: list[SendRow], light: Light) -> None:
    assert of_sending(rows) == light


def test_actions() -> None:
    state = ActionsState(Path("mine.toml"))
    assert of_actions(None) == Light("off", "No actions")
    assert of_actions(state) == Light("good", "Actions on")
    assert of_actions(replace(state, on=False)) == Light("off", "Actions off")
    assert of_actions(replace(state, test=True)) == Light("waits", "Actions: test")
    assert of_actions(replace(state, enabled=False)) == Light("waits", "Actions asleep")
    assert of_actions(replace(state, problems=("no such key",))) == Light("bad", "Actions fail")


def test_shapes_differ_without_their_colours(studio: Studio) -> None:
    levels: tuple[Level, ...] = ("off", "good", "waits", "bad")
    shapes = set()
    for level in levels:
        image = icon(level).pixmap(32).toImage()
        shapes.add(bytes(image.pixelColor(x, y).alpha() for y in range(32) for x in range(32)))
    assert len(shapes) == 4


def test_the_window_shows_both_and_leads_to_their_pages(studio: Studio, tmp_path: Path) -> None:
    window = studio.open(to=["ws://"])
    assert window.lights["send"].text() == "Sending waits"
    assert window.lights["actions"].text() == "No actions"
    facts = OutputFacts("ws://", "running", fps=29.6, sent=90, heard="1 client")
    studio.pipeline.now = replace(HEALTH, outputs=(facts,))
    studio.settle()
    assert window.lights["send"].text() == "Sends to ws://"
    window.lights["send"].click()
    assert window.send_panel.isVisible()
    window.lights["actions"].click()
    assert window.actions_panel.isVisible()
    window.resize(480, 400)
    studio.settle()
    assert window.lights["send"].text() == "Send"
    assert window.lights["send"].accessibleName() == "Sends to ws://"
