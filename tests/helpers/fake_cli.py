"""`tracker` with a fake tracker, as a process of its own: for signals and exit codes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import ui.commands.tracker
from tests.helpers import clips
from tracker.config import TrackerConfig
from tracker.load import Loaded


def fake(config: TrackerConfig, models: Sequence[Path]) -> Loaded:
    sees = os.environ.get("FAKE_SEES", "hand face").split()
    assert all(kind in ("hand", "face") for kind in sees)
    return clips.loaded(sees, float(os.environ.get("FAKE_DELAY", "0")))  # type: ignore[arg-type]


if __name__ == "__main__":
    if hasattr(signal, "SIGHUP"):  # which is ignored where the tests themselves run under nohup
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ui.commands.tracker.load_networks = fake
    ui.commands.tracker.main()
