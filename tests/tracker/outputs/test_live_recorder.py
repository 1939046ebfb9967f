"""Recordings: nothing waits for them, a crash leaves them playable, a full disk ends only them."""

from __future__ import annotations

import copy
import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import USED, Clip
from tests.helpers.live import FakeCamera, noise, wait_for
from tests.tracker.live.test_pipeline import running, wait_for_phase, wait_for_picture
from tracker.errors import UserError
from tracker.outputs import live_recorder
from tracker.outputs.live_recorder import Recorder
from tracker.outputs.output import About
from tracker.outputs.overlay import Style
from tracker.result import Result
from tracker.sources.paced_file import FileSource
from tracker.sources.source import Gap
from tracker.sources.video_file import VideoReader
from tracker.types import Frame

ABOUT = About("the fake camera", USED)
ROOT = Path(__file__).parents[3]


def frame(i: int, t: float | None = None, size_wh: tuple[int, int] = (96, 64)) -> Frame:
    return Frame(i, 50 + i / 25 if t is None else t, noise(i, size_wh))


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def seen(i: int) -> Result:
    return Result(50 + i / 25, (clips.track("hand", number=i),))


def test_raw_video_data_and_times(tmp_path: Path) -> None:
    """Irregular times; frame 2 was captured but never tracked, frame 4 could not be decoded."""
    times = [50.0, 50.04, 50.1, 50.2, 50.3, 50.301]
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    for i, t in enumerate(times):
        recorder.frame(i, frame(i, t) if i != 4 else Frame(i, t, None))
        if i not in (2, 4):
            recorder.result(i, seen(i))
    recorder.gap(Gap(50.301, None, "unplugged", "it was unplugged"))
    recorder.stop()
    recorder.run()
    assert recorder.error is None and recorder.saved == tmp_path / "r.mp4"
    assert {p.name for p in tmp_path.iterdir()} == {"r.mp4", "r.jsonl", "r_timestamps.json"}
    stamps, _ = clips.read(tmp_path / "r.mp4")
    assert [round(1000 * t) for t in stamps] == [0, 40, 100, 200, 301]

    head, *data = rows(tmp_path / "r.jsonl")
    assert head["source"] == "the fake camera" and head["size_wh"] == [96, 64]
    frames = [row for row in data if "frame" in row]
    assert [row["frame"] for row in frames] == [0, 1, 2, 3, 4]
    assert [row["t_s"] for row in frames] == pytest.approx([0, 0.04, 0.1, 0.2, 0.301])
    assert [row.get("skipped", False) for row in frames] == [False, False, True, False, False]
    assert [len(row["tracks"]) for row in frames] == [1, 1, 0, 1, 1]  # type: ignore[arg-type]
    undecodable, unplugged = [row for row in data if row.get("event") == "gap"]
    assert undecodable["phase"] == "undecodable" and undecodable["start_s"] == pytest.approx(0.3)
    assert (unplugged["end_s"], unplugged["reason"]) == (None, "it was unplugged")

    about = json.loads((tmp_path / "r_timestamps.json").read_text())
    assert (about["schema_version"], about["video_file"], about["num_frames"]) == (1, "r.mp4", 5)
    wall = about["timestamps"]
    assert np.diff(wall) == pytest.approx([0.04, 0.06, 0.1, 0.101], abs=1e-5)
    assert (about["start_time"], about["end_time"]) == (wall[0], wall[-1])
    assert wall[0] == pytest.approx(head["start_time"])


def test_annotated_video_is_drawn_on(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.mp4", True, About("cam", USED, Style(on_black=True)))
    for i in range(3):
        recorder.frame(i, frame(i), seen(i))
    recorder.stop()
    recorder.run()
    _, pictures = clips.read(tmp_path / "r.mp4")
    assert len(pictures) == 3
    assert pictures[0].max() > 150 and np.median(pictures[0]) < 30, "landmarks on black"
    assert all("skipped" not in row for row in rows(tmp_path / "r.jsonl"))


def test_a_new_size_begins_a_new_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.mkv", annotated=False, about=ABOUT)
    for i in range(6):
        recorder.frame(i, frame(i, size_wh=(96, 64) if i < 4 else (64, 48)))
        recorder.result(i, seen(i))
    recorder.stop()
    recorder.run()
    assert recorder.error is None and recorder.facts.frames == 6
    for name, size, count in (("r", (96, 64), 4), ("r_2", (64, 48), 2)):
        with closing(VideoReader(tmp_path / f"{name}.mp4")) as reader:
            assert reader.facts.size_wh == size and len(list(reader.frames())) == count
        assert len(rows(tmp_path / f"{name}.jsonl")) == count + 1
        assert (tmp_path / f"{name}_timestamps.json").exists()


def test_other_models_are_noted(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.mp4", True, About("cam", ()))
    recorder.models(USED[:1])
    recorder.frame(0, frame(0), seen(0))
    recorder.models(USED)
    recorder.frame(1, frame(1), seen(1))
    recorder.stop()
    recorder.run()
    head, _, event, _ = rows(tmp_path / "r.jsonl")
    assert [m["file"] for m in head["models"]] == ["hand.onnx"]  # type: ignore[attr-defined]
    assert event["event"] == "models" and list(event["landmarks"]) == ["hand", "face"]  # type: ignore[call-overload]


def test_models_are_noted_only_where_they_change(tmp_path: Path) -> None:
    """The tracker says anew with each frame what it uses: the same in value, not the same thing."""
    told = [USED[:1], copy.deepcopy(USED[:1]), copy.deepcopy(USED[:1]), USED, copy.deepcopy(USED)]
    now = iter(told)
    recorder = Recorder(tmp_path / "r.mp4", True, About("cam", USED[:1], used=lambda: next(now)))
    for i in range(5):
        recorder.put(frame(i), seen(i))
    recorder.stop()
    recorder.run()
    assert [row.get("event", row.get("frame")) for row in rows(tmp_path / "r.jsonl")[1:]] == [
        0, 1, 2, "models", 3, 4,
    ]  # fmt: skip


def test_frames_without_room_are_lost_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_recorder, "BUFFER", live_recorder.SPARE + 3 * 96 * 64 * 3)
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    for i in range(10):  # nobody writes meanwhile
        recorder.frame(i, frame(i))
        recorder.result(i, seen(i))
    assert recorder.facts.lost >= 6
    recorder.stop()
    recorder.run()
    assert recorder.facts.frames + recorder.facts.lost == 10
    with closing(VideoReader(tmp_path / "r.mp4")) as reader:
        assert len(list(reader.frames())) == recorder.facts.frames


def test_a_disk_that_is_gone_ends_the_recording_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("shutil.disk_usage", gone)
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    recorder.frame(0, frame(0))
    recorder.stop()
    recorder.run()
    assert "the recording stopped" in (recorder.error or "")
    assert "Input/output error" in (recorder.error or "")


def test_no_picture_no_file(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    recorder.stop()
    recorder.run()
    assert recorder.saved is None and "no picture came" in (recorder.error or "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["r.mp4", "r.mkv", "r.jsonl", "r_timestamps.json"])
def test_nothing_is_written_over(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("precious")
    with pytest.raises(UserError, match="exists already; choose another name"):
        Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    assert (tmp_path / taken).read_text() == "precious"


def test_names_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"ends in \.mp4"):
        Recorder(tmp_path / "r.avi", annotated=False, about=ABOUT)
    with pytest.raises(UserError, match="there is no folder"):
        Recorder(tmp_path / "no" / "r.mp4", annotated=False, about=ABOUT)


def test_what_cannot_become_an_mp4_stays_an_mkv(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    for i in range(3):
        recorder.frame(i, frame(i))
    (tmp_path / "r.mp4").write_text("somebody else's")
    recorder.stop()
    recorder.run()
    assert recorder.saved == tmp_path / "r.mkv" and "kept as" in (recorder.error or "")
    assert len(clips.read(tmp_path / "r.mkv")[0]) == 3
    about = json.loads((tmp_path / "r_timestamps.json").read_text())
    assert about["video_file"] == "r.mkv"
    assert (tmp_path / "r.mp4").read_text() == "somebody else's"
    assert not list(tmp_path.glob(".*"))


def test_recording_the_live_picture(tmp_path: Path) -> None:
    camera = FakeCamera()
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        pipeline.start_recording(tmp_path / "r.mp4", annotated=False)
        with pytest.raises(UserError, match="still being recorded"):
            pipeline.start_recording(tmp_path / "s.mp4", annotated=False)
        wait_for(lambda: (r := pipeline.health().recording) is not None and r.frames > 10, "frames")
        camera.plugged = False
        wait_for_phase(pipeline, "unplugged")
        sleep(0.2)
        camera.plugged = True
        wait_for_phase(pipeline, "running")
        for _ in range(5):
            wait_for_picture(pipeline)
        recording = pipeline.health().recording
        assert recording is not None and recording.path == tmp_path / "r.mp4"
        assert recording.seconds > 0.3 and recording.lost == 0 and not recording.finishing
        assert pipeline.stop_recording() == tmp_path / "r.mp4"
        assert pipeline.health().recording is None and pipeline.health().error is None
        wait_for_picture(pipeline)
        pipeline.start_recording(tmp_path / "s.mp4", annotated=True)
        wait_for(lambda: (r := pipeline.health().recording) is not None and r.frames > 3, "frames")
    assert (tmp_path / "s.mp4").exists(), "closing completes a recording"
    stamps, _ = clips.read(tmp_path / "r.mp4")
    _, *data = rows(tmp_path / "r.jsonl")
    frames = [row for row in data if "frame" in row]
    assert len(frames) == len(stamps) and stamps == sorted(set(stamps))
    (gap,) = [row for row in data if row.get("event") == "gap"]
    at = [row["t_s"] for row in frames]
    assert gap["phase"] == "unplugged" and gap["start_s"] in at and gap["end_s"] in at
    widest = float(max(np.diff(np.asarray(at, float))))
    assert float(gap["end_s"]) - float(gap["start_s"]) == pytest.approx(widest, abs=1e-5)  # type: ignore[arg-type]


def test_a_pause_is_a_gap(tmp_path: Path) -> None:
    with running(FakeCamera()) as pipeline:
        wait_for_picture(pipeline)
        pipeline.start_recording(tmp_path / "r.mp4", annotated=False)
        wait_for(lambda: (r := pipeline.health().recording) is not None and r.frames > 3, "frames")
        pipeline.pause(True)
        sleep(0.3)
        pipeline.pause(False)
        for _ in range(3):
            wait_for_picture(pipeline)
        pipeline.stop_recording()
    (gap,) = [row for row in rows(tmp_path / "r.jsonl") if row.get("event") == "gap"]
    assert gap["phase"] == "paused" and float(gap["end_s"]) - float(gap["start_s"]) > 0.25  # type: ignore[arg-type]


def test_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit on the size of files acts like a full disk: writing fails in the middle."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    camera = FakeCamera()
    camera.picture = lambda i: noise(i, (320, 240))
    with running(camera) as pipeline:
        wait_for_picture(pipeline)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
        try:
            pipeline.start_recording(tmp_path / "r.mp4", annotated=False)
            wait_for(lambda: pipeline.health().recording is None, "it stops by itself")
            error = pipeline.health().error
            assert error is not None and "the recording stopped" in error
            assert "largest size" in error and f"kept as {tmp_path / 'r.mkv'}" in error
            wait_for_picture(pipeline)
            assert not pipeline.health().dead
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert pipeline.stop_recording() is None
    with closing(VideoReader(tmp_path / "r.mkv")) as reader:
        assert sum(f.bgr is not None for f in reader.frames()) >= 1


def test_it_stops_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_recorder, "LEAST_FREE", 1 << 60)
    recorder = Recorder(tmp_path / "r.mp4", annotated=False, about=ABOUT)
    recorder.frame(0, frame(0))
    recorder.run()
    assert "is full; free some space" in (recorder.error or "")


def test_a_slow_disk_does_not_hold_up_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = live_recorder._Take.picture

    def slow(take: live_recorder._Take, item: live_recorder._Picture) -> None:
        sleep(0.2)
        write(take, item)

    monkeypatch.setattr(live_recorder._Take, "picture", slow)
    monkeypatch.setattr(live_recorder, "BUFFER", live_recorder.SPARE + 3 * 96 * 64 * 3)
    with running(FakeCamera()) as pipeline:
        wait_for_picture(pipeline)
        pipeline.start_recording(tmp_path / "r.mp4", annotated=False)
        wait_for(lambda: (r := pipeline.health().recording) is not None and r.lost > 10, "losses")
        shown, begun = pipeline.latest(), monotonic()
        assert shown is not None and begun - shown.t_capture < 0.5
        pipeline.stop_recording()


CRASH = """
import sys, time
from pathlib import Path
from tests.helpers.live import FakeCamera, FakeLiveTracker, noise
from tracker.live.pipeline import Pipeline
from tracker.config import TrackerConfig
camera, tracker = FakeCamera(fps=50), FakeLiveTracker()
still, tracker.tracks = noise(0), ()  # few bytes per frame, so that no buffer overflows by itself
camera.picture = lambda i: still
pipeline = Pipeline(camera, TrackerConfig(), lambda config: tracker)
pipeline.start()
pipeline.start_recording(Path(sys.argv[1]), annotated=False)
while True:
    recording = pipeline.health().recording
    print(recording.frames, flush=True)
    time.sleep(0.02)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_kill_leaves_a_playable_file(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(tmp_path / "r.mp4")], stdout=subprocess.PIPE, cwd=ROOT
    )
    killer = Thread(target=lambda: (sleep(60), process.kill()), daemon=True)
    killer.start()
    assert process.stdout is not None
    reached = next(int(line) for line in process.stdout if int(line) >= 175)
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    with closing(VideoReader(tmp_path / "r.mkv")) as reader:
        frames = [f for f in reader.frames() if f.bgr is not None]
    assert len(frames) >= reached - 40, "all but the last half second and what was in the encoder"
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert len(lines) > reached - 40
    assert json.loads(lines[1])["frame"] == 0


def test_a_file_is_recorded_with_its_own_times(tmp_path: Path) -> None:
    ticks = [0, 40, 60, 200, 240, 500]
    path = clips.make(tmp_path / "a.mp4", Clip(times=ticks))
    with running(FileSource(path)) as pipeline:
        pipeline.start_recording(tmp_path / "r.mp4", annotated=False)
        wait_for_phase(pipeline, "ended")
        pipeline.stop_recording()
    stamps, _ = clips.read(tmp_path / "r.mp4")
    first = ticks.index(500 - round(1000 * float(stamps[-1])))
    assert [round(1000 * float(t)) for t in stamps] == [t - ticks[first] for t in ticks[first:]]
