"""Start the labeller: the project, its clips, the right to write, the window."""

from __future__ import annotations

from pathlib import Path

from tracker.errors import UserError
from train.project.clips import read_clips
from train.project.layout import open_project
from train.project.stills import read_stills
from train.project.store import Store
from ui.kit.start import application, with_signals
from ui.label.controls import LabelControls
from ui.label.window import LabelWindow


def run(root: Path) -> int:
    """Show the window until it is closed.

    UserError without a project, anything to label in it, or a screen.
    """
    project = open_project(root)
    clips = read_clips(project) + read_stills(project)
    if not clips:
        raise UserError(
            f"{root} has no clip to label yet; add some with 'train add CLIP... --project {root}'"
        )
    app = application("the labeller", "start it on a desktop")
    store = Store.open(project)
    try:
        window = LabelWindow(LabelControls(project, clips, store))
    except BaseException:
        store.close()
        raise
    window.ended.connect(app.quit)
    window.show()
    with_signals(window)
    return app.exec()
