"""The command line as users meet it: exit codes, one sentence per failure, signals."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

import tracker
import ui.commands.tracker
from tests.helpers import clips, fake_cli
from tests.helpers.clips import Clip
from tracker.config import TrackerConfig
from tracker.load import Loaded
from tracker.types import Image

ROOT = Path(__file__).parents[3]
FAKE = [sys.executable, "-m", "tests.helpers.fake_cli"]
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrackerConfig]:
    """Networks are fake; with what they were loaded, in order."""
    configs: list[TrackerConfig] = []

    def load(config: TrackerConfig, models: Sequence[Path]) -> Loaded:
        configs.append(config)
        return fake_cli.fake(config, models)

    monkeypatch.setattr(ui.commands.tracker, "load_networks", load)
    return configs


def run(*words: object) -> Result:
    return CliRunner().invoke(ui.commands.tracker.app, [str(word) for word in words])


def complains(result: Result, words: str, code: int = 1) -> None:
    """One sentence on stderr, the right exit code, no traceback."""
    assert result.exit_code == code
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and words in lines[0] and lines[0].startswith("tracker: ")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_help_comes_at_once_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; t = time.perf_counter(); import ui.commands.tracker; "
        "print(time.perf_counter() - t); "
        "print([m for m in ('numpy', 'cv2', 'av', 'onnxruntime', 'rich') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], env=ENV, capture_output=True, text=True)
    seconds, heavy = out.stdout.splitlines()
    assert heavy == "[]" and float(seconds) < 0.4
    shown = run("video", "--help")
    assert shown.exit_code == 0
    for word in ("--out", "--json", "OUT_hand.csv", "--smooth", "--max-hands", "130"):
        assert word in shown.stdout


def test_video_in_one_line(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(sound="aac"))
    result = run("video", source, "--out", tmp_path / "o.mp4", "--json", tmp_path / "o.jsonl",
                 "--csv", tmp_path / "o.csv", "--smooth", "strong", "--stats")  # fmt: skip
    assert (result.exit_code, result.stderr) == (0, "")
    assert "12 frames, hands in 12, faces in 12" in result.stdout
    assert "sound copied (aac)" in result.stdout
    assert all(f"{tmp_path / name}" in result.stdout for name in ("o.mp4", "o.jsonl", "o_hand.csv"))
    assert "FakeProvider, 1 threads" in result.stdout and "network" in result.stdout
    assert names(tmp_path) == {"in.mp4", "o.mp4", "o.jsonl", "o_hand.csv", "o_face.csv"}
    head = json.loads((tmp_path / "o.jsonl").read_text().splitlines()[0])
    assert head["options"] == {
        "smooth": "strong", "max_hands": 2, "max_faces": 1, "max_objects": 1,
    }  # fmt: skip


def test_files_are_smoothed_with_frames_to_come(tmp_path: Path) -> None:
    """The fake tracker shows 1 px from raw; so does not a pass backwards: half of it is left."""
    source = clips.make(tmp_path / "in.mp4")
    for words, name, off in (((), "offline", 0.5), (("--smooth", "light"), "light", 1)):
        out = tmp_path / f"{name}.jsonl"
        assert run("video", source, "--json", out, *words).exit_code == 0
        head, first, *_ = map(json.loads, out.read_text(encoding="utf-8").splitlines())
        track = first["tracks"][0]
        assert head["options"]["smooth"] == name
        assert track["xy_raw"][0][0] - track["xy"][0][0] == off


def test_which_way_the_camera_faces(tmp_path: Path, asked: list[TrackerConfig]) -> None:
    source, heads = clips.make(tmp_path / "in.mp4"), []
    for name, words in (("usual", ()), ("mirror", ("--mirror",)), ("not", ("--no-mirror",))):
        out = tmp_path / f"{name}.jsonl"
        assert run("video", source, "--json", out, *words).exit_code == 0
        heads.append(json.loads(out.read_text(encoding="utf-8").splitlines()[0])["options"])
    assert [config.facing for config in asked] == [True, True, False]
    assert [head.get("mirror") for head in heads] == [None, None, False]


def test_batch_goes_on_after_a_bad_file(tmp_path: Path) -> None:
    clips.make(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"no video" * 500)
    clips.make(tmp_path / "c.mov")
    result = run("video", tmp_path, "--out", tmp_path / "o", "--json", tmp_path / "o")
    assert result.exit_code == 1
    assert names(tmp_path / "o") == {"a.mp4", "a.jsonl", "c.mp4", "c.jsonl"}
    bad, summary = result.stderr.strip().splitlines()
    assert "b.mp4 could not be read" in bad
    assert "1 of 3 inputs failed" in summary and "b.mp4" in summary


def test_texts_in_a_file_may_be_in_any_encoding(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.avi"), "w", metadata_encoding="latin-1") as out:
        out.metadata["title"] = "Caf\xe9"
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for i in range(4):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(clips.picture(i), format="bgr24")))
        out.mux(stream.encode(None))
    assert b"Caf\xe9\0" in (tmp_path / "a.avi").read_bytes()
    clips.make(tmp_path / "b.mp4", Clip(sound="aac"))
    result = run("video", tmp_path, "--out", tmp_path / "o")
    assert result.exit_code == 0, result.stderr
    assert names(tmp_path / "o") == {"a.mp4", "b.mp4"}


@pytest.mark.parametrize("what", [ZeroDivisionError("by zero"), MemoryError(), RecursionError()])
def test_no_file_stops_the_others_whatever_it_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: Exception
) -> None:
    for name in ("a", "b", "c"):
        clips.make(tmp_path / f"{name}.mp4")
        cv2.imwrite(str(tmp_path / f"{name}.png"), clips.picture(0))
    process = clips.FakeTracker.process
    seen: list[clips.FakeTracker] = []

    def fail_at_the_second(self: clips.FakeTracker, bgr: Image, t: float) -> object:
        if self not in seen:
            seen.append(self)
        if len(seen) == 2:
            raise what
        return process(self, bgr, t)

    monkeypatch.setattr(clips.FakeTracker, "process", fail_at_the_second)
    for command, suffix in (("video", ".mp4"), ("image", ".png")):
        seen.clear()
        result = run(command, tmp_path, "--out", tmp_path / command)
        assert result.exit_code == 1, result.exception
        assert names(tmp_path / command) == {f"a{suffix}", f"c{suffix}"}
        bad, summary = result.stderr.strip().splitlines()
        assert f"b{suffix} failed in a way that was not foreseen ({type(what).__name__}" in bad
        assert "1 of 3 inputs failed" in summary


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text")
def test_names_of_files_give_no_orders_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b]0;title\x07\x1b[31m\u202e.mp4").write_bytes(b"no video" * 500)
    clips.make(tmp_path / "b.mp4").rename(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    result = run("video", tmp_path, "--json", tmp_path / "o", "--out", tmp_path / "o")
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert not {"\x1b", "\x07", "\u202e", "\udce9"} & set(result.output)
    assert "a\\x1b]0;title\\x07\\x1b[31m\\u202e.mp4 could not be read" in result.stderr
    assert "caf\\udce9.mp4: 12 frames" in result.stdout
    lines = next((tmp_path / "o").glob("*.jsonl")).read_text().splitlines()
    assert json.loads(lines[0])["source"] == "caf\udce9.mp4"


@pytest.mark.parametrize(
    ("make", "out", "words"),
    [
        (lambda p: None, "o.mp4", "does not exist"),
        (lambda p: p.write_bytes(b"text\n" * 999), "o.mp4", "no video that this program knows"),
        (lambda p: p.write_bytes(b""), "o.mp4", "is empty"),
        (lambda p: clips.cut(clips.make(p), 0.5), "o.mp4", "index is missing"),
        (lambda p: clips.damage(clips.make(p), range(12)), "o.mp4", "no frame of"),
        (clips.make, "no/o.mp4", "there is no folder"),
        (clips.make, "in.mp4", "is the input itself"),
        (clips.make, "o.webm", "ends in .mp4"),
    ],
)
def test_one_sentence_for_each_failure(tmp_path: Path, make: object, out: str, words: str) -> None:
    assert callable(make)
    make(tmp_path / "in.mp4")
    before = names(tmp_path)
    complains(run("video", tmp_path / "in.mp4", "--out", tmp_path / out), words)
    assert names(tmp_path) == before


def test_failures_before_the_first_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complains(run("video", tmp_path, "--out", tmp_path / "o"), "holds no video")
    monkeypatch.undo()  # with the networks that truly load
    source = clips.make(tmp_path / "in.mp4")
    words = ("video", source, "--out", tmp_path / "o.mp4", "--model")
    complains(run(*words, tmp_path / "no.onnx"), "no.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    complains(run(*words, tmp_path / "bad.onnx"), "bad.onnx")
    assert names(tmp_path) == {"in.mp4", "bad.onnx"}


def test_existing_output(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    (tmp_path / "o.mp4").write_text("old")
    words = ("video", source, "--out", tmp_path / "o.mp4")
    complains(run(*words), "--overwrite")
    assert (tmp_path / "o.mp4").read_text() == "old"
    assert run(*words, "--overwrite").exit_code == 0
    assert len(clips.read(tmp_path / "o.mp4")[0]) == 12


@pytest.mark.parametrize("through_link", [False, True])
def test_an_output_never_takes_the_place_of_another_input(
    tmp_path: Path, through_link: bool
) -> None:
    clips.make(tmp_path / "a.mp4")
    shutil.copy(tmp_path / "a.mp4", tmp_path / "a.avi")
    folder = tmp_path
    if through_link:
        folder = tmp_path.with_name(tmp_path.name + "_link")
        folder.symlink_to(tmp_path)
    before = (tmp_path / "a.mp4").read_bytes()
    result = run("video", tmp_path, "--out", folder, "--overwrite")
    assert result.exit_code == 1 and "a.mp4 is the input itself and would be lost" in result.stderr
    assert (tmp_path / "a.mp4").read_bytes() == before


def test_a_picture_never_takes_the_place_of_another(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / "a.png"), np.full((64, 64, 3), 90, np.uint8))
    before = (tmp_path / "y" / "a.png").read_bytes()
    both = (tmp_path / "x" / "a.png", tmp_path / "y" / "a.png")
    result = run("image", *both, "--out", tmp_path / "y", "--overwrite")
    assert result.exit_code == 1 and "a.png is the input itself and would be lost" in result.stderr
    assert (tmp_path / "y" / "a.png").read_bytes() == before


def test_link_to_the_input_is_the_input(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    (tmp_path / "link.mp4").symlink_to(source)
    words = ("video", source, "--out", tmp_path / "link.mp4", "--overwrite")
    complains(run(*words), "is the input itself")
    assert len(clips.read(source)[0]) == 12


@pytest.mark.skipif(os.name != "posix", reason="folder permissions")
def test_folder_without_permission(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    place = Path("/proc") if os.geteuid() == 0 else Path("/")
    if not place.is_dir():
        pytest.skip("no read-only folder here")
    complains(run("video", source, "--out", place / "o.mp4"), "could not be written")


def test_warnings_are_sentences_and_success(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=40, options={"bf": "0"}, faststart=True))
    clips.cut(clips.damage(source, [4]), 0.6)
    result = run("video", source, "--out", tmp_path / "o.mp4")
    assert result.exit_code == 0
    gaps, cut_off = result.stderr.strip().splitlines()
    assert "could not be decoded" in gaps and "cut off" in cut_off


def test_damaged_frames_are_said_and_marked(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=24, options={"bf": "0"}))
    clips.maul(source, range(1, 24, 2))
    result = run("video", source, "--json", tmp_path / "o.jsonl", "--csv", tmp_path / "o.csv")
    assert result.exit_code == 0
    assert "12 of 24 frames could not be decoded whole" in result.stderr
    with (tmp_path / "o_hand.csv").open(encoding="utf-8") as file:
        assert [row["damaged"] for row in csv.DictReader(file)] == ["0", "1"] * 12
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()[1:]]
    assert [row.get("damaged", False) for row in rows] == [False, True] * 12


def test_nothing_seen_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_SEES", "")
    source = clips.make(tmp_path / "in.mp4")
    complains(run("video", source, "--out", tmp_path / "o.mp4"), "no hand and no face", code=0)


@pytest.mark.parametrize(
    "words",
    [
        ["video", "in.mp4", "--out", "o.mp4", "--no-hands", "--no-faces"],
        ["video", "in.mp4", "--out", "o.mp4", "--max-hands", "0"],
        ["video", "in.mp4", "--out", "o.mp4", "--smooth", "much"],
        ["image"],
    ],
)
def test_wrong_usage(words: Sequence[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2 and "Traceback" not in result.stderr


def test_without_an_output_the_annotated_file_lies_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "away").mkdir()
    source = clips.make(tmp_path / "away/in.mov")
    cv2.imwrite(str(tmp_path / "away/in.png"), clips.picture(0))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run("video", source).exit_code == 0
        assert run("video", source, source).exit_code == 0
        assert run("image", tmp_path / "away/in.png").stdout == "wrote in_annotated.png\n"
        assert names(tmp_path) == {"away", "in_annotated.mp4", "in_annotated.png", "annotated"}
        assert names(tmp_path / "annotated") == {"in.mp4", "in_2.mp4"}
        complains(run("video", source), "in_annotated.mp4 exists")
        for path in ("in_annotated.mp4", "in_annotated.png", "annotated"):
            shutil.move(path, tmp_path.parent / f"{tmp_path.name}-{path}-{_}")


def test_data_under_the_name_of_another_kind_of_file(tmp_path: Path) -> None:
    source = clips.make(tmp_path / "in.mp4")
    cv2.imwrite(str(tmp_path / "in.png"), clips.picture(0))
    csv, out = tmp_path / "o.csv", "call it"
    complains(run("video", source, "--json", csv), f"o.jsonl, or give --csv {csv}")
    complains(run("image", tmp_path / "in.png", "--json", csv), out)
    complains(run("bench", source, "--json", csv), out)
    complains(run("video", source, "--csv", tmp_path / "o.mp4"), out)
    assert names(tmp_path) == {"in.mp4", "in.png"}


def test_standard_output_is_no_file_of_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = clips.make(tmp_path / "in.mp4")
    cv2.imwrite(str(tmp_path / "in.png"), clips.picture(0))
    for words in (
        ("video", source, "--json"),
        ("video", source, "--csv"),
        ("image", "in.png", "--json"),
    ):
        complains(
            run(*words, "-"),
            f"{words[-1]} - names no file; JSON lines on standard output are --to -",
        )
    assert names(tmp_path) == {"in.mp4", "in.png"}


def test_h_and_version_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    import ui.commands.train

    for app in (ui.commands.tracker.app, ui.commands.train.app):
        told = CliRunner().invoke(app, ["--version"])
        assert (told.exit_code, told.stdout) == (0, f"landmark-tracker {tracker.__version__}\n")
        short, long = (CliRunner().invoke(app, [word]).stdout for word in ("-h", "--help"))
        assert short == long and "Usage" in short
    for words in (["video"], ["engines"], ["engines", "time"], ["actions"], ["doctor"]):
        assert run(*words, "-h").stdout == run(*words, "--help").stdout
        assert run(*words, "-h").exit_code == 0


def test_under_its_own_name_hints_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ui.commands.words import say

    say("no camera; run 'tracker cameras'")
    monkeypatch.setattr(sys, "argv", ["/somewhere/landmark-tracker"])
    say("no camera; run 'tracker cameras'")
    say("give --project; run 'train add'", "train")
    assert capsys.readouterr().err.splitlines() == [
        "tracker: no camera; run 'tracker cameras'",
        "landmark-tracker: no camera; run 'landmark-tracker cameras'",
        "train: give --project; run 'train add'",
    ]


def start(
    source: Path, folder: Path, name: str = "o.mp4", *more: str, **env: str
) -> subprocess.Popen[str]:
    words = [
        "video",
        str(source),
        "--out",
        str(folder / name),
        "--json",
        str(folder / "o.jsonl"),
        *more,
    ]
    return subprocess.Popen(
        [*FAKE, *words],
        env={**ENV, **env},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for_rows(folder: Path, count: int, writer: str = "*") -> None:
    """Until about that many frames went into the data file in the making."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        parts = folder.glob(f".o.jsonl.{writer}.part")
        if sum(p.read_bytes().count(b"\n") for p in parts) > count:
            return
        time.sleep(0.02)
    raise AssertionError("the job did not get going")


@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_leaves_playable_files(tmp_path: Path, number: str) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=400, sound="aac"))
    job = start(source, tmp_path, FAKE_DELAY="0.02")
    wait_for_rows(tmp_path, 20)
    job.send_signal(signal.Signals[number])
    _, stderr = job.communicate(timeout=30)
    assert job.returncode == 130
    (line,) = stderr.strip().splitlines()
    assert "stopped after" in line
    times, _ = clips.read(tmp_path / "o.mp4")
    rows = (tmp_path / "o.jsonl").read_text().splitlines()
    assert 5 < len(times) == len(rows) - 1 < 400
    assert names(tmp_path) == {"in.mp4", "o.mp4", "o.jsonl"}


@pytest.mark.skipif(sys.platform != "linux", reason="terminals of Linux")
def test_a_closed_terminal_leaves_playable_files(tmp_path: Path) -> None:
    """SIGHUP, and nothing that is still said can be written any more."""
    source = clips.make(tmp_path / "in.mp4", Clip(frames=400, sound="aac"))
    out = tmp_path / "o.mp4"
    words = ["video", str(source), "--out", str(out), "--json", str(tmp_path / "o.jsonl")]
    child, terminal = os.forkpty()
    if child == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [*FAKE, *words], {**ENV, "FAKE_DELAY": "0.02"})
    wait_for_rows(tmp_path, 20)
    os.close(terminal)
    end = time.monotonic() + 30
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        assert time.monotonic() < end, "it goes on without a terminal"
        time.sleep(0.05)
    frames = len(clips.read(out)[0])
    assert 20 <= frames < 400 and names(tmp_path) == {"in.mp4", "o.mp4", "o.jsonl"}


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("name", ["o.mp4", "o.mov", "o.mkv"])
def test_a_killed_job_leaves_a_playable_file_which_the_next_one_clears(
    tmp_path: Path, name: str
) -> None:
    source = clips.make(tmp_path / "in.mp4", Clip(frames=400, sound="aac"))
    job = start(source, tmp_path, name, FAKE_DELAY="0.02")
    wait_for_rows(tmp_path, 180)
    job.kill()
    job.communicate()
    (data,), (part,) = tmp_path.glob(".o.jsonl.*.part"), tmp_path.glob(f".{name}.*.part")
    done = len(data.read_text().splitlines()) - 1
    times, _ = clips.read(part)
    assert done >= 100 and len(times) > done - 50, "it ends at most 2 s (50 frames) before the end"
    assert clips.sound_of(part)[0][1] > float(times[-1]) - 1
    (tmp_path / f".{name}.bak.part").write_text("mine")
    (tmp_path / f".x{name}.1{data.name.split('.')[-2]}.part").write_text("another's")
    stop = start(source, tmp_path, name, FAKE_DELAY="0.02")
    wait_for_rows(tmp_path, 20, str(stop.pid))
    stop.send_signal(signal.SIGINT)
    assert f"{part} was left by a run that was killed; it is kept" in stop.communicate()[1]
    again = start(source, tmp_path, name, "--overwrite")
    _, said = again.communicate()
    assert again.returncode == 0
    for left in (data, part):
        assert f"{left}, which a run that was killed had left, is removed" in said
    assert len(clips.read(tmp_path / name)[0]) == 400
    assert len(names(tmp_path)) == 5, "the input, two outputs, two files of others"


@pytest.mark.skipif(os.name != "posix", reason="limits of a process")
@pytest.mark.parametrize("limit", [60_000, 3_000_000])
def test_disk_full_is_said_and_nothing_is_left(tmp_path: Path, limit: int) -> None:
    # A limit on the size of files acts like a full disk: writing fails in the middle.
    import resource

    size = (640, 480) if limit > 1_000_000 else (96, 64)
    source = clips.make(tmp_path / "in.mp4", Clip(frames=60, size_wh=size))
    out = tmp_path / "o.mp4"
    words = ["video", str(source), "--out", str(out)]
    if limit < 1_000_000:
        words += ["--json", str(tmp_path / "o.jsonl")]
    done = subprocess.run(
        [*FAKE, *words], env=ENV, capture_output=True, text=True, timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert "could not be written" in line
    assert names(tmp_path) == {"in.mp4"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("program", ["tracker", "train"])
def test_what_is_printed_to_a_full_disk_is_one_sentence(program: str) -> None:
    env = {name: value for name, value in ENV.items() if name != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", f"ui.commands.{program}", "--version"],
            env=env, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        f"{program}: the output could not be written: the disk is full; free some space and run "
        "this again\n",
    )


def test_picture(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), clips.picture(0))
    words = ("--out", tmp_path / "o.png", "--json", tmp_path / "o.jsonl")
    result = run("image", tmp_path / "in.png", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert names(tmp_path) == {"in.png", "o.png", "o.jsonl"}


@pytest.mark.parametrize("command", ["video", "image"])
def test_a_field_of_view_reaches_the_tracker_and_the_header(
    tmp_path: Path, asked: list[TrackerConfig], command: str
) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), clips.picture(0))
    source = tmp_path / "in.png" if command == "image" else clips.make(tmp_path / "in.mp4")
    for words, fov in (((), None), (("--fov", 40), 40.0)):
        out = tmp_path / f"{fov}.jsonl"
        assert run(command, source, "--json", out, *words).exit_code == 0
        head = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
        assert (asked[-1].fov, head["options"].get("fov")) == (fov, fov)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_job_over_pictures_leaves_nothing_that_the_next_one_does_not_clear(
    tmp_path: Path,
) -> None:
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), clips.picture(0))
    words = ["image", tmp_path / "a.png", tmp_path / "b.png", "--out", tmp_path / "o"]
    words += ["--json", tmp_path / "o.jsonl"]
    job = subprocess.Popen([*FAKE, *map(str, words)], env={**ENV, "FAKE_DELAY": "60"})
    until = time.monotonic() + 60
    while not list(tmp_path.glob("o/.a.png.*.part")):
        assert time.monotonic() < until
        time.sleep(0.02)
    job.kill()
    job.wait()
    (data,), (part,) = tmp_path.glob(".o.jsonl.*.part"), tmp_path.glob("o/.a.png.*.part")
    running = part.with_name(f".b.png.{os.getppid()}.part")
    running.write_text("being written")
    result = run(*words)
    assert result.exit_code == 0
    for left in (data, part):
        assert f"{left}, which a run that was killed had left, is removed" in result.stderr
    assert names(tmp_path / "o") == {"a.png", "b.png", running.name}
    assert names(tmp_path) == {"a.png", "b.png", "o", "o.jsonl"}


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    for name in ("a.png", "b.jpg"):
        cv2.imwrite(str(tmp_path / name), clips.picture(0))
    (tmp_path / "c.png").write_bytes(b"no picture")
    result = run("image", tmp_path, "--out", tmp_path / "o", "--json", tmp_path / "all.jsonl")
    assert result.exit_code == 1 and names(tmp_path / "o") == {"a.png", "b.jpg"}
    assert "c.png is no picture" in result.stderr and "1 of 3 inputs failed" in result.stderr
    _, *rows = map(json.loads, (tmp_path / "all.jsonl").read_text().splitlines())
    assert [(r["frame"], r["file"], r["size_wh"]) for r in rows] == [
        (0, "a.png", [96, 64]),
        (1, "b.jpg", [96, 64]),
    ]
