"""Start the live window: what was chosen, what the command line says, and the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QTimer

from tracker.actions.profile import read_profile
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.live.pipeline import Pipeline
from tracker.sources.open import Playing, open_source
from ui.kit.start import application, with_signals
from ui.live.actions_control import over_hold_ms
from ui.live.choices import Choices, with_models
from ui.live.controls import LiveControls
from ui.live.sending import Sending
from ui.live.settings import Store
from ui.live.window import LiveWindow


def run(
    given: Mapping[str, object],
    models: Sequence[Path] = (),
    fullscreen: bool = False,
    measure_s: float | None = None,
    to: Sequence[str] = (),
) -> int:
    """Show the window until it is closed. UserError when there is no screen, or no such source.

    `given`: choices of this run by their names, see `Choices.chosen`; `models` of any kind, or
    project folders; results are sent `to` these targets, too.
    """
    Sending(to)  # complains about what is no target
    if "camera" in given:
        open_source(str(given["camera"]))  # opens nothing, and complains about what is no source
    app = application()
    store = Store()
    choices = with_models(store.load().chosen(given), given, models)
    choices = with_actions(choices, given)
    try:
        choices.config()
    except ValueError as error:
        raise UserError(str(error)) from error
    if to:
        choices = replace(choices, panel=True, tab="send")
    window = LiveWindow(LiveControls(make_pipeline, store, choices, to), store)
    window.ended.connect(app.quit)
    if fullscreen:
        window.show_fullscreen(True)
    window.show()
    if measure_s is not None:
        measure(window, measure_s)
    with_signals(window)
    return app.exec()


def with_actions(choices: Choices, given: Mapping[str, object]) -> Choices:
    """The same, where a profile that is only remembered does nothing until it is switched on.

    One that was `given` is on, and shown. UserError where that has faults.
    """
    if not given.get("actions"):
        return replace(choices, actions_on=False)
    read_profile(Path(choices.actions))
    return replace(choices, actions_on=True, panel=True, tab="actions")


def make_pipeline(camera: str, how: Playing, config: TrackerConfig) -> Pipeline:
    """A pipeline that has not been started."""
    return Pipeline(open_source(camera, how.loop, how.size_wh, how.fps), config)


def measure(window: LiveWindow, seconds: float, settle: float = 3.0) -> None:
    """After a while print latency and the longest turn of the GUI thread as JSON, and close."""

    def begin() -> None:
        window.latency.clear()
        window.turns.clear()
        if window.controls.acting.actions is not None:
            window.controls.acting.actions.forget_latencies()

    def end() -> None:
        print(json.dumps(measured(window)), flush=True)
        window.close()

    QTimer.singleShot(round(1e3 * settle), begin)
    QTimer.singleShot(round(1e3 * (settle + seconds)), end)


def measured(window: LiveWindow) -> dict[str, object]:
    """What `--measure` prints."""
    health, turns = window.controls.session.health(), window.turns
    cuts = window.latency.percentiles()
    return {
        "latency_p50_ms": cuts and round(cuts[0], 1),
        "latency_p95_ms": cuts and round(cuts[1], 1),
        "capture_fps": round(health.capture_fps, 2),
        "network_ms": round(health.network_ms, 2),
        "tracker_ms": round(health.tracker_ms, 2),
        "dropped": health.dropped,
        "gui_longest_turn_ms": round(turns.longest_ms, 1),
        "gui_longest_turn_cpu_ms": round(turns.cpu_ms, 1),
        "gui_most_cpu_in_a_turn_ms": round(turns.most_cpu_ms, 1),
        "gui_turns": turns.turns,
        "provider": health.provider,
        **over_hold_ms(window.controls.acting.actions),
    }
