"""First guesses for the labeller: landmarks that a person only has to correct.

What guesses is, in this order: a model file that was asked for, the project's newest model, the
bundled model of the project's kind where they share landmark names. A model with other landmarks
than the project fills in those of the same name.

A guessed point of score 0.5 or more is v = 2. Below that it is v = 1, drawn hollow as everywhere:
what the network is unsure of is hidden more often than not, and there the person shall look; moving
or confirming it is theirs. Points outside the frame are left unlabelled (v = 0), never clipped.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.checkup.peers import HandPoints
from tracker.config import TrackerConfig
from tracker.errors import UserError
from tracker.find.detectors import Finder
from tracker.find.geometry import box_from_landmarks
from tracker.find.locate import Model, is_plausible, load_model, locate
from tracker.find.markups import BUNDLED, find_markup
from tracker.find.model_file import bundled_file, model_file, own_model
from tracker.follow.associate import is_same
from tracker.track import Tracker
from tracker.types import CropBox, Floats, Image, Kind, Located
from train.project.labels import ObjectLabel, box_of
from train.project.layout import Project
from train.project.object_crops import KEPT_PRESENCE, TURNS, crop_of_box, is_by_box, is_turned
from train.suggest import unsure

SURE = 0.5  # score from which a guessed point counts as visible
SETTLE_S = 0.04  # the same frame is seen again so much later, in the crop that the first look gave
BUNDLE_VARIABLE = "LANDMARK_TRACKER_HAND_BUNDLE"  # where hand_landmarker.task lies


def current_model(
    project: Project, asked: str | Path | None = None, threads: int = 2
) -> Model | None:
    """The model that guesses for a project; None where there is none yet.

    UserError when a file cannot be loaded, or finds another kind of object.
    """
    path = Path(asked) if asked is not None else own_model(project.root)
    if path is None:
        return _bundled(project, threads)
    try:
        model = load_model(model_file(path), threads)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    if model.info.kind != project.kind:
        raise UserError(
            f"{path} finds {model.info.kind}s and {project.root.name} labels {project.kind}s; give "
            f"a model of {project.kind}s"
        )
    return model


def _bundled(project: Project, threads: int) -> Model | None:
    if project.kind not in BUNDLED:
        return None
    model = load_model(bundled_file(project.kind), threads)
    return model if shared_landmarks(project, model.info.landmarks) else None


def shared_landmarks(project: Project, names: Sequence[str]) -> list[tuple[int, int]]:
    """(index in the project, index in `names`) of the landmarks that have the same name."""
    at = {name: j for j, name in enumerate(names)}
    return [(i, at[name]) for i, name in enumerate(project.landmarks) if name in at]


def tracker_of(model: Model, most: int, finder: Finder | None = None) -> Tracker:
    """A tracker of the model's kind alone, without smoothing, that has seen nothing yet."""
    kind: Kind = model.info.kind
    config = TrackerConfig(
        hands=kind == "hand", faces=kind == "face", objects=kind == "object",
        max_hands=most, max_faces=most, max_objects=most, smooth="off", threads=1,
    )  # fmt: skip
    finders = {} if finder is None else {kind: finder}
    return Tracker(config, {kind: model}, finders)


class Guesser:
    """Guesses the objects of frames, each frame for itself. One thread."""

    def __init__(
        self,
        project: Project,
        model: Model | None,
        most: int = 2,
        finder: Finder | None = None,
        bundle: Path | None = None,
    ) -> None:
        """`most` objects a frame. `bundle`: MediaPipe's hand_landmarker.task; else the environment
        variable LANDMARK_TRACKER_HAND_BUNDLE names it. `finder` takes the place of the detector.
        """
        self.model = model
        self._project, self._most, self._bundle = project, most, bundle
        self._pairs = [] if model is None else shared_landmarks(project, model.info.landmarks)
        self._tracker = tracker_of(model, most, finder) if model is not None else None
        self._hands: HandPoints | None = None
        self._finder = finder
        self._eager: Finder | None = None  # a detector with a low limit, once it is needed

    @property
    def landmarks(self) -> tuple[str, ...]:
        """The names it can guess; () where there is no model, or none that fits."""
        return tuple(self._project.landmarks[i] for i, _ in self._pairs)

    def guess(self, frame_bgr: Image) -> tuple[ObjectLabel, ...]:
        """The objects of an (H, W, 3) frame, from left to right, numbered from 1."""
        if self._tracker is None or not self._pairs:
            return ()
        self._tracker.reset()
        first = self._tracker.process(frame_bgr, 0.0).tracks
        tracks = self._tracker.process(frame_bgr, SETTLE_S).tracks or first
        ordered = sorted(tracks, key=lambda k: float(k.xy_raw[:, 0].mean()))
        return tuple(
            self._label(i + 1, k.xy_raw, k.score, frame_bgr) for i, k in enumerate(ordered)
        )

    def guess_near(self, frame_bgr: Image, near: Sequence[ObjectLabel]) -> tuple[ObjectLabel, ...]:
        """The same for a frame whose neighbours are labelled: `near` says where the objects should
        be (see `expected`) and what their ids are. Objects found besides get new ids.
        """
        followed = self._follow(frame_bgr, near)
        room = self._most - len(followed)
        if room <= 0:
            return followed
        taken = [o.xy[o.v > 0] for o in followed]
        new = [
            o for o in self.guess(frame_bgr)
            if len(o.xy[o.v > 0]) and not any(_overlaps(o.xy[o.v > 0], xy) for xy in taken)
        ][:room]  # fmt: skip
        return followed + _renumbered(new, near, followed)

    def guess_something(
        self, frame_bgr: Image, near: Sequence[ObjectLabel] = (), last: ObjectLabel | None = None
    ) -> tuple[ObjectLabel, ...]:
        """`guess_near`, and where that finds nothing one object of source UNSURE: see unsure.py.

        `last`: the object where it was seen last, however long ago.
        """
        found = self.guess_near(frame_bgr, near) if near else self.guess(frame_bgr)
        if any((o.v > 0).any() for o in found):
            return found
        last = near[0] if near else last
        best = None
        if self.model is not None and self._pairs:
            if self._eager is None and self._finder is None:
                self._eager = unsure.low_finder(self.model.info.kind)
            whole = len(self._pairs) == len(self.model.info.landmarks)
            crops = self._crops(self.model, last) if last is not None and whole else []
            finder = self._finder or self._eager
            boxes = unsure.places(frame_bgr, self.model, finder, crops)
            best = unsure.best_of(frame_bgr, self.model, boxes)
        count = len(self._project.landmarks)
        made = unsure.placed(best, last, self._pairs, count, frame_bgr)
        return () if made is None else (made,)

    def guess_in(self, frame_bgr: Image, found: ObjectLabel) -> ObjectLabel | None:
        """An object with the points that are seen in its box; what was labelled of it stays.

        None where nothing is seen there.
        """
        xy, v = np.full_like(found.xy, np.nan), np.zeros_like(found.v)
        seen = self._follow(frame_bgr, [ObjectLabel(found.id, xy, v, box_of(found), "model")])
        if not seen:
            return None
        known = found.v > 0
        points = np.where(known[:, None], found.xy, seen[0].xy).astype(np.float32)
        flags = np.where(known, found.v, seen[0].v).astype(np.uint8)
        return ObjectLabel(found.id, points, flags, found.box_xyxy, "model")

    def from_mediapipe(self, frame_bgr: Image) -> tuple[ObjectLabel, ...]:
        """What MediaPipe's HandLandmarker sees; every point v = 2, since it gives no scores.

        UserError, in one sentence, where it cannot: no bundle, no package, not hands.
        """
        pairs = self._mediapipe_pairs()
        if self._hands is None:
            self._hands = HandPoints(self._bundle_path(), self._most)
        objects: list[ObjectLabel] = []
        for xy in sorted(self._hands.find(frame_bgr), key=lambda p: float(p[:, 0].mean())):
            score = np.ones(len(xy), np.float32)
            points, v = mapped(xy, score, pairs, len(self._project.landmarks), frame_bgr)
            objects.append(ObjectLabel(len(objects) + 1, points, v, None, "mediapipe"))
        return tuple(objects)

    def close(self) -> None:
        """Give MediaPipe's memory back, where it was used."""
        if self._hands is not None:
            self._hands.close()
            self._hands = None

    def _mediapipe_pairs(self) -> list[tuple[int, int]]:
        names = find_markup("hand21").landmarks if self._project.kind == "hand" else ()
        pairs = shared_landmarks(self._project, names)
        if not pairs:
            raise UserError(
                "MediaPipe can label hands with the landmarks of hand21 only (its 468 face points "
                f"are not those of face68), and this project labels {self._project.kind}s with "
                "others; label some frames by hand and run 'train finetune'"
            )
        return pairs

    def _bundle_path(self) -> Path:
        named = self._bundle or os.environ.get(BUNDLE_VARIABLE)
        if not named:
            raise UserError(
                "MediaPipe needs its bundle hand_landmarker.task, which is not part of this "
                f"program; download it and name its path in {BUNDLE_VARIABLE}"
            )
        return Path(named)

    def _follow(self, frame: Image, near: Sequence[ObjectLabel]) -> tuple[ObjectLabel, ...]:
        """The objects of `near` where the network still sees them."""
        model = self.model
        if model is None or len(self._pairs) < len(model.info.landmarks):
            return ()  # the crop of this model cannot be told from the project's landmarks
        tries = [(o, box) for o in near for box in self._crops(model, o)]
        first = locate(frame, [box for _, box in tries], model)
        best: dict[int, tuple[ObjectLabel, Located]] = {}
        for (o, _), f in zip(tries, first, strict=True):
            better = o.id not in best or _trust(f) > _trust(best[o.id][1])
            if better and self._is_there(f, frame):
                best[o.id] = (o, f)
        kept = list(best.values())
        boxes = [box_from_landmarks(f.kind, f.xy, rule=model.info.crop) for _, f in kept]
        second = locate(frame, boxes, model)
        return tuple(
            self._label(o.id, f.xy, f.score, frame)
            for (o, _), f in zip(kept, second, strict=True)
            if self._is_there(f, frame)
        )

    def _crops(self, model: Model, near: ObjectLabel) -> list[CropBox]:
        """Where to look for an object: around its points, or in its box, turned in each way.

        A box does not tell how a hand is turned, and a network wants it upright.
        """
        kind, rule = model.info.kind, model.info.crop
        if (near.v > 0).sum() >= 2 and not is_by_box(near):
            return [box_from_landmarks(kind, self._of_model(near), rule=rule)]
        if near.box_xyxy is None:
            return []
        turns = TURNS if is_turned(kind, rule) else TURNS[:1]
        return [crop_of_box(kind, near, rule, turn) for turn in turns]

    def _is_there(self, found: Located, frame: Image) -> bool:
        return found.presence >= KEPT_PRESENCE and is_plausible(found, frame)

    def _of_model(self, label: ObjectLabel) -> Floats:
        assert self.model is not None
        xy = np.full((len(self.model.info.landmarks), 2), np.nan, np.float32)
        for i, j in self._pairs:
            xy[j] = label.xy[i]
        return xy

    def _label(self, number: int, xy: Floats, score: Floats, frame: Image) -> ObjectLabel:
        points, v = mapped(xy, score, self._pairs, len(self._project.landmarks), frame)
        return ObjectLabel(number, points, v, None, "model")


def mapped(
    xy: Floats, score: Floats, pairs: Sequence[tuple[int, int]], count: int, frame: Image
) -> tuple[Floats, NDArray[np.uint8]]:
    """The project's `count` landmarks (count, 2) and v (count,) from a model's (K, 2) and (K,)."""
    h, w = frame.shape[:2]
    points, v = np.full((count, 2), np.nan, np.float32), np.zeros(count, np.uint8)
    for i, j in pairs:
        if np.isfinite(xy[j]).all() and 0 <= xy[j, 0] <= w - 1 and 0 <= xy[j, 1] <= h - 1:
            points[i], v[i] = xy[j], 2 if score[j] >= SURE else 1
    return points, v


def _trust(found: Located) -> float:
    """How well a crop fits: a hand that lies across is seen, but badly."""
    return found.presence * float(found.score.mean())


def _overlaps(a_xy: Floats, b_xy: Floats) -> bool:
    """Is it one object? Compares the boxes alone where the points differ in number."""
    n = min(len(a_xy), len(b_xy))
    return n > 0 and (is_same(a_xy, b_xy) if len(a_xy) == len(b_xy) else _share(a_xy, b_xy) > 0.5)


def _share(a_xy: Floats, b_xy: Floats) -> float:
    low = np.maximum(a_xy.min(0), b_xy.min(0))
    high = np.minimum(a_xy.max(0), b_xy.max(0))
    smaller = min(float(np.ptp(p, axis=0).prod()) for p in (a_xy, b_xy))
    return float(np.clip(high - low, 0, None).prod()) / max(smaller, 1e-9)


def _renumbered(
    new: Sequence[ObjectLabel], near: Sequence[ObjectLabel], taken: Sequence[ObjectLabel]
) -> tuple[ObjectLabel, ...]:
    """New objects with the ids of the neighbours' nearest ones that are free, else unused ids."""
    free = {o.id: o for o in near if o.id not in {k.id for k in taken} and (o.v > 0).any()}
    used = {o.id for o in (*near, *taken)}
    out = []
    for o in new:
        middle = np.nanmean(o.xy, 0)
        nearest = min(
            free, key=lambda i: float(np.linalg.norm(np.nanmean(free[i].xy, 0) - middle)),
            default=None,
        )  # fmt: skip
        number = max(used, default=0) + 1 if nearest is None else nearest
        free.pop(number, None)
        used.add(number)
        out.append(ObjectLabel(number, o.xy, o.v, o.box_xyxy, o.source))
    return tuple(out)
