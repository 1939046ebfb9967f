"""Training beside the labels: start `train finetune`, watch its curves, stop it.

The training is a process of its own and goes on when the window is closed; all that is known of it
is read from models/RUN/progress.json and metrics.csv.
"""

from __future__ import annotations

import csv
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engines.installation import command, environment
from tracker.plain_data import from_json
from tracker.stop import apart, ask_to_stop
from ui.kit.actions import without_icons
from ui.kit.jobs import Jobs
from ui.kit.plots import curve_pen, paint_plots, scale_curves
from ui.label.controls import LabelControls

USUAL_MINUTES, MOST_MINUTES = 10, 24 * 60
LOOK_S = 1.0  # between two looks at the files
LOG = "finetune.log"  # in cache/, what the training printed
LOSS_PEN, HOLD_PEN = "#3b82f6", "#d97706"
STATES = {"training": "training", "done": "done", "stopped": "stopped", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Watched:
    """What the files of the newest run say; columns of metrics.csv as (step, value) pairs."""

    run: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    loss: tuple[tuple[float, float], ...] = ()
    hold: tuple[tuple[float, float], ...] = ()
    age_s: float = 0.0  # since progress.json was written


def newest_run(models: Path, now: float) -> Watched | None:
    """The run whose progress was told last; None where there is none. OSError passes."""
    found = list(models.glob("*/progress.json"))
    if not found:
        return None
    path = max(found, key=lambda p: p.stat().st_mtime)
    age = now - path.stat().st_mtime
    told = from_json(path.read_text(encoding="utf-8"))
    rows: list[dict[str, str]] = []
    log = path.parent / "metrics.csv"
    if log.is_file():
        with log.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    return Watched(
        path.parent.name, told if isinstance(told, dict) else {},
        _column(rows, "train_loss"), _column(rows, "hold_nme"), max(age, 0.0),
    )  # fmt: skip


def _column(rows: list[dict[str, str]], name: str) -> tuple[tuple[float, float], ...]:
    """(step, value) where there is a number."""
    found = []
    for row in rows:
        try:
            found.append((float(row["step"]), float(row[name])))
        except (KeyError, TypeError, ValueError):
            continue  # an empty cell, or a line that is being written
    return tuple(found)


def summary(watched: Watched | None) -> str:
    """One or two lines about a run."""
    if watched is None:
        return "No training yet. Label some frames, then start one."
    told = watched.told
    words = [f"{watched.run}: {STATES.get(str(told.get('state')), 'unknown')}"]
    if told.get("steps"):
        words.append(f"step {told.get('step')} of {told['steps']}")
    for name, text in (("loss", "loss {:.3f}"), ("hold_nme", "hold-out NME {:.2f} %"),
                       ("images_s", "{:.0f} images/s")):  # fmt: skip
        if isinstance(told.get(name), int | float):
            words.append(text.format(told[name]))
    eta = told.get("eta_s")
    if told.get("state") == "training" and isinstance(eta, int | float):
        words.append(f"{eta / 60:.0f} min left" if eta >= 90 else f"{eta:.0f} s left")
    message = str(told.get("message") or "")
    return ", ".join(words) + (f". {message}" if message else "")


class BudgetDialog(QDialog):
    """Asks how long a training may take."""

    chosen = pyqtSignal(int)  # minutes

    def __init__(self, parent: QWidget, minutes: int) -> None:
        """Begins with what was chosen the last time."""
        super().__init__(parent)
        self.setWindowTitle("Start training")
        self.minutes = QSpinBox()
        self.minutes.setRange(1, MOST_MINUTES)
        self.minutes.setSuffix(" min")
        self.minutes.setValue(minutes)
        form = QFormLayout()
        form.addRow("How long may it take?", self.minutes)
        words = QLabel(
            "It ends by the clock, with the measuring on the held-out clip and the finished model, "
            "and goes on without this window."
        )
        words.setWordWrap(True)
        both = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(both.Ok | both.Cancel)
        start = buttons.button(both.Ok)
        assert start is not None
        start.setText("Start")
        without_icons(buttons)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(words)
        layout.addWidget(buttons)

    def _accept(self) -> None:
        self.accept()
        self.chosen.emit(self.minutes.value())


class Training(QWidget):
    """Curves and two buttons."""

    def __init__(self, controls: LabelControls, jobs: Jobs, clock: Callable[[], float]) -> None:
        """`clock`: Unix seconds. `finished` is called when a training that was begun here ends."""
        super().__init__()
        self.finished: Callable[[], object] = lambda: None
        self.controls, self._jobs, self._clock = controls, jobs, clock
        self.watched: Watched | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.asking: BudgetDialog | None = None
        self.minutes = USUAL_MINUTES  # what was chosen last
        self._looked_at, self._is_looking = -1e9, False
        self.words, self.bar = QLabel(summary(None)), QProgressBar()
        self.words.setWordWrap(True)
        self.words.setMinimumHeight(4 * self.words.fontMetrics().lineSpacing())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.bar.setRange(0, 1)
        self.bar.setValue(0)
        self.start, self.stop = QPushButton("Start training ..."), QPushButton("Stop")
        self.start.setToolTip("train finetune on this project; it goes on without this window")
        self.stop.setToolTip("End it after this step; what was learnt is kept")
        self.start.clicked.connect(self._ask)
        self.stop.clicked.connect(self._stop)
        buttons = QHBoxLayout()
        for button in (self.start, self.stop):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addLayout(buttons)
        layout.addWidget(self.words)
        layout.addWidget(self.bar)
        self.loss = self._plot(layout, "Training loss", LOSS_PEN)
        self.hold = self._plot(layout, "Hold-out NME, %", HOLD_PEN)
        self.set_palette(self.palette())
        self._show()

    def _plot(self, layout: QVBoxLayout, title: str, colour: str) -> Any:
        layout.addWidget(QLabel(f'<span style="color:{colour}">■</span> {title}'))
        plot = pg.PlotWidget()
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.setMinimumHeight(110)
        plot.showGrid(x=True, y=True, alpha=0.25)
        plot.setLabel("bottom", "step")
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAccessibleName(f"Curve of {title}")
        pen = curve_pen(plot, colour)
        curve = plot.plot(pen=pen, symbol="o", symbolSize=4, symbolPen=pen, symbolBrush=colour)
        layout.addWidget(plot, 1)
        plot.curve = curve
        return plot

    def event(self, event: QEvent | None) -> bool:
        """A window that moves to a screen of another scale."""
        if event is not None and event.type() == QEvent.Type.DevicePixelRatioChange:
            scale_curves((self.loss, self.hold))
        return super().event(event)

    def set_palette(self, palette: QPalette) -> None:
        """Colours of the desktop."""
        paint_plots((self.loss, self.hold), palette)

    @property
    def is_running(self) -> bool:
        """Does a training run that this window or another began?"""
        if self.process is not None:
            return True
        told = None if self.watched is None else self.watched
        return told is not None and told.told.get("state") == "training" and told.age_s < 60

    def tick(self, now: float) -> None:
        """Look at the files once a second, on another thread."""
        if self.process is not None and self.process.poll() is not None:
            code, self.process = self.process.returncode, None
            if code in (130, -signal.SIGINT):
                resume = f"'train finetune {self.controls.project.root} --resume'"
                self.controls.say(f"the training was stopped; {resume} goes on with it")
            elif code:
                self.controls.say(f"the training ended: {self._last_line() or f'exit code {code}'}")
            else:
                self.controls.say("the training is done; new guesses come from its model")
            self.finished()
            self._show()
        if not self._is_looking and now - self._looked_at >= LOOK_S:
            self._looked_at, self._is_looking = now, True
            models, wall = self.controls.project.models_dir, self._clock()
            self._jobs.start(lambda: newest_run(models, wall), self._take, self._miss)

    def _take(self, watched: Watched | None) -> None:
        self._is_looking = False
        if watched != self.watched:
            self.watched = watched
            self._show()

    def _miss(self, sentence: str) -> None:
        """A file that is just being replaced is read the next time."""
        self._is_looking = False

    def _show(self) -> None:
        is_older = self.watched is None or self.watched.told.get("state") != "training"
        if self.process is not None and is_older:
            self.words.setText("The training is starting: it reads the clips first")
        else:
            self.words.setText(summary(self.watched))
        running = self.is_running
        self.start.setEnabled(not running)
        self.stop.setEnabled(self.process is not None)
        told = {} if self.watched is None else self.watched.told
        steps = int(told.get("steps") or 0)
        self.bar.setRange(0, max(steps, 1))
        step = steps if told.get("state") == "done" else int(told.get("step") or 0)
        self.bar.setValue(min(step, max(steps, 1)))  # one that ended early is done, too
        for plot, points in (
            (self.loss, () if self.watched is None else self.watched.loss),
            (self.hold, () if self.watched is None else self.watched.hold),
        ):
            pairs = np.array(points, float).reshape(-1, 2)
            plot.curve.setData(pairs[:, 0], pairs[:, 1])

    def _ask(self) -> None:
        """How long it may take, in a dialog of its own; nothing waits for it."""
        if self.is_running:
            return
        self.asking = BudgetDialog(self, self.minutes)
        self.asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.asking.chosen.connect(self._start)
        self.asking.open()

    def _start(self, minutes: int) -> None:
        """`train finetune DIR --budget 10m`, detached: it outlives the window."""
        if self.is_running:
            return
        self.minutes = minutes
        project = self.controls.project
        if not self.controls.store.read_only:
            self.controls.save()
        try:
            project.cache_dir.mkdir(exist_ok=True)
            with (project.cache_dir / LOG).open("wb") as log:
                words = ("finetune", str(project.root), "--budget", f"{minutes}m")
                self.process = subprocess.Popen(
                    command("ui.commands.train", *words), env=environment(),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    **apart(),
                )  # fmt: skip
        except OSError as error:
            self.controls.say(
                f"no training could be started: {error.strerror}; see 'train finetune'"
            )
            return
        self.controls.say(f"the training has started, for {minutes} min; label on meanwhile")
        self._show()

    def _stop(self) -> None:
        if self.process is not None:
            ask_to_stop(self.process)
            self.controls.say("the training stops after this step")

    def _last_line(self) -> str:
        try:
            text = (self.controls.project.cache_dir / LOG).read_text(
                encoding="utf-8", errors="replace"
            )
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""
