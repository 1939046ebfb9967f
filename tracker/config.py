"""How a tracker follows: what for, with which models, how fast and how smooth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

from tracker.find.head_pose import lens
from tracker.find.markups import WEIGHTS, Weights
from tracker.follow.smooth import PRESETS, Preset
from tracker.types import Kind


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """What to follow and how. A model is a file, or a project folder: its newest one.

    A hand or face model None is the bundled one; there is none for objects. `objects` None: follow
    them where `object_model` is given.
    """

    hands: bool = True
    faces: bool = True
    objects: bool | None = None
    max_hands: int = 2
    max_faces: int = 1
    max_objects: int = 1
    hand_model: str | Path | None = None
    face_model: str | Path | None = None
    object_model: str | Path | None = None
    smooth: Preset = "light"
    detect_interval: float = 0.2  # s of stream time between two looks for what is missing,
    recheck_interval: float = 2.0  # and between two at what is followed, while nothing is missing
    every_view: bool = False  # a look takes all its views at once: for single pictures
    detect_score: float = 0.5
    presence_on: float = 0.5  # a new object needs this much,
    presence_off: float = 0.5  # a followed one is missed below this; it is given up
    # after more missed frames in a row than this, or below presence_on on average
    patience: int = 3
    memory: float = 1.0  # s within which a lost object that comes back keeps its id
    threads: int = 2
    engine: str = "auto"  # of the landmark models, as `engines.choose` calls it
    precision: str = "fp32"  # or 'fp16', 'int8': the file of that form beside each model
    # Of bundled models: 'best', or 'free', which have learnt from nothing that is for research only
    weights: Weights = "best"
    # Nothing waits: an engine that must be built takes over when it is there, and detectors run on
    # a thread of the tracker's, which `Tracker.close` ends; frames must then stay as they are.
    live: bool = False
    fov: float | None = None  # degrees across the picture, for where a head is; see `head_pose.py`
    # A file of gestures that a person taught (`tracker/gestures/own.py`); they are named beside the
    # model's, and take a model's place where they are surely shown. It must be there, but for a
    # live tracker, which may be taught later.
    gestures: str | Path | None = None
    # A file of a person's face at rest (`tracker/follow/neutral_files.py`), subtracted from the
    # expressions of faces that are taken for that person's.
    neutral: str | Path | None = None
    motions: bool = True  # tell motions of hands: swipes, waves, circles and a person's own
    # The camera faces the person, so that left is their own left, as in a mirror. False: it sees
    # what they see, and left is the picture's left.
    facing: bool = True

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        lens((1, 1), self.fov)
        for name in ("max_hands", "max_faces", "max_objects", "patience", "threads"):
            if not isinstance(getattr(self, name), Integral):
                raise ValueError(f"{name} is {getattr(self, name)!r}; give a whole number")
        if not self.kinds:
            raise ValueError(
                "nothing to track: switch on hands, faces or both, or give a model of objects"
            )
        if min(self.max_hands, self.max_faces, self.max_objects) < 1:
            raise ValueError(
                f"max_hands {self.max_hands}, max_faces {self.max_faces} and max_objects "
                f"{self.max_objects} must be 1 or more; switch a kind off with hands=False or "
                "faces=False"
            )
        if self.smooth not in PRESETS:
            raise ValueError(f"smooth is {self.smooth!r}; choose one of {', '.join(PRESETS)}")
        if self.weights not in WEIGHTS:
            raise ValueError(f"weights is {self.weights!r}; choose one of {', '.join(WEIGHTS)}")
        spans = (self.detect_interval, self.recheck_interval, self.memory)
        if not all(number >= 0 for number in (self.patience, *spans)):  # NaN is not
            raise ValueError(
                "patience, detect_interval, recheck_interval and memory must be numbers and must "
                "not be negative"
            )
        for name in ("detect_score", "presence_on", "presence_off"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}; give a number, 0 to 1")

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What is followed."""
        objects = self.object_model is not None if self.objects is None else self.objects
        on: dict[Kind, bool] = {"hand": self.hands, "face": self.faces, "object": objects}
        return tuple(kind for kind, is_on in on.items() if is_on)

    def most(self, kind: Kind) -> int:
        """How many of a kind are followed at most."""
        return {"hand": self.max_hands, "face": self.max_faces, "object": self.max_objects}[kind]

    def model(self, kind: Kind) -> str | Path | None:
        """The model of a kind that was asked for."""
        asked = {"hand": self.hand_model, "face": self.face_model, "object": self.object_model}
        return asked[kind]

    def with_model(self, kind: Kind, path: str | Path | None) -> TrackerConfig:
        """The same with another model of a kind."""
        return replace(self, **{f"{kind}_model": path})  # type: ignore[arg-type]
