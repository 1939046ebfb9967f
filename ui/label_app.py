"""Start the labeller: the project, its clips, the right to write, the window."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

from PyQt6.QtCore import QTimer

from tracker.errors import UserError
from tracker.project.clips import read_clips
from tracker.project.layout import open_project
from tracker.project.store import Store
from ui.app import application
from ui.label_desk import LabelDesk
from ui.label_window import LabelWindow


def run(root: Path) -> int:
    """Show the window until it is closed. UserError without a project, a clip or a screen."""
    project = open_project(root)
    clips = read_clips(project)
    if not clips:
        raise UserError(
            f"{root} has no clip to label yet; add some with 'train add CLIP... --project {root}'"
        )
    app = application("the labeller", "start it on a desktop")
    store = Store.open(project)
    try:
        window = LabelWindow(LabelDesk(project, clips, store))
    except BaseException:
        store.close()
        raise
    window.ended.connect(app.quit)
    window.show()

    def close(number: int, frame: FrameType | None) -> None:
        QTimer.singleShot(0, window.close)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, close)
    return app.exec()
