"""From the gesture to the key, with the window and without: `docs.studies.action_latency`.

    xvfb-run -a python -m docs.studies.action_latency CLIP --seconds 60

Plays a clip with gestures again and again in `tracker live`, with the window and then without one,
and a profile that types a harmless key for each common gesture by pynput. Printed is what
`tracker live --measure` prints, a line of JSON each: `action_over_hold_p95_ms` is the time from the
frame in which a gesture was first held to the key, minus the hold, at most so long in 95 of 100.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

GESTURES = ("fist", "open_palm", "point", "victory", "thumb_up", "pinch")


def main(
    clip: Annotated[Path, typer.Argument(exists=True, help="In which gestures are shown.")],
    seconds: Annotated[float, typer.Option(min=10, help="Of each measurement.")] = 60.0,
) -> None:
    """Measure with the window, then without."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "keys.toml"
        profile.write_text(profile_text(), encoding="utf-8")
        live = [sys.executable, "-m", "ui.commands.tracker", "live", "--loop"]
        live += ["--camera", str(clip.resolve()), "--actions", str(profile)]
        live += ["--measure", str(seconds)]
        for where in ("--window", "--no-window"):
            print(where, flush=True)
            subprocess.run([*live, where], check=True, cwd=Path(__file__).parents[2])


def profile_text() -> str:
    """A rule a gesture: 0.2 s of hold, no cool-down."""
    rule = '[[do]]\nwhen = "{}"\nhold = 0.2\ncooldown = 0.0\nrun = "key:f9"\n'
    return 'device = "pynput"\n' + "".join(map(rule.format, GESTURES))


if __name__ == "__main__":
    typer.run(main)
