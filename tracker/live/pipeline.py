"""The live pipeline. Threads start here, for files in `tracker.files.side_by_side`, and in
`tracker.find.background_detector`.

    camera reader -> [Slot: the newest frame] -> tracker -> [the newest Shown] <- the window, when
          |                                         |        it wants
          +--> [Backlog: bounded] --> recorder <----+--> [Backlog: bounded] --> each output

The camera's threads are those of `tracker.sources.reconnect`. Where `TrackerConfig.live` is set, a
tracker runs its detectors on a thread of its own, which ends with it. Nobody waits for a slower
one, and nothing grows: frames that the tracker has no time for are dropped and counted, and so are
those that the recorder or another output has no room for. A file waits until the networks are
loaded. An output that fails ends alone; any other thread that dies closes the pipeline and leaves
its reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock, Thread

from tracker.config import TrackerConfig
from tracker.errors import UserError, sentence
from tracker.live.heap import return_large_blocks
from tracker.live.live_output import LiveOutput, OutputFacts
from tracker.live.tracking_thread import Captured, MakeTracker, Notes, TrackingThread
from tracker.outputs.centring import Centring
from tracker.outputs.flags import AROUND, Ring, save_flag, save_snapshot
from tracker.outputs.landmark_files import UsedModel
from tracker.outputs.live_recorder import Recorder, Recording
from tracker.outputs.open import OpenOutput, find_output
from tracker.outputs.output import About, Output
from tracker.outputs.overlay import Style
from tracker.result import Shown
from tracker.slots import Slot
from tracker.sources.reconnect import ReconnectingSource
from tracker.sources.source import CameraLimits, CameraState, Gap, Source
from tracker.track import Tracker
from tracker.types import Frame

__all__ = ["Health", "OutputFacts", "Pipeline", "Recording", "Shown"]


@dataclass(frozen=True, slots=True)
class Health:
    """How everything goes, at one moment."""

    camera: CameraState
    capture_fps: float
    network_ms: float  # per frame, averaged
    tracker_ms: float  # the whole of `Tracker.process`
    dropped: int  # captured frames that the tracker had no time for
    provider: str  # what runs the networks; empty until they are loaded
    threads: int
    lag_ms: float  # by which smoothed landmarks trail
    recording: Recording | None
    error: str | None  # one sentence: what last went wrong and still matters
    failed_frames: int = 0  # frames on which the tracker failed
    dead: bool = False  # a thread died and everything has ended; `error` tells why
    models: tuple[UsedModel, ...] = ()  # in use; empty until they are loaded
    gaps: tuple[Gap, ...] = ()  # times without true pictures so far
    other_models: tuple[UsedModel, ...] = ()  # of the second tracker
    outputs: tuple[OutputFacts, ...] = ()  # those of `Pipeline.add_output`, failed ones included


class Pipeline:
    """Camera to landmarks, live. All methods may be called from any thread.

    `latest`, `health`, `pause`, `configure`, `compare`, `add_output` and `remove_output` return at
    once. `start_recording` touches the disk; `snapshot`, `flag` (about a second) and
    `stop_recording` (a long recording takes seconds) return when their files are complete, and
    raise UserError: call them off a GUI thread.
    """

    def __init__(
        self,
        source: Source,
        config: TrackerConfig,
        make_tracker: MakeTracker = Tracker,
        clock: Callable[[], float] = time.monotonic,
        limits: CameraLimits | None = None,
    ) -> None:
        """Nothing is opened or loaded before `start`. `clock` gives seconds."""
        self._source, self._clock = source, clock
        self._notes = Notes(clock)
        self._slot: Slot[Captured] = Slot()
        self._ring = Ring()
        self._reconnecting = ReconnectingSource(
            source, self._capture, self._spawn, clock, limits, self._gap_ended
        )
        self._tracking = TrackingThread(
            self._slot, config, make_tracker, self._publish, self._notes, clock, self._ready
        )
        self._closing = Event()
        self._lock = Lock()  # guards all below; held for moments only
        self._threads: list[Thread] = []
        self._recorder: Recorder | None = None
        self._live_outputs: dict[str, LiveOutput] = {}
        self._leaving: dict[str, LiveOutput] = {}  # by target, those that were removed last
        self._outputs: tuple[Output, ...] = ()  # all of them, the recorder included
        self.centring = Centring()  # of heads: what is straight ahead for what they steer
        self._shown: Shown | None = None
        self._dead: str | None = None
        self._serial, self._t = 0, 0.0  # of the last captured frame
        self._paused, self._pauses = False, 0
        self._is_loading = True  # the networks: until they are there a file waits at its start
        self._paused_at: float | None = None  # of the frame before a pause that has just ended

    def start(self) -> None:
        """Open the source, load the networks, begin; returns at once."""
        return_large_blocks()
        self._reconnecting.pause(True)
        self._spawn("camera", self._reconnecting.run)
        self._spawn("tracker", self._tracking.run)

    def close(self, timeout: float = 2.0) -> bool:
        """End everything within `timeout` seconds; call once more to wait on.

        False: a thread did not end, since a device or disk does not answer. It is a daemon, so it
        ends with the program, and what was recorded until then is kept as MKV.
        """
        deadline = time.monotonic() + timeout
        self._shut()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in threads)

    def latest(self) -> Shown | None:
        """The newest frame with its results."""
        return self._shown

    @property
    def is_live(self) -> bool:
        """Whether the source may come back when it is lost: a camera or stream, not a file."""
        return self._source.live

    def health(self) -> Health:
        """How everything goes, now."""
        tracking = self._tracking.facts
        recorder = self._recorder
        return Health(
            camera=self._reconnecting.state,
            capture_fps=self._reconnecting.fps,
            network_ms=tracking.network_ms,
            tracker_ms=tracking.tracker_ms,
            dropped=self._slot.dropped,
            provider=", ".join(dict.fromkeys(m.provider for m in tracking.used)),
            threads=max((m.threads for m in tracking.used), default=0),
            lag_ms=tracking.lag_ms,
            recording=None if recorder is None else recorder.facts,
            error=self._dead or self._notes.newest,
            failed_frames=tracking.failed,
            dead=self._dead is not None,
            models=tracking.used,
            other_models=tracking.other_used,
            gaps=self._reconnecting.gaps,
            outputs=tuple(output.facts for output in list(self._live_outputs.values())),
        )

    def pause(self, on: bool) -> None:
        """Hold the picture, or go on. A camera is read on, a file waits where it is."""
        with self._lock:
            if on and not self._paused:
                self._paused_at = self._t
                self._pauses += 1
            self._paused = on
            self._reconnecting.pause(on or self._is_loading)

    def configure(self, config: TrackerConfig) -> None:
        """Track like this as soon as it is loaded; if that fails, Health.error says so."""
        self._tracking.configure(config)

    def compare(self, config: TrackerConfig | None) -> None:
        """Run a second tracker on the same frames (Shown.other), or no more."""
        self._tracking.compare(config)

    def add_output(
        self, target: str, style: Style | None = None, opened: OpenOutput | None = None
    ) -> None:
        """Send results to `target` from now on, such as udp://127.0.0.1:5005 or x.jsonl.

        `tracker.outputs.open.OUTPUTS` lists what there is; `style` is for those that draw. It opens
        at the next frame, on a thread of its own: how that went is in `Health.outputs`. UserError
        where it is no target, or one in use. `opened` opens an output that is in no list.
        """
        opened = find_output(target) if opened is None else opened

        def failed(words: str) -> None:
            self._notes.add(f"output {target}", words)

        with self._lock:
            if self._closing.is_set():
                raise UserError(f"{target} was not opened: the picture has ended; open a camera")
            known = self._live_outputs.get(target)
            if known is not None and not known.ended:
                raise UserError(f"results go to {target} already; remove that one first")
            before = known or self._leaving.pop(target, None)
            output = LiveOutput(target, opened, self._about(style or Style()), failed, before)
            self._live_outputs = {**self._live_outputs, target: output}
            self._list_outputs()
        self._notes.clear(f"output {target}")
        self._spawn(f"output {target}", output.run)

    def remove_output(self, target: str) -> None:
        """Send nothing more to `target`; harmless where nothing is sent to it."""
        with self._lock:
            rest = dict(self._live_outputs)
            output = rest.pop(target, None)
            self._live_outputs = rest
            if output is not None:
                self._leaving[target] = output
            self._list_outputs()
        self._notes.clear(f"output {target}")
        if output is not None:
            output.close(True)

    def start_recording(self, path: Path, annotated: bool, style: Style | None = None) -> None:
        """Record to `path` (ends in .mp4), see `live_recorder.py`; `style` of annotated ones."""
        recorder = Recorder(path, annotated, self._about(style or Style()))
        with self._lock:
            if self._closing.is_set():
                raise UserError(f"{path} was not begun: the picture has ended; open a camera")
            if self._recorder is not None:
                raise UserError(f"{self._recorder.path} is still being recorded; stop that first")
            self._recorder = recorder
            self._list_outputs()
        self._notes.clear("recording")
        self._spawn("recorder", lambda: self._record(recorder))

    def stop_recording(self) -> Path | None:
        """End the recording; the video, or None where there is none. Waits for its files."""
        recorder = self._recorder
        if recorder is None:
            return None
        for gap in self._reconnecting.gaps[-1:]:
            if gap.end is None:
                recorder.gap(gap)
        recorder.stop()
        recorder.done.wait()
        return recorder.saved

    def snapshot(self, folder: Path, style: Style | None = None) -> Path:
        """Save the newest picture, with its landmarks drawn if `style` is given; its path."""
        return save_snapshot(folder, self._newest(None), self._about(style))

    def flag(self, project: Path, shown: Shown | None = None) -> Path:
        """Keep the newest moment, or `shown` of the last second, for labelling; its folder."""
        shown = self._newest(shown)
        frames = self._ring.around(shown, 0.0 if self._paused else AROUND + 0.5)
        return save_flag(project, shown, frames, self._about(None))

    def _capture(self, frame: Frame, part: int) -> None:
        """A frame came, on the camera's thread."""
        now = self._clock()
        with self._lock:
            held = self._paused and self._source.live  # a file waits by itself
            if held or self._closing.is_set():
                return
            self._serial += 1
            serial, self._t, recorder = self._serial, frame.t, self._recorder
            paused_at, self._paused_at = self._paused_at, None
            if self._source.live:  # what comes after a pause is another stream
                part += self._pauses
        if paused_at is not None and recorder is not None:
            recorder.gap(Gap(paused_at, frame.t, "paused", "paused by the user"))
        if recorder is not None and (not recorder.annotated or frame.bgr is None):
            recorder.frame(serial, frame)
        if frame.bgr is not None:
            self._slot.put(Captured(serial, part, frame, now))

    def _gap_ended(self, gap: Gap) -> None:
        recorder = self._recorder
        if recorder is not None:
            recorder.gap(gap)

    def _ready(self) -> None:
        """The networks are loaded, on the tracker's thread."""
        with self._lock:
            self._is_loading = False
            self._reconnecting.pause(self._paused)

    def _publish(self, shown: Shown) -> None:
        """A frame is done, on the tracker's thread."""
        self._shown = shown
        self._ring.add(shown)
        # A file that loops counts anew.
        frame = replace(shown.frame, index=shown.serial, captured=shown.t_capture)
        self.centring.see(shown.result)
        for output in self._outputs:
            output.put(frame, shown.result)

    def _record(self, recorder: Recorder) -> None:
        """The body of a recorder's thread."""
        try:
            recorder.run()
        finally:
            if recorder.error is not None:
                self._notes.add("recording", recorder.error)
            with self._lock:
                self._recorder = None
                self._list_outputs()
            recorder.done.set()

    def _newest(self, shown: Shown | None) -> Shown:
        shown = shown or self._shown
        if shown is None:
            raise UserError("there is no picture yet; wait for the camera")
        return shown

    def _about(self, style: Style | None) -> About:
        used = self._tracking.facts.used
        return About(
            self._source.identity,
            used,
            style,
            used=lambda: self._tracking.facts.used,
            centring=self.centring,
        )

    def _list_outputs(self) -> None:
        """What `_publish` gives frames to; the lock is held."""
        recorder: tuple[Output, ...] = () if self._recorder is None else (self._recorder,)
        self._outputs = (*recorder, *self._live_outputs.values())

    def _spawn(self, name: str, body: Callable[[], None]) -> None:
        def run() -> None:
            try:
                body()
            except Exception as error:  # the thread's top: the screen gets the reason
                self._die(f"{name} ended: {sentence(error)}")

        thread = Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _die(self, reason: str) -> None:
        with self._lock:
            self._dead = self._dead or reason
        self._shut()

    def _shut(self) -> None:
        """Ask every thread to end; returns at once."""
        self._closing.set()
        self._reconnecting.stop()
        self._slot.close()
        self._ring.close()
        with self._lock:
            outputs = self._outputs
        for output in outputs:
            output.close(True)
