from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.drawn import (
    SHAPE,
    SIZE,
    BlobEngine,
    BlobFinder,
    blob_info,
    centroid_onnx,
    draw_blobs,
)
from tracker import Tracker, TrackerConfig
from tracker.files.image_job import read_image
from tracker.find.head_pose import RIGID, face_xyz
from tracker.find.locate import Model
from tracker.find.model_file import Attribute
from tracker.follow.watch import is_on_one
from tracker.result import Result
from tracker.types import CropBox, Detection, Located, Track

HANDS = TrackerConfig(faces=False, smooth="off")
Place = tuple[float, float]


def hand(place: Place) -> np.ndarray:
    return np.add(SHAPE, place)


class Stage:
    """A tracker that sees drawn hands: bright ones are left hands, dim ones right hands."""

    def __init__(self, config: TrackerConfig = HANDS, fps: float = 30.0) -> None:
        self.engine, self.finder, self.fps, self.frame = BlobEngine(), BlobFinder(), fps, 0
        self.tracker = Tracker(
            config, {"hand": Model(self.engine, blob_info())}, {"hand": self.finder}
        )

    def show(self, left: Iterable[Place] = (), right: Iterable[Place] = ()) -> tuple[Track, ...]:
        """One frame with hands at these places."""
        lefts, rights = [hand(p) for p in left], [hand(p) for p in right]
        picture = np.maximum(draw_blobs(lefts), draw_blobs(rights, peak=190))
        self.finder.objects = lefts + rights
        result = self.tracker.process(picture, self.frame / self.fps)
        self.frame += 1
        return result.tracks


def near(track: Track, place: Place, tolerance: float = 1.0) -> bool:
    return bool(np.abs(track.xy - hand(place)).max() < tolerance)


def test_one_hand_is_followed_with_one_detection(
    blob_onnx: Path, blob_clip: tuple[list[np.ndarray], list[np.ndarray]]
) -> None:
    """Through a real ONNX file: to a tenth of a pixel, one id, the detector asked once."""
    finder = BlobFinder()
    config = replace(HANDS, max_hands=1, hand_model=blob_onnx, threads=1)
    tracker = Tracker(config, detectors={"hand": finder})
    for i, (frame, truth) in enumerate(zip(*blob_clip, strict=True)):
        finder.objects = [truth]
        (track,) = tracker.process(frame, i / 30).tracks
        assert track.xy == pytest.approx(truth, abs=0.1)
        assert (track.id, track.kind, track.age, track.side) == (1, "hand", i, "left")
        assert track.side_p == pytest.approx(0.9)
        assert (track.gesture, track.pose) == (None, None)
    assert finder.calls == 1
    assert tracker.timings.frames == 30
    calls = {"detect": 1, "crop": 31, "network": 31, "smooth": 60}  # landmarks, then motions
    assert tracker.timings.calls == calls
    assert all(ms > 0 for ms in tracker.timings.ms_per_frame().values())


def test_new_ones_are_located_twice_and_followed_ones_once() -> None:
    stage = Stage()
    stage.show(left=[(80, 100)], right=[(220, 120)])
    assert stage.engine.batches == [2, 2]  # first crops, then crops from their own landmarks
    stage.show(left=[(81, 100)], right=[(220, 121)])
    assert stage.engine.batches == [2, 2, 2]
    assert stage.finder.calls == 1


def test_looking_for_a_missing_hand_is_rare() -> None:
    """At 30 fps and an interval of 0.2 s: frames 0, 6, 12, ... of the 31."""
    stage = Stage()
    for _ in range(31):
        stage.show(left=[(80, 100)])
    assert stage.finder.calls == 6
    still = Stage(replace(HANDS, detect_interval=0.5))
    for _ in range(31):
        still.show()
    assert still.finder.calls == 3


def test_a_second_hand_is_found_while_the_first_is_followed() -> None:
    stage = Stage()
    for i in range(10):
        tracks = stage.show(left=[(80, 100)], right=[(220, 100)] if i >= 2 else [])
        assert [t.id for t in tracks] == ([1] if i < 6 else [1, 2])
    assert [t.side for t in tracks] == ["left", "right"]
    assert near(tracks[0], (80, 100)) and near(tracks[1], (220, 100))


def test_no_more_than_asked_for() -> None:
    stage = Stage(replace(HANDS, max_hands=2))
    tracks = stage.show(left=[(50, 60), (160, 60), (270, 60)])
    assert len(tracks) == 2


class Blinkered(BlobFinder):
    """Overlooks objects that are small in the picture: less than a tenth of its longer side."""

    def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
        found = super().detect(frame_bgr)
        side = max(frame_bgr.shape)
        return [d for d in found if (d.box_xyxy[2] - d.box_xyxy[0]) / side > 0.1]


class Scored(BlobEngine):
    """Answers with this presence and these scores."""

    def __init__(self, presence: float = 1.0, score: float = 1.0) -> None:
        super().__init__()
        self.presence, self.score = presence, score

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        out = super().run(batch)
        score = np.full_like(out["score"], self.score)
        return out | {"score": score, "presence": out["presence"] * self.presence}


def blinkered(
    config: TrackerConfig, engine: BlobEngine | None = None, finder: Blinkered | None = None
) -> tuple[Tracker, Blinkered, np.ndarray]:
    """A tracker that can find a hand at (160, 60) in a part of half the width, and the picture."""
    finder = finder or Blinkered()
    finder.objects = [hand((160, 60))]
    model = Model(engine or BlobEngine(), blob_info())
    return Tracker(config, {"hand": model}, {"hand": finder}), finder, draw_blobs(finder.objects)


def test_a_hand_that_the_whole_frame_hides_is_found_by_other_views() -> None:
    """A look every 0.2 s; the fourth is at a part with the hand, where it is seen clearly."""
    tracker, finder, picture = blinkered(replace(HANDS, max_hands=1))
    seen = [len(tracker.process(picture, i / 30).tracks) for i in range(60)]
    assert seen.index(1) == 18 and all(seen[18:])
    assert finder.calls == 4, "no other look for 2 s, now that nothing is missing"
    (track,) = tracker.process(picture, 2.0).tracks
    assert near(track, (160, 60))


def test_what_is_not_clear_in_another_view_is_looked_at_again_in_the_next_frame() -> None:
    """Quality 0.95 x 0.8 is below 0.85. The look in between costs the one after it its turn."""
    tracker, finder, picture = blinkered(replace(HANDS, max_hands=1), Scored(0.95, 0.8))
    seen = [len(tracker.process(picture, i / 30).tracks) for i in range(60)]
    assert seen.index(1) == 19 and all(seen[19:]) and finder.calls == 5


def test_a_picture_is_seen_in_all_views_at_once() -> None:
    for engine, looks in ((Scored(), 4), (Scored(0.95, 0.8), 5)):
        alone = replace(HANDS, max_hands=1, every_view=True)
        tracker, finder, picture = blinkered(alone, engine)
        (track,) = tracker.process(picture, 0.0).tracks
        assert near(track, (160, 60)) and (track.id, track.age) == (1, 0)
        assert finder.calls == looks, "no further views once there are as many hands as asked for"
    tracker, finder, _ = blinkered(replace(HANDS, every_view=True))
    assert tracker.process(draw_blobs([]), 0.0).tracks == () and finder.calls == 13


def test_what_looks_like_a_hand_in_one_view_only_is_none() -> None:
    """It is found in parts of the frame, and not with more about it, turned by 30 degrees."""

    class Mistaken(Blinkered):
        def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
            found = super().detect(frame_bgr)
            ups = [np.abs(d.xy[2] - d.xy[0]) for d in found]
            return [d for d, up in zip(found, ups, strict=True) if up[0] < 0.3 * up[1]]

    tracker, finder, picture = blinkered(HANDS, Scored(0.95, 0.8), Mistaken())
    assert not any(tracker.process(picture, i / 30).tracks for i in range(60))
    assert finder.calls == 10, "a second look takes the place of one of the turn"


def test_what_another_view_shows_must_be_seen_better() -> None:
    """Presence 0.7 is enough for what is found in the whole frame, and not elsewhere."""
    tracker, _, picture = blinkered(replace(HANDS, max_hands=1, every_view=True), Scored(0.7))
    assert tracker.process(picture, 0.0).tracks == ()
    finder = BlobFinder()
    finder.objects = [hand((160, 60))]
    tracker = Tracker(HANDS, {"hand": Model(Scored(0.7), blob_info())}, {"hand": finder})
    assert len(tracker.process(picture, 0.0).tracks) == 1


@pytest.mark.parametrize("presence", [0.79, 0.95, 0.97])
def test_a_hand_that_is_not_clear_is_seen_in_five_crops(presence: float) -> None:
    """Where the model's probabilities were checked: 0.97 in all of them is enough, 0.95 is not,
    and below 0.8 in its own the others are not asked. Clear hands begin at once, and all of other
    models.
    """
    checked = replace(blob_info(), operating_points={"wave": 0.5})
    for info, score in ((checked, 0.8), (checked, 0.97), (blob_info(), 0.8)):
        finder, engine = BlobFinder(), Scored(presence, score)
        finder.objects = [hand((160, 60))]
        tracker = Tracker(HANDS, {"hand": Model(engine, info)}, {"hand": finder})
        found = tracker.process(draw_blobs(finder.objects), 0.0).tracks
        at_once = not info.is_checked or presence * score >= 0.85
        assert len(found) == (at_once or presence == 0.97)
        assert engine.batches == [1, 1] + [4] * (not at_once and presence >= 0.8)


def test_a_hand_of_low_scores_is_found_twice_in_other_views() -> None:
    """Sure in five crops, with a mean score below 0.45: the next frame's look is at its place."""
    info = replace(blob_info(), operating_points={"wave": 0.5})
    for score, first in ((0.44, 19), (0.46, 18)):
        tracker, finder, picture = blinkered(replace(HANDS, max_hands=1), Scored(0.99, score))
        model = Model(tracker.models["hand"].engine, info)
        tracker = Tracker(tracker.config, {"hand": model}, {"hand": finder})
        seen = [len(tracker.process(picture, i / 30).tracks) for i in range(30)]
        assert seen.index(1) == first and finder.calls == first - 14
    finder = BlobFinder()
    finder.objects = [hand((160, 60))]
    tracker = Tracker(HANDS, {"hand": Model(Scored(0.99, 0.2), info)}, {"hand": finder})
    assert len(tracker.process(draw_blobs(finder.objects), 0.0).tracks) == 1


def test_a_crop_that_drifts_is_missed_though_presence_says_nothing() -> None:
    """Scores fall to 0.3 of what they were: the hand is not shown, and looked for in that frame's
    place at once; when they are back it goes on as itself.
    """
    stage = Stage(replace(HANDS, max_hands=1))
    engine = Scored(1.0, 0.9)
    model = Model(engine, blob_info())
    stage.tracker = Tracker(stage.tracker.config, {"hand": model}, {"hand": stage.finder})
    for _ in range(3):
        (before,) = stage.show(left=[(160, 100)])
    engine.score = 0.27
    assert stage.show(left=[(160, 100)]) == () and stage.finder.calls == 1
    engine.score = 0.9
    (track,) = stage.show(left=[(160, 100)])
    assert track.id == before.id and stage.finder.calls == 2
    engine.score = 0.45
    assert len(stage.show(left=[(160, 100)])) == 1, "half as good is no drift"


def test_a_hand_whose_points_lie_in_disorder_is_not_shown() -> None:
    """Presence is 1 all the time; half of the scores is no drift, but too little to be a hand: it
    is followed and looked for again. A model whose probabilities were not checked says nothing by
    its scores.
    """
    checked = replace(blob_info(), operating_points={"wave": 0.5})
    for info, is_told in ((checked, True), (blob_info(), False)):
        stage = Stage(replace(HANDS, max_hands=1))
        engine = Scored(1.0, 0.38)
        models = {"hand": Model(engine, info)}
        stage.tracker = Tracker(stage.tracker.config, models, {"hand": stage.finder})
        (before,) = stage.show(left=[(160, 100)])
        engine.score, calls = 0.19, stage.finder.calls
        shown = [bool(stage.show(left=[(160, 100)])) for _ in range(8)]
        assert shown == [not is_told] * 8
        assert (stage.finder.calls > calls) == is_told, "nothing is missing, but it is in doubt"
        engine.score = 0.29
        assert bool(stage.show(left=[(160, 100)])) == (not is_told), "it comes from 0.3 on"
        engine.score = 0.31
        (track,) = stage.show(left=[(160, 100)])
        assert track.id == before.id
        engine.score = 0.21
        assert len(stage.show(left=[(160, 100)])) == 1, "and stays down to 0.2"


def test_what_lies_on_a_followed_hand_is_no_other_hand() -> None:
    """Half of the smaller box is shared with a hand that is surely followed: nothing begins."""
    a, b = np.array(hand((100, 100)), np.float32), np.array(hand((112, 100)), np.float32)
    assert is_on_one(a, b, 0.5) and not is_on_one(a, b, 0.6), "16 of 28 px: 0.57"
    assert is_on_one(a, a + 1, 1.0), "the same"
    stage = Stage()
    stage.show(left=[(100, 100)])
    watch, box = stage.tracker._watches["hand"], CropBox(np.zeros(2, np.float32), 60.0, 0.0)
    watch._is_plain = True
    for x, begun in ((112, 0), (130, 1)):
        xy = np.array(hand((x, 100)), np.float32)
        side = {"side": np.array([0.1, 0.9], np.float32)}
        found = Located("hand", box, xy, np.ones(3, np.float32), 1.0, side)
        assert len(watch._begin([found], draw_blobs([]), 0.0)) == begun


def test_a_model_of_low_scores_finds_as_before_in_the_whole_frame() -> None:
    finder = BlobFinder()
    finder.objects = [hand((160, 60))]
    tracker = Tracker(HANDS, {"hand": Model(Scored(1.0, 0.2), blob_info())}, {"hand": finder})
    assert len(tracker.process(draw_blobs(finder.objects), 0.0).tracks) == 1


def test_a_hand_followed_in_a_wrong_crop_is_found_afresh() -> None:
    """Its points collapsed to a half; presence says nothing, the detector contradicts the crop."""
    stage = Stage(replace(HANDS, max_hands=1))
    stage.show(left=[(80, 100)])
    plain = stage.engine.run

    def collapsing(batch: np.ndarray) -> dict[str, np.ndarray]:
        """In a crop too small for the hand it takes the middle for one, and is not sure of it."""
        out = plain(batch)
        wrong = (out["presence"] == 0) | (np.ptp(out["xy"], axis=1).max(1) > 0.75 * SIZE)
        centred = (SIZE - 1) / 2 + (SHAPE - (0, 3)) * (SIZE / 1.6 / 28)
        xy = np.where(wrong[:, None, None], centred, out["xy"]).astype(np.float32)
        score = np.where(wrong[:, None], 0.6, out["score"]).astype(np.float32)
        return out | {"xy": xy, "score": score, "presence": np.full(len(batch), 0.98)}

    stage.engine.run = collapsing
    (follower,) = stage.tracker._watches["hand"].live
    follower.restart()
    follower.xy = ((80, 100) + SHAPE * 0.5).astype(np.float32)
    spans = []
    for _ in range(70):
        (track,) = stage.show(left=[(80, 100)])
        spans.append(float(np.ptp(track.xy, axis=0).max()))
    assert track.id == 1
    assert spans[:59] == pytest.approx([14] * 59, abs=0.5)
    assert spans[59:] == pytest.approx([28] * 11, abs=1), "checked 2 s after the last look"
    assert near(track, (80, 100))


def test_absence_is_an_empty_tuple() -> None:
    stage = Stage()
    assert stage.show() == ()
    for _ in range(3):
        assert len(stage.show(left=[(80, 100)])) == (1 if stage.frame > 6 else 0)


def test_a_hand_that_leaves_dies_after_patience() -> None:
    """Frames without an answer show nothing; after more than 3 of them the hand is given up."""
    stage = Stage()
    stage.show(left=[(80, 100)])
    runs = []
    for _ in range(8):
        assert stage.show() == ()
        runs.append(len(stage.engine.batches))
    assert np.diff(runs).tolist() == [1, 1, 1, 0, 0, 0, 0]


def test_a_short_gap_keeps_the_id_and_restarts_the_smoothing() -> None:
    stage = Stage(replace(HANDS, smooth="strong", max_hands=1))
    for _ in range(3):
        (before,) = stage.show(left=[(80, 100)])
    for _ in range(2):
        stage.show()
    after = ()
    while not after:
        after = stage.show(left=[(95, 100)])
    assert after[0].id == before.id
    assert after[0].age > before.age


def test_a_lost_hand_that_returns_soon_keeps_its_id_and_side() -> None:
    stage = Stage(replace(HANDS, max_hands=1, smooth="strong"))
    for _ in range(5):
        stage.show(left=[(80, 100)])
    for _ in range(15):  # 0.5 s, long after patience
        stage.show()
    tracks: tuple[Track, ...] = ()
    while not tracks:
        tracks = stage.show(left=[(110, 120)])
    assert tracks[0].id == 1
    assert np.array_equal(tracks[0].xy, tracks[0].xy_raw)  # no memory of the old place


def test_a_hand_that_returns_late_is_a_new_one() -> None:
    stage = Stage(replace(HANDS, max_hands=1))
    stage.show(left=[(80, 100)])
    for _ in range(40):
        stage.show()
    tracks: tuple[Track, ...] = ()
    while not tracks:
        tracks = stage.show(left=[(80, 100)])
    assert tracks[0].id == 2


def test_the_other_side_does_not_inherit_the_id_far_away() -> None:
    stage = Stage(replace(HANDS, max_hands=1))
    for _ in range(5):
        stage.show(left=[(60, 100)])
    tracks: tuple[Track, ...] = ()
    while not tracks:
        tracks = stage.show(right=[(260, 100)])
    assert (tracks[0].id, tracks[0].side) == (2, "right")


def crossing(stage: Stage, speed: float, row: float) -> list[tuple[Track, ...]]:
    """A left hand that goes right and a right hand that goes left, `row` px apart vertically."""
    out = []
    for i in range(int(180 / speed)):
        x = 70 + speed * i
        out.append(stage.show(left=[(x, 100)], right=[(320 - x, 100 + row)]))
    return out


@pytest.mark.parametrize("row", [55.0, 30.0])
@pytest.mark.parametrize("speed", [3.0, 8.0])
def test_ids_do_not_swap_when_hands_cross(speed: float, row: float) -> None:
    frames = crossing(Stage(), speed, row)
    side_of = {t.id: t.side for t in frames[0]}
    for tracks in frames:
        for track in tracks:
            assert track.id not in side_of or track.side == side_of[track.id]
    last = {t.side: t for t in frames[-1]}
    assert {last["left"].id: "left", last["right"].id: "right"} == side_of
    assert last["left"].xy[0, 0] > last["right"].xy[0, 0]


def test_answers_from_each_others_crops_are_sorted_out() -> None:
    """The left hand's crop caught the right hand, and the other way round."""
    stage = Stage()
    stage.show(left=[(100, 100)], right=[(140, 100)])
    box = CropBox(np.zeros(2, np.float32), 60.0, 0.0)
    caught = [
        Located("hand", box, hand(place).astype(np.float32), np.ones(3, np.float32), 1.0,
                {"side": np.array([left, 1 - left], np.float32)})
        for place, left in (((139, 100), 0.1), ((101, 100), 0.9))
    ]  # fmt: skip
    tracks = stage.tracker._watches["hand"]._continue(caught, 1 / 30)
    places = {i: track.xy.mean(0)[0] for i, track in tracks.items()}
    assert places == {1: pytest.approx(101), 2: pytest.approx(139)}


def test_doubtful_newcomers_are_refused_and_doubtful_tracks_kept() -> None:
    stage = Stage(replace(HANDS, max_hands=1, presence_on=0.5, presence_off=0.3))
    plain, presence = stage.engine.run, 0.4
    stage.engine.run = lambda batch: plain(batch) | {"presence": np.full(len(batch), presence)}
    assert stage.show(left=[(80, 100)]) == ()
    presence = 0.6
    while not stage.show(left=[(80, 100)]):
        assert stage.frame < 25, "every fourth look is at the whole frame, where that is enough"
    presence = 0.4
    (track,) = stage.show(left=[(80, 100)])
    assert track.presence == pytest.approx(0.4)
    presence = 0.2
    assert stage.show(left=[(80, 100)]) == ()


def test_a_track_that_is_doubtful_on_average_is_given_up() -> None:
    """Presence 0.6 once, then 0.4: the mean is 0.4 + 0.2 exp(-t / 0.3), below 0.5 at 0.208 s."""
    stage = Stage(replace(HANDS, max_hands=1, presence_off=0.3))
    plain, presence = stage.engine.run, 0.6
    stage.engine.run = lambda batch: plain(batch) | {"presence": np.full(len(batch), presence)}
    shown = []
    for _ in range(9):
        shown.append(len(stage.show(left=[(80, 100)])))
        presence = 0.4
    assert shown == [1, 1, 1, 1, 1, 1, 1, 0, 0]


class FaintRightHands(BlobEngine):
    """Right hands are in doubt: presence 0.6."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        out = super().run(batch)
        return out | {"presence": out["presence"] * np.where(out["side"][:, 0] > 0.5, 1, 0.6)}


def faint_stage(config: TrackerConfig) -> Stage:
    stage = Stage(config)
    engine = FaintRightHands()
    stage.tracker = Tracker(config, {"hand": Model(engine, blob_info())}, {"hand": stage.finder})
    return stage


def test_a_sure_newcomer_displaces_one_in_doubt() -> None:
    stage = faint_stage(replace(HANDS, max_hands=1))
    (first,) = stage.show(right=[(80, 100)])
    assert first.side == "right"
    for _ in range(7):
        tracks = stage.show(left=[(220, 100)], right=[(80, 100)])
    assert [(t.id, t.side) for t in tracks] == [(2, "left")]


def test_one_in_doubt_is_found_again_as_itself() -> None:
    """The detector is asked again, and its answer for the same object starts no second track."""
    stage = faint_stage(replace(HANDS, max_hands=1))
    for i in range(13):
        (track,) = stage.show(right=[(80 + i, 100)])
        assert track.id == 1 and near(track, (80 + i, 100))
    assert stage.finder.calls == 3


def test_a_crop_stays_while_the_object_does() -> None:
    """One pixel is 2 % of the crop's side here, three are 7 %."""
    stage = Stage(replace(HANDS, max_hands=1))
    stage.show(left=[(80, 100)])
    (follower,) = stage.tracker._watches["hand"].live
    crop = follower.next_box(0.0)
    for x in (80.6, 79.8, 80.3):
        stage.show(left=[(x, 100)])
        assert follower.next_box(stage.tracker._t) is crop
    stage.show(left=[(83, 100)])
    assert follower.next_box(stage.tracker._t) is not crop


def test_two_tracks_on_one_hand_become_one() -> None:
    """One of two hands vanishes beside the other, and its track slips over to it."""
    stage = Stage()
    for i in range(15):
        stage.show(left=[(160 - 4 * i, 100)], right=[(220 - 7 * i, 100)])
    for _ in range(12):
        tracks = stage.show(left=[(104, 100)])
    assert [t.id for t in tracks] == [1]
    assert near(tracks[0], (104, 100))


def test_a_fast_hand_is_kept_by_its_velocity() -> None:
    """11 px per frame, more than the 8 px of room that a crop leaves beside the hand."""
    stage = Stage(replace(HANDS, max_hands=1))
    x = 40.0
    for i in range(15):
        (track,) = stage.show(left=[(x, 100)])
        assert near(track, (x, 100), 2.0)
        x += min(3 * i, 11)
    assert stage.finder.calls == 1


def test_smoothing_calms_what_is_shown_not_what_is_followed() -> None:
    stage = Stage(replace(HANDS, smooth="strong", max_hands=1))
    rng = np.random.default_rng(0)
    shown, raw = [], []
    for x, y in rng.normal((100, 100), 0.7, (60, 2)):
        (track,) = stage.show(left=[(x, y)])
        shown.append(track.xy)
        raw.append(track.xy_raw)
    assert np.diff(shown[20:], axis=0).std() < 0.5 * np.diff(raw[20:], axis=0).std()
    assert 0 < stage.tracker.lag_ms < 300
    assert Stage().tracker.lag_ms == 0


def test_gestures_and_pose_reach_the_track(tmp_path: Path) -> None:
    info = replace(blob_info("face"), attributes=(Attribute("pose", (), 3),))
    path = centroid_onnx(tmp_path / "face.onnx", info)
    finder = BlobFinder("face")
    finder.objects = [hand((100, 100))]
    config = TrackerConfig(hands=False, face_model=path, threads=1)
    tracker = Tracker(config, detectors={"face": finder})
    (track,) = tracker.process(draw_blobs(finder.objects), 0.0).tracks
    assert (track.kind, track.side, track.gesture) == ("face", None, None)
    assert track.pose is not None
    # three landmarks have no upright, so the second crop is upright and adds no roll
    assert (track.pose.yaw, track.pose.pitch, track.pose.roll) == pytest.approx((10, 5, 20))


def test_a_gesture_is_shown() -> None:
    class Waving(BlobEngine):
        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            gesture = np.tile(np.float32([0.1, 0.7, 0.2]), (len(batch), 1))
            return super().run(batch) | {"gesture": gesture}

    info = blob_info()
    classes = Attribute("gesture", ("none", "wave", "fist"))
    info = replace(info, attributes=(*info.attributes, classes))
    finder = BlobFinder()
    finder.objects = [hand((100, 100))]
    tracker = Tracker(HANDS, {"hand": Model(Waving(), info)}, {"hand": finder})
    (track,) = tracker.process(draw_blobs(finder.objects), 0.0).tracks
    assert (track.gesture, track.gesture_p) == ("wave", pytest.approx(0.7))


def test_points_in_space_are_from_the_wrist_and_smoothed() -> None:
    """The network's wrist is a little off 0; a jump of one point is damped as in the picture."""

    class Deep(BlobEngine):
        jump = 0.0

        def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
            flat = np.float32([0.1, 0.2, 0.3, 1.1, 0.2 + self.jump, 0.3, 0.1, 2.2, -0.2])
            return super().run(batch) | {"xyz": np.tile(flat, (len(batch), 1))}

    info = blob_info()
    info = replace(info, attributes=(*info.attributes, Attribute("xyz", (), 9)))
    finder, engine = BlobFinder(), Deep()
    finder.objects = [hand((100, 100))]
    picture, config = draw_blobs(finder.objects), replace(HANDS, smooth="strong")
    tracker = Tracker(config, {"hand": Model(engine, info)}, {"hand": finder})
    (track,) = tracker.process(picture, 0.0).tracks
    assert track.xyz is not None and track.xyz.dtype == np.float32
    assert track.xyz == pytest.approx(np.array([[0, 0, 0], [1, 0, 0], [0, 2, -0.5]]), abs=1e-6)
    engine.jump = 0.4
    (track,) = tracker.process(picture, 1 / 30).tracks
    assert track.xyz is not None and 0 < track.xyz[1, 1] < 0.3
    assert Stage().show(left=[(80, 100)])[0].xyz is None, "this model gives none"


def test_times() -> None:
    stage = Stage()
    frame = draw_blobs([])
    stage.tracker.process(frame, 5.0)
    stage.tracker.process(frame, 5.0)  # a repeated time stamp is no error
    with pytest.raises(ValueError, match=r"time went back from 5\.000 s to 4\.000 s; call reset"):
        stage.tracker.process(frame, 4.0)
    with pytest.raises(ValueError, match="time in seconds, got nan"):
        stage.tracker.process(frame, float("nan"))
    stage.tracker.reset()
    assert isinstance(stage.tracker.process(frame, 0.0), Result)


def test_reset_forgets_tracks_but_no_id_comes_twice() -> None:
    stage = Stage()
    stage.show(left=[(80, 100)])
    stage.tracker.reset()
    stage.frame = 0
    (track,) = stage.show(left=[(80, 100)])
    assert (track.id, track.age) == (2, 0)


@pytest.mark.parametrize(
    "frame",
    [
        None,
        np.zeros((10, 10), np.uint8),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10, 10, 3)),
        np.zeros((0, 10, 3), np.uint8),
    ],
)
def test_bad_frames(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"a frame must be a uint8 array \(H, W, 3\)"):
        Stage().tracker.process(frame, 0.0)


def test_a_mirrored_view_is_a_frame_too() -> None:
    stage = Stage(replace(HANDS, max_hands=1))
    stage.finder.objects = [hand((219, 100))]
    (track,) = stage.tracker.process(draw_blobs([hand((100, 100)) * 1.0])[:, ::-1], 0.0).tracks
    assert track.xy[0] == pytest.approx([219, 116], abs=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hands": False}, "nothing to track"),
        ({"max_hands": 0}, "must be 1 or more"),
        ({"smooth": "much"}, "off, light, strong"),
        ({"patience": -1}, "must not be negative"),
        ({"memory": np.nan}, "must be numbers"),
        ({"detect_interval": np.nan}, "must be numbers"),
        ({"max_hands": 1.5}, "max_hands is 1.5; give a whole number"),
        ({"threads": 1.5}, "threads is 1.5; give a whole number"),
        ({"detect_score": 2}, "detect_score is 2; give a number, 0 to 1"),
        ({"presence_on": 1.5}, "presence_on is 1.5; give a number, 0 to 1"),
        ({"presence_off": np.nan}, "presence_off is nan; give a number, 0 to 1"),
    ],
)
def test_bad_configs(change: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(HANDS, **change)


def test_a_model_of_the_other_kind_is_refused(blob_onnx: Path) -> None:
    config = TrackerConfig(hands=False, face_model=blob_onnx)
    with pytest.raises(ValueError, match="is a hand model, a face model was wanted"):
        Tracker(config, detectors={"face": BlobFinder("face")})


def test_a_face_tells_where_it_is() -> None:
    """On a real picture: the average face put there falls on the landmarks; a lens scales z."""
    bgr = read_image(Path(__file__).parents[1] / "golden" / "face_picture.jpg")
    focal, found = bgr.shape[1], []
    for fov in (None, 30.0):
        tracker = Tracker(TrackerConfig(hands=False, fov=fov))
        (track,) = tracker.process(bgr, 0.0).tracks
        assert track.pose is not None and track.pose.matrix is not None
        found.append((track.xy, track.pose.matrix))
    (xy, near), (_, far) = found
    seen = face_xyz() @ near[:3, :3].T + near[:3, 3]
    flat = seen[:, :2] / seen[:, 2:] * focal + (np.array(bgr.shape[1::-1]) - 1) / 2
    eyes = np.linalg.norm(xy[36] - xy[45])
    rigid = np.array(RIGID)
    assert np.median(np.linalg.norm(flat - xy, axis=1)[rigid]) < 0.06 * eyes
    assert far[2, 3] / near[2, 3] == pytest.approx(0.5 / np.tan(np.deg2rad(15)), rel=0.05)
    with pytest.raises(ValueError, match="1 to 179"):
        TrackerConfig(fov=0)
