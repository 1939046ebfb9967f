"""The side panel: everything that can be chosen, and what runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PyQt6.QtCore import QEvent, QObject, QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tracker.follow.smooth import PRESETS
from ui.live.choices import BUNDLED, Choices

Spin = TypeVar("Spin", QSpinBox, QDoubleSpinBox)
ASK = "?"  # data of the entry that opens a file dialog,
ASK_PROJECT = "?project"  # and of the one for a project folder
KINDS = (("hand", "hands", "bundled"), ("face", "faces", "bundled"), ("object", "objects", "none"))
COMPARE_VIEWS = (("side", "Side by side"), ("a", "Only A"), ("b", "Only B"))


@dataclass(frozen=True, slots=True)
class Device:
    """A camera to choose from: what opens it, and how it is called."""

    spec: str
    name: str


class Panel(QScrollArea):
    """Shows the choices and tells which one was changed; it decides nothing itself."""

    changed = pyqtSignal(str, object)  # name of a field of Choices, its new value
    ask_file = pyqtSignal(str)  # name of a field whose file or folder is to be chosen
    ask_project = pyqtSignal(str)  # name of a field whose project folder is to be chosen
    ask_devices = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """`show_choices` fills it in."""
        super().__init__(parent)
        self._boxes: dict[str, QCheckBox] = {}
        self._combos: dict[str, QComboBox] = {}
        self._spins: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self._folders: dict[str, QPushButton] = {}
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(6, 6, 6, 6)
        for group in (
            self._camera(), self._tracking(), self._view(), self._comparison(), self._files(),
        ):  # fmt: skip
            layout.addWidget(group)
        layout.addStretch(1)
        for choice in (*self._combos.values(), *self._spins.values()):
            choice.installEventFilter(self)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumWidth(inside.minimumSizeHint().width() + 24)

    def show_choices(self, choices: Choices, mirror: bool) -> None:
        """Fill in what is chosen, without telling that anything changed."""
        values = {name: getattr(choices, name) for name in Choices.__dataclass_fields__}
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(mirror if name == "mirror" else bool(values[name]))
        for name, combo in self._combos.items():
            _choose(combo, str(values[name]))  # tells nothing: `activated` is for users only
        for name, spin in self._spins.items():
            with QSignalBlocker(spin):
                spin.setValue(values[name])
        for name, button in self._folders.items():
            folder = choices.folder(name)  # type: ignore[arg-type]
            button.setText(folder.name or str(folder))
            button.setToolTip(str(folder))

    def show_running(self, engine: str, lag_ms: float, tracker_models: str) -> None:
        """What runs the networks, and by how much the smoothing trails."""
        self._engine.setText(engine)
        self._models.setText(tracker_models)
        lag = "no lag" if lag_ms < 0.5 else f"lag {lag_ms:.0f} ms"
        self._lag.setText(lag)

    def show_devices(self, devices: Sequence[Device]) -> None:
        """Offer these cameras; what was typed stays."""
        combo = self._combos["camera"]
        chosen = combo.currentText() if combo.currentData() is None else combo.currentData()
        combo.clear()
        for device in devices or [Device("0", "0")]:
            combo.addItem(device.name, device.spec)
        _choose(combo, str(chosen))

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """The wheel scrolls the panel; it changes a choice only where the keyboard is."""
        if event is not None and event.type() == QEvent.Type.Wheel:
            is_chosen = isinstance(watched, QWidget) and watched.hasFocus()
            if not is_chosen and watched is not self.viewport():
                event.ignore()
                return True
        return super().eventFilter(watched, event)

    def _camera(self) -> QGroupBox:
        combo = self._combo("camera", "Camera: a number, a name, a device, a URL or a video file")
        combo.setEditable(True)
        combo.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        edit = combo.lineEdit()
        assert edit is not None
        edit.setAccessibleName("Camera")
        edit.returnPressed.connect(lambda: self._camera_typed(combo))
        look = QToolButton()
        look.setText("Look again")
        look.setToolTip("List the cameras that are plugged in")
        look.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        look.clicked.connect(self.ask_devices)
        file = QToolButton()
        file.setText("File...")
        file.setToolTip("Play a video file")
        file.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        file.clicked.connect(lambda: self.ask_file.emit("camera"))
        row = QHBoxLayout()
        for button in (look, file):
            row.addWidget(button)
        row.addWidget(self._check("loop", "Loop", "Play a video file again and again"))
        row.addStretch(1)
        group = QGroupBox("Camera")
        layout = QVBoxLayout(group)
        layout.addWidget(combo)
        layout.addLayout(row)
        return group

    def _camera_typed(self, combo: QComboBox) -> None:
        text = combo.currentText()
        found = combo.findText(text)
        self.changed.emit("camera", text if found < 0 else combo.itemData(found))

    def _tracking(self) -> QGroupBox:
        group = QGroupBox("Tracking")
        form = _form(group)
        for kind, kinds, usual in KINDS:
            most = self._spin(f"max_{kinds}", QSpinBox(), f"At most this many {kinds}")
            most.setRange(1, 8)
            row = QHBoxLayout()
            row.addWidget(self._check(kinds, kinds.capitalize(), f"Follow {kinds}"))
            row.addWidget(QLabel("at most"))
            row.addWidget(most)
            row.addStretch(1)
            form.addRow(row)
            model = self._model(f"{kind}_model", f"Model for {kinds}", usual)
            form.addRow("Model", model)
        presence = self._spin(
            "presence", QDoubleSpinBox(), "How sure a new hand, face or object must be, 0 to 1"
        )
        presence.setRange(0.05, 0.95)
        presence.setSingleStep(0.05)
        form.addRow("Threshold", presence)
        smooth = self._combo("smooth", "Smoothing: steadier landmarks, which trail a little")
        for preset in PRESETS:
            smooth.addItem(preset, preset)
        self._lag, self._engine, self._models = QLabel("-"), _long(), _long()
        row = QHBoxLayout()
        row.addWidget(smooth)
        row.addWidget(self._lag, 1)
        form.addRow("Smoothing", row)
        form.addRow("Engine", self._engine)
        form.addRow("Models", self._models)
        return group

    def _view(self) -> QGroupBox:
        group = QGroupBox("View")
        layout = QHBoxLayout(group)
        layout.addWidget(self._check("mirror", "Mirror", "Show the picture as in a mirror (M)"))
        layout.addWidget(self._check("privacy", "Privacy", "Landmarks on black (P)"))
        layout.addStretch(1)
        return group

    def _comparison(self) -> QGroupBox:
        group = QGroupBox("Compare with (B)")
        form = _form(group)
        for kind, kinds, usual in KINDS:
            model = self._model(f"other_{kind}_model", f"Second model for {kinds}", "same")
            if usual == BUNDLED:
                model.insertItem(1, BUNDLED, BUNDLED)
            form.addRow(kinds.capitalize(), model)
        view = self._combo("compare_view", "How two models are shown")
        for value, text in COMPARE_VIEWS:
            view.addItem(text, value)
        form.addRow("Show", view)
        return group

    def _files(self) -> QGroupBox:
        group = QGroupBox("Files")
        form = _form(group)
        form.addRow(
            self._check("annotated", "Record with landmarks drawn in", "Off: record the raw video")
        )
        for name, text in (
            ("recordings", "Recordings"), ("snapshots", "Snapshots"), ("project", "Flagged"),
        ):  # fmt: skip
            button = QPushButton()
            button.setAccessibleName(f"Folder for {text.lower()}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, name=name: self.ask_file.emit(name))
            self._folders[name] = button
            form.addRow(text, button)
        return group

    def _model(self, name: str, tip: str, usual: str) -> QComboBox:
        combo = self._combo(name, tip)
        combo.addItem(usual, "")
        combo.addItem("Choose a file...", ASK)
        combo.addItem("Choose a project...", ASK_PROJECT)
        return combo

    def _combo(self, name: str, tip: str) -> QComboBox:
        combo = QComboBox()
        _tell(combo, tip)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(8)
        combo.activated.connect(lambda _: self._chosen(name, combo))
        self._combos[name] = combo
        return combo

    def _chosen(self, name: str, combo: QComboBox) -> None:
        value = combo.currentData()
        if value == ASK:
            self.ask_file.emit(name)
        elif value == ASK_PROJECT:
            self.ask_project.emit(name)
        else:
            self.changed.emit(name, combo.currentText() if value is None else value)

    def _check(self, name: str, text: str, tip: str) -> QCheckBox:
        box = QCheckBox(text)
        _tell(box, tip)
        box.toggled.connect(lambda on: self.changed.emit(name, on))
        self._boxes[name] = box
        return box

    def _spin(self, name: str, spin: Spin, tip: str) -> Spin:
        _tell(spin, tip)
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(lambda value: self.changed.emit(name, value))
        self._spins[name] = spin
        return spin


def _tell(widget: QWidget, tip: str) -> None:
    """Say what a widget is for, and keep the keyboard on the picture when it is clicked."""
    widget.setToolTip(tip)
    if not isinstance(widget, QAbstractButton):
        widget.setAccessibleName(tip)
    widget.setAccessibleDescription(tip)
    is_typed_in = isinstance(widget, QAbstractSpinBox)
    focus = Qt.FocusPolicy.StrongFocus if is_typed_in else Qt.FocusPolicy.TabFocus
    widget.setFocusPolicy(focus)


def _choose(combo: QComboBox, value: str) -> None:
    """Select the entry with this data; a file that is not there yet is added by its name."""
    at = combo.findData(value)
    if at < 0 and combo.isEditable():
        combo.setCurrentIndex(-1)
        combo.setEditText(value)
        return
    if at < 0:
        at = max(combo.findData(ASK), 0)
        combo.insertItem(at, Path(value).name, value)
        combo.setItemData(at, value, Qt.ItemDataRole.ToolTipRole)
    combo.setCurrentIndex(at)


def _form(group: QGroupBox) -> QFormLayout:
    form = QFormLayout(group)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
    return form


def _long() -> QLabel:
    """A label for text that may be long, with room for two lines from the start."""
    label = QLabel("-")
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setMinimumHeight(2 * label.fontMetrics().lineSpacing())
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
