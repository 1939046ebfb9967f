"""Start a window: the one application with its name and icon, the screen it needs, signals."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import cv2
from PyQt6.QtCore import QCoreApplication, QLibraryInfo, QTimer
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QApplication, QWidget

import assets
from tracker.errors import UserError
from tracker.stop import on_signal

NAME, ORGANISATION = "Landmark Tracker", "landmark-tracker"


def application(
    window: str = "the live window",
    instead: str = "start it on a desktop, or use 'tracker video' on a file",
) -> QApplication:
    """The one QApplication, with its name, icon and organisation. UserError without a screen."""
    forget_plugins_of_opencv()
    check_screen(window, instead)
    QCoreApplication.setApplicationName(NAME)
    QCoreApplication.setOrganizationName(ORGANISATION)
    running = QApplication.instance()
    app = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationDisplayName(NAME)
    app.setDesktopFileName(ORGANISATION)
    app.setQuitOnLastWindowClosed(False)  # the window says when it is finished
    app.setWindowIcon(QIcon(str(assets.path("icons/tracker.svg"))))
    return app


def forget_plugins_of_opencv() -> None:
    """OpenCV's wheel points Qt to plug-ins of its own, with which PyQt6 does not start."""
    home = str(Path(cv2.__file__).parent)
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if os.environ.get(name, "").startswith(home):
            del os.environ[name]


def check_screen(
    window: str = "the live window",
    instead: str = "start it on a desktop, or use 'tracker video' on a file",
) -> None:
    """Qt ends the process where a screen or a library is missing; UserError says which before."""
    if sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise UserError(f"{window} needs a screen and none was found: {instead}")
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    plugins = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath))
    try:
        ctypes.CDLL(str(plugins / "platforms" / "libqxcb.so"))
    except OSError as error:
        library = str(error).split(":")[0]
        raise UserError(
            f"{window} needs the system library {library}, which is missing: install it "
            "(on Debian and Ubuntu: apt install libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1)"
        ) from error


def with_signals(window: QWidget) -> None:
    """Ctrl-C and SIGTERM close the window; its timer lets Python look at signals."""
    on_signal(lambda number: QTimer.singleShot(0, window.close))
