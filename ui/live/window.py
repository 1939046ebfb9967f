"""The live window. It pulls: a timer asks for the newest frame, and nothing waits for the window.

Reads top to bottom: building, the tick, what the actions do, keys, the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from PyQt6.QtCore import QEvent, Qt, QTimer, QUrl, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QDesktopServices, QKeyEvent
from PyQt6.QtWidgets import QAbstractButton, QComboBox, QMainWindow

from tracker.follow.neutral import NeutralFace, model_of_faces
from tracker.live.pipeline import Health
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.skeleton import Skeleton, default_skeletons, skeletons
from tracker.result import Result, Shown
from tracker.sources.cameras import list_cameras
from tracker.types import Kind
from ui.kit.actions import HelpDialog, fill_menus, make_actions, make_toolbar, paint_icons
from ui.kit.status_bar import StatusBar
from ui.kit.turn_watch import TurnWatch
from ui.kit.words import capital
from ui.live import hud
from ui.live.actions_table import ENTRIES, HELP
from ui.live.compose import View, compose, mirrored
from ui.live.controls import LiveControls
from ui.live.dialogs import ask, ask_other_model, ask_project
from ui.live.gestures.dialog import GestureDialog
from ui.live.history import History, Latency
from ui.live.panels.actions_panel import ActionsPanel
from ui.live.panels.beside import Beside
from ui.live.panels.camera_menu import CameraMenu
from ui.live.panels.capture_ring import CaptureRing
from ui.live.panels.face_panel import FacePanel
from ui.live.panels.hint import Hint
from ui.live.panels.lights import LightButton, of_actions, of_sending
from ui.live.panels.panel import Device, Panel
from ui.live.panels.plots import Plots
from ui.live.panels.send_panel import SendPanel
from ui.live.panels.space import SpaceView
from ui.live.picture import PictureView
from ui.live.settings import Store
from ui.live.tray import Tray

Looks = Mapping[Kind, Skeleton]
TICK_MS = 5  # between two looks for a new frame
HEALTH_S = 0.2  # between two looks at the pipeline's numbers
PLOT_S = 0.1  # between two redrawn plots
MESSAGE_MS = 20_000


class LiveWindow(QMainWindow):
    """Shows what the controls's session gives; everything heavy happens elsewhere."""

    ended = pyqtSignal()  # everything is finished, the program may go

    def __init__(
        self, controls: LiveControls, store: Store, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Opens what is chosen at once; `clock` is the pipeline's."""
        super().__init__()
        self.controls, self._store, self._clock = controls, store, clock
        self.latency, self.turns, self.history = Latency(), TurnWatch(), History()
        self._shown: Shown | None = None
        self._camera = controls.choices.camera
        self._health_at = self._plotted_at = -1e9
        self._is_dirty = False
        self._models: tuple[UsedModel, ...] = ()
        self._looks = dict(default_skeletons())
        self._other_models: tuple[UsedModel, ...] = ()
        self._other_looks = dict(default_skeletons())
        self._help: HelpDialog | None = None
        self.gestures: GestureDialog | None = None
        self._build()
        store.restore_layout(self, [self.main])
        controls.changed.connect(self._show_choices)
        controls.said.connect(self.say)
        controls.wants_other_model.connect(lambda: ask_other_model(self, controls))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._timer.start(TICK_MS)
        self._find_devices()
        controls.open()
        if controls.first_words:
            self.say(controls.first_words)

    def _build(self) -> None:
        self.setWindowTitle("Landmark Tracker")
        self.picture, self.plots = PictureView(), Plots(self.history)
        self.actions_panel, self.send_panel = ActionsPanel(), SendPanel()
        self.face_panel = FacePanel()
        self.panel = Panel(self.face_panel, self.send_panel, self.actions_panel, self.plots)
        self.space = SpaceView(self.picture)
        self.hint = Hint(self.picture)
        self.ring = CaptureRing(self.picture)
        self.ring.captured.connect(self._keep_neutral)
        self.ring.failed.connect(self.say)
        self.hint.done.connect(lambda: self.controls.choose("hint", False))
        self.picture.offers.chosen.connect(self._take_offer)
        self.main = Beside(self.picture, self.panel)
        self.main.folded.connect(self._fold)
        self.setCentralWidget(self.main)
        self._build_status_bar()
        self.actions_panel.changed.connect(self.controls.choose)
        self.actions_panel.ask_file.connect(self._ask)
        self.face_panel.changed.connect(self.controls.choose)
        self._connect_send_panel()
        self.tray = Tray(self, self.windowIcon(), self.controls.choose, self.controls.send_all)
        self.acts = make_actions(self, ENTRIES, self._handlers())
        self.tools = make_toolbar(self, ENTRIES, self.acts)
        self.addToolBar(self.tools)
        fill_menus(self, ENTRIES, self.acts)
        self._add_camera_menu()
        paint_icons(ENTRIES, self.acts, self.palette())
        self.panel.changed.connect(self.controls.choose)
        self.panel.ask_file.connect(self._ask)
        self.panel.ask_project.connect(self._ask_project)
        self.panel.ask_devices.connect(self._find_devices)
        self.panel.open_folder.connect(self._show_folder)
        self.face_panel.add_button(self.acts["neutral"])
        self.panel.add_buttons([self.acts[name] for name in ("record", "snapshot", "flag")])
        screen = self.screen()
        assert screen is not None
        room = screen.availableSize()
        self.resize(min(1180, 95 * room.width() // 100), min(780, 88 * room.height() // 100))
        self.picture.setFocus()

    def _build_status_bar(self) -> None:
        """There from the start and of one height: what it says never shifts the picture."""
        bar = StatusBar()
        self.setStatusBar(bar)
        bar.setSizeGripEnabled(False)
        bar.setFixedHeight(bar.fontMetrics().height() + 10)
        self.lights = {name: LightButton(name.capitalize()) for name in ("send", "actions")}
        for name, light in self.lights.items():
            light.clicked.connect(lambda _, name=name: self._turn_panel(name))
            bar.addPermanentWidget(light)

    def _add_camera_menu(self) -> None:
        """Before the last one, which is help."""
        bar = self.menuBar()
        assert bar is not None
        self.cameras = CameraMenu(self, self.acts["open"])
        self.cameras.ask_devices.connect(self._find_devices)
        self.cameras.chosen.connect(lambda spec: self.controls.choose("camera", spec))
        bar.insertMenu(bar.actions()[-1], self.cameras)

    def _connect_send_panel(self) -> None:
        panel, controls = self.send_panel, self.controls
        panel.added.connect(lambda target: panel.show_problem(controls.send(target)))
        panel.switched.connect(controls.switch_sending)
        panel.removed.connect(controls.stop_sending)
        panel.recentred.connect(controls.recentre)
        panel.as_seen.connect(lambda: controls.recentre(False))
        panel.changed.connect(controls.choose)

    def _handlers(self) -> dict[str, Callable[[bool], object]]:
        controls = self.controls
        return {
            "pause": controls.pause,
            "record": controls.record,
            "snapshot": lambda _: controls.snapshot(),
            "flag": lambda _: controls.flag(self._shown),
            "compare": controls.compare,
            "compare_view": lambda _: controls.next_compare_view(),
            "mirror": lambda _: controls.toggle("mirror"),
            "landmarks": lambda _: controls.toggle("landmarks"),
            "labels": lambda _: controls.toggle("labels"),
            "hud": lambda _: controls.toggle("hud"),
            "space": lambda _: controls.toggle("space"),
            "privacy": lambda _: controls.toggle("privacy"),
            "panel": lambda _: self._turn_panel(),
            "actions": lambda _: self._turn_panel("actions"),
            "actions_on": lambda _: controls.toggle("actions_on"),
            "send": lambda _: self._turn_panel("send"),
            "gesture": lambda _: self.show_gestures(),
            "recentre": lambda _: controls.recentre(),
            "neutral": lambda _: self.ring.turn(),
            "face": lambda _: self._turn_panel("face"),
            "hide": lambda _: self._hide(),
            "fullscreen": self.show_fullscreen,
            "back": lambda _: self.go_back(),
            "open": lambda _: self._ask("camera"),
            "help": lambda _: self.show_help(),
            "quit": lambda _: self._quit(),
        }

    # The tick

    def tick(self) -> None:
        """Everything that happens by itself."""
        self.turns.tick()
        self.controls.jobs.poll()
        if self.controls.is_ended:
            self.close()
            return
        now = self._clock()
        shown = self.controls.session.latest()
        if shown is not None and shown is not self._shown:
            self._take(shown)
        elif self._shown is not None and (self._is_dirty or self.picture.is_stale):
            self._paint(self._shown)
        if now - self._health_at >= HEALTH_S:
            self._health_at = now
            self._look(now)
        elif now - self._plotted_at >= PLOT_S:
            self._plotted_at = now
            if self.plots.isVisible():
                self.plots.refresh(now, self.controls.is_mirrored)
            elif self.face_panel.isVisible() and self._shown is not None:
                self.face_panel.show_faces(self._shown.result.tracks)

    def _take(self, shown: Shown) -> None:
        self._shown = shown
        self.history.add(shown.t_capture, shown.result)
        if self.gestures is not None:
            self.gestures.take(shown.result)
        self.ring.take(shown.result)
        painted = self.picture.paints
        self._paint(shown)
        if self.picture.paints > painted:  # not while the window is hidden
            self.latency.add(shown.t_capture, self._clock())

    def _paint(self, shown: Shown) -> None:
        """It is on the screen when this returns: `repaint` does not wait for the event loop."""
        self._is_dirty = False
        assert shown.frame.bgr is not None
        results, captions, looks = self._compared(shown)
        choices = self.controls.choices
        view = View(self.controls.is_mirrored, choices.privacy, choices.landmarks, choices.labels)
        canvas, panes = compose(shown.frame.bgr, results, self.picture.room_wh(), view, *looks)
        self.picture.set_canvas(canvas, panes, captions)
        if self.space.isVisible():
            result = results[0]
            seen = mirrored(result, shown.frame.bgr.shape[1]) if view.mirror else result
            self.space.show_tracks(seen.tracks, looks[0])
        self.picture.repaint()

    def _compared(self, shown: Shown) -> tuple[list[Result], list[str], list[Looks]]:
        """The results to draw, what to call them, and how they look."""
        order = self.controls.session.order
        if shown.other is None or order is None or order.other is None:
            return [shown.result], [""], [self._looks]
        a = f"A: {hud.models(order.config, self._models)}"
        b = f"B: {hud.models(order.other, self._other_models)}"
        looks: list[Looks] = [self._looks, self._other_looks]
        part = {"side": slice(2), "a": slice(1), "b": slice(1, 2)}[
            self.controls.choices.compare_view
        ]
        return [shown.result, shown.other][part], [a, b][part], looks[part]

    def _look(self, now: float) -> None:
        """Numbers, state and badges."""
        session = self.controls.session
        if session.order is not None and session.order.camera != self._camera:
            self._forget(session.order.camera)
        health = session.health()
        if health.camera.phase != "running":
            self.latency.clear()
        if health.models is not self._models:
            self._models = health.models
            self._looks = {**default_skeletons(), **skeletons([m.info for m in health.models])}
        if health.other_models is not self._other_models:
            self._other_models = health.other_models
            infos = [m.info for m in health.other_models]
            self._other_looks = {**default_skeletons(), **skeletons(infos)}
        numbers = hud.few_numbers if self.main.is_narrow else hud.numbers
        lines = numbers(health, self.latency.fps(now), self.latency.percentiles())
        words = hud.words(self.controls, health, lines, now)
        is_covered = self.main.is_narrow and self.main.is_peeking  # only halves of words are left
        self.picture.set_words(hud.Words() if is_covered else words)
        self._show_state(health)
        self.controls.follow_pause_key()
        self._show_outputs(health)
        if session.order is not None:
            self.panel.show_delivered(hud.delivered(health, self._shown))
            self.panel.show_running(
                hud.engine(health), health.lag_ms, hud.models(session.order.config, health.models)
            )

    def _show_outputs(self, health: Health) -> None:
        """How actions and sending stand: at a glance, and on their pages."""
        rows, state = self.controls.sending.rows(health.outputs), self.controls.acting.state()
        self.lights["send"].show_light(of_sending(rows), self.main.is_narrow)
        self.lights["actions"].show_light(of_actions(state), self.main.is_narrow)
        if self.actions_panel.isVisible():
            self.actions_panel.show_state(state)
        if self.send_panel.isVisible():
            self.send_panel.show_rows(rows)

    def _forget(self, camera: str) -> None:
        """Another source: nothing of the one before stays on the screen."""
        self._camera, self._shown = camera, None
        self.ring.cancel()
        self.picture.clear()
        self.history.clear()
        self.plots.clear()

    # What the actions do

    def say(self, sentence: str) -> None:
        """Tell something in the status bar."""
        bar = self.statusBar()
        assert bar is not None
        bar.showMessage(capital(sentence), MESSAGE_MS)
        bar.setToolTip(capital(sentence))  # whole, where there is no room for it

    def _ask(self, name: str) -> None:
        self._show_choices()  # a list that says "Choose a file..." says again what is chosen
        ask(self, self.controls, name)

    def _take_offer(self, name: str) -> None:
        """What a button below a message says."""
        if name == "file":
            self._ask("camera")
        elif name == "camera":
            self.show_panel(True, "camera")
            self._find_devices()
        else:
            self._find_devices()
            self.controls.open()

    def _ask_project(self, name: str) -> None:
        self._show_choices()
        ask_project(self, self.controls, name)

    @property
    def is_panel_shown(self) -> bool:
        """Is the panel to be seen, as things are?"""
        return not self.isFullScreen() and self.main.is_panel_shown(self.controls.choices.panel)

    def show_panel(self, on: bool, tab: str = "") -> None:
        """Show the panel, on this page where one is named, or hide it."""
        if tab:
            self.controls.choose("tab", tab)
        if self.main.is_narrow:
            self.main.is_peeking = on
            self._show_choices()
        else:
            self.controls.choose("panel", on)

    def _turn_panel(self, tab: str = "") -> None:
        """Show the panel (on a page), or hide it where just that is shown."""
        is_there = self.is_panel_shown and tab in ("", self.controls.choices.tab)
        self.show_panel(not is_there, tab)

    def _fold(self) -> None:
        """A window that became narrow has no panel until it is asked for."""
        self._show_choices()

    def _show_folder(self, name: str) -> None:
        folder = self.controls.choices.folder(name)  # type: ignore[arg-type]
        if not folder.is_dir():
            self.say(f"{folder} is made when something is first saved there")
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.say(f"no program of this desktop shows folders; it is {folder}")

    def _hide(self) -> None:
        """Go on unseen, where the tray can bring the window back."""
        if self.tray.is_there:
            self.tray.show_window(False)
        else:
            self.say(
                "the window is hidden only where a tray can bring it back: choose a profile of "
                "actions or where to send, on a desktop with a system tray; 'tracker live "
                "--no-window' needs none"
            )

    def show_help(self) -> None:
        """The list of keys."""
        self._help = self._help or HelpDialog(self, HELP)
        self._help.show()

    def _keep_neutral(self, face: NeutralFace) -> None:
        model = model_of_faces(used.info for used in self._models)
        self.controls.keep_neutral(replace(face, model=model))

    def show_gestures(self) -> None:
        """The dialog in which gestures are taught."""
        if self.gestures is None:
            self.gestures = GestureDialog(self, self.controls, self._clock)
            corner = self.mapToGlobal(self.main.geometry().topRight())
            self.gestures.adjustSize()  # over the panel, and not over the hand
            self.gestures.move(corner.x() - self.gestures.width(), corner.y())
        self.gestures.show()
        self.gestures.activateWindow()

    def go_back(self) -> None:
        """One step out: of full screen, comparing, what lies over the picture. No end."""
        if self.ring.is_on:
            self.ring.cancel()
        elif self.isFullScreen():
            self.show_fullscreen(False)
        elif self.controls.is_comparing:
            self.controls.compare(False)
        elif self.main.is_peeking:
            self.show_panel(False)
        elif self.controls.choices.hint:
            self.controls.choose("hint", False)
        elif self._help is not None:
            self._help.hide()

    def show_fullscreen(self, on: bool) -> None:
        """Only the picture, or everything again."""
        if on and not self.isFullScreen() and self.isVisible():
            self._keep_layout()
        for part in (self.menuBar(), self.tools, self.statusBar()):
            assert part is not None
            part.setVisible(not on)
        self.setWindowState(
            self.windowState() | Qt.WindowState.WindowFullScreen
            if on
            else self.windowState() & ~Qt.WindowState.WindowFullScreen
        )
        self._show_choices()

    def _find_devices(self) -> None:
        def done(devices: list[Device]) -> None:
            self.panel.show_devices(devices)
            self.cameras.show_devices(devices)
            self._show_choices()

        self.controls.jobs.start(
            lambda: [Device(c.identity, c.name, c.index, c.modes) for c in list_cameras()],
            done,
            self.say,
        )

    def _show_choices(self) -> None:
        """Menus, buttons and panel say what is chosen; the picture follows."""
        choices, controls = self.controls.choices, self.controls
        self.panel.show_choices(choices, controls.is_mirrored)
        self.cameras.show_choice(choices.camera)
        shown = {
            "mirror": controls.is_mirrored,
            "landmarks": choices.landmarks, "labels": choices.labels,
            "hud": choices.hud, "space": choices.space, "privacy": choices.privacy,
            "panel": self.is_panel_shown,
            "actions": self.is_panel_shown and choices.tab == "actions",
            "send": self.is_panel_shown and choices.tab == "send",
            "face": self.is_panel_shown and choices.tab == "face",
            "actions_on": choices.actions_on and bool(choices.actions),
            "compare": controls.is_comparing, "fullscreen": self.isFullScreen(),
        }  # fmt: skip
        for name, on in shown.items():
            self.acts[name].setChecked(on)
        self.panel.setVisible(self.is_panel_shown)
        acting = choices.actions, choices.actions_on, choices.actions_test
        self.actions_panel.show_choices(*acting)
        self.tray.show(*acting)
        self.tray.show_sending([row.on for row in controls.sending.rows(())])
        self.hint.show_choice(choices.hint)
        self.space.setVisible(choices.space)
        self.send_panel.show_choices(choices.auto_centre)
        self.face_panel.show_choices(choices.neutral, choices.every_expression)
        self._is_dirty, self._health_at = True, -1e9

    def _show_state(self, health: Health) -> None:
        """Pause and record follow the pipeline, which may have stopped by itself."""
        self.acts["pause"].setChecked(self.controls.session.is_paused)
        self.acts["record"].setChecked(health.recording is not None)

    # Keys

    def event(self, event: QEvent | None) -> bool:
        """Space and Esc belong to a focused button, list or text field before they are keys."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            focus = self.focusWidget()
            takes_space = isinstance(focus, QAbstractButton | QComboBox)
            is_away = focus not in (None, self.picture) and not self.isFullScreen()
            if (event.key() == Qt.Key.Key_Space and takes_space) or (
                event.key() == Qt.Key.Key_Escape and is_away
            ):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Esc leads from the panel back to the picture."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.picture.setFocus()
            return
        super().keyPressEvent(event)

    def changeEvent(self, event: QEvent | None) -> None:
        """A desktop that turns dark takes icons and plots along."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.PaletteChange:
            paint_icons(ENTRIES, self.acts, self.palette())
            self.plots.set_palette(self.palette())

    # The end

    def _quit(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Finish recordings and let the camera go first; asked again, do that unseen."""
        assert event is not None
        if self.controls.is_ended:
            self._timer.stop()
            self.controls.jobs.close()
            event.accept()
            self.ended.emit()
            return
        event.ignore()
        if self.controls.is_ending:
            self.hide()
            return
        self._keep_layout()
        if self.controls.choices.hint:
            self._store.keep("hint", False)  # it was seen
        self.controls.close()

    def _keep_layout(self) -> None:
        """Full screen is for now only, and what it hides is none of the layout."""
        if not self.isFullScreen():
            self._store.keep_layout(self, [] if self.main.is_narrow else [self.main])
