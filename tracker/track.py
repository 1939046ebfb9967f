"""The whole data path on one thread: `Tracker.process(frame, t)`; live, detectors run beside it.

Per kind (hands, faces, objects of people's own), `Watch.step` reads top to bottom: look for missing
objects now and then, locate what is followed from its last landmarks and what is new from its
detection, decide which answer belongs to which track, smooth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Self

import numpy as np

from tracker.find.background_detector import BackgroundDetector
from tracker.find.detectors import DETECTORS, Finder
from tracker.find.geometry import bounds_xyxy, box_from_landmarks, overlap_share
from tracker.find.head_pose import lens, with_place
from tracker.find.locate import Model, is_plausible, load_model, locate
from tracker.find.markups import BUNDLED, WEIGHTS
from tracker.find.model_file import bundled_file, model_file, model_name, precise_file
from tracker.find.views import Turns, again, at_lost, detect_in_all, is_plain, whole
from tracker.follow.associate import (
    assign,
    cost_matrix,
    duplicates,
    is_same,
    may_touch,
    object_size,
    side_conflict,
)
from tracker.follow.first_look import (
    from_first_crops,
    from_frame,
    lies_otherwise,
    presence_all_round,
    unknown,
)
from tracker.follow.neutral import Neutral
from tracker.follow.neutral_files import read_face
from tracker.follow.smooth import PRESETS, Preset
from tracker.follow.track_memory import SURE_PRESENCE, Follower, left_probability, quality
from tracker.gestures.naming import motion_names, own_names
from tracker.outputs.skeleton import skeletons
from tracker.result import Result
from tracker.timings import Timings
from tracker.types import CropBox, Detection, Floats, Frame, Image, Kind, Located, Track

# Object sizes within which a lost object may come back as itself: at once, and more per second.
RETURN_DISTANCE, RETURN_SPEED = 1.0, 4.0
FACE_RETURN = 0.8, 2.5  # of faces, from where their motion led
OUT_AGAIN = 0.6  # within this it is seen again in another's crop
ANYWHERE = 1e6  # a limit that no distance reaches
# A find counts at once from this quality (presence times mean score). Below it a hand of a model
# whose probabilities were checked needs this presence in five crops together. What was found in a
# turned or scaled view must be found there again, from the last presence on; such a hand only where
# its mean score is below the next.
CLEAR_QUALITY, SURE_ALL_ROUND, FAIR_SCORE, LIKELY_PRESENCE = 0.85, 0.985, 0.45, 0.9
BETTER = (
    0.1  # in quality: from which a second answer for what is followed takes the place of its own
)
# Share of the smaller box from which what is found is no other hand than the one that is followed
# there, surely or in doubt: two that lie upon one another are told apart when they part.
ONE_HAND, DOUBTFUL_HAND = 0.5, 0.25
# Tiles of a look for small faces, beside the whole frame: live, and in files, whose first look
# takes as many as it needs. See `views.py` for how many there are.
LIVE_TILES, FILE_TILES = 4, 11
LOST_PLACES = 6  # faces lost a moment ago that a look is also made at, at most
SMALL = 0.1  # of the frame's longer side; a smaller face must be seen clearly, or twice
LARGER = 2.0  # times as large, a new face takes the place of a followed one: it is nearer
SURE_CONFLICT = 0.25  # side conflict from which two hands are told apart by it


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
    patience: int = (
        3  # after more missed frames in a row than this, or below presence_on on average
    )
    memory: float = 1.0  # s within which a lost object that comes back keeps its id
    threads: int = 2
    engine: str = "auto"  # of the landmark models, as `engines.choose` calls it
    precision: str = "fp32"  # or 'fp16', 'int8': the file of that form beside each model
    # Of bundled models: 'best', or 'free', which have learnt from nothing that is for research only
    weights: str = "best"
    # Nothing waits: an engine that must be built takes over when it is there, and detectors run on
    # a thread of the tracker's, which `Tracker.close` ends; frames must then stay as they are.
    live: bool = False
    fov: float | None = None  # degrees across the picture, for where a head is; see `head_pose.py`
    # A file of gestures that a person taught (`tracker/gestures/own.py`); they are named beside the
    # model's, and take a model's place where they are surely shown.
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
        if min(self.patience, *spans) < 0:
            raise ValueError(
                "patience, detect_interval, recheck_interval and memory must not be negative"
            )

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


@dataclass(frozen=True, slots=True)
class Fresh:
    """Crops that a look gave."""

    new: Sequence[CropBox] = ()  # of objects that are not followed yet
    others: Sequence[tuple[Follower, CropBox]] = ()  # for those whose own crop it contradicts

    def crops(self) -> list[CropBox]:
        """All of them, in this order."""
        return [*self.new, *(crop for _, crop in self.others)]


class Watch:
    """Follows all objects of one kind."""

    def __init__(
        self,
        config: TrackerConfig,
        model: Model,
        finder: Finder | None,
        ids: Iterator[int],
        timings: Timings,
    ) -> None:
        """The kind is the model's; `ids` gives numbers that no other track has.

        `finder` None: the network looks at the whole frame for what is missing. Live, the finder is
        left to the background detector.
        """
        self.model = model
        self._config, self._finder, self._ids, self._timings = config, finder, ids, timings
        self._looks_itself = finder is None or not config.live
        self._most = config.most(model.info.kind)
        self._tiles = 0
        if model.info.kind == "face" and finder is not None and not config.every_view:
            self._tiles = LIVE_TILES if config.live else FILE_TILES
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.live: list[Follower] = []
        self._lost: list[Follower] = []
        self._looked_at: float | None = None
        self._turns = Turns(self.model.info.kind, self._tiles)
        # Of the last look: was it at most of the frame, upright; at a place that one before showed?
        self._is_plain = self._is_second = False

    def step(self, frame: Image, t: float, seen: Sequence[Detection] | None = None) -> list[Track]:
        """The tracks of one frame, oldest first. `seen`: by a detector beside it."""
        is_first = self._looked_at is None
        if seen is not None:
            fresh = self._judge(frame, seen)
        elif self._looks_itself and self._is_due(t):
            fresh = self._look(frame, t)
        else:
            fresh = Fresh()
        boxes = [follower.next_box(t) for follower in self.live]
        answers = self._located(frame, boxes + fresh.crops())
        with self._timings.stage("smooth"):
            tracks = self._continue(answers[: len(boxes)], t)
            tracks |= self._take_up(fresh, answers[len(boxes) :], frame, t)
            if not (self._config.every_view or (is_first and self._tiles and self._looks_itself)):
                return self._shown(tracks, frame)
        return self._shown(tracks | self._other_views(frame, t), frame)

    def _shown(self, tracks: Mapping[int, Track], frame: Image) -> list[Track]:
        """Those of live followers, oldest first."""
        live = {follower.id for follower in self.live}
        return [self._placed(tracks[i], frame) for i in sorted(tracks) if i in live]

    def _placed(self, track: Track, frame: Image) -> Track:
        """The same; a face of a markup that the average face fits also tells where it is."""
        markup = self.model.info.markup
        if track.pose is None or markup is None or not markup.head_pose:
            return track
        seen_by = lens((frame.shape[1], frame.shape[0]), self._config.fov)
        return replace(track, pose=with_place(track.pose, track.xy, seen_by))

    def views_in_background(self, frame: Image, t: float) -> list[CropBox]:
        """Where the background detector looks next, which counts as a look; empty: nowhere."""
        if self._looks_itself or not self._is_due(t):
            return []
        return self._next_views(frame, t)

    def _located(self, frame: Image, boxes: Sequence[CropBox]) -> list[Located | None]:
        """What the network sees in each box; None where that can be no object."""
        found = locate(frame, boxes, self.model, self._timings)
        return [f if is_plausible(f, frame) else None for f in found]

    def _is_due(self, t: float) -> bool:
        """Is an object missing or in doubt, or unchecked, and the last look long enough ago?"""
        wait = self._config.detect_interval
        if self._has_all():
            if self._finder is None:
                return False
            wait = self._config.recheck_interval
        elif self._turns.has_place:  # at once, and the look after it is so much later
            wait = 0.0
        return self._looked_at is None or t - self._looked_at >= wait - 1e-9

    def _has_all(self) -> bool:
        """Is as much as was asked for surely followed?"""
        return sum(follower.is_sure for follower in self.live) >= self._most

    def _look(self, frame: Image, t: float) -> Fresh:
        """Crops around new objects, centred on the landmarks that a first run of the net gave."""
        views = self._next_views(frame, t)
        if self._finder is None:
            known = self._known()
            room = self._most - len(known)
            return Fresh(from_frame(frame, known, room, self.model, self._timings))
        return self._judge(frame, self._detected(frame, views))

    def _next_views(self, frame: Image, t: float) -> list[CropBox]:
        """The views of the look that is due; the whole frame to check what is surely followed."""
        before, place = self._looked_at, None
        has_all = self._has_all()
        if has_all:
            self._turns.begin_anew()
        else:
            place = self._turns.take_place()
        self._looked_at = t
        if place is not None and before is not None:  # early: the next one is due as it was
            self._looked_at = max(t, before + self._config.detect_interval)
        if has_all:
            views = [whole(frame.shape)]
        else:
            views = [place] if place is not None else self._turns.take(frame.shape)
            views += self._places_of_lost(t)
        self._is_second = place is not None
        self._is_plain = self._shows_plainly(views[0], frame)
        return views

    def _places_of_lost(self, t: float) -> list[CropBox]:
        """Views of where faces that were lost a moment ago should come back."""
        if not self._tiles:
            return []
        lost = [f for f in self._lost if t - f.t <= self._config.memory][-LOST_PLACES:]
        rule, kind = self.model.info.crop, self.model.info.kind
        return [at_lost(box_from_landmarks(kind, f.foretold_xy(t), rule=rule)) for f in lost]

    def _shows_plainly(self, view: CropBox, frame: Image) -> bool:
        """Is what a view shows seldom mistaken? Views of faces all stand upright."""
        return self.model.info.kind == "face" or is_plain(view, frame.shape)

    def _other_views(self, frame: Image, t: float) -> dict[int, Track]:
        """What the other views of a single picture add, while objects are missing in it."""
        tracks: dict[int, Track] = {}
        views = [] if self._finder is None else self._turns.rest(frame.shape)
        while not self._has_all():
            place = self._turns.take_place()
            if place is None and not views:
                break
            view = place or views.pop(0)
            self._is_second = place is not None
            self._is_plain = self._shows_plainly(view, frame)
            fresh = self._judge(frame, self._detected(frame, [view]))
            tracks |= self._take_up(fresh, self._located(frame, fresh.crops()), frame, t)
        return tracks

    def _detected(self, frame: Image, views: Sequence[CropBox]) -> list[Detection]:
        assert self._finder is not None
        with self._timings.stage("detect"):
            return detect_in_all(frame, views, self._finder)

    def _judge(self, frame: Image, detections: Sequence[Detection]) -> Fresh:
        """Crops around those that are not followed yet, or followed in a crop that lies wrong."""
        assert self._finder is not None  # whose detections these are
        known = self._known()
        boxes = [self._finder.first_crop(found) for found in unknown(detections, known)]
        boxes = boxes[: self._most - len(known)] or self._nearer(boxes)
        crops = from_first_crops(frame, boxes, self.model, self._timings)
        return Fresh(crops, self._contradicted(frame, detections))

    def _nearer(self, boxes: Sequence[CropBox]) -> list[CropBox]:
        """First crops that are worth the place of a followed face, since nothing else is left."""
        sides = [follower.crop.side for follower in self.live]
        if self.model.info.kind != "face" or not sides:
            return []
        return [box for box in boxes if box.side > LARGER * min(sides)][:1]

    def _contradicted(
        self, frame: Image, detections: Sequence[Detection]
    ) -> list[tuple[Follower, CropBox]]:
        """Other crops for what is surely followed, where a detection contradicts its own."""
        assert self._finder is not None
        found = []
        for follower in self.live:
            again = [d for d in detections if not unknown([d], [bounds_xyxy(follower.xy)])]
            if follower.is_sure and again:
                first = self._finder.first_crop(again[0])
                boxes = [first] if lies_otherwise(first, follower.crop) else []
                crops = from_first_crops(frame, boxes, self.model, self._timings)
                found += [(follower, crop) for crop in crops]
        return found

    def _known(self) -> list[Floats]:
        """Boxes (4,) xyxy of what is surely followed."""
        return [bounds_xyxy(follower.xy) for follower in self.live if follower.is_sure]

    def _continue(self, answers: Sequence[Located | None], t: float) -> dict[int, Track]:
        """Go on with the live tracks, given what was seen in the crop of each. Tracks by id."""
        own, seen = [], []
        for i, answer in enumerate(answers):
            is_seen = answer is not None and answer.presence >= self._config.presence_off
            if answer is not None and is_seen and not self.live[i].has_drifted(answer):
                own.append(i)
                seen.append(answer)
        known = self.live + self._hidden(t)
        is_lost = np.arange(len(known)) >= len(self.live)
        cost = cost_matrix([(self._due_xy(f, t), f.left_p) for f in known], self._sided(seen), own)
        cost[is_lost[:, None] & (cost > OUT_AGAIN)] = ANYWHERE + 1
        pairs = dict(assign(cost, limit=ANYWHERE))
        repeated = self._repeated(known, {i: seen[j] for i, j in pairs.items()}, t)
        tracks: dict[int, Track] = {}
        live: list[Follower] = []
        for i, follower in enumerate(known):
            if i in pairs and i not in repeated:
                if is_lost[i]:
                    follower.restart()
                tracks[follower.id] = follower.update(seen[pairs[i]], t)
                given_up = follower.presence_mean < self._config.presence_on
            elif is_lost[i]:
                continue
            else:
                if not follower.missed and self._finder is not None:
                    self._turns.look_at(at_lost(follower.crop))
                follower.miss()
                given_up = i in repeated or follower.missed > self._config.patience
            if not given_up:
                live.append(follower)
            elif not is_lost[i]:
                self._lost.append(follower)
                self._turns.begin_anew()
        self.live, self._lost = live, [f for f in self._lost if f not in live]
        return tracks

    def _hidden(self, t: float) -> list[Follower]:
        """Faces that were lost a moment ago: one that comes out behind another shows in its crop,
        and would be taken for it."""
        is_face = self.model.info.kind == "face"
        return [f for f in self._lost if is_face and t - f.t <= self._config.memory]

    def _due_xy(self, follower: Follower, t: float) -> Floats:
        """Where its landmarks should be. Those of faces may have slid onto a face before it."""
        is_face = self.model.info.kind == "face"
        return follower.foretold_xy(t) if is_face else follower.expected_xy(t)

    def _repeated(
        self, known: Sequence[Follower], given: Mapping[int, Located], t: float
    ) -> set[int]:
        """Tracks that converged on another's object: of wrong side, in doubt, or younger."""
        indices = list(given)
        left = self._sided(list(given.values()))
        if may_touch([xy for xy, _ in left]).sum() == len(left):  # each its own box alone
            return set()

        def seniority(k: int) -> tuple[bool, bool, float]:
            follower, answer = known[indices[k]], given[indices[k]]
            doubtful = answer.presence < SURE_PRESENCE
            wrong = side_conflict(follower.left_p, left[k][1]) > SURE_CONFLICT
            if self.model.info.kind == "face":  # the one whose landmarks slid over is the other's
                return wrong, doubtful, follower.course.surprise(t, answer.xy)
            return wrong, doubtful, follower.id

        order = sorted(range(len(indices)), key=seniority)
        rank = [order.index(k) for k in range(len(indices))]
        return {indices[k] for k in duplicates([xy for xy, _ in left], rank)}

    def _take_up(
        self, fresh: Fresh, answers: Sequence[Located | None], frame: Image, t: float
    ) -> dict[int, Track]:
        """Correct what is followed and begin what is new, by what was seen in the fresh crops."""
        least = self._config.presence_on
        sure = [a if a is not None and a.presence >= least else None for a in answers]
        tracks: dict[int, Track] = {}
        for (follower, _), answer in zip(fresh.others, sure[len(fresh.new) :], strict=True):
            least = 0.0 if follower.missed else follower.quality + BETTER
            if answer is not None and follower in self.live and quality(answer) > least:
                tracks[follower.id] = follower.correct(answer, t)
        return tracks | self._begin([a for a in sure[: len(fresh.new)] if a is not None], frame, t)

    def _begin(self, seen: Sequence[Located], frame: Image, t: float) -> dict[int, Track]:
        """Start tracks for new objects; one in doubt, or lost a moment ago, goes on instead."""
        self._lost = [f for f in self._lost if t - f.t <= self._config.memory]
        tracks: dict[int, Track] = {}
        new: list[Located] = []
        for answer in seen:
            sure = [follower for follower in self.live if follower.is_sure]
            is_known = any(is_on_one(answer.xy, follower.xy, ONE_HAND) for follower in sure)
            is_known |= any(is_same(answer.xy, other.xy) for other in new)
            has_room = len(sure) + len(new) < self._most or self._is_nearer(answer)
            if has_room and not is_known and self._is_trusted(answer, frame):
                new.append(answer)
        back = self._returning(new, t)
        for j, answer in enumerate(new):
            follower = back.get(j) or self._new_follower()
            follower.restart()
            tracks[follower.id] = follower.update(answer, t)
            self._lost = [f for f in self._lost if f is not follower]
            self.live = [f for f in self.live if f is not follower] + [follower]
        # A sure newcomer displaces one in doubt where there is no room for both.
        excess = max(len(self.live) - self._most, 0)
        leaving = sorted(self.live, key=lambda f: (f.id in tracks, f.is_sure, self._near(f)))[
            :excess
        ]
        self.live = [f for f in self.live if f not in leaving]
        self._lost += leaving
        return tracks

    def _near(self, follower: Follower) -> float:
        """By size, faces are near; the small one of two that cannot both be followed is left."""
        return object_size(follower.xy) if self.model.info.kind == "face" else 0.0

    def _is_nearer(self, answer: Located) -> bool:
        """Is this a face so much larger than a followed one that it takes its place?"""
        sizes = [self._near(follower) for follower in self.live]
        least = min(sizes, default=np.inf)
        return self.model.info.kind == "face" and object_size(answer.xy) > LARGER * least

    def _is_trusted(self, answer: Located, frame: Image) -> bool:
        """May this begin a track? A hand is seen in more crops; else the next look is at its place.

        Turned and scaled views show much that looks like an object in one of them only.
        """
        info = self.model.info
        if quality(answer) >= CLEAR_QUALITY:
            return True
        is_likely, is_fair = answer.presence >= LIKELY_PRESENCE, self._is_plain
        if info.kind == "face":
            is_fair &= object_size(answer.xy) >= SMALL * max(frame.shape[:2])
        if info.kind == "hand" and info.is_checked:
            look = self.model, self._timings
            if not is_likely or presence_all_round(frame, answer, *look) < SURE_ALL_ROUND:
                return False
            is_fair |= float(answer.score.mean()) >= FAIR_SCORE
        if is_likely and not is_fair and not self._is_second:
            box = box_from_landmarks(answer.kind, answer.xy, rule=info.crop)
            self._turns.look_at(again(box))
        return is_fair or (self._is_second and is_likely)

    def _returning(self, new: Sequence[Located], t: float) -> dict[int, Follower]:
        """Which of the new objects is one that was lost near by, or is followed in doubt."""
        waiting = self._lost + [f for f in self.live if not f.is_sure]
        if not new or not waiting:
            return {}
        is_face = self.model.info.kind == "face"
        places = [f.foretold_xy(t) if is_face else f.xy for f in waiting]
        expected = [(xy, f.left_p) for xy, f in zip(places, waiting, strict=True)]
        cost = cost_matrix(expected, self._sided(new))
        near, speed = FACE_RETURN if is_face else (RETURN_DISTANCE, RETURN_SPEED)
        for i, follower in enumerate(waiting):
            cost[i] /= near + speed * (t - follower.t)
            if follower in self.live and not follower.missed:  # it is seen: only at its own place
                same = [is_on_one(follower.xy, answer.xy, DOUBTFUL_HAND) for answer in new]
                cost[i] = np.where(same, 0.0, np.inf)
        return {j: waiting[i] for i, j in assign(cost, limit=1.0)}

    def _new_follower(self) -> Follower:
        return Follower(next(self._ids), self.model.info, PRESETS[self._config.smooth])

    def _sided(self, found: Sequence[Located]) -> list[tuple[Floats, float | None]]:
        return [(f.xy, left_probability(f, self.model.info)) for f in found]


def is_on_one(a_xy: Floats, b_xy: Floats, share: float) -> bool:
    """Are two sets of landmarks (K, 2) the same, or do their boxes share so much of the smaller?"""
    return is_same(a_xy, b_xy) or overlap_share(bounds_xyxy(a_xy), bounds_xyxy(b_xy)) > share


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
    """The detector of a kind; None where its network looks for itself."""
    load = DETECTORS.get(kind)
    return None if load is None else load(config.threads, config.detect_score)


def _checked_frame(frame: Image) -> Image:
    shape, dtype = getattr(frame, "shape", None), getattr(frame, "dtype", None)
    if shape is None or len(shape) != 3 or shape[2] != 3 or 0 in shape or dtype != np.uint8:
        what = type(frame).__name__ if shape is None else f"{dtype} {tuple(shape)}"
        raise ValueError(f"a frame must be a uint8 array (H, W, 3) in BGR order, got {what}")
    return np.ascontiguousarray(frame)
