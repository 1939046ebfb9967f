"""The output socket: with one row in a dict an output works, for files and live."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import ClassVar

import cv2
import pytest
from typer.testing import CliRunner

import ui.commands.tracker
from tests.helpers import clips, fake_cli
from tests.helpers.live import FakeCamera, wait_for
from tests.tracker.live.test_pipeline import running
from tracker.errors import UserError
from tracker.outputs.csv_tables import CsvTables
from tracker.outputs.jsonl import JsonLinesFile
from tracker.outputs.live_recorder import Recorder
from tracker.outputs.open import OUTPUTS, find_output
from tracker.outputs.output import About
from tracker.result import Result
from tracker.types import Frame


class Toy:
    """Notes what it is given; a file that tells it to may break it."""

    made: ClassVar[list[Toy]] = []
    break_at = -1  # of how many frames the put that raises is

    def __init__(self, target: str, about: About) -> None:
        if "refused" in target:
            raise UserError(f"{target} takes nothing today; come back")
        self.target, self.about = target, about
        self.got: list[tuple[int, float, int | None]] = []
        self.closed: list[bool] = []
        Toy.made.append(self)

    def put(self, frame: Frame, result: Result | None) -> None:
        if len(self.got) == Toy.break_at:
            raise LookupError("the toy broke")
        self.got.append((frame.index, frame.t, None if result is None else len(result.tracks)))

    def close(self, whole: bool) -> None:
        self.closed.append(whole)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Toy]]:
    monkeypatch.setitem(OUTPUTS, ".toy", Toy)
    monkeypatch.setitem(OUTPUTS, "toy", Toy)
    monkeypatch.setattr(Toy, "made", [])
    monkeypatch.setattr(Toy, "break_at", -1)
    monkeypatch.setattr(ui.commands.tracker, "load_networks", fake_cli.fake)
    yield Toy


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(ui.commands.tracker.app, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_by_suffix_and_by_scheme() -> None:
    assert find_output("a/B.TOY") is Toy and find_output("toy://127.0.0.1:5") is Toy
    assert find_output("toy:NAME") is Toy and find_output("x.jsonl") is OUTPUTS[".jsonl"]
    for bad in ("", "x", "x.nope", "nope://127.0.0.1:5"):
        with pytest.raises(UserError, match=r"\.jsonl, .*\.toy"):
            find_output(bad)
    with pytest.raises(UserError, match=r"udp://\[::1:5 is no address .*; check its brackets"):
        find_output("udp://[::1:5")


def test_a_toy_on_the_command_line_gets_each_frame_once(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    code, said, wrong = run("video", source, "--to", tmp_path / "a.toy", "--to", "toy://b:1")
    assert (code, wrong) == (0, "") and "12 frames" in said and "wrote" not in said
    first, second = Toy.made
    assert first.got == second.got == [(i, i / 25, 2) for i in range(12)]
    assert first.closed == second.closed == [True] and second.target == "toy://b:1"
    about = first.about
    assert about.source == "in.mp4" and about.models == clips.USED
    assert about.facts is not None and about.facts.size_wh == (96, 64)
    assert about.options == {"smooth": "offline", "max_hands": 2, "max_faces": 1, "max_objects": 1}


def test_a_toy_that_breaks_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    Toy.break_at = 5
    code, _, wrong = run("video", source, "--to", "toy://b:1", "--json", tmp_path / "o.jsonl")
    assert code == 1 and "toy://b:1 ended, the rest went on: LookupError: the toy broke" in wrong
    (made,) = Toy.made
    assert len(made.got) == 5 and made.closed == [False]
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 13, "a header and all frames"


def test_what_cannot_be_opened_is_refused_before_any_work(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    out = ("--json", tmp_path / "o.jsonl")
    for target, words in (
        ("toy://refused", "takes nothing today"),
        ("nope://b", "nothing can be sent to nope://b"),
        (tmp_path / "o.jsonl", "named for two outputs"),
    ):
        code, _, wrong = run("video", source, *out, "--to", target)
        assert code == 1 and words in wrong
        assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_to_a_file_is_the_file_of_its_own_option(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    own = ("--json", tmp_path / "a.jsonl", "--csv", tmp_path / "a.csv")
    to = ("--to", tmp_path / "b.jsonl", "--to", tmp_path / "b.csv", "--to", tmp_path / "b.mp4")
    assert run("video", source, *own, *to)[0] == 0
    for one, other in (("a.jsonl", "b.jsonl"), ("a_hand.csv", "b_hand.csv")):
        assert (tmp_path / one).read_bytes() == (tmp_path / other).read_bytes()
    assert len(clips.read(tmp_path / "b.mp4")[0]) == 12


def test_standard_output_holds_nothing_but_lines(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    code, said, told = run("video", source, "--to", "-", "--json", tmp_path / "o.jsonl")
    assert code == 0 and said == (tmp_path / "o.jsonl").read_text()
    assert "12 frames" in told and "wrote" in told


def test_pictures(tmp_path: Path) -> None:
    """Each is a frame at time 0, with its file's name; lines are those of --json."""
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), clips.picture(0))
    both = (tmp_path / "a.png", tmp_path / "b.png")
    own = ("--json", tmp_path / "own.jsonl")
    to = ("--to", "toy://a", "--to", "-", "--to", tmp_path / "x.jsonl")
    code, said, wrong = run("image", *both, *own, *to)
    assert (code, wrong) == (0, "")
    assert Toy.made[0].got == [(0, 0.0, 2), (1, 0.0, 2)] and Toy.made[0].closed == [True]
    rows = [path.read_text().splitlines()[1:] for path in map(tmp_path.joinpath, ("own.jsonl",))]
    assert said.splitlines()[1:] == rows[0] and '"file": "b.png"' in said
    assert (tmp_path / "x.jsonl").read_text().splitlines()[1:] == rows[0]
    Toy.break_at = 1
    code, _, wrong = run("image", *both, "--to", "toy://b")
    assert code == 1 and "toy://b ended, the rest went on: LookupError" in wrong


def test_a_toy_live_gets_frames_in_order_and_is_closed(tmp_path: Path) -> None:
    with running(FakeCamera()) as pipeline:
        pipeline.add_output("x.toy")
        with pytest.raises(UserError, match="already"):
            pipeline.add_output("x.toy")
        wait_for(lambda: bool(Toy.made) and len(Toy.made[0].got) > 10, "ten frames")
        (made,) = Toy.made
        (facts,) = pipeline.health().outputs
        assert (facts.target, facts.phase, facts.error) == ("x.toy", "running", None)
        assert facts.sent > 9 and 5 < facts.fps < 100
        pipeline.remove_output("x.toy")
        assert pipeline.health().outputs == ()
        wait_for(lambda: made.closed == [True], "it is closed")
        pipeline.add_output("x.toy")
        wait_for(lambda: len(Toy.made) == 2, "it may be added again")
    serials = [serial for serial, _, seen in made.got if seen is not None]  # None: a busy machine
    assert serials == sorted(set(serials)) and {seen for _, _, seen in made.got} <= {1, None}
    assert Toy.made[1].closed == [True], "the end of the pipeline closes it"


def test_a_toy_that_breaks_live_is_named_and_the_rest_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Toy.break_at = 3
    with running(FakeCamera()) as pipeline:
        pipeline.add_output("x.toy")
        wait_for(lambda: pipeline.health().error is not None, "the screen names it")
        words = "x.toy ended, the rest goes on: LookupError: the toy broke"
        health = pipeline.health()
        assert health.error == words and health.outputs[0].error == words and not health.dead
        assert health.outputs[0].phase == "failed" and Toy.made[0].closed == [False]
        assert words in caplog.text
        Toy.break_at = -1
        pipeline.add_output("x.toy")
        assert pipeline.health().error is None, "it is tried again, so the fault is past"
        wait_for(lambda: len(Toy.made) == 2 and len(Toy.made[1].got) > 3, "it runs again")


def test_an_output_that_cannot_be_opened_live() -> None:
    with running(FakeCamera()) as pipeline:
        pipeline.add_output("toy://refused")
        wait_for(lambda: pipeline.health().outputs[0].phase == "failed", "it is refused")
        assert "takes nothing today; come back" in (pipeline.health().error or "")
        with pytest.raises(UserError, match="nothing can be sent"):
            pipeline.add_output("x.nope")
    with pytest.raises(UserError, match="the picture has ended"):
        pipeline.add_output("x.toy")


def test_silence_is_told_once() -> None:
    """When the camera hangs, who listens is told that nothing is seen, not left with a pose."""
    camera = FakeCamera()
    with running(camera) as pipeline:
        pipeline.add_output("x.toy")
        wait_for(lambda: bool(Toy.made) and len(Toy.made[0].got) > 3, "frames")
        camera.plugged = False
        wait_for(lambda: Toy.made[0].got[-1][2] is None, "silence is told")
        assert pipeline.health().outputs[0].fps == 0
        count, last = len(Toy.made[0].got), Toy.made[0].got[-2:]
        assert last[1][0] == last[0][0] and 0.3 < last[1][1] - last[0][1] < 5
        begun = monotonic()
        wait_for(lambda: monotonic() - begun > 1.2, "more silence")
        assert len(Toy.made[0].got) == count
        camera.plugged = True
        wait_for(lambda: Toy.made[0].got[-1][2] == 1, "it goes on")


def test_json_lines_live_say_when_other_models_are_used(tmp_path: Path) -> None:
    used = [clips.USED[:1]]
    about = About("cam", (), used=lambda: used[0])
    output = JsonLinesFile(str(tmp_path / "x.jsonl"), about)
    seen = Result(70.0, (clips.track("hand"),))
    output.put(Frame(7, 70.0, clips.picture(0)), seen)
    used[0] = tuple(replace(model) for model in used[0])  # as the tracking thread: equal, not same
    output.put(Frame(9, 70.5, clips.picture(1)), seen)
    used[0] = clips.USED
    output.put(Frame(12, 71.25, None), None)
    output.close(True)
    head, *rows = [json.loads(row) for row in (tmp_path / "x.jsonl").open()]
    assert head["source"] == "cam" and head["start_time"] > 1.7e9
    assert [model["file"] for model in head["models"]] == ["hand.onnx"]
    assert [row.get("event") for row in rows] == [None, None, "models", None]
    assert [(row["frame"], row["t_s"]) for row in rows if "frame" in row] == [
        (7, 0.0), (9, 0.5), (12, 0.5),
    ], "a silence lies where it began"  # fmt: skip
    assert rows[-1]["gap"] and list(rows[2]["landmarks"]) == ["hand", "face"]


def test_tables_live_begin_at_the_first_frame(tmp_path: Path) -> None:
    output = CsvTables(str(tmp_path / "x.csv"), About("cam", clips.USED))
    output.put(Frame(7, 70.0, clips.picture(0)), Result(70.0, (clips.track("hand"),)))
    output.put(Frame(8, 70.5, clips.picture(1)), Result(70.5, (clips.track("hand"),)))
    output.close(True)
    rows = list(csv.DictReader((tmp_path / "x_hand.csv").open()))
    assert [(row["frame"], row["t_s"]) for row in rows] == [("7", "0.0"), ("8", "0.5")]
    assert len((tmp_path / "x_face.csv").read_text().splitlines()) == 1


def test_tables_live_follow_the_models(tmp_path: Path) -> None:
    """A kind that is switched on begins its table; rows of other columns come into none."""
    used = [clips.USED[:1]]
    output = CsvTables(str(tmp_path / "x.csv"), About("cam", (), used=lambda: used[0]))
    hand, face = clips.track("hand"), clips.track("face", number=2)
    output.put(Frame(7, 70.0, clips.picture(0)), Result(70.0, (hand,)))
    used[0] = clips.USED
    output.put(Frame(8, 70.5, clips.picture(1)), Result(70.5, (hand, face)))
    used[0] = (replace(clips.USED[0], info=clips.hand_info(count=5)),)
    small = replace(hand, xy=hand.xy[:5], xy_raw=hand.xy_raw[:5], score=hand.score[:5])
    with pytest.raises(UserError, match=r"x_hand\.csv cannot go on: it was begun with other col"):
        output.put(Frame(9, 71.0, clips.picture(2)), Result(71.0, (small,)))
    output.close(False)
    for kind, times in (("hand", ["0.0", "0.5"]), ("face", ["0.5"])):
        head, *rows = csv.reader((tmp_path / f"x_{kind}.csv").open())
        assert [row[1] for row in rows] == times and {len(row) for row in rows} == {len(head)}


def test_the_recorder_does_not_repeat_models_that_are_equal(tmp_path: Path) -> None:
    used = [clips.USED]
    about = About("cam", clips.USED, used=lambda: used[0])
    recorder = Recorder(tmp_path / "r.mp4", annotated=True, about=about)
    for i in range(3):
        used[0] = tuple(replace(model) for model in clips.USED)
        recorder.put(Frame(i, i / 25, clips.picture(i)), Result(i / 25, ()))
    recorder.close(True)
    recorder.run()
    rows = [json.loads(row) for row in (tmp_path / "r.jsonl").open()]
    assert [row.get("event") for row in rows] == [None] * 4
