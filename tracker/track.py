"""The whole data path on one thread: `Tracker.process(frame, t)`; live, detectors run beside it.

Each kind (hands, faces, objects of people's own) is followed by a `Watch` of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Self

import numpy as np

from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.background_detector import BackgroundDetector
from tracker.find.detectors import DETECTORS, Finder
from tracker.find.locate import Model, load_model
from tracker.find.markups import BUNDLED
from tracker.find.model_file import bundled_file, model_file, model_name, precise_file
from tracker.follow.neutral import Neutral
from tracker.follow.neutral_files import read_face
from tracker.follow.watch import Watch
from tracker.gestures.naming import motion_names, own_names
from tracker.outputs.skeleton import skeletons
from tracker.result import Result
from tracker.timings import Timings
from tracker.types import Frame, Image, Kind, Track


class Tracker:
    """Follows hands, faces and objects through one stream.

    All methods are for one thread. A live one is to be closed (see `TrackerConfig.live`), as `with
    Tracker(...) as tracker:` does.
    """

    def __init__(
        self,
        config: TrackerConfig | None = None,
        models: Mapping[Kind, Model] | None = None,
        detectors: Mapping[Kind, Finder] | None = None,
    ) -> None:
        """Loads what `config` names; `models` and `detectors` take their place where given."""
        self.config = config or TrackerConfig()
        self.timings = Timings()
        self._t: float | None = None
        own = None if self.config.gestures is None else Path(self.config.gestures)
        if own is not None and not self.config.live and not own.is_file():
            raise UserError(f"there is no file of gestures at {own}; give one, or gestures=None")
        self._own = None if own is None else own_names(own)
        is_told = self.config.motions and self.config.hands
        self._motions = motion_names(own, self.config.facing) if is_told else None
        rest = None if self.config.neutral is None else read_face(Path(self.config.neutral))
        ids = count(1)
        self._watches: dict[Kind, Watch] = {}
        finders: dict[Kind, Finder] = {}
        for kind in self.config.kinds:
            model = (models or {}).get(kind) or model_of(kind, self.config)
            finder = (detectors or {}).get(kind) or finder_of(kind, self.config)
            self._watches[kind] = Watch(self.config, model, finder, ids, self.timings)
            if finder is not None:
                finders[kind] = finder
        infos = [watch.model.info for watch in self._watches.values()]
        self._skeletons = skeletons(infos)
        self._neutral = Neutral(rest) if rest is not None and rest.is_of(infos) else None
        # Last, since whatever fails before it leaves no thread behind.
        self._background = (
            BackgroundDetector(finders, self.timings) if self.config.live and finders else None
        )

    def __enter__(self) -> Self:
        """The tracker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """One line: what is followed, by which models, on what they run."""
        parts = [
            f"{kind}: {'a model' if model.path is None else model_name(model.path)} "
            f"on {model.engine.provider}"
            for kind, model in self.models.items()
        ]
        return f"Tracker({', '.join(parts)})"

    @property
    def models(self) -> dict[Kind, Model]:
        """The landmark models in use, with their engines and descriptions."""
        return {kind: watch.model for kind, watch in self._watches.items()}

    @property
    def lag_ms(self) -> float:
        """By how much the smoothed landmarks trail the raw ones at present, at worst."""
        lags = (follower.lag_ms for watch in self._watches.values() for follower in watch.live)
        return max(lags, default=0.0)

    def process(self, frame_bgr: Image, t: float) -> Result:
        """What is seen in an (H, W, 3) uint8 BGR frame of time t (seconds, never falling).

        Tracks are in the order of the kinds, the oldest first. ValueError: another kind of array,
        no finite time, or one that fell. Raises also what a detector raised; live, at a later
        frame than the one it was looking at.
        """
        frame = _checked_frame(frame_bgr)
        if not np.isfinite(t):
            raise ValueError(f"a frame needs a time in seconds, got {t}")
        if self._t is not None and t < self._t:
            raise ValueError(
                f"time went back from {self._t:.3f} s to {t:.3f} s; call reset() at a new stream"
            )
        self._t = t
        self.timings.frames += 1
        seen = {} if self._background is None else self._background.take(t)
        tracks: list[Track] = []
        for kind, watch in self._watches.items():
            tracks += watch.step(frame, t, seen.get(kind))
        for names in (self._own, self._motions):
            if names is not None:
                with self.timings.stage("smooth"):
                    tracks = names.named(tracks, t)
        if self._neutral is not None:
            with self.timings.stage("smooth"):
                tracks = self._neutral.subtracted(tracks, t)
        self._ask_background(frame, t)
        return Result(t, tuple(tracks), self._skeletons)

    def video(
        self, path: str | Path, progress: bool | Callable[[int, int | None], object] = False
    ) -> Iterator[tuple[Frame, Result]]:
        """Each frame of a video file, upright, in order, with what is seen in it.

        Begins like a new stream (`reset`). Nothing is dropped; `Frame.bgr` is (H, W, 3) uint8 BGR
        and `Frame.t` seconds from the file's time stamps. A frame that could not be decoded has
        `bgr` None and a result without tracks. `progress` True: a bar on standard error; or what
        is called with (frames done, frames in all or None where the file does not say).
        Raises UserError, before the first frame, where the file is missing or holds no video.
        """
        from tracker.files.frame_results import frame_results

        self.reset()
        return frame_results(self.process, Path(path), progress)

    def reset(self) -> None:
        """Forget tracks and time, at the start of another stream. Ids and timings go on."""
        self._t = None
        if self._background is not None:
            self._background.forget()
        for watch in self._watches.values():
            watch.reset()
        for names in (self._own, self._motions):
            if names is not None:
                names.reset()
        if self._neutral is not None:
            self._neutral.reset()

    def close(self) -> None:
        """End the thread of a live tracker, which takes no more frames then; else do nothing."""
        if self._background is not None:
            self._background.close()

    def _ask_background(self, frame: Image, t: float) -> None:
        """Let it look for what is missing; now that this frame is done, cores are free for it."""
        if self._background is None or self._background.busy:
            return
        views = {kind: watch.views_in_background(frame, t) for kind, watch in self._watches.items()}
        due = {kind: wanted for kind, wanted in views.items() if wanted}
        if due:
            self._background.ask(frame, t, due)


def model_at(path: str | Path, config: TrackerConfig) -> Model:
    """A landmark model, or the newest of a project, in the engine and precision of `config`.

    Raises what `load_model` and `precise_file` raise, UserError where a project has none.
    """
    path = precise_file(model_file(path), config.precision)
    return load_model(path, config.threads, config.engine, config.live)


def model_of(kind: Kind, config: TrackerConfig) -> Model:
    """The landmark model of a kind that `config` names, else the bundled one. ValueError: none."""
    asked = config.model(kind)
    if asked is None and kind not in BUNDLED:
        raise ValueError(f"no model of {kind}s comes with this program; give one of yours")
    model = model_at(bundled_file(kind, config.weights) if asked is None else asked, config)
    if model.info.kind != kind:
        raise ValueError(f"{model.path} is a {model.info.kind} model, a {kind} model was wanted")
    return model


def finder_of(kind: Kind, config: TrackerConfig) -> Finder | None:
    """The detector of a kind; None where its network looks for itself. Beside a live tracker it has
    one thread, its own: others would take turns with the network's.
    """
    load = DETECTORS.get(kind)
    threads = 1 if config.live else config.threads
    return None if load is None else load(threads, config.detect_score)


def _checked_frame(frame: Image) -> Image:
    shape, dtype = getattr(frame, "shape", None), getattr(frame, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
        what = type(frame).__name__ if shape is None else f"{dtype} {tuple(shape)}"
        raise ValueError(f"a frame must be a uint8 array (H, W, 3) in BGR order, got {what}")
    return np.ascontiguousarray(frame)
