"""Tables, pictures and words of a result, against numbers of drawn tracks."""

from __future__ import annotations

import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

import assets
from tests.helpers import clips
from tracker import Frame, Result, Tracker, TrackerConfig
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import painted, skeletons
from tracker.result import oldest_face, oldest_hands
from tracker.types import Motion, Pose, Track

NAMES = tuple(f"p{i}" for i in range(21))


def hand(**changes: object) -> Track:
    return replace(clips.track(), names=NAMES, **changes)  # type: ignore[arg-type]


def test_a_row_a_landmark_with_its_name_and_the_digits_of_the_files() -> None:
    xyz = np.arange(63, dtype=np.float32).reshape(21, 3) / 7
    rows = Result(1.23456789, (hand(xyz=xyz), clips.track("face", number=2))).to_rows()
    assert len(rows) == 21 + 68
    assert rows[1] == {
        "t_s": 1.234568, "track_id": 1, "kind": "hand", "side": "left", "side_p": 0.97,
        "gesture": "fist", "gesture_p": 0.9, "yaw": None, "pitch": None, "roll": None,
        "presence": 0.8, "landmark": "p1", "x": 30.4, "y": 36.4, "score": 0.9,
        "x_raw": 31.4, "y_raw": 37.4, "x_palm": 0.429, "y_palm": 0.571, "z_palm": 0.714,
        "motion": None, "motion_p": None,
    }  # fmt: skip
    face = rows[21]
    assert (face["yaw"], face["pitch"], face["roll"]) == (10.0, -5.0, 2.5)
    assert face["landmark"] == 0 and face["side_p"] is None and face["gesture_p"] is None
    assert Result(0.0, ()).to_rows() == []
    waved = hand(motion=Motion("wave", 0.8767, 0.0)), hand(motion=Motion("wave", 0.9, 0.1))
    first, then = (Result(0.0, (one,)).to_rows()[20] for one in waved)
    assert (first["motion"], first["motion_p"]) == ("wave", 0.877) and list(first)[-1] == "motion_p"
    assert then["motion"] is None, "it happened in the frame before"


def test_what_is_not_known_is_none() -> None:
    xy = clips.hand_xy()
    xy[3] = np.nan
    row = Result(0.0, (hand(xy=xy),)).to_rows()[3]
    assert (row["x"], row["y"], row["x_palm"]) == (None, None, None)


def test_pandas() -> None:
    pytest.importorskip("pandas")
    found = Result(0.5, (hand(),)).to_pandas()
    assert found.shape == (21, 22)
    assert found.set_index("landmark").loc["p0", ["x", "y"]].tolist() == [40.0, 46.0]


def test_a_library_that_is_missing_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pandas", "supervision"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ModuleNotFoundError, match=r"run: .*pip install pandas$"):
        Result(0.0, ()).to_pandas()
    with pytest.raises(ModuleNotFoundError, match=r"run: .*pip install supervision$"):
        Result(0.0, ()).to_supervision()


def supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one where it is installed, else a class of the same fields."""
    try:
        import supervision  # noqa: F401
    except ModuleNotFoundError:
        made = SimpleNamespace(KeyPoints=lambda **fields: SimpleNamespace(**fields))
        made.KeyPoints.empty = lambda: SimpleNamespace(xy=np.empty((0, 0, 2)))
        monkeypatch.setitem(sys.modules, "supervision", made)


def test_supervision(monkeypatch: pytest.MonkeyPatch) -> None:
    supervision(monkeypatch)
    xy = clips.hand_xy()
    xy[3] = np.nan
    seen = Result(0.0, (hand(xy=xy), clips.track("hand", "right", 4), clips.track("face")))
    points = seen.to_supervision("hand")
    assert points.xy.shape == (2, 21, 2) and points.xy.dtype == np.float32
    assert points.xy[0, 3].tolist() == [0, 0] and points.keypoint_confidence[0, 3] == 0
    assert points.xy[1, 0].tolist() == [40, 46]
    assert points.keypoint_confidence[0, 4] == pytest.approx(0.9)
    assert points.detection_confidence.tolist() == pytest.approx([0.8, 0.8])
    assert points.class_id.tolist() == [0, 0]
    assert points.data["track_id"].tolist() == [1, 4]
    assert points.data["side"].tolist() == ["left", "right"]
    with pytest.raises(ValueError, match=r"call to_supervision\('face'\)"):
        seen.to_supervision()
    assert len(seen.to_supervision("object").xy) == 0


def test_draw_is_the_overlay_of_the_video() -> None:
    frame = clips.picture(1, (320, 240))
    look = skeletons([clips.hand_info()])
    seen = Result(0.0, (hand(),), look)
    assert np.array_equal(seen.draw(frame), draw(frame, seen.tracks, look))
    black = draw(frame, seen.tracks, look, Style(sure=0.95, on_black=True))
    assert np.array_equal(seen.draw(frame, sure=0.95, on_black=True), black)
    assert not np.array_equal(frame, seen.draw(frame))
    for wrong in (frame.astype(float), frame[..., 0]):
        with pytest.raises(ValueError, match=r"uint8 array \(H, W, 3\)"):
            seen.draw(wrong)


def test_words_are_one_line() -> None:
    seen = Result(1.5, (hand(), clips.track("face", number=2)))
    assert repr(seen) == ("Result(t=1.500 s: #1 left fist 90%; #2 yaw +10 pitch -5 roll +2 deg)")
    assert repr(Result(0.0, ())) == "Result(t=0.000 s: nothing)"
    assert repr(hand()) == "Track(hand #1 left fist 90%, 21 landmarks, presence 0.80)"
    assert repr(Frame(3, 0.125, clips.picture(0))) == "Frame(3, t=0.125 s, 96x64)"
    assert repr(Frame(3, 0.125, None)) == "Frame(3, t=0.125 s, no picture)"
    placed = Pose(1.04, -2.0, 3.0, np.eye(4, dtype=np.float32))
    assert repr(placed) == "Pose(yaw=1.0, pitch=-2.0, roll=3.0)"


def test_a_head_pose_that_is_no_number_is_left_out() -> None:
    face = replace(clips.track("face", number=2), pose=Pose(np.nan, 0.0, 0.0))
    seen, plain = Result(0.0, (face,)), Result(0.0, (replace(face, pose=None),))
    assert repr(seen) == "Result(t=0.000 s: #2)"
    assert seen._repr_html_() == plain._repr_html_()
    frame = clips.picture(0)
    assert np.array_equal(seen.draw(frame), plain.draw(frame))


class Tags(HTMLParser):
    """Counts tags, and notes those that are never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_notebook_shows_a_table_with_sketches() -> None:
    gone = clips.hand_xy()
    gone[0] = np.nan
    tracks = (hand(xy=gone, gesture="<b>"), hand(xy=np.full((21, 2), np.nan, np.float32)))
    page = Result(0.0, tracks, {"hand": painted_look()})._repr_html_()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.counts["svg"] == 1 and tags.counts["circle"] == 20
    assert tags.counts["line"] == 1, "the edge from the lost wrist is not drawn"
    assert "&lt;b&gt;" in page and "<b>" not in page
    assert "nothing is seen" in Result(0.0, ())._repr_html_()


def painted_look():  # type: ignore[no-untyped-def]
    from tracker.find.markups import Drawing

    return painted(Drawing(), 21, [(0, 1), (1, 2)])


def test_a_landmark_by_its_name() -> None:
    assert hand().point("p0").tolist() == [40, 46]
    with pytest.raises(KeyError, match="no landmark is called 'nose'; there are p0, p1"):
        hand().point("nose")


def test_a_tracker_names_landmarks_and_gives_colours() -> None:
    """On the picture that comes with the program, with the models that do."""
    from tracker.checkup.doctor_run import PICTURE
    from tracker.files.image_job import read_image

    frame = read_image(assets.checked_path(PICTURE))
    with Tracker(TrackerConfig(every_view=True)) as tracker:
        seen = tracker.process(frame, 0.0)
        assert "\n" not in repr(tracker) and "hand: hand21.onnx on " in repr(tracker)
    assert seen.tracks, "something is seen"
    for track in seen.tracks:
        info = tracker.models[track.kind].info
        assert track.names == info.landmarks and len(track.names) == len(track.xy)
    assert seen.skeletons == skeletons([m.info for m in tracker.models.values()])


def test_leaving_closes_the_thread_of_a_live_tracker() -> None:
    import threading

    before = threading.active_count()
    with Tracker(TrackerConfig(live=True)) as tracker:
        assert threading.active_count() > before
    assert threading.active_count() == before
    tracker.close()  # once more does no harm


def test_of_several_the_oldest_are_chosen_whatever_their_order() -> None:
    """A face without a pose is none that could be followed by an avatar."""
    posed = clips.track("face", number=4)
    flat = replace(clips.track("face", number=1), pose=None)
    left, right = (clips.track(side=side, number=n) for side, n in (("left", 5), ("right", 3)))
    later = clips.track(side="left", number=6)
    for tracks in ((flat, posed, left, right, later), (later, right, left, posed, flat)):
        found = Result(0.0, tracks)
        assert oldest_face(found) is posed
        assert oldest_hands(found) == {"left": left, "right": right}
    assert oldest_face(None) is None and oldest_hands(Result(0.0, (flat, posed))) == {}
