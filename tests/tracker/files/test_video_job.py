"""The whole job on tiny clips with a fake tracker: nothing lost, nothing left behind."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import enumerate as enumerate_threads
from time import perf_counter, sleep
from typing import Any

import av
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import Clip, FakeTracker
from tracker.errors import UserError
from tracker.files.video_job import Job, Report, annotate
from tracker.outputs.out_file import OutFile
from tracker.outputs.overlay import Style, draw
from tracker.outputs.skeleton import skeletons
from tracker.outputs.video_writer import VideoWriter
from tracker.result import Result
from tracker.sources.video_file import VideoReader
from tracker.types import Image, Kind

VFR = [0, 33, 50, 121, 122, 300, 1000]


def job(folder: Path, source: Path) -> Job:
    return Job(source, folder / "out.mp4", folder / "out.jsonl", folder / "out.csv")


def run(work: Job, sees: Sequence[Kind] = ("hand", "face")) -> tuple[Report, FakeTracker]:
    fake = FakeTracker(sees)
    return annotate(work, fake, clips.USED), fake


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_frame_once_and_at_its_time(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(times=VFR, sound="aac"))
    done: list[tuple[int, int | None]] = []
    fake = FakeTracker()
    report = annotate(
        job(tmp_path, source), fake, clips.USED, lambda n, total: done.append((n, total))
    )
    assert (report.frames, report.gaps) == (7, 0)
    assert report.with_kind == {"hand": 7, "face": 7}
    assert fake.times == [t / 1000 for t in VFR]
    assert clips.read(tmp_path / "out.mp4")[0] == [Fraction(t, 1000) for t in VFR]
    assert clips.sound_of(tmp_path / "out.mp4")[0][0] == "aac"
    assert done == [(i + 1, 7) for i in range(7)]
    _, *data = rows(tmp_path / "out.jsonl")
    assert [(r["frame"], r["t_s"]) for r in data] == [(i, t / 1000) for i, t in enumerate(VFR)]
    assert {p.name for p in tmp_path.iterdir()} == {
        "in.mp4", "out.mp4", "out.jsonl", "out_hand.csv", "out_face.csv",
    }  # fmt: skip


def test_the_picture_shows_the_landmarks(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(size_wh=(192, 128)))
    run(job(tmp_path, source))
    _, before = clips.read(source)
    _, after = clips.read(tmp_path / "out.mp4")
    x, y = np.rint(clips.hand_xy()[0]).astype(int)
    change = np.abs(after[5].astype(int) - before[5]).sum(2)
    assert change[y, x] > 100 and np.median(change) < 30


def test_data_rows_hold_smoothed_and_raw(tmp_path: Path) -> None:
    run(job(tmp_path, clips.make(tmp_path / "in.mp4")))
    head, first, *_ = rows(tmp_path / "out.jsonl")
    assert head["fps"] == "25/1" and head["size_wh"] == [96, 64] and head["source"] == "in.mp4"
    assert [t["kind"] for t in first["tracks"]] == ["hand", "face"]
    hands = list(csv.DictReader((tmp_path / "out_hand.csv").open(encoding="utf-8")))
    faces = list(csv.DictReader((tmp_path / "out_face.csv").open(encoding="utf-8")))
    assert len(hands) == len(faces) == 12
    assert float(hands[0]["p0_x_raw"]) - float(hands[0]["p0_x"]) == 1 and faces[0]["yaw"] == "10.0"


def test_no_hand_and_no_face_gives_valid_outputs(tmp_path: Path) -> None:
    report, _ = run(job(tmp_path, clips.make(tmp_path / "in.mp4")), sees=())
    assert report.warnings() == ["no hand and no face was found in any frame"]
    assert len(clips.read(tmp_path / "out.mp4")[0]) == 12
    assert [r["tracks"] for r in rows(tmp_path / "out.jsonl")[1:]] == [[]] * 12
    assert len((tmp_path / "out_hand.csv").read_text().splitlines()) == 1


def test_gaps_keep_their_place_in_all_outputs(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(options={"bf": "0"}))
    clips.damage(source, [4, 5])
    report, fake = run(job(tmp_path, source))
    assert (report.frames, report.gaps, len(fake.times)) == (12, 2, 10)
    assert report.warnings()[0].startswith("2 of 12 frames could not be decoded")
    data = rows(tmp_path / "out.jsonl")[1:]
    assert [r["frame"] for r in data if r.get("gap")] == [4, 5] and len(data) == 12
    hands = list(csv.DictReader((tmp_path / "out_hand.csv").open(encoding="utf-8")))
    assert [(r["frame"], r["track_id"]) for r in hands[4:6]] == [("4", ""), ("5", "")]
    times, pictures = clips.read(tmp_path / "out.mp4")
    assert times == [Fraction(i, 25) for i in range(12)]
    # The gap shows the picture before, without landmarks that nobody saw.
    noise = [np.abs(pictures[4].astype(int) - clips.picture(i))[20:].mean() for i in range(12)]
    assert int(np.argmin(noise)) == 3


def test_leading_gaps_are_black(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=20, options={"g": "10"}))
    report, _ = run(job(tmp_path, clips.damage(source, [0])))
    _, pictures = clips.read(tmp_path / "out.mp4")
    assert len(pictures) == report.frames == 20
    assert pictures[0].mean() < 5 < 60 < pictures[15].mean()


def test_cut_off_file_is_done_as_far_as_it_goes(tmp_path: Path) -> None:
    source = clips.cut(clips.make(tmp_path / "in.mp4", Clip(frames=40, faststart=True)), 0.6)
    report, _ = run(job(tmp_path, source))
    times, _ = clips.read(tmp_path / "out.mp4")
    assert 10 < len(times) == report.frames < 40
    assert any(
        f"cut off: the last {40 - report.frames} frames" in said for said in report.warnings()
    )


def test_rotated_phone_video_comes_out_upright(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(rotation=90))
    _, fake = run(replace(job(tmp_path, source), style=Style(on_black=True)))
    assert fake.first is not None and fake.first.shape == (96, 64, 3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (64, 96, 0)


def test_only_data_without_video(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    run(Job(source, json=tmp_path / "out.jsonl"))
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "out.jsonl"}


def test_stages_are_timed(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    report = annotate(job(tmp_path, source), FakeTracker(delay=0.01), clips.USED)
    text = report.times.table(report.fps)
    assert all(word in text for word in ("decode", "network", "draw", "encode", "p95"))
    mean = next(float(line.split()[1]) for line in text.splitlines() if "network" in line)
    assert mean >= 10


class Stop:
    """True from the n-th question on."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_stopping_leaves_playable_files(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=100, sound="aac"))
    report = annotate(job(tmp_path, source), FakeTracker(), clips.USED, stopped=Stop(30))
    assert report.interrupted and report.frames == 30
    assert report.warnings() == ["stopped after 30 frames; the output ends there"]
    assert len(clips.read(tmp_path / "out.mp4")[0]) == 30
    assert clips.sound_of(tmp_path / "out.mp4")[0][1] == pytest.approx(1.2, abs=0.06)
    assert len(rows(tmp_path / "out.jsonl")) == 31


def test_stopping_before_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    report = annotate(job(tmp_path, source), FakeTracker(), clips.USED, stopped=lambda: True)
    assert report.interrupted and [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


class Failing(FakeTracker):
    """Breaks at its fifth frame."""

    def process(self, frame_bgr: Image, t: float) -> Result:
        if len(self.times) == 4:
            raise KeyboardInterrupt
        return super().process(frame_bgr, t)


def test_a_crash_leaves_no_half_files(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    with pytest.raises(KeyboardInterrupt):
        annotate(job(tmp_path, source), Failing(), clips.USED)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]


def test_refusals_come_before_any_work(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    (tmp_path / "old.jsonl").write_text("old")
    fake = FakeTracker()
    for work, words in (
        (Job(source, source, overwrite=True), "is the input itself"),
        (Job(source, tmp_path / "out.mp4", tmp_path / "old.jsonl"), "--overwrite"),
        (Job(source, tmp_path / "out.avi"), r"\.mp4"),
        (Job(source, tmp_path / "x", tmp_path / "x"), "two outputs"),
        (Job(source), "nothing to write"),
    ):
        with pytest.raises(UserError, match=words):
            annotate(work, fake, clips.USED)
    assert fake.times == []
    assert {p.name for p in tmp_path.iterdir()} == {"in.mp4", "old.jsonl"}
    assert (tmp_path / "old.jsonl").read_text() == "old"


def one_after_the_other(source: Path, out: Path, tracker: FakeTracker) -> None:
    """The video of a job as one thread writes it."""
    reader = VideoReader(source)
    writer = VideoWriter(OutFile(out, [source], False), reader.facts, source)
    looks = skeletons([m.info for m in clips.USED])
    for frame in reader.frames():
        assert frame.bgr is not None
        writer.write(draw(frame.bgr, tracker.process(frame.bgr, frame.t).tracks, looks), frame.t)
    writer.finish()
    reader.close()


def test_threads_change_nothing_in_the_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes into the encoder is the same; its own bytes vary a little with its pace."""
    source = clips.make(tmp_path / "in.mp4", Clip(frames=60, size_wh=(192, 128), sound="aac"))
    written: list[tuple[float, bytes]] = []
    write = VideoWriter.write

    def noted(self: VideoWriter, bgr: Image, t: float) -> None:
        written.append((t, bgr.tobytes()))
        write(self, bgr, t)

    monkeypatch.setattr(VideoWriter, "write", noted)
    run(job(tmp_path, source))
    by_threads, written = written, []
    one_after_the_other(source, tmp_path / "alone.mp4", FakeTracker())
    assert len(written) == 60 and by_threads == written
    assert packets(tmp_path / "out.mp4", 1) == packets(tmp_path / "alone.mp4", 1)


def packets(path: Path, stream: int) -> list[tuple[int | None, bytes]]:
    """Times and bytes of one stream of a file."""
    with av.open(str(path)) as container:
        return [(p.pts, bytes(p)) for p in container.demux(container.streams[stream])]


def test_decoding_and_encoding_go_on_while_the_tracker_works(tmp_path: Path) -> None:
    """Three times 20 ms a frame, side by side: far less than one after the other."""
    source = clips.make(tmp_path / "in.mp4", Clip(frames=30))
    slow_read, slow_write = VideoReader._bgr, VideoWriter.write

    def read(self: VideoReader, picture: av.VideoFrame) -> Image:
        sleep(0.02)
        return slow_read(self, picture)

    def write(self: VideoWriter, bgr: Image, t: float) -> None:
        sleep(0.02)
        slow_write(self, bgr, t)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VideoReader, "_bgr", read)
        patch.setattr(VideoWriter, "write", write)
        report = annotate(job(tmp_path, source), FakeTracker(delay=0.02), clips.USED)
        began = perf_counter()
        one_after_the_other(source, tmp_path / "alone.mp4", FakeTracker(delay=0.02))
        alone = perf_counter() - began
    assert report.frames == 30
    assert report.seconds < 0.8 * alone


@pytest.mark.parametrize("stage", ["decode", "encode"])
def test_a_dying_stage_ends_the_job_with_its_error(
    tmp_path: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=60))
    count = 0

    def dies(*_: object) -> None:
        nonlocal count
        count += 1
        if count == 7:
            raise UserError(f"the {stage} broke; mend it")

    if stage == "decode":
        real = VideoReader._bgr
        monkeypatch.setattr(VideoReader, "_bgr", lambda *a: (dies(), real(*a))[1])
    else:
        monkeypatch.setattr(VideoWriter, "write", dies)
    fake = FakeTracker()
    with pytest.raises(UserError, match=f"the {stage} broke"):
        annotate(job(tmp_path, source), fake, clips.USED)
    assert [p.name for p in tmp_path.iterdir()] == ["in.mp4"]
    assert len(fake.times) < 30
    assert not [t for t in enumerate_threads() if t.name in ("ahead", "behind")]
