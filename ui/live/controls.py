"""What the user can do, apart from how it looks: choices, the session, recordings, comparing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.follow.neutral import NeutralFace
from tracker.follow.neutral_files import USUAL, file_of, keep_face
from tracker.live.pipeline import Pipeline
from tracker.outputs.overlay import Style
from tracker.result import Shown
from tracker.sources.open import Playing
from ui.kit.jobs import Jobs
from ui.live.actions_control import ActionsControl
from ui.live.choices import Choices, is_device, kind_of
from ui.live.saver import Saver
from ui.live.sending import Sending
from ui.live.session import Make, Order, Session
from ui.live.settings import Store

SETTLE_MS = 300  # a change of the tracking counts when nothing else changed for so long
TRACKING = frozenset({
    "hands", "faces", "objects", "max_hands", "max_faces", "max_objects", "hand_model",
    "face_model", "object_model", "presence", "smooth", "other_hand_model", "other_face_model",
    "other_object_model", "weights", "neutral", "mirror_devices", "mirror_files",
})  # fmt: skip
COMPARE_VIEWS = ("side", "a", "b")


class LiveControls(QObject):
    """Holds what was chosen and carries it out. `changed`: show the choices again."""

    changed = pyqtSignal()
    said = pyqtSignal(str)
    wants_other_model = pyqtSignal()

    def __init__(self, make: Make, store: Store, choices: Choices, to: Sequence[str] = ()) -> None:
        """`choices` count now; only what is changed from here on goes to the `store`.

        Results are sent `to` these targets. UserError where one is none.
        """
        super().__init__()
        self.choices, self._store = choices, store
        self.jobs = Jobs()
        self.acting = ActionsControl()
        self.sending = Sending(to, choices.auto_centre, choices.privacy)
        self.first_words = ""  # to be said when somebody listens
        self._make = make
        self.session = Session(self.jobs, self._make_pipeline)
        self.saver = Saver(self.jobs, self.said.emit)
        self.is_comparing = False
        self.is_ending = False
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._configure)
        try:
            self.acting.use(choices.actions, choices.actions_on, choices.actions_test, None)
        except UserError as error:  # a profile of the time before
            self.choices, self.first_words = replace(choices, actions=""), str(error)

    @property
    def is_mirrored(self) -> bool:
        """A camera at this computer is a mirror by default, a clip is not."""
        return bool(getattr(self.choices, self.choices.mirror_field))

    @property
    def is_recording(self) -> bool:
        """Is a recording under way, and not being finished?"""
        pipeline = self.session.pipeline
        recording = None if pipeline is None else pipeline.health().recording
        return recording is not None and not (recording.finishing or self.saver.is_finishing)

    def open(self) -> None:
        """Begin with what is chosen; nothing begins while everything ends."""
        if self.is_ending:
            return
        other = self.choices.other_config() if self.is_comparing else None
        self.session.open(
            Order(self.choices.camera, self.choices.playing(), self.choices.config(), other)
        )
        self.changed.emit()

    def choose(self, name: str, value: object) -> None:
        """Change one choice, keep it, and act on it."""
        name = self.choices.mirror_field if name == "mirror" else name
        assert name in {field.name for field in fields(Choices)}, name
        new = replace(self.choices, **{name: value})  # type: ignore[arg-type]
        try:
            new.config()
            new.playing()
        except ValueError as error:
            self.said.emit(str(error))
            self.changed.emit()
            return
        if name.startswith("actions") and not self._act(name, new):
            return
        if name == "auto_centre":
            self.sending.follow_head(new.auto_centre, self.session.pipeline)
        self.sending.is_private = new.privacy
        self.choices = new
        self._store.keep(name, value)
        of_this_source = name in (("size", "fps") if is_device(new.camera) else ("loop",))
        if name == "camera" or of_this_source:
            self._change_camera()
        elif name in TRACKING:
            self._settle.start()
        elif name == "privacy" and value and self.is_recording:
            self.said.emit("the recording that is under way goes on as it began; R ends it")
        self.changed.emit()

    def _act(self, name: str, new: Choices) -> bool:
        """Carry out a choice of the actions; False, and it is said, where that cannot be."""
        acting = self.acting
        try:
            if name == "actions":
                pipeline = self.session.pipeline
                acting.use(new.actions, new.actions_on, new.actions_test, pipeline)
            elif name == "actions_on" and acting.actions is not None:
                acting.actions.switch(new.actions_on)
            elif name == "actions_test" and acting.actions is not None:
                acting.actions.try_out(new.actions_test)
        except UserError as error:
            self.said.emit(str(error))
            self.changed.emit()
            return False
        return True

    def send(self, target: str) -> str:
        """Send results there, too; '' or, in a sentence, why not."""
        return self._sending(lambda: self.sending.add(target, self.session.pipeline))

    def switch_sending(self, target: str, on: bool) -> None:
        """Send there again, or no more."""
        said = self._sending(lambda: self.sending.switch(target, on, self.session.pipeline))
        if said:
            self.said.emit(said)

    def send_all(self, on: bool) -> None:
        """Send to all targets, or to none; they stay in the list."""
        for row in self.sending.rows(()):
            if row.on != on:
                self.switch_sending(row.target, on)

    def stop_sending(self, target: str) -> None:
        """Send there no more, and forget it."""
        self.sending.remove(target, self.session.pipeline)
        self.changed.emit()

    def _sending(self, act: Callable[[], None]) -> str:
        try:
            act()
        except UserError as error:
            return str(error)
        finally:
            self.changed.emit()
        return ""

    def recentre(self, on: bool = True) -> None:
        """The head as it is held now is straight ahead; not `on`: into the camera is."""
        pipeline = self.session.pipeline
        if pipeline is None:
            self.said.emit("there is no head to be seen; choose a camera first")
        elif on:
            pipeline.centring.recentre()
            self.said.emit("straight ahead is where the head points now, or when it is next seen")
        else:
            pipeline.centring.reset()
            self.said.emit("straight ahead is into the camera")

    def follow_pause_key(self) -> None:
        """The pause key switches without asking; the window shows it."""
        state = self.acting.state()
        if state is not None and state.on != self.choices.actions_on:
            self.choices = replace(self.choices, actions_on=state.on)
            self.said.emit(f"actions are {'on' if state.on else 'off'}")
            self.changed.emit()

    def toggle(self, name: str) -> None:
        """Change a choice that is on or off."""
        before = self.is_mirrored if name == "mirror" else bool(getattr(self.choices, name))
        self.choose(name, not before)

    def pause(self, on: bool) -> None:
        """Hold the picture, or go on."""
        self.session.pause(on)
        self.changed.emit()

    def record(self, on: bool) -> None:
        """Begin a recording, or end it."""
        pipeline = self.session.pipeline
        if pipeline is None:
            self.said.emit("there is no picture to record; choose a camera first")
        elif self.saver.is_finishing:
            self.said.emit("the last recording is still being finished; try again in a moment")
        elif on and not self.is_recording:
            choices, folder = self.choices, self.choices.folder("recordings")
            self.saver.record(pipeline, folder, choices.annotated or choices.privacy, self._style())
        elif not on and self.is_recording:
            self.saver.stop(pipeline)
        self.changed.emit()

    def snapshot(self) -> None:
        """Save the picture as it is shown, though never mirrored."""
        if self.session.pipeline is None:
            self.said.emit("there is no picture to save; choose a camera first")
            return
        is_plain = not (self.choices.landmarks or self.choices.privacy)
        style = None if is_plain else self._style()
        self.saver.snapshot(self.session.pipeline, self.choices.folder("snapshots"), style)

    def flag(self, shown: Shown | None) -> None:
        """Keep this moment for labelling."""
        if self.choices.privacy:
            self.said.emit("privacy is on, so no picture is kept; press P, then flag the moment")
        elif self.session.pipeline is None:
            self.said.emit("there is no picture to flag; choose a camera first")
        else:
            self.saver.flag(self.session.pipeline, self.choices.folder("project"), shown)

    def compare(self, on: bool) -> None:
        """Two models on the same frame; asks for the second one where none is chosen."""
        self.is_comparing = on
        if on and self.choices.other_config() is None:
            against = self.choices.against_bundled()
            if against is None:
                self.is_comparing = False
                self.wants_other_model.emit()
            else:
                self.choices = against  # for this run: it is no choice of the user's
        self._configure()
        self.changed.emit()

    def next_compare_view(self) -> None:
        """Side by side, then A, then B."""
        at = COMPARE_VIEWS.index(self.choices.compare_view)
        self.choose("compare_view", COMPARE_VIEWS[(at + 1) % len(COMPARE_VIEWS)])

    def add_model(self, path: Path) -> None:
        """Use this model or project, for the kind that it is of."""
        self.jobs.start(
            lambda: kind_of(path), lambda kind: self._use(f"{kind}_model", path), self.said.emit
        )

    def add_other_model(self, path: Path) -> None:
        """Compare with this model or project, of whichever kind it is."""

        def chosen(kind: str) -> None:
            self._use(f"other_{kind}_model", path)
            self.compare(True)

        self.jobs.start(lambda: kind_of(path), chosen, self.said.emit)

    def use_gestures(self) -> None:
        """The file of own gestures has changed: name by it from now on."""
        if self.choices.gestures == "none":
            self.choose("gestures", "")
        self._read_again()

    def keep_neutral(self, face: NeutralFace) -> None:
        """Keep a captured face at rest for whom it is chosen, and subtract it from now on."""
        chosen = self.choices.neutral
        who = USUAL if chosen in ("", "none") else chosen

        def kept(_: None) -> None:
            if chosen == "none":
                self.choose("neutral", "")
            self._read_again()
            self.said.emit(f"this face at rest is kept and subtracted from expressions ({who})")

        self.jobs.start(lambda: keep_face(file_of(who), face), kept, self.said.emit)

    def _read_again(self) -> None:
        """A file that the trackers have read has changed."""
        order = self.session.order
        if order is not None and order.config == self.choices.config():
            self.session.reload()
        else:
            self._configure()

    def _use(self, name: str, path: Path) -> None:
        if getattr(self.choices, name) == str(path):
            self.session.reload()  # a project may have a newer model by now
        self.choose(name, str(path))

    def close(self) -> None:
        """Finish what is being recorded, then end; `is_ended` tells when."""
        self.is_ending = True
        pipeline = self.session.pipeline
        if pipeline is not None and self.is_recording:
            self.saver.stop(pipeline, self._close_session)
        else:
            self._close_session()
        self.changed.emit()

    def _make_pipeline(self, camera: str, how: Playing, config: TrackerConfig) -> Pipeline:
        pipeline = self._make(camera, how, config)
        self.acting.attach(pipeline)
        self.sending.attach(pipeline)
        return pipeline

    def _close_session(self) -> None:
        self.acting.end()
        self.session.close()

    @property
    def is_ended(self) -> bool:
        """Is nothing left to wait for?"""
        return self.is_ending and self.session.is_ended and self.jobs.is_idle

    def _change_camera(self) -> None:
        pipeline = self.session.pipeline
        if pipeline is not None and self.is_recording:
            self.saver.stop(pipeline, self.open)
        else:
            self.open()

    def _configure(self) -> None:
        config, other = self.choices.config(), self.choices.other_config()
        self.session.configure(config, other if self.is_comparing else None)
        self.changed.emit()

    def _style(self) -> Style:
        c = self.choices
        return Style(
            on_black=c.privacy, landmarks=c.landmarks, labels=c.landmarks and c.labels,
            axes=c.landmarks,
        )  # fmt: skip
