"""The side panel: everything that can be chosen, and what runs, on pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tracker.follow.smooth import PRESETS
from tracker.sources.cameras import Mode
from ui.live.actions_table import ENTRIES
from ui.live.choices import BUNDLED, Choices, is_device
from ui.live.panels.widgets import ASK, Page, choose, form, long_row, tell

Spin = TypeVar("Spin", QSpinBox, QDoubleSpinBox)
ASK_PROJECT = "?project"  # data of the entry that opens a dialog for a project folder
KINDS = (("hand", "hands", "bundled"), ("face", "faces", "bundled"), ("object", "objects", "none"))
COMPARE_VIEWS = (("side", "Side by side"), ("a", "Only A"), ("b", "Only B"))
VIEW = ("mirror", "privacy", "landmarks", "labels", "hud", "space")  # each has its key, too
WEIGHTS = (("best", "the best"), ("free", "free for any use"))
USUAL_SIZES = {f"{w}x{h}": (w, h) for w, h in ((640, 480), (1280, 720), (1920, 1080))}
USUAL_RATES = {15.0, 24.0, 30.0, 60.0}
TAB_FONT = 0.9  # of the usual size
FOLDERS = (("recordings", "Recordings"), ("snapshots", "Snapshots"), ("project", "Flagged"))


@dataclass(frozen=True, slots=True)
class Device:
    """A camera to choose from: what opens it, and how it is called."""

    spec: str
    name: str
    index: int = -1  # what it is called for short
    modes: tuple[Mode, ...] = ()  # none where it does not tell

    def is_called(self, camera: str) -> bool:
        """Is it what was chosen?"""
        return camera in (self.spec, self.name, str(self.index))


class Panel(QTabWidget):
    """Shows the choices and tells which one was changed; it decides nothing itself."""

    changed = pyqtSignal(str, object)  # name of a field of Choices, its new value
    ask_file = pyqtSignal(str)  # name of a field whose file or folder is to be chosen
    ask_project = pyqtSignal(str)  # name of a field whose project folder is to be chosen
    ask_devices = pyqtSignal()
    open_folder = pyqtSignal(str)  # name of a field whose folder is to be shown

    def __init__(self, face: QWidget, send: QWidget, actions: QWidget, plots: QWidget) -> None:
        """`show_choices` fills it in; the four have pages of their own."""
        super().__init__()
        self._boxes: dict[str, QCheckBox] = {}
        self._combos: dict[str, QComboBox] = {}
        self._spins: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self._folders: dict[str, QPushButton] = {}
        self._names: list[str] = []
        self._devices: Sequence[Device] = ()
        self.setDocumentMode(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        bar = self.tabBar()
        assert bar is not None
        bar.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        bar.setAccessibleName("Pages of the panel")
        bar.setExpanding(False)
        font = bar.font()  # all tabs are to be seen beside the picture of a narrow window
        font.setPointSizeF(TAB_FONT * font.pointSizeF())
        bar.setFont(font)
        bar.setDrawBase(True)
        self._add("camera", self._camera(), self._view())
        self._add("tracking", self._tracking(), self._comparison())
        self._add("record", self._files())
        pages = {"face": face, "send": send, "actions": actions, "plots": plots}
        for name, page in pages.items():
            self.addTab(page, name.capitalize())
            self._names.append(name)
        self.setMinimumWidth(max(320, bar.sizeHint().width()))  # all tabs are to be seen
        self.currentChanged.connect(lambda at: self._turned_to(self._names[at]))

    def _turned_to(self, name: str) -> None:
        self.changed.emit("tab", name)
        if name == "camera":
            self.ask_devices.emit()

    def _add(self, name: str, *groups: QGroupBox) -> None:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(6, 6, 6, 6)
        for group in groups:
            layout.addWidget(group)
        layout.addStretch(1)
        self.addTab(Page(inside), name.capitalize())
        self._names.append(name)

    def show_choices(self, choices: Choices, mirror: bool) -> None:
        """Fill in what is chosen, without telling that anything changed."""
        values = {name: getattr(choices, name) for name in Choices.__dataclass_fields__}
        for name, box in self._boxes.items():
            with QSignalBlocker(box):
                box.setChecked(mirror if name == "mirror" else bool(values[name]))
        with QSignalBlocker(self):
            self.setCurrentIndex(self._names.index(choices.tab))
        self._offer_modes(choices)
        for name, combo in self._combos.items():
            choose(combo, values[name])  # tells nothing: `activated` is for users only
        for name, spin in self._spins.items():
            with QSignalBlocker(spin):
                spin.setValue(values[name])
        for name, button in self._folders.items():
            folder = choices.folder(name)  # type: ignore[arg-type]
            button.setText("/".join(folder.parts[-2:]))
            button.setToolTip(f"{folder}: choose another one")

    def add_buttons(self, actions: Sequence[QAction]) -> None:
        """What is saved, at the head of the page where it says to which folder."""
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(button)
        self._buttons.addStretch(1)

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
        if devices == self._devices:
            return
        self._devices = devices
        combo.clear()
        for device in devices or [Device("0", "0")]:
            combo.addItem(device.name, device.spec)
        choose(combo, str(chosen))

    def show_delivered(self, words: str) -> None:
        """What the camera really gives."""
        self._delivered.setText(words)

    def _offer_modes(self, choices: Choices) -> None:
        """What the chosen camera says it can; the usual where it says nothing."""
        modes = next((d.modes for d in self._devices if d.is_called(choices.camera)), ())
        sizes = {f"{m.size_wh[0]}x{m.size_wh[1]}": m.size_wh for m in modes} or USUAL_SIZES
        of_size = [m for m in modes if choices.size in ("", f"{m.size_wh[0]}x{m.size_wh[1]}")]
        rates = {rate for mode in of_size for rate in mode.fps} or USUAL_RATES
        words = {"": "as it comes"} | {s: s for s in sorted(sizes, key=lambda s: sizes[s])}
        _refill(self._combos["size"], words | {choices.size: choices.size or "as it comes"})
        per_second = {rate: f"{rate:g} a second" for rate in sorted({*rates, choices.fps} - {0.0})}
        _refill(self._combos["fps"], {0.0: "as it comes"} | per_second)
        for name in ("size", "fps"):
            self._combos[name].setEnabled(is_device(choices.camera))
        self._boxes["loop"].setEnabled(not is_device(choices.camera))

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
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("Resolution", self._combo("size", "Resolution of the camera's picture"))
        rows.addRow("Frame rate", self._combo("fps", "How many pictures a second it shall give"))
        self._delivered = QLabel("-")
        rows.addRow("It gives", self._delivered)
        layout.addLayout(rows)
        return group

    def _camera_typed(self, combo: QComboBox) -> None:
        text = combo.currentText()
        found = combo.findText(text)
        self.changed.emit("camera", text if found < 0 else combo.itemData(found))

    def _tracking(self) -> QGroupBox:
        group = QGroupBox("Tracking")
        rows = form(group)
        for kind, kinds, usual in KINDS:
            most = self._spin(f"max_{kinds}", QSpinBox(), f"At most this many {kinds}")
            most.setRange(1, 20 if kinds == "faces" else 8)
            row = QHBoxLayout()
            row.addWidget(self._check(kinds, kinds.capitalize(), f"Follow {kinds}"))
            row.addWidget(QLabel("at most"))
            row.addWidget(most)
            row.addStretch(1)
            rows.addRow(row)
            model = self._model(f"{kind}_model", f"Model for {kinds}", usual)
            rows.addRow("Model", model)
        presence = self._spin(
            "presence", QDoubleSpinBox(), "How sure a new hand, face or object must be, 0 to 1"
        )
        presence.setRange(0.05, 0.95)
        presence.setSingleStep(0.05)
        rows.addRow("Threshold", presence)
        smooth = self._combo("smooth", "Smoothing: steadier landmarks, which trail a little")
        for preset in PRESETS:
            smooth.addItem(preset, preset)
        weights = self._combo(
            "weights", "Which bundled models: free ones have learnt from nothing for research only"
        )
        for name, text in WEIGHTS:
            weights.addItem(text, name)
        rows.addRow("Bundled", weights)
        self._lag = QLabel("-")
        row = QHBoxLayout()
        row.addWidget(smooth)
        row.addWidget(self._lag, 1)
        rows.addRow("Smoothing", row)
        self._engine, self._models = long_row(rows, "Engine"), long_row(rows, "Models")
        return group

    def _view(self) -> QGroupBox:
        group = QGroupBox("View")
        layout = QGridLayout(group)
        by_name = {entry.name: entry for entry in ENTRIES}
        boxes = [
            self._check(name, by_name[name].text, f"{by_name[name].tip} ({by_name[name].keys[0]})")
            for name in VIEW
        ]
        boxes.append(
            self._check("hint", "First steps", "Three lines on the picture: what to do first")
        )
        for i, box in enumerate(boxes):
            layout.addWidget(box, i // 2, i % 2)
        return group

    def _comparison(self) -> QGroupBox:
        group = QGroupBox("Compare with (B)")
        rows = form(group)
        for kind, kinds, usual in KINDS:
            model = self._model(f"other_{kind}_model", f"Second model for {kinds}", "same")
            if usual == BUNDLED:
                model.insertItem(1, BUNDLED, BUNDLED)
            rows.addRow(kinds.capitalize(), model)
        view = self._combo("compare_view", "How two models are shown")
        for value, text in COMPARE_VIEWS:
            view.addItem(text, value)
        rows.addRow("Show", view)
        return group

    def _files(self) -> QGroupBox:
        group = QGroupBox("Files")
        layout = QVBoxLayout(group)
        self._buttons = QHBoxLayout()
        layout.addLayout(self._buttons)
        layout.addWidget(
            self._check("annotated", "Record with landmarks drawn in", "Off: record the raw video")
        )
        for name, text in FOLDERS:
            button = QPushButton()
            button.setAccessibleName(f"Folder for {text.lower()}")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.clicked.connect(lambda _, name=name: self.ask_file.emit(name))
            self._folders[name] = button
            show = QToolButton()
            show.setText("Show")
            tell(show, f"Show the folder for {text.lower()}")
            show.clicked.connect(lambda _, name=name: self.open_folder.emit(name))
            row = QHBoxLayout()
            row.addWidget(button, 1)
            row.addWidget(show)
            layout.addWidget(QLabel(f"{text} go to"))
            layout.addLayout(row)
        return group

    def _model(self, name: str, tip: str, usual: str) -> QComboBox:
        combo = self._combo(name, tip)
        combo.addItem(usual, "")
        combo.addItem("Choose a file...", ASK)
        combo.addItem("Choose a project...", ASK_PROJECT)
        return combo

    def _combo(self, name: str, tip: str) -> QComboBox:
        combo = QComboBox()
        tell(combo, tip)
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
        tell(box, tip)
        box.toggled.connect(lambda on: self.changed.emit(name, on))
        self._boxes[name] = box
        return box

    def _spin(self, name: str, spin: Spin, tip: str) -> Spin:
        tell(spin, tip)
        spin.setKeyboardTracking(False)
        spin.valueChanged.connect(lambda value: self.changed.emit(name, value))
        self._spins[name] = spin
        return spin


def _refill(combo: QComboBox, entries: Mapping[Any, str]) -> None:
    """Offer these, by their data, unless they are there: an open list stays as it is."""
    if [combo.itemData(i) for i in range(combo.count())] != list(entries):
        combo.clear()
        for data, text in entries.items():
            combo.addItem(text, data)
