"""What the user chose, and where it is kept between two runs.

Only what is changed in the window is kept; options of the command line count for one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_type_hints

from PyQt6.QtCore import QByteArray, QSettings, QStandardPaths, Qt
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import QSplitter, QWidget

from tracker.find.model_file import KINDS
from tracker.follow.smooth import Preset
from tracker.track import TrackerConfig

CompareView = Literal["side", "a", "b"]
BUNDLED = "bundled"  # as a second model
PRESENCE_OFF = 0.6  # a followed object is given up below this share of the presence it began with


@dataclass(frozen=True, slots=True)
class Choices:
    """Everything that can be chosen. A model is a file or a project folder.

    A model '' is the bundled one (there is none for objects), a second model '' the same as the
    first, and one that is BUNDLED the bundled one; a folder '' is the usual one.
    """

    camera: str = "0"
    loop: bool = False  # files
    hands: bool = True
    faces: bool = True
    max_hands: int = 2
    max_faces: int = 1
    objects: bool = True  # where there is a model for them
    max_objects: int = 1
    hand_model: str = ""
    face_model: str = ""
    object_model: str = ""
    presence: float = 0.5
    smooth: Preset = "light"
    mirror_devices: bool = True
    mirror_files: bool = False
    hud: bool = True
    landmarks: bool = True
    labels: bool = True
    privacy: bool = False
    panel: bool = True
    annotated: bool = False  # recordings: the picture as shown, instead of as it came
    recordings: str = ""
    snapshots: str = ""
    project: str = ""
    other_hand_model: str = ""  # of the second tracker when two are compared
    other_face_model: str = ""
    other_object_model: str = ""
    compare_view: CompareView = "side"
    engine: str = "auto"  # of the landmark models
    precision: str = "fp32"

    def config(self) -> TrackerConfig:
        """What the tracker shall do. ValueError when the choices contradict each other."""
        return TrackerConfig(
            hands=self.hands,
            faces=self.faces,
            max_hands=self.max_hands,
            objects=self.objects and bool(self.object_model),
            max_faces=self.max_faces,
            max_objects=self.max_objects,
            hand_model=self.hand_model or None,
            face_model=self.face_model or None,
            object_model=self.object_model or None,
            smooth=self.smooth,
            presence_on=self.presence,
            presence_off=PRESENCE_OFF * self.presence,
            engine=self.engine,
            precision=self.precision,
            live=True,
        )

    def other_config(self) -> TrackerConfig | None:
        """What the second tracker shall do; None when it would do the same as the first."""
        config = first = self.config()
        for kind in KINDS:
            other = cast(str, getattr(self, f"other_{kind}_model"))
            if other:
                config = config.with_model(kind, None if other == BUNDLED else other)
        if config == first:
            return None
        objects = self.objects and config.object_model is not None
        return replace(config, objects=objects)

    def against_bundled(self) -> Choices | None:
        """The same with the bundled models as second ones, to see what was gained by one's own.

        None where none of one's own is followed that could be compared so.
        """
        own = [k for k in self.config().kinds if k != "object" and getattr(self, f"{k}_model")]
        if not own:
            return None
        return replace(self, **{f"other_{kind}_model": BUNDLED for kind in own})  # type: ignore[arg-type]

    def folder(self, name: Literal["recordings", "snapshots", "project"]) -> Path:
        """Where such files go."""
        place = {
            "recordings": QStandardPaths.StandardLocation.MoviesLocation,
            "snapshots": QStandardPaths.StandardLocation.PicturesLocation,
            "project": QStandardPaths.StandardLocation.DocumentsLocation,
        }[name]
        chosen = cast(str, getattr(self, name))
        if chosen:
            return Path(chosen)
        usual = Path(QStandardPaths.writableLocation(place) or Path.home())
        return usual / ("landmark-project" if name == "project" else "landmark-tracker")


OUT_OF_REACH = Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMinimized
GRIP_WH = (100, 40)  # pixels of a window that must lie on a screen, so that it can be moved


class Store:
    """Keeps choices in the desktop's own place for settings."""

    def __init__(self, settings: QSettings | None = None) -> None:
        """`settings` None: those of the application's name and organisation."""
        self._settings = QSettings() if settings is None else settings

    def load(self) -> Choices:
        """What was kept; a value that makes no sense any more is forgotten."""
        hints = get_type_hints(Choices)
        found: dict[str, Any] = {
            field.name: self._read(field.name, hints[field.name])
            for field in fields(Choices)
            if self._settings.contains(f"choices/{field.name}")
        }
        kept = replace(Choices(), **{name: v for name, v in found.items() if v is not None})
        try:
            kept.config()
        except ValueError:
            return Choices()
        return kept

    def keep(self, name: str, value: object) -> None:
        """Remember one choice."""
        self._settings.setValue(f"choices/{name}", value)

    def keep_layout(self, window: QWidget, splitters: Sequence[QSplitter]) -> None:
        """Remember where a window is and how it is divided."""
        self._settings.setValue("window/geometry", window.saveGeometry())
        for i, splitter in enumerate(splitters):
            self._settings.setValue(f"window/splitter{i}", splitter.saveState())

    def restore_layout(self, window: QWidget, splitters: Sequence[QSplitter]) -> None:
        """The same again, where it was kept and can be used."""
        geometry, usual = self._settings.value("window/geometry"), window.geometry()
        if isinstance(geometry, QByteArray) and window.restoreGeometry(geometry):
            # Full screen would come without the keys and bars that lead out of it.
            window.setWindowState(window.windowState() & ~OUT_OF_REACH)
            if not _can_be_reached(window):
                window.setGeometry(usual)
        for i, splitter in enumerate(splitters):
            state, sizes = self._settings.value(f"window/splitter{i}"), splitter.sizes()
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
            if min(splitter.sizes()) == 0 < min(sizes):  # a part that nothing brings back
                splitter.setSizes(sizes)

    def _read(self, name: str, hint: object) -> object:
        """A value of type `hint`, or None when what is kept is no such thing."""
        raw = self._settings.value(f"choices/{name}")
        if hint is bool:
            return {"true": True, "false": False}.get(str(raw).lower())
        if hint in (int, float):
            try:
                number = float(raw)
            except (TypeError, ValueError):
                return None
            in_range = 0 < number <= (1 if hint is float else 20)
            return (int(number) if hint is int else number) if in_range else None
        allowed = get_args(hint)
        return str(raw) if isinstance(raw, str) and (not allowed or raw in allowed) else None


def _can_be_reached(window: QWidget) -> bool:
    """Does enough of its upper edge lie on a screen?"""
    top = window.geometry()
    top.setHeight(GRIP_WH[1])
    for screen in QGuiApplication.screens():
        seen = screen.availableGeometry().intersected(top)
        if seen.width() >= GRIP_WH[0] and seen.height() >= GRIP_WH[1]:
            return True
    return False
