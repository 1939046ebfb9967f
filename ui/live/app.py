"""Start the live window: what was chosen, what the command line says, and the end."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QTimer

from tracker.errors import UserError
from tracker.live.pipeline import Pipeline
from tracker.sources.open import open_source
from tracker.track import TrackerConfig
from tracker.types import Kind
from ui.kit.start import application, with_signals
from ui.live.controls import Desk, kind_of
from ui.live.options import LiveOptions
from ui.live.session import is_device
from ui.live.settings import Choices, Store
from ui.live.window import LiveWindow


def run(options: LiveOptions) -> int:
    """Show the window until it is closed. UserError when there is no screen, or no such source."""
    if options.camera is not None:
        open_source(options.camera)  # opens nothing, and complains about what can be no source
    app = application()
    store = Store()
    choices = with_models(with_options(store.load(), options), options)
    try:
        choices.config()
    except ValueError as error:
        raise UserError(str(error)) from error
    window = LiveWindow(Desk(make_pipeline, store, choices), store)
    window.ended.connect(app.quit)
    if options.fullscreen:
        window.show_fullscreen(True)
    window.show()
    if options.measure is not None:
        measure(window, options.measure)
    with_signals(window)
    return app.exec()


def make_pipeline(camera: str, loop: bool, config: TrackerConfig) -> Pipeline:
    """A pipeline that has not been started."""
    return Pipeline(open_source(camera, loop), config)


def with_options(choices: Choices, options: LiveOptions) -> Choices:
    """The choices for this run: what the command line says goes first."""
    given = {
        "camera": options.camera,
        "loop": options.loop or None,
        "hands": options.hands,
        "faces": options.faces,
        "max_hands": options.max_hands,
        "max_faces": options.max_faces,
        "max_objects": options.max_objects,
        "smooth": options.smooth,
        "hand_model": options.hand_model and str(options.hand_model),
        "face_model": options.face_model and str(options.face_model),
        "project": options.project and str(options.project),
        "engine": options.engine,
        "precision": options.precision,
    }
    chosen = replace(choices, **{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    if options.mirror is None:
        return chosen
    field = "mirror_devices" if is_device(chosen.camera) else "mirror_files"
    return replace(chosen, **{field: options.mirror})  # type: ignore[arg-type]


def with_models(choices: Choices, options: LiveOptions) -> Choices:
    """The same with the models of `--model`, each for the kind that its file says.

    Moments are flagged into their project, where no other was named. UserError when one is no
    model, or two are of one kind.
    """
    found: dict[Kind, Path] = {}
    for path in options.models:
        path = path.absolute()
        kind = kind_of(path)
        if kind in found:
            raise UserError(f"{found[kind]} and {path} both find {kind}s; give one of them")
        found[kind] = path
        name = f"{kind}_model"
        if getattr(options, f"{kind}s", None) is False:
            raise UserError(f"{path} finds {kind}s, which are switched off; drop --no-{kind}s")
        choices = replace(choices, **{name: str(path), f"{kind}s": True})  # type: ignore[arg-type]
        if path.is_dir() and options.project is None:
            choices = replace(choices, project=str(path))
    return choices


def measure(window: LiveWindow, seconds: float, settle: float = 3.0) -> None:
    """After a while print latency and the longest turn of the GUI thread as JSON, and close."""

    def begin() -> None:
        window.latency.clear()
        window.turns.clear()

    def end() -> None:
        print(json.dumps(measured(window)), flush=True)
        window.close()

    QTimer.singleShot(round(1e3 * settle), begin)
    QTimer.singleShot(round(1e3 * (settle + seconds)), end)


def measured(window: LiveWindow) -> dict[str, object]:
    """What `--measure` prints."""
    health, turns = window.desk.session.health(), window.turns
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
    }
