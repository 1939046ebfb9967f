"""Pictures of the live window in every state, to look at: sizes, scales, dark and light.

    python -m docs.studies.window_pictures OUT CLIP                # 480x400, 1366x768, 2560x1440
    QT_SCALE_FACTOR=2 python -m docs.studies.window_pictures OUT CLIP --size 1366x768
    python -m docs.studies.window_pictures OUT CLIP --dark --only plots --only hint
    python -m docs.studies.window_pictures OUT CLIP --only readme --size 1180x780  # live.jpg

The window is a real one on the clip, with settings of its own; nothing is recorded or sent but what
a state is about. OUT/SIZE_SCALE_THEME_STATE.png, sizes in pixels of the screen.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from PyQt6.QtCore import QPoint, QSettings, Qt
from PyQt6.QtGui import QColor, QPalette, QPixmap
from PyQt6.QtWidgets import QApplication

import assets
from tracker.actions.profile import shipped
from ui.kit.actions import HelpDialog
from ui.kit.start import application
from ui.live.app import make_pipeline
from ui.live.choices import Choices
from ui.live.controls import LiveControls
from ui.live.session import Make
from ui.live.settings import Store
from ui.live.window import LiveWindow

SIZES = ("480x400", "1366x768", "2560x1440")
State = Callable[[LiveWindow], object]


def page(name: str) -> State:
    """A page of the panel."""
    return lambda window: window.show_panel(True, name)


def choice(name: str, value: object) -> State:
    """Something chosen."""
    return lambda window: window.controls.choose(name, value)


def plain(window: LiveWindow) -> None:
    """The picture alone."""
    window.controls.choose("hint", False)
    window.show_panel(False)


def readme(window: LiveWindow) -> None:
    """As README.md shows it: without the numbers of the machine that drew it."""
    window.controls.choose("hud", False)
    window.show_panel(True, "face")


def keys(window: LiveWindow) -> None:
    """The list of keys, in the middle of the window as it is."""
    for shown in window.findChildren(HelpDialog):
        shown.hide()
    window.controls.choose("space", False)
    window.controls.choose("hud", True)
    window.show_panel(False)
    window.show_help()


def camera(window: LiveWindow) -> None:
    """The first page."""
    window.go_back()
    window.show_panel(True, "camera")


def send(window: LiveWindow) -> None:
    """Two targets, of which one fails."""
    for target in ("ws://127.0.0.1:0", "/nowhere/points.csv"):
        window.controls.send(target)
    window.show_panel(True, "send")


def record(window: LiveWindow) -> None:
    """A recording, and where it goes."""
    window.controls.record(True)
    window.show_panel(True, "record")


def act(window: LiveWindow) -> None:
    """A profile in test."""
    window.controls.choose("actions", str(next(iter(shipped().values()))))
    window.controls.choose("actions_test", True)
    window.show_panel(True, "actions")


def compare(window: LiveWindow) -> None:
    """Two models on the same frame: the best face model, and the one that is free for any use."""
    window.controls.choose("other_face_model", str(assets.path("models/face68_free.onnx")))
    window.controls.compare(True)
    window.show_panel(True, "tracking")


def private(window: LiveWindow) -> None:
    """Only the picture, and no picture."""
    window.controls.compare(False)
    window.show_panel(False)
    window.controls.choose("privacy", True)


def pause(window: LiveWindow) -> None:
    """Held, while it is recorded."""
    window.controls.choose("privacy", False)
    window.controls.pause(True)


# In this order, each on top of the ones before; what is undone is undone by the next.
STATES: dict[str, State] = {
    "hint": choice("hint", True),
    "plain": plain,
    "space": choice("space", True),
    "readme": readme,
    "keys": keys,
    "camera": camera,
    "tracking": page("tracking"),
    "face": page("face"),
    "plots": page("plots"),
    "record": record,
    "send": send,
    "actions": act,
    "compare": compare,
    "privacy": private,
    "pause": pause,
    "missing": lambda window: window.controls.choose("camera", "9"),
}


def main(
    out: Path,
    clip: Path,
    size: Annotated[list[str] | None, typer.Option(help="WIDTHxHEIGHT of the screen.")] = None,
    dark: Annotated[bool, typer.Option("--dark", help="A dark desktop.")] = False,
    only: Annotated[list[str] | None, typer.Option(help=", ".join(STATES))] = None,
    wait: Annotated[float, typer.Option(help="Seconds of each state.")] = 2.0,
) -> None:
    """Write the pictures."""
    out.mkdir(parents=True, exist_ok=True)
    app = application()
    scheme = Qt.ColorScheme.Dark if dark else Qt.ColorScheme.Light
    app.setStyle("Fusion")
    hints, style = app.styleHints(), app.style()
    assert hints is not None and style is not None
    hints.setColorScheme(scheme)
    app.setPalette(dark_palette() if dark else style.standardPalette())
    choices = Choices(camera=str(clip.absolute()), loop=True)
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), choices) as window:
        spend(3 * wait)
        for name, state in STATES.items():
            state(window)
            if only and name not in only:
                spend(0.2)
                continue
            for wanted in size or SIZES:
                width, height = map(int, wanted.split("x"))
                ratio = window.devicePixelRatioF()
                window.resize(round(width / ratio), round(height / ratio))
                spend(0.1)
                state(window)
                spend(wait)
                theme = "dark" if dark else "light"
                path = out / f"{wanted}_x{ratio:g}_{theme}_{name}.png"
                taken(window).save(str(path))
                print(path, flush=True)


def dark_palette() -> QPalette:
    """As dark desktops have it, where there is none that could be asked."""
    found = QPalette(QColor(50, 50, 50))
    for role, level in ((QPalette.ColorRole.Base, 35), (QPalette.ColorRole.AlternateBase, 50)):
        found.setColor(role, QColor(level, level, level))
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        found.setColor(QPalette.ColorGroup.Disabled, role, QColor(130, 130, 130))
    return found


@contextmanager
def opened(
    folder: Path,
    choices: Choices,
    make: Make = make_pipeline,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[LiveWindow]:
    """A window with settings and folders of its own in `folder`; closed, to its end, afterwards."""
    store = Store(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    recordings, snapshots, project = (
        str(folder / name) for name in ("recordings", "snapshots", "project")
    )
    own = replace(choices, recordings=recordings, snapshots=snapshots, project=project)
    window = LiveWindow(LiveControls(make, store, own), store, clock)
    window.show()
    try:
        yield window
    finally:
        window.close()
        while not window.controls.is_ended:
            spend(0.1)


def taken(window: LiveWindow) -> QPixmap:
    """The window as it is painted, with what lies over it."""
    picture = window.grab()
    for other in QApplication.topLevelWidgets():
        if other.isVisible() and other.parent() is window:
            other.render(picture, window.mapFromGlobal(other.mapToGlobal(QPoint())))
    return picture


def spend(seconds: float) -> None:
    """Let the window live."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.005)


if __name__ == "__main__":
    typer.run(main)
