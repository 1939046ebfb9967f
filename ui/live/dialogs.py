"""Questions to the user that do not stop the picture: never native, never waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, cast

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QWidget

from tracker.sources.video_file import VIDEO_SUFFIXES
from ui.live.controls import LiveControls

MODELS = "Models (*.onnx)"
PROFILES = "Profiles of actions (*.toml)"
VIDEOS = f"Videos ({' '.join(f'*{suffix}' for suffix in sorted(VIDEO_SUFFIXES))});;All files (*)"
FOLDERS = {
    "recordings": "Folder for recordings",
    "snapshots": "Folder for snapshots",
    "project": "Project for flagged moments",
}
FILES = {
    "actions": "Profile of actions",
    "camera": "Play a video file",
    "hand_model": "Model for hands",
    "face_model": "Model for faces",
    "object_model": "Model for objects",
    "other_hand_model": "Second model for hands",
    "other_face_model": "Second model for faces",
    "other_object_model": "Second model for objects",
}


def ask(parent: QWidget, controls: LiveControls, name: str) -> QFileDialog:
    """Let the file or folder of a choice be chosen; the controls hears of it, later or never."""
    if name in FOLDERS:
        folder = controls.choices.folder(cast(Literal["recordings", "snapshots", "project"], name))
        dialog = _dialog(parent, FOLDERS[name], folder, lambda path: controls.choose(name, path))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    else:
        start = Path(str(getattr(controls.choices, name))).parent
        dialog = _dialog(parent, FILES[name], start, lambda path: controls.choose(name, path))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter({"camera": VIDEOS, "actions": PROFILES}.get(name, MODELS))
    dialog.open()
    return dialog


def ask_project(parent: QWidget, controls: LiveControls, name: str) -> QFileDialog:
    """Let a project folder be chosen for a model; its model's own kind says for what."""
    add = controls.add_other_model if name.startswith("other_") else controls.add_model
    start = Path(str(getattr(controls.choices, name)))
    dialog = _dialog(parent, "Project folder (its newest model is used)", start.parent,
                     lambda path: add(Path(path)))  # fmt: skip
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()
    return dialog


def ask_other_model(parent: QWidget, controls: LiveControls) -> QFileDialog:
    """Let the model be chosen with which the present one is compared."""
    title = "Compare with this model (for hands, faces or objects)"
    dialog = _dialog(parent, title, Path(), lambda path: controls.add_other_model(Path(path)))
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilter(MODELS)
    dialog.open()
    return dialog


def _dialog(parent: QWidget, title: str, start: Path, done: Callable[[str], None]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    # A native dialog may take its time on the GUI thread, and looks at network drives first.
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    # "Videos" says it; with the suffixes of every kind of video it was wider than the dialog.
    dialog.setOption(QFileDialog.Option.HideNameFilterDetails)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if start.is_dir():
        dialog.setDirectory(str(start.resolve()))
    dialog.fileSelected.connect(done)
    return dialog
