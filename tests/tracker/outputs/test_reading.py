"""What the jobs wrote is what is read: the same rows, and the same again when written once more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tracker
from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker import Result
from tracker.files.video_job import Job, annotate
from tracker.outputs.landmark_files import frame_line, header, track_row
from tracker.types import Motion


def written(folder: Path) -> Path:
    source = clips.make(folder / "in.mp4")
    annotate(Job(source, json=folder / "o.jsonl"), FakeTracker(), clips.USED)
    return folder / "o.jsonl"


def lines(path: Path, *rows: str) -> Path:
    head = json.dumps(header(clips.USED, source="in.mp4"))
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_it_gives_back_what_was_seen(tmp_path: Path) -> None:
    saved = tracker.read(written(tmp_path))
    assert len(saved) == 12 and [f.index for f in saved] == list(range(12))
    assert repr(saved) == "Saved(in.mp4: 12 frames, something is seen in 12)"
    assert saved.header["source"] == "in.mp4" and saved.events == ()
    hand, face = saved.frames[2].result.tracks  # type: ignore[union-attr]
    names = tuple(f"p{i}" for i in range(21))
    made = replace(clips.track(), names=names)
    assert saved.frames[2].t == pytest.approx(0.08)
    assert hand.xy == pytest.approx(made.xy, abs=0.005) and hand.names == names
    assert (hand.side, hand.gesture, hand.age, hand.xyz) == ("left", "fist", 3, None)
    assert face.pose is not None and (face.pose.yaw, face.pose.roll) == (10.0, 2.5)
    rows = [
        row for f in saved for row in Result(f.t, (made, clips.track("face", number=2))).to_rows()
    ]
    ours = [
        {k: v for k, v in row.items() if k not in ("frame", "landmark")} for row in saved.to_rows()
    ]
    assert ours == [{k: v for k, v in row.items() if k != "landmark"} for row in rows]
    assert saved.to_rows()[0]["landmark"] == "p0" and saved.to_rows()[-1]["frame"] == 11


def test_a_track_goes_through_the_file_and_back_unchanged(tmp_path: Path) -> None:
    xyz = np.random.default_rng(0).normal(size=(21, 3)).astype(np.float32)
    xy = clips.hand_xy()
    xy[5] = np.nan
    pose = replace(clips.track("face").pose, matrix=np.eye(4, dtype=np.float32))  # type: ignore[type-var]
    face = replace(clips.track("face"), pose=pose, attributes=(("jawOpen", 0.25), ("smile", 1.0)))
    tracks = (replace(clips.track(), xy=xy, xyz=xyz), face)
    line = frame_line(7, 0.28, Result(0.28, tracks))
    (frame,) = tracker.read(lines(tmp_path / "o.jsonl", line.rstrip("\n"))).frames
    again = [track_row(track) for track in frame.result.tracks]  # type: ignore[union-attr]
    assert again == json.loads(line)["tracks"]
    assert "attributes" not in again[0] and again[1]["attributes"] == {"jawOpen": 0.25, "smile": 1}
    assert frame.result.tracks[1].attributes == face.attributes  # type: ignore[union-attr]


def test_another_camera_with_another_model(tmp_path: Path) -> None:
    row = json.dumps({"frame": 1, "t_s": 0.0, "tracks": [track_row(clips.track())]})
    event = {
        "event": "source",
        "source": "b.mp4",
        "landmarks": {"hand": [f"q{i}" for i in range(21)]},
    }
    saved = tracker.read(lines(tmp_path / "o.jsonl", row, json.dumps(event), row))
    names = [frame.result.tracks[0].names[0] for frame in saved]  # type: ignore[union-attr]
    assert names == ["p0", "q0"] and saved.events[0]["source"] == "b.mp4"


def test_gaps_events_and_a_cut_off_end(tmp_path: Path) -> None:
    gap = '{"frame": 0, "t_s": 0.0, "tracks": [], "gap": true}'
    skipped = '{"frame": 1, "t_s": 0.1, "tracks": [], "skipped": true}'
    event = '{"event": "gap", "start_s": 0.0, "end_s": 1.0}'
    empty = '{"frame": 2, "t_s": 0.2, "damaged": true, "tracks": []}'
    path = lines(tmp_path / "o.jsonl", gap, skipped, event, empty)
    with path.open("a") as file:
        file.write('{"frame": 3, "t_s"')
    saved = tracker.read(path)
    assert [f.result is None for f in saved] == [True, True, False]
    assert saved.frames[2].marks == {"damaged": True} and saved.frames[2].result.tracks == ()  # type: ignore[union-attr]
    assert [event["event"] for event in saved.events] == ["gap"]
    assert saved.to_rows() == []


def test_other_models_from_there_on(tmp_path: Path) -> None:
    change = json.dumps({"event": "models", "landmarks": {"hand": ["tip"] * 21}, "edges": {}})
    line = frame_line(0, 0.0, Result(0.0, (clips.track(),))).rstrip("\n")
    saved = tracker.read(lines(tmp_path / "o.jsonl", line, change, line))
    assert [row["landmark"] for row in saved.to_rows()][::21] == ["p0", "tip"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON Lines file of this program"),
        ("{}\n", "its first line is no header"),
        ("[1]\n", "line 1 is no JSON object"),
        ("{\n", "line 1 is no JSON object"),
        ('{"schema_version": 99, "landmarks": {}}\n', "newer version"),
        ('{"schema_version": 1, "landmarks": {}}\n{"t_s": 0}\n', "is damaged: KeyError: 'tracks'"),
        ('{"schema_version": 1, "landmarks": {}}\n{"t_s": "x", "tracks": []}\n', "is damaged"),
        ('{"schema_version": 1, "landmarks": 3}\n', "is damaged"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "o.jsonl").write_text(text)
    with pytest.raises(tracker.UserError, match=words):
        tracker.read(tmp_path / "o.jsonl")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(tracker.UserError, match="could not be read"):
        tracker.read(tmp_path / "none.jsonl")


def test_pandas_reads_it_with_and_without_us(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = written(tmp_path)
    ours = tracker.read(path).to_pandas()
    assert len(ours) == 12 * (21 + 68) and ours.frame.nunique() == 12
    theirs = pandas.read_json(path, lines=True).dropna(subset="frame")  # as docs/how-to says
    assert len(theirs) == 12 and theirs.tracks.str.len().tolist() == [2] * 12


def test_irises_visibility_and_expressions_come_back(tmp_path: Path) -> None:
    given = {
        "irises": np.array([[10, 20, 0.5], [30, 20, 0.25]], np.float32),
        "visible": np.full(68, 0.5, np.float32), "expressions": np.full(52, 0.125, np.float32),
    }  # fmt: skip
    face = replace(clips.track("face"), **given)
    rows = [frame_line(i, 0.1 * i, Result(0.1 * i, (t,))).rstrip() for i, t in enumerate(
        (face, clips.track("face")))]  # fmt: skip
    first, second = tracker.read(lines(tmp_path / "f.jsonl", *rows)).frames
    assert first.result is not None and second.result is not None
    for name, values in given.items():
        np.testing.assert_array_equal(getattr(first.result.tracks[0], name), values)
        assert getattr(second.result.tracks[0], name) is None


def test_a_motion_is_read_back_as_the_event_that_it_was(tmp_path: Path) -> None:
    waved = replace(clips.track(), motion=Motion("wave", 0.875, 0.0))
    said = replace(waved, motion=Motion("wave", 0.875, 0.5))
    rows = [frame_line(i, i / 10, Result(i / 10, (one,))).rstrip() for i, one in
            enumerate((waved, said))]  # fmt: skip
    first, then = tracker.read(lines(tmp_path / "o.jsonl", *rows))
    assert first.result is not None and then.result is not None
    assert first.result.tracks[0].happened == Motion("wave", 0.875, 0.0)
    assert then.result.tracks[0].motion is None
