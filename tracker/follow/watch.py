"""Following all objects of one kind: hands, faces, or objects of people's own.

`Watch.step` reads top to bottom: look for missing objects now and then, locate what is followed
from its last landmarks and what is new from its detection, decide which answer belongs to which
track, smooth.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tracker.config import TrackerConfig
from tracker.find.detectors import Finder
from tracker.find.geometry import bounds_xyxy, box_from_landmarks, overlap_share
from tracker.find.head_pose import Lens, lens
from tracker.find.locate import Model, is_plausible, locate
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
from tracker.follow.smooth import PRESETS
from tracker.follow.track_memory import SURE_PRESENCE, Follower, left_probability, quality
from tracker.timings import Timings
from tracker.types import CropBox, Detection, Floats, Image, Located, Track

# Object sizes within which a lost object may come back as itself: at once, and more per second.
RETURN_DISTANCE, RETURN_SPEED = 1.0, 4.0
FACE_RETURN = 0.8, 2.5  # of faces, from where their motion led
OUT_AGAIN = 0.6  # within this it is seen again in another's crop
ANYWHERE = 1e6  # a limit that no distance reaches
# A find counts at once from this quality (presence times mean score). Below it a hand of a model
# whose probabilities were checked needs this presence in five crops together. What was found in a
# turned or scaled view must be found there again, from the last presence on; such a hand only where
# its mean score is below the next.
CLEAR_QUALITY, SURE_ALL_ROUND, FAIR_SCORE, LIKELY_PRESENCE = 0.85, 0.96, 0.45, 0.8
# In quality: from which a second answer for what is followed takes the place of its own.
BETTER = 0.1
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
class Fresh:
    """Crops that a look gave."""

    new: Sequence[CropBox] = ()  # of objects that are not followed yet
    others: Sequence[tuple[Follower, CropBox]] = ()  # for those whose own crop it contradicts
    beyond: Sequence[Detection] = ()  # what it found beside, for which there was no room
    views: Sequence[CropBox] = ()  # that it took

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
        self._seen_by: Lens | None = None  # how the camera of the present frame sees, for faces

    def step(self, frame: Image, t: float, seen: Sequence[Detection] | None = None) -> list[Track]:
        """The tracks of one frame, oldest first. `seen`: by a detector beside it."""
        is_first = self._looked_at is None
        self._seen_by = self._lens(frame)
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
                return self._shown(tracks)
        before = fresh if self._tiles else Fresh()
        return self._shown(tracks | self._other_views(before, frame, t))

    def _shown(self, tracks: Mapping[int, Track]) -> list[Track]:
        """Those of live followers that are whole, oldest first."""
        whole = {follower.id for follower in self.live if follower.is_whole}
        return [tracks[i] for i in sorted(tracks) if i in whole]

    def _lens(self, frame: Image) -> Lens | None:
        """A face of a markup that the average face fits also tells where it is."""
        markup = self.model.info.markup
        if markup is None or not markup.head_pose:
            return None
        return lens((frame.shape[1], frame.shape[0]), self._config.fov)

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
        return replace(self._judge(frame, self._detected(frame, views)), views=views)

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
        lost = self._remembered(t)[-LOST_PLACES:]
        rule, kind = self.model.info.crop, self.model.info.kind
        return [at_lost(box_from_landmarks(kind, f.foretold_xy(t), rule=rule)) for f in lost]

    def _shows_plainly(self, view: CropBox, frame: Image) -> bool:
        """Is what a view shows seldom mistaken? Views of faces all stand upright."""
        return self.model.info.kind == "face" or is_plain(view, frame.shape)

    def _other_views(self, before: Fresh, frame: Image, t: float) -> dict[int, Track]:
        """What the other views of a single picture add, while objects are missing in it.

        `before`: a look of tiles at it; first comes what that found and there was no room for.
        """
        tracks: dict[int, Track] = {}
        beyond = before.beyond
        views = [] if self._finder is None else self._turns.rest(frame.shape, before.views)
        while not self._has_all():
            place = self._turns.take_place()
            self._is_second = place is not None
            if place is None and beyond:
                fresh = self._judge(frame, beyond)
                beyond = fresh.beyond
            elif place is not None or views:
                view = place or views.pop(0)
                self._is_plain = self._shows_plainly(view, frame)
                fresh = self._judge(frame, self._detected(frame, [view]))
            else:
                break
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
        found, room = unknown(detections, known), self._most - len(known)
        boxes = [self._finder.first_crop(one) for one in found]
        boxes = boxes[:room] or self._nearer(boxes)
        crops = from_first_crops(frame, boxes, self.model, self._timings)
        return Fresh(crops, self._contradicted(frame, detections), found[room:])

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
        known, count = self.live + self._hidden(t), len(self.live)
        pairs = self._paired(known, seen, own, t)
        repeated = self._repeated(known, {i: seen[j] for i, j in pairs.items()}, t)
        tracks: dict[int, Track] = {}
        live: list[Follower] = []
        for i, follower in enumerate(known):
            is_lost = i >= count
            if i in pairs and i not in repeated:
                if is_lost:
                    follower.restart()
                tracks[follower.id] = follower.update(seen[pairs[i]], t, self._seen_by)
                given_up = follower.presence_mean < self._config.presence_on
            elif is_lost:
                continue
            else:
                if not follower.missed and self._finder is not None:
                    self._turns.look_at(at_lost(follower.crop))
                follower.miss()
                given_up = i in repeated or follower.missed > self._config.patience
            if not given_up:
                live.append(follower)
            elif not is_lost:
                self._lost.append(follower)
                self._turns.begin_anew()
        self.live, self._lost = live, [f for f in self._lost if f not in live]
        return tracks

    def _paired(
        self, known: Sequence[Follower], seen: Sequence[Located], own: Sequence[int], t: float
    ) -> dict[int, int]:
        """Which of the live tracks, and of the lost ones after them, goes on with what was seen."""
        if len(known) == len(seen) == len(self.live) == 1:  # nothing to choose, however far it went
            return {0: 0}
        cost = cost_matrix([(self._due_xy(f, t), f.left_p) for f in known], self._sided(seen), own)
        is_lost = np.arange(len(known)) >= len(self.live)
        cost[is_lost[:, None] & (cost > OUT_AGAIN)] = ANYWHERE + 1
        return dict(assign(cost, limit=ANYWHERE))

    def _hidden(self, t: float) -> list[Follower]:
        """Faces that were lost a moment ago: one that comes out behind another shows in its crop,
        and would be taken for it."""
        return self._remembered(t) if self.model.info.kind == "face" else []

    def _remembered(self, t: float) -> list[Follower]:
        """Those lost so short a time ago that they may come back as themselves."""
        return [f for f in self._lost if t - f.t <= self._config.memory]

    def _due_xy(self, follower: Follower, t: float) -> Floats:
        """Where its landmarks should be. Those of faces may have slid onto a face before it."""
        is_face = self.model.info.kind == "face"
        return follower.foretold_xy(t) if is_face else follower.expected_xy(t)

    def _repeated(
        self, known: Sequence[Follower], given: Mapping[int, Located], t: float
    ) -> set[int]:
        """Tracks that converged on another's object: of wrong side, in doubt, or younger."""
        if len(given) < 2:
            return set()
        indices = list(given)
        left = self._sided(list(given.values()))
        touching = may_touch([xy for xy, _ in left])
        if touching.sum() == len(left):  # each its own box alone
            return set()

        def seniority(k: int) -> tuple[bool, bool, float]:
            follower, answer = known[indices[k]], given[indices[k]]
            doubtful = answer.presence < SURE_PRESENCE
            wrong = side_conflict(follower.left_p, left[k][1]) > SURE_CONFLICT
            if self.model.info.kind == "face":  # the one whose landmarks slid over is the other's
                return wrong, doubtful, follower.surprise(t, answer.xy)
            return wrong, doubtful, follower.id

        order = sorted(range(len(indices)), key=seniority)
        rank = [order.index(k) for k in range(len(indices))]
        return {indices[k] for k in duplicates([xy for xy, _ in left], rank, touching)}

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
                tracks[follower.id] = follower.correct(answer, t, self._seen_by)
        return tracks | self._begin([a for a in sure[: len(fresh.new)] if a is not None], frame, t)

    def _begin(self, seen: Sequence[Located], frame: Image, t: float) -> dict[int, Track]:
        """Start tracks for new objects; one in doubt, or lost a moment ago, goes on instead."""
        self._lost = self._remembered(t)
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
            tracks[follower.id] = follower.update(answer, t, self._seen_by)
            self._lost = [f for f in self._lost if f is not follower]
            self.live = [f for f in self.live if f is not follower] + [follower]
        # A sure newcomer displaces one in doubt where there is no room for both.
        excess = len(self.live) - self._most
        if excess > 0:
            by_doubt = sorted(self.live, key=lambda f: (f.id in tracks, f.is_sure, self._near(f)))
            self.live = [f for f in self.live if f not in by_doubt[:excess]]
            self._lost += by_doubt[:excess]
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
