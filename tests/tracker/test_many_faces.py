"""Small faces, and many that cross: drawn ones, whose places and owners are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest

from tests.helpers.drawn import SHAPE, SIZE, BlobEngine, BlobFinder, blob_info, draw_blobs
from tests.helpers.live import wait_for
from tracker import Tracker, TrackerConfig
from tracker.find import views
from tracker.find.locate import Model
from tracker.types import Detection, Track

FACES = TrackerConfig(hands=False, smooth="off", max_faces=2)
INFO = blob_info("face")
BESIDE = 26.0  # px between two drawn faces below which the nearer one hides the other
Place = tuple[float, float]


def face(place: Place) -> np.ndarray:
    return np.add(SHAPE, place)


class FaceFinder(BlobFinder):
    """Its boxes are as large beside a drawn face as the true detector's are beside a face."""

    def __init__(self) -> None:
        super().__init__("face")

    def detection(self, xy: np.ndarray) -> Detection:
        found = super().detection(xy)
        middle, size = xy.mean(0), float(np.ptp(xy, axis=0).max())
        box = np.concatenate([middle - 0.6 * size, middle + 0.6 * size]).astype(np.float32)
        return replace(found, box_xyxy=box)


class Blinkered(FaceFinder):
    """Overlooks what is small in the picture: less than an eighth of its longer side."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, ...]] = []

    def detect(self, frame_bgr: np.ndarray) -> list[Detection]:
        self.sizes.append(frame_bgr.shape[:2])
        side = max(frame_bgr.shape)
        found = super().detect(frame_bgr)
        return [d for d in found if (d.box_xyxy[2] - d.box_xyxy[0]) / side > 1 / 8]


class Scored(BlobEngine):
    """Answers with this presence."""

    def __init__(self, presence: float = 1.0) -> None:
        super().__init__()
        self.presence = presence

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        out = super().run(batch)
        return out | {"presence": out["presence"] * self.presence}


def small_face(
    config: TrackerConfig, presence: float = 1.0
) -> tuple[Tracker, Blinkered, np.ndarray]:
    """A tracker, its detector, and a picture of 640x480 with a face of 28 px near the corner."""
    finder = Blinkered()
    finder.objects = [face((560, 420))]
    picture = draw_blobs(finder.objects, (480, 640))
    return (
        Tracker(config, {"face": Model(Scored(presence), INFO)}, {"face": finder}),
        finder,
        picture,
    )


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of 640 pixels are large ones, so that a test needs no larger."""
    monkeypatch.setattr(views, "LARGE", 640)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("every_view", [True, False])
def test_a_picture_and_a_films_first_frame_show_small_faces(every_view: bool) -> None:
    """The whole frame shows none; of 320 px the face is a sixteenth, of 160 px tiles an eighth."""
    tracker, finder, picture = small_face(replace(FACES, max_faces=1, every_view=every_view))
    (track,) = tracker.process(picture, 0.0).tracks
    assert np.abs(track.xy - face((560, 420))).max() < 1
    looks = len(finder.sizes)
    assert finder.sizes[0] == (480, 640) and finder.sizes[-1] == (160, 160)
    tracker.process(picture, 1.0)
    tracker.process(picture, 2.0)
    assert finder.sizes[looks:] == [(480, 640)], "a check every 2 s: the whole frame alone"


@pytest.mark.usefixtures("large")
def test_a_films_first_frame_takes_each_tile_once() -> None:
    tracker, finder, _ = small_face(FACES)
    assert not tracker.process(draw_blobs([], (480, 640)), 0.0).tracks
    assert len(finder.sizes) == len(views.of_faces((480, 640)))


@pytest.mark.usefixtures("large")
def test_what_a_films_first_look_had_no_room_for_comes_next() -> None:
    """The detector is surest of what is no face; the true one is too large for the other tiles."""
    tracker, finder, _ = small_face(replace(FACES, max_faces=1))
    nothing, true = (np.add(6 * SHAPE, place) for place in ((120, 120), (450, 300)))
    finder.objects = [nothing, true]
    (track,) = tracker.process(draw_blobs([true], (480, 640)), 0.0).tracks
    assert np.abs(track.xy - true).max() < 1


@pytest.mark.usefixtures("large")
def test_later_frames_of_a_film_take_eleven_tiles_a_look() -> None:
    tracker, finder, picture = small_face(FACES)
    tracker.process(draw_blobs([], (480, 640)), 0.0)
    finder.sizes.clear()
    for n in range(1, 31):
        tracks = tracker.process(picture, n / 30).tracks
    assert len(tracks) == 1 and len(finder.sizes) == 5 * 12


@pytest.mark.usefixtures("large")
def test_a_live_look_takes_four_tiles() -> None:
    """And finds it before all tiles were looked at twice."""
    with small_face(replace(FACES, live=True))[0] as tracker:
        finder = tracker._watches["face"]._finder
        assert isinstance(finder, Blinkered)
        picture = draw_blobs(finder.objects, (480, 640))
        for look in range(1, 20):
            tracks = tracker.process(picture, look / 5).tracks
            if tracks:
                break
            wait_for(lambda: tracker._background._seen is not None, "a look")
            assert len(finder.sizes) == 5 * look
        assert len(tracks) == 1 and all(n in (1, 2) for n in tracker.models["face"].engine.batches)


@pytest.mark.parametrize("live", [True, False])
def test_a_small_film_is_searched_as_a_whole_alone(live: bool) -> None:
    """Tiles of 640 x 360 made a film without faces a quarter slower."""
    with small_face(replace(FACES, live=live))[0] as tracker:
        watch = tracker._watches["face"]
        for shape, count in (((480, 640), 1), ((720, 1280), 5 if live else 12)):
            assert len(watch._turns.take(shape)) == count
        assert not watch._turns.rest((480, 640)) and watch._turns.rest((720, 1280))


def test_an_unclear_small_face_is_none() -> None:
    """Presence 0.7 is enough for a large one, as ever; 28 px of 640 are too little for that."""
    for presence, count in ((0.7, 0), (0.9, 1)):
        tracker, _, picture = small_face(replace(FACES, every_view=True), presence)
        assert len(tracker.process(picture, 0.0).tracks) == count
    finder = FaceFinder()
    finder.objects = [face((100, 100))]
    tracker = Tracker(FACES, {"face": Model(Scored(0.7), INFO)}, {"face": finder})
    assert len(tracker.process(draw_blobs(finder.objects, (200, 240)), 0.0).tracks) == 1


def test_a_face_far_away_makes_room_for_one_near_by() -> None:
    """A picture on the wall had the only place; somebody twice as near sits down."""
    finder = FaceFinder()
    tracker = Tracker(
        replace(FACES, max_faces=1), {"face": Model(BlobEngine(), INFO)}, {"face": finder}
    )
    for size, taken in ((1.8, False), (2.6, True)):
        tracker.reset()
        far, near = np.add(SHAPE, (80, 80)), np.add(size * SHAPE, (400, 280))
        finder.objects = [far]
        (first,) = tracker.process(draw_blobs([far], (480, 640)), 0.0).tracks
        finder.objects = [far, near]
        for n in range(1, 80):
            (track,) = tracker.process(draw_blobs(finder.objects, (480, 640)), n / 30).tracks
        assert (track.id != first.id) == taken
        assert np.abs(track.xy - (near if taken else far)).max() < 1


class FaceEngine(BlobEngine):
    """Finds, in a crop, the whole upright face that is nearest to its middle; no mixture of two."""

    def _one(self, crop: np.ndarray) -> tuple[np.ndarray, float, tuple[float, float]]:
        dots = [
            cv2.connectedComponentsWithStats((channel > 60).astype(np.uint8))[3][1:]
            for channel in crop
        ]
        faces = []
        for red, green, blue in product(*dots):
            width = blue[0] - green[0]
            off = red - (green + blue) / 2 - (0, width * 26 / 28)
            if width > 8 and max(abs(blue[1] - green[1]), *np.abs(off)) < 0.15 * width:
                faces.append(np.array([red, green, blue]))
        if not faces:
            return np.full((3, 2), SIZE / 2) + SHAPE * 0.3, 0.0, (0.5, 0.5)
        middle = (SIZE - 1) / 2
        return min(faces, key=lambda xy: np.abs(xy.mean(0) - middle).sum()), 1.0, (0.5, 0.5)


class Crowd:
    """A tracker that sees drawn faces, of which a nearer one (earlier in the list) hides others."""

    def __init__(self, count: int, shape_hw: tuple[int, int], fps: float = 30.0) -> None:
        self.finder, self.shape_hw, self.fps, self.frame = FaceFinder(), shape_hw, fps, 0
        self.tracker = Tracker(
            replace(FACES, max_faces=count),
            {"face": Model(FaceEngine(), INFO)}, {"face": self.finder},
        )  # fmt: skip
        y, x = np.mgrid[-8:9, -8:9]
        self.dot = 250 * np.exp(-(x**2 + y**2) / 12.5)

    def show(self, places: Sequence[Place]) -> tuple[tuple[Track, ...], list[bool]]:
        """The tracks of a frame with faces at whole pixels, and which of them are hidden."""
        hidden = [
            any(np.hypot(x - a, y - b) < BESIDE for a, b in places[:i])
            for i, (x, y) in enumerate(places)
        ]
        self.finder.objects = [face(p) for p, h in zip(places, hidden, strict=True) if not h]
        picture = np.zeros((*self.shape_hw, 3))
        for xy in self.finder.objects:
            for channel, (x, y) in zip((2, 1, 0), xy.astype(int), strict=True):
                part = picture[y - 8 : y + 9, x - 8 : x + 9, channel]
                np.maximum(part, self.dot, out=part)
        tracks = self.tracker.process(picture.astype(np.uint8), self.frame / self.fps).tracks
        self.frame += 1
        return tracks, hidden


def owner(track: Track, places: Sequence[Place]) -> int:
    """Whose face it is."""
    return int(np.argmin([np.abs(track.xy - face(p)).mean() for p in places]))


@pytest.mark.parametrize("older_before", [True, False])
@pytest.mark.parametrize("speed", [3, 6])
def test_two_faces_keep_their_ids_when_one_passes_before_the_other(
    speed: int, older_before: bool
) -> None:
    """They meet and part again; the hidden one's crop shows the other in between."""
    crowd, whose, was_hidden = Crowd(2, (200, 420)), {}, 0
    for n in range(260 // speed):
        near, far = (80 + speed * n, 100), (340 - speed * n, 104)
        places = [near, far] if n or older_before else [far]
        if not older_before and n == 0:
            tracks, _ = crowd.show(places)  # the one behind is seen first, so that its id is lower
            whose[tracks[0].id] = 1
            continue
        tracks, hidden = crowd.show(places)
        was_hidden += hidden[1]
        for track in tracks:
            assert whose.setdefault(track.id, owner(track, places)) == owner(track, places), n
    assert was_hidden >= 4 and len(whose) == 2
    assert sorted(owner(t, places) for t in tracks) == [0, 1]


def test_twenty_faces_keep_their_ids_when_rows_of_them_cross() -> None:
    """Ten walk to the right, ten behind them to the left, each at its own speed."""
    rng, crowd = np.random.default_rng(3), Crowd(20, (520, 640))
    speeds = rng.integers(3, 6, 20)
    whose: dict[int, int] = {}
    hidden_frames = 0
    for n in range(100):
        right = [(100 + int(speeds[i]) * n, 40 + 48 * i) for i in range(10)]
        left = [(540 - int(speeds[10 + i]) * n, 44 + 48 * i) for i in range(10)]
        places = right + left
        if any(not 30 <= x <= 610 for x, _ in places):
            break
        tracks, hidden = crowd.show(places)
        hidden_frames += sum(hidden)
        for track in tracks:
            assert whose.setdefault(track.id, owner(track, places)) == owner(track, places), n
    assert hidden_frames > 40 and len(tracks) == 20 and len(whose) == 20
