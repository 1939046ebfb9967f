"""From the command line to the window, and the whole thing on the real pipeline."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import ui.commands.tracker
import ui.kit.start
import ui.live.app
from tests.helpers import clips
from tests.helpers.drawn import blob_info, centroid_onnx
from tests.helpers.fake_window import Studio
from tests.helpers.live import LIMITS, FakeCamera, FakeLiveTracker
from tracker.errors import UserError
from tracker.live.pipeline import Pipeline
from tracker.sources.paced_file import FileSource
from ui.commands.live import OF_THIS_RUN, live
from ui.live.choices import Choices, with_models

ROOT = Path(__file__).parents[3]


# What `ui.live.app.run` is given.
Run = tuple[dict[str, object], list[Path], bool, float | None, list[str]]


def run_of(monkeypatch: pytest.MonkeyPatch, *words: str) -> Run:
    """What `tracker live WORDS` gives to the window."""
    seen: list[Run] = []

    def run(
        given: dict[str, object], models: Sequence[Path], fullscreen: bool,
        measure_s: float | None, to: Sequence[str],
    ) -> int:  # fmt: skip
        seen.append((given, list(models), fullscreen, measure_s, list(to)))
        return 0

    monkeypatch.setattr(ui.live.app, "run", run)
    result = CliRunner().invoke(ui.commands.tracker.app, ["live", *words])
    assert result.exit_code == 0, result.output
    return seen[0]


def test_no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_of(monkeypatch) == ({}, [], False, None, [])


def test_all_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hand, face, tool = (tmp_path / f"{name}.onnx" for name in ("h", "f", "t"))
    for path in (hand, face, tool):
        path.touch()
    words = (
        f"--camera clip.mp4 --loop --hand-model {hand} --face-model {face} --project {tmp_path} "
        "--no-hands --faces --max-hands 3 --max-faces 2 --smooth strong --no-mirror --fullscreen "
        f"--model {tool} --max-objects 4 --measure 7 --engine onnx --precision fp16 "
        "--to x.jsonl --to y.csv --fov 70 --size 1280x720 --fps 60"
    )
    given = {
        "camera": "clip.mp4", "loop": True, "hand_model": str(hand), "face_model": str(face),
        "project": str(tmp_path), "hands": False, "faces": True, "max_hands": 3, "max_faces": 2,
        "max_objects": 4, "smooth": "strong", "mirror": False, "engine": "onnx",
        "precision": "fp16", "fov": 70.0, "size": "1280x720", "fps": 60.0,
    }  # fmt: skip
    assert Choices().chosen(given).config().fov == 70
    assert run_of(monkeypatch, *words.split()) == (given, [tool], True, 7.0, ["x.jsonl", "y.csv"])


def test_every_option_is_a_choice_or_of_this_run() -> None:
    options = set(inspect.signature(live).parameters) - {"context"}
    choices = {field.name for field in fields(Choices)}
    assert options - choices - set(OF_THIS_RUN) == {"mirror"}
    assert not choices & set(OF_THIS_RUN)


def test_engine_and_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    given, *_ = run_of(monkeypatch, "--engine", "onnx:cpu", "--precision", "int8")
    config = Choices().chosen(given).config()
    assert (config.engine, config.precision, config.live) == ("onnx:cpu", "int8", True)


def test_wrong_options() -> None:
    wrong = (
        "--smooth much", "--max-hands 0", "--hand-model missing.onnx", "--engine abacus",
        "--precision int4", "--fov 180", "--size large", "--size 0x3", "--fps 0",
    )  # fmt: skip
    for words in (line.split() for line in wrong):
        assert CliRunner().invoke(ui.commands.tracker.app, ["live", *words]).exit_code == 2


def test_errors_are_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*run: object) -> int:
        raise UserError("no camera was named; see 'tracker cameras'")

    monkeypatch.setattr(ui.live.app, "run", fail)
    result = CliRunner().invoke(ui.commands.tracker.app, ["live"])
    assert result.exit_code == 1
    assert result.stderr == "tracker: no camera was named; see 'tracker cameras'\n"


def test_options_go_before_what_was_chosen() -> None:
    kept = Choices(camera="2", hands=False, smooth="strong", hand_model="old.onnx", loop=True)
    assert kept.chosen({}) == kept
    given = {"camera": "clip.mp4", "hands": True, "hand_model": "new.onnx", "mirror": True}
    expected = replace(
        kept, camera="clip.mp4", hands=True, hand_model="new.onnx", mirror_files=True
    )
    assert kept.chosen(given) == expected, "and the mirror is that of the file which was given"
    assert kept.chosen({"mirror": False}) == replace(kept, mirror_devices=False)
    with pytest.raises(TypeError, match="sides"):
        kept.chosen({"sides": 3})


def test_models_go_to_their_kinds(tmp_path: Path) -> None:
    tool = centroid_onnx(tmp_path / "tool.onnx", blob_info("object"))
    glove = tmp_path / "glove"
    (glove / "models/one").mkdir(parents=True)
    (glove / "project.toml").touch()
    with pytest.raises(UserError, match="train finetune glove"):
        with_models(Choices(), {}, [glove])
    centroid_onnx(glove / "models/one/model.onnx")
    found = with_models(Choices(hands=False), {}, [tool, glove])
    assert found == replace(
        Choices(), hand_model=str(glove), object_model=str(tool), project=str(glove)
    ), "and what is asked for is followed"
    assert with_models(Choices(), {"project": str(tmp_path)}, [glove]).project == ""
    wrong: list[tuple[dict[str, object], list[Path], str]] = [
        ({}, [tool, tool], "both find objects"),
        ({"hands": False}, [glove], "drop --no-hands"),
        ({}, [tmp_path], "is no project"),
        ({}, [tmp_path / "gone"], "there is no project and no model file"),
    ]
    for given, models, words in wrong:
        with pytest.raises(UserError, match=words):
            with_models(Choices(), given, models)


def test_impossible_sources_are_told_before_a_window_appears() -> None:
    with pytest.raises(UserError, match="rtsp"):
        ui.live.app.run({"camera": "ftp://host/a"})
    with pytest.raises(UserError, match="nothing can be sent to ftp://host/a"):
        ui.live.app.run({}, to=["ftp://host/a"])


@pytest.mark.skipif(sys.platform != "linux", reason="X11 and Wayland")
def test_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="needs a screen"):
        ui.kit.start.check_screen()


@pytest.mark.skipif(sys.platform != "linux", reason="X11")
def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str) -> None:
        assert path.endswith("libqxcb.so")
        raise OSError("libxcb-cursor.so.0: cannot open shared object file")

    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(ui.kit.start.ctypes, "CDLL", fail)
    with pytest.raises(UserError, match=r"libxcb-cursor\.so\.0, which is missing"):
        ui.kit.start.check_screen()


def test_plugins_of_opencv_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    import cv2

    home = Path(cv2.__file__).parent
    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", str(home / "qt" / "plugins"))
    monkeypatch.setenv("QT_QPA_FONTDIR", "/the/users/own")
    ui.kit.start.forget_plugins_of_opencv()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/the/users/own"


def test_program_has_name_and_icon(studio: Studio) -> None:
    app = ui.kit.start.application()
    assert (app.applicationName(), app.organizationName()) == (
        "Landmark Tracker",
        "landmark-tracker",
    )
    assert not app.windowIcon().pixmap(64).isNull()


def test_help_of_the_command_line_loads_no_qt() -> None:
    code = (
        "import sys, ui.commands.tracker; loaded = set(sys.modules); "
        "print(*sorted({m.split('.')[0] for m in loaded} & {'PyQt6', 'cv2', 'numpy'}), "
        "*sorted(m for m in loaded if m.startswith(('ui.live', 'ui.label', 'ui.kit'))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


class Real:
    """The window on the real pipeline, with a fake camera and a fake tracker."""

    def __init__(self, studio: Studio, source: Callable[[], object]) -> None:
        self.tracker = FakeLiveTracker()
        self.made: list[Pipeline] = []

        def make(camera: str, how: object, config: object) -> Pipeline:
            self.made.append(
                Pipeline(source(), config, lambda config: self.tracker, limits=LIMITS)  # type: ignore[arg-type]
            )
            return self.made[-1]

        studio.make = make  # type: ignore[assignment, method-assign]


def test_whole_clip_with_a_recording(studio: Studio) -> None:
    clip = clips.make(studio.folder / "in.mp4", clips.Clip(frames=50))
    Real(studio, lambda: FileSource(clip, loop=True))
    window = studio.open(camera=str(clip))
    studio.bot.waitUntil(lambda: window.latency.count > 5, timeout=10_000)
    studio.bot.keyClick(window.picture, "r")
    studio.bot.waitUntil(lambda: "REC" in str(window.picture.words.badges), timeout=10_000)
    counted = window.latency.count
    studio.bot.waitUntil(lambda: window.latency.count > counted + 10, timeout=10_000)
    with studio.bot.waitSignal(window.ended, timeout=20_000):
        studio.bot.keyClick(window.picture, "q")
    (video,) = (studio.folder / "recordings").glob("*.mp4")
    times, pictures = clips.read(video)
    assert len(times) > 5 and pictures[0].shape == (64, 96, 3)
    head, *rows = map(json.loads, video.with_suffix(".jsonl").read_text().splitlines())
    assert len(rows) >= len(times) and head["schema_version"]


def test_unplug_and_replug(studio: Studio) -> None:
    camera = FakeCamera()
    Real(studio, lambda: camera)
    window = studio.open()
    studio.bot.waitUntil(lambda: window.latency.count > 5, timeout=10_000)
    camera.plugged = False
    studio.bot.waitUntil(
        lambda: (
            window.picture.words.banner is not None
            and window.picture.words.banner.title == "The camera is not connected"
        ),
        timeout=10_000,
    )
    camera.plugged = True
    counted = window.latency.count
    studio.bot.waitUntil(
        lambda: window.picture.words.banner is None and window.latency.count > counted + 5,
        timeout=10_000,
    )
    window.close()
    with studio.bot.waitSignal(window.ended, timeout=20_000):
        pass


def test_closing_while_a_camera_hangs_in_open(studio: Studio) -> None:
    camera = FakeCamera()
    camera.open_blocks = True
    Real(studio, lambda: camera)
    window = studio.open()
    window.turns.clear()
    with studio.bot.waitSignal(window.ended, timeout=20_000):
        window.close()
    assert window.turns.turns > 0
    camera.release.set()


def test_a_tracker_that_dies_is_told(studio: Studio) -> None:
    real = Real(studio, FakeCamera)
    window = studio.open()
    studio.bot.waitUntil(lambda: window.latency.count > 2, timeout=10_000)
    real.tracker.fail = 10_000
    studio.bot.waitUntil(
        lambda: window.picture.words.banner is not None and window.picture.words.banner.is_error,
        timeout=20_000,
    )
    banner = window.picture.words.banner
    assert banner is not None and "the detector broke" in banner.text and window.isVisible()
    real.tracker.fail = 0
    window.controls.choose("camera", "1")
    counted = window.latency.count
    studio.bot.waitUntil(lambda: window.latency.count > counted + 2, timeout=10_000)
    assert len(real.made) == 2
    window.close()
    with studio.bot.waitSignal(window.ended, timeout=20_000):
        pass


def test_measuring(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    Real(studio, FakeCamera)
    window = studio.open()
    with studio.bot.waitSignal(window.ended, timeout=20_000):
        ui.live.app.measure(window, 1.0, settle=0.5)
    facts = json.loads(capsys.readouterr().out)
    assert 0 < facts["latency_p50_ms"] <= facts["latency_p95_ms"] < 5000
    assert facts["gui_longest_turn_ms"] > 0 and facts["gui_turns"] > 10
    assert np.isfinite(facts["capture_fps"])
