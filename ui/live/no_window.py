"""`tracker live --no-window`: the pipeline with its outputs and actions, without Qt or a display.

What was chosen in the window before does not count here: only the command line does.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tracker.actions.actions import Fired
from tracker.errors import UserError
from tracker.live.pipeline import Health, Pipeline
from tracker.printable import printable
from tracker.sources.open import open_source
from tracker.stop import stop_on_signal
from ui.kit.words import capital
from ui.live.actions_control import ActionsControl, over_hold_ms
from ui.live.choices import Choices, with_models
from ui.live.sending import Sending

LOOK = 0.1  # s between two looks at how it goes
SETTLE = 3.0  # s at the start that are not measured


def run(
    given: Mapping[str, object],
    models: Sequence[Path] = (),
    measure_s: float | None = None,
    to: Sequence[str] = (),
    say: Callable[[str], None] = lambda words: print(printable(words), file=sys.stderr, flush=True),
) -> int:
    """Until a signal or the end of a file, or (exit code 1) until a pipeline died, a file could not
    be read (a camera may come back, a file is as it is) or nothing is sent any more, since all that
    it was for has failed. UserError as in the window."""
    choices = with_models(Choices().chosen(given), given, models)
    if not (to or choices.actions):
        raise UserError("without a window nothing would be seen; give --to or --actions")
    sending = Sending(to, choices.auto_centre)
    try:
        config = choices.config()
    except ValueError as error:
        raise UserError(str(error)) from error
    how = choices.playing()
    source = open_source(choices.camera, how.loop, how.size_wh, how.fps)
    pipeline = Pipeline(source, config)
    sending.attach(pipeline)
    control = ActionsControl()
    control.use(choices.actions, choices.actions_on, choices.actions_test, pipeline)
    with stop_on_signal() as stopped:
        pipeline.start()
        try:
            code = _watch(pipeline, control, stopped, measure_s, say)
        finally:
            pipeline.close()
            control.end()
    if measure_s is not None:
        print(json.dumps(measured(pipeline.health(), control)), flush=True)
    return code


def measured(health: Health, control: ActionsControl) -> dict[str, object]:
    """What `--measure` prints."""
    return {
        "capture_fps": round(health.capture_fps, 2),
        "network_ms": round(health.network_ms, 2),
        "tracker_ms": round(health.tracker_ms, 2),
        "dropped": health.dropped,
        "provider": health.provider,
        **over_hold_ms(control.actions),
    }


def _watch(
    pipeline: Pipeline,
    control: ActionsControl,
    stopped: Callable[[], bool],
    measure_s: float | None,
    say: Callable[[str], None],
) -> int:
    """Tell what changes."""
    told: set[str] = set()
    fired: tuple[Fired, ...] = ()
    since = time.monotonic() + SETTLE
    until = None if measure_s is None else since + measure_s
    while not stopped() and (until is None or time.monotonic() < until):
        if control.actions is not None and time.monotonic() < since:
            control.actions.forget_latencies()
        health, state = pipeline.health(), control.state()
        sentences = [health.camera.reason if health.camera.phase != "running" else "", health.error]
        if state is not None:
            sentences += state.problems
            for one in state.fired:
                if one not in fired:
                    say(f"{one.name}: {one.run}{' (test)' if state.test else ''}")
            fired = state.fired
        now = {sentence for sentence in sentences if sentence}
        for sentence in sorted(now - told):
            say(capital(sentence))
        told = now
        if health.dead or (health.camera.phase == "failed" and not pipeline.is_live):
            return 1
        if health.outputs and all(facts.phase == "failed" for facts in health.outputs):
            return 1  # the actions are one of them
        if health.camera.phase == "ended":
            return 0
        time.sleep(LOOK)
    return 0
