"""`tracker neutral`, and `--neutral` of the other commands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import tracker.live.pipeline
import ui.commands.tracker
from tests.helpers import clips
from tests.helpers.fake_pipeline import HEALTH, FakePipeline, plain, state
from tests.tracker.follow.test_neutral import face, resting
from tracker.config import TrackerConfig
from tracker.find.expressions import EXPRESSIONS
from tracker.follow.neutral_files import file_of, keep_face, read_face
from tracker.result import Result, Shown
from tracker.track import Tracker
from tracker.types import Track


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(ui.commands.tracker.app, list(words))
    return done.exit_code, " ".join(done.output.split())


class Playing(FakePipeline):
    """Shows the next frame each time it is asked, 10 a second; then it has ended."""

    frames: Iterable[tuple[Track, ...]] = ()

    def latest(self) -> Shown | None:
        serial = 0 if self.shown is None else self.shown.serial
        if serial < len(seen := list(self.frames)):
            self.give(plain(), Result(serial / 10, seen[serial]))
        else:
            self.now = replace(self.now, camera=state("ended", "the clip has ended"))
        return self.shown


def plays(monkeypatch: pytest.MonkeyPatch, frames: Iterable[tuple[Track, ...]]) -> list[Playing]:
    made: list[Playing] = []

    def make(source: object, config: TrackerConfig) -> Playing:
        made.append(Playing(config=config))
        made[0].frames = frames
        made[0].now = replace(HEALTH, models=clips.USED)
        return made[0]

    monkeypatch.setattr(tracker.live.pipeline, "Pipeline", make)
    return made


def test_a_face_is_captured_without_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = str(clips.make(tmp_path / "in.mp4"))
    made = plays(monkeypatch, [()] * 3 + [(face(jawOpen=0.25),)] * 52)
    code, said = run("neutral", "take", "--camera", clip, "--name", "ann")
    assert code == 0 and f"kept in {file_of('ann')}: 31 frames" in said
    assert "no face is seen" in said and "5 s left" in said
    assert read_face(file_of("ann")).expressions[EXPRESSIONS.index("jawOpen")] == 0.25
    assert [call[0] for call in made[0].calls] == ["start", "close"]
    assert not made[0].config.hands and made[0].config.live
    assert read_face(file_of("ann")).model == clips.USED[1].info.checkpoint_sha256
    code, said = run("neutral")
    assert code == 0 and said.startswith("ann: 31 frames; most at rest: jawOpen 0.25")


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (
            [(face(),)] * 20,
            "nothing was captured: the file ended before a face was seen for 5 seconds; give a "
            "longer one",
        ),
        ([(face(yaw=60),)] * 60, "look into the camera"),
        ([(clips.track("face"),)], "the face model in use tells no expressions"),
    ],
)
def test_why_nothing_was_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: list[tuple[Track, ...]], words: str
) -> None:
    clip = str(clips.make(tmp_path / "in.mp4"))
    made = plays(monkeypatch, frames)
    code, said = run("neutral", "take", "--camera", clip)
    assert code == 1 and words in said and not file_of("me").exists()
    assert made[0].calls[-1] == ("close",)


def test_nobody_yet() -> None:
    code, said = run("neutral")
    assert code == 0 and "next: tracker neutral take" in said


def test_a_face_that_is_not_there_is_told_before_any_work(tmp_path: Path) -> None:
    clip = str(clips.make(tmp_path / "in.mp4"))
    for words in (("video", clip), ("image", clip), ("live", "--no-window", "--to", "-")):
        code, said = run(*words, "--neutral", "ann")
        assert code == 1 and "there is no face at rest at" in said, words


def test_the_tracker_reads_the_file(tmp_path: Path) -> None:
    keep_face(file_of("ann"), resting(jawOpen=0.5))
    tracker_ = Tracker(TrackerConfig(hands=False, engine="onnx", threads=1, neutral=file_of("ann")))
    assert tracker_._neutral is not None
    assert tracker_._neutral.face.expressions[EXPRESSIONS.index("jawOpen")] == 0.5
    tracker_.reset()
    model = tracker_.models["face"].info.checkpoint_sha256
    for found, is_used in ((model, True), ("0" * 64, False)):
        keep_face(file_of("ann"), replace(resting(jawOpen=0.5), model=found))
        again = Tracker(replace(tracker_.config), models=tracker_.models)
        assert (again._neutral is not None) == is_used, "another model's faults at rest"
    (tmp_path / "bad.json").write_text("[]")
    with pytest.raises(Exception, match="holds no face at rest"):
        Tracker(TrackerConfig(hands=False, neutral=tmp_path / "bad.json"))
