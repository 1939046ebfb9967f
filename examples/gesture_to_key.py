"""Press a key when a gesture is held: the tracker's own parts in a program of yours.

    python examples/gesture_to_key.py 0 fist space

With a camera number or a video file, a gesture, and a key. `tracker live --actions` does the same
from a profile, with a window; see docs/actions.md.
"""

from __future__ import annotations

import sys
from time import sleep

from tracker import TrackerConfig
from tracker.actions.conditions import condition
from tracker.actions.device import DeviceRunner, open_device
from tracker.actions.runners import parse_run
from tracker.actions.trigger import Timing, Trigger
from tracker.live.pipeline import Pipeline
from tracker.sources.open import open_source
from tracker.stop import stop_on_signal


def main(camera: str, gesture: str, key: str) -> None:
    """Until Ctrl-C, or the end of the file."""
    wanted, pressed = condition(gesture), parse_run(f"key:{key}")
    trigger = Trigger(Timing(hold=0.3, release=0.2, cooldown=1.0))
    keyboard = DeviceRunner(open_device())
    pipeline = Pipeline(open_source(camera), TrackerConfig(faces=False, live=True))
    pipeline.start()
    last = None
    with stop_on_signal() as stopped:
        while not stopped() and pipeline.health().camera.phase != "ended":
            shown = pipeline.latest()
            if shown is None or shown is last:
                sleep(0.002)
                continue
            last = shown
            reading = wanted.read(shown.result, "any", 0.7, trigger.has_fired)
            if trigger.update(shown.result.t, reading.holds) == "begin":
                keyboard.run(pressed.what, "begin", 0.0)
                print(f"{shown.result.t:.2f} s: {gesture}, so {key} was pressed")
    pipeline.close()
    keyboard.close()


if __name__ == "__main__":
    main(*sys.argv[1:4])
