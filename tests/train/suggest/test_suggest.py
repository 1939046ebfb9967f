"""Suggestions for drawn clips: blobs that are found, lost, doubted, labelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.helpers.drawn import SHAPE, BlobEngine, blob_info, draw_blobs
from tracker.errors import UserError
from tracker.find.locate import Model
from tracker.find.markups import Markup
from tracker.types import CropRule
from train.project.adding import add_clips
from train.project.labels import FrameLabel, Labels, ObjectLabel, picture_name
from train.project.layout import Project, create_project
from train.suggest.suggest import held_out, suggest
from train.suggest.survey import (
    MOST_MEASURED,
    MOST_TRACKED,
    STEP_S,
    WINDOW_S,
    lost_rows,
    plan_pass,
    tracked_frames,
)

NAMES = ("red", "green", "blue")
FPS = 10
MIDDLE = np.add(SHAPE, (80, 60))


class Doubter(BlobEngine):
    """Puts the first landmark 8 crop pixels to the right where its blob is dim: a shift that does
    not turn with the crop.
    """

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        found = super().run(batch)
        for i, crop in enumerate(batch):
            if 60 < crop[0].max() < 180:
                found["xy"][i, 0, 0] += 8
        return found


def a_model(engine: BlobEngine | None = None) -> Model:
    return Model(engine or BlobEngine(), blob_info("object"))


def project_with(folder: Path, clips: dict[str, Sequence[np.ndarray]]) -> Project:
    """A project of three landmarks with these clips of 10 frames per second."""
    markup = Markup("blobs", "object", "scratch", NAMES, ((0, 1),), (), (), CropRule(1.6))
    project = create_project(folder / "project", markup)
    for name, frames in clips.items():
        add_clips(project, [write(folder / name, frames)])
    return project


def write(path: Path, frames: Sequence[np.ndarray]) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=FPS, options={"crf": "8"})
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.codec_context.time_base = Fraction(1, FPS)
        for i, bgr in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), format="bgr24")
            frame.pts = i
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def blobs(xy: np.ndarray = MIDDLE, red: float = 1.0) -> np.ndarray:
    """One object; its red blob dimmed to the share `red`."""
    frame = draw_blobs([xy], (120, 160))
    frame[..., 2] = (frame[..., 2] * red).astype(np.uint8)
    return frame


def drifting(count: int = 40) -> list[np.ndarray]:
    return [blobs(np.add(MIDDLE, (0.5 * i, 0))) for i in range(count)]


def empty(shape_hw: tuple[int, int] = (120, 160)) -> np.ndarray:
    return np.zeros((*shape_hw, 3), np.uint8)


def label(project: Project, clip: str, frame: int, bgr: np.ndarray, xy: np.ndarray) -> FrameLabel:
    """A labelled frame with its picture."""
    path = project.labels_dir / picture_name(clip, frame)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), bgr)
    found = ObjectLabel(1, xy.astype(np.float32), np.full(3, 2, np.uint8), None, "user")
    return FrameLabel(clip, frame, frame / FPS, (160, 120), (found,))


def test_a_gap_is_lost_and_an_end_is_not() -> None:
    t = [0.1 * i for i in range(12)]
    assert lost_rows([1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0], t) == [3]
    assert lost_rows([2, 2, 1, 2, 2, 0, 0, 2, 2, 2, 2, 2], t) == [2, 5]
    assert lost_rows([1, 0, 0, 1], [0.0, 1.0, 2.0, 3.5]) == []  # longer than a second: gone
    assert lost_rows([], []) == []


@pytest.mark.parametrize("seconds", [3.0, 60.0, 500.0, 7200.0, 360_000.0])
def test_the_pass_is_bounded(seconds: float) -> None:
    plan = plan_pass(seconds)
    tracked = seconds * plan.share / STEP_S
    assert tracked <= MOST_TRACKED
    assert tracked / plan.every <= MOST_MEASURED
    if seconds == 500:  # 200 s are tracked at most, so half of them are not enough
        assert plan.share == 0.25 and plan.every == 4


def test_frames_of_the_pass_are_a_step_apart_and_in_windows() -> None:
    times = np.arange(0, 40, 0.04) + 5  # a clip that does not start at 0
    assert np.diff(times[tracked_frames(times, plan_pass(40))]).max() < 0.15
    assert len(tracked_frames(times, plan_pass(40))) == 400
    quarter = tracked_frames(times, plan_pass(500))
    assert {int((times[i] - 5) // WINDOW_S) for i in quarter} == {0, 4, 8}
    assert tracked_frames(np.array([0.0]), plan_pass(1)) == [0]


def test_where_it_was_lost_comes_first(tmp_path: Path) -> None:
    frames = drifting()
    frames[20:24] = [empty()] * 4
    project = project_with(tmp_path, {"a.mp4": frames})
    found = suggest(project, Labels(), a_model(), 3)
    assert found[0].why == "lost here" and found[0].frame in range(20, 24)
    assert found[0].disagreement is None and found[0].t == pytest.approx(found[0].frame / FPS)
    assert len({s.frame for s in found}) == 3
    assert all(abs(a.t - b.t) > 0.5 for a in found for b in found if a is not b)


def test_what_it_doubts_is_named(tmp_path: Path) -> None:
    frames = drifting()
    frames[10:13] = [blobs(np.add(MIDDLE, (0.5 * i, 0)), 0.5) for i in range(10, 13)]
    project = project_with(tmp_path, {"a.mp4": frames})
    first, second = suggest(project, Labels(), a_model(Doubter()), 2)
    assert first.frame in range(10, 13) and first.why.startswith("unsure of red")
    assert first.disagreement is not None and second.disagreement is not None
    assert first.disagreement > 2 * second.disagreement


def test_labelled_frames_are_left_out_and_keep_others_away(tmp_path: Path) -> None:
    frames = drifting()
    project = project_with(tmp_path, {"a.mp4": frames})
    shown = label(project, "a.mp4", 10, frames[10], np.add(MIDDLE, (5, 0)))
    labels = Labels({shown.key: shown})
    found = suggest(project, labels, a_model(), 40)
    assert len(found) == 39 and 10 not in {s.frame for s in found}
    assert all(abs(s.frame - 10) > 5 for s in found[:3])


def test_the_same_again_from_the_cache(tmp_path: Path) -> None:
    project = project_with(tmp_path, {"a.mp4": drifting(20), "b.mp4": [*drifting(5), empty()]})
    engine = BlobEngine()
    first = suggest(project, Labels(), a_model(engine), 8)
    runs = len(engine.batches)
    assert runs > 0
    assert suggest(project, Labels(), a_model(engine), 8) == first
    assert len(engine.batches) == runs
    (project.cache_dir / "suggest.json").write_text("{")
    assert suggest(project, Labels(), a_model(), 8) == first


def test_a_new_clip_alone_is_looked_at(tmp_path: Path) -> None:
    project = project_with(tmp_path, {"a.mp4": drifting(20)})
    suggest(project, Labels(), a_model(), 8)
    add_clips(project, [write(tmp_path / "b.mp4", drifting(7))])
    told: list[tuple[int, int]] = []
    found = suggest(project, Labels(), a_model(), 8, lambda *n: told.append(n))
    assert told == [(i + 1, 7) for i in range(7)]
    assert {s.clip for s in found} == {"a.mp4", "b.mp4"}


def test_stopping_ranks_what_was_seen(tmp_path: Path) -> None:
    project = project_with(tmp_path, {"a.mp4": drifting(20)})
    told: list[int] = []
    found = suggest(
        project, Labels(), a_model(), 50, lambda done, total: told.append(done),
        lambda: len(told) >= 6,
    )  # fmt: skip
    assert {s.frame for s in found} == set(range(6))
    assert len(suggest(project, Labels(), a_model(), 50)) == 20  # nothing half was kept


def test_a_held_out_stretch_is_not_suggested_nor_what_lies_beside_it(tmp_path: Path) -> None:
    """Labels there would not be learnt from: the stretch tests, a second on both sides is left out.

    10 frames a second.
    """
    project = project_with(tmp_path, {"a.mp4": drifting(60)})
    body = {"hold": [], "stretch": ["a.mp4", 3.0, 5.9]}
    project.split_path.write_text(json.dumps(body))
    found = suggest(project, Labels(), a_model(), 60)
    assert found and max(s.frame for s in found) < 20
    body["stretch"] = ["a.mp4", 0.0, 5.9]
    project.split_path.write_text(json.dumps(body))
    assert suggest(project, Labels(), a_model(), 60), "better than nothing"


def test_held_out_clips_are_not_suggested(tmp_path: Path) -> None:
    project = project_with(tmp_path, {"a.mp4": drifting(6), "b.mp4": drifting(7)})
    project.split_path.write_text(json.dumps({"hold": ["b.mp4"]}))
    assert {s.clip for s in suggest(project, Labels(), a_model(), 20)} == {"a.mp4"}
    project.split_path.write_text("nonsense")
    assert held_out(project) == frozenset()


def test_without_a_model_frames_that_differ_are_taken(tmp_path: Path) -> None:
    frames = [empty()] * 15 + [blobs()] * 15
    frames = [f.copy() for f in frames]
    project = project_with(tmp_path, {"a.mp4": frames})
    found = suggest(project, Labels(), None, 2)
    assert {s.frame < 15 for s in found} == {True, False}
    assert {s.why for s in found} == {"unlike the other frames"}


def test_nothing_to_suggest(tmp_path: Path) -> None:
    project = project_with(tmp_path, {})
    assert suggest(project, Labels(), a_model(), 5) == []


def test_the_command(tmp_path: Path) -> None:
    from ui.commands.train import app

    project = project_with(tmp_path, {"a.mp4": drifting(12)})
    done = CliRunner().invoke(app, ["suggest", str(project.root), "-n", "3", "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert len(rows) == 3 and set(rows[0]) == {"clip", "frame", "t_s", "disagreement", "why"}
    done = CliRunner().invoke(app, ["suggest", str(project.root), "-n", "2"])
    assert "a.mp4" in done.stdout and "train label" in done.stdout


def test_the_command_says_what_is_missing(tmp_path: Path) -> None:
    from ui.commands.train import app

    project = project_with(tmp_path, {})
    for folder, words in (
        (project.root, "no clip and no picture yet"),
        (tmp_path / "nope", "train init"),
    ):
        done = CliRunner().invoke(app, ["suggest", str(folder)])
        assert isinstance(done.exception, UserError) and words in str(done.exception)
