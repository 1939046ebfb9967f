"""Each check of `tracker doctor` on made-up facts, and one real run in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import assets
import tracker.checkup.doctor
import ui.commands.tracker
from tests.helpers import clips
from tracker.checkup import doctor, doctor_run
from tracker.checkup.doctor import Diagnosis
from tracker.checkup.doctor_run import SelfTest
from tracker.checkup.finding import NOTHING, Finding
from tracker.errors import UserError
from tracker.find.locate import load_model
from tracker.result import Result
from tracker.sources.cameras import Camera
from tracker.timings import Timings
from tracker.types import Image

ROOT = Path(__file__).parents[3]


def test_only_errors_make_it_fail() -> None:
    fine = (Finding("a", "ok", "f"), Finding("b", "warning", "f", "do"))
    assert Diagnosis(fine, {}).exit_code == 0
    bad = Diagnosis((*fine, Finding("c", "error", "f", "do")), {"more": 1})
    assert bad.exit_code == 1
    found = bad.to_json()
    assert found["schema_version"] == 1 and found["video_can_run"] is False and found["more"] == 1


def test_python() -> None:
    assert doctor.python_finding((3, 11)).level == "ok"
    old = doctor.python_finding((3, 10))
    assert old.level == "error" and "3.11" in old.advice


def test_packages() -> None:
    good = doctor.packages_finding({"numpy": "2.0", "av": "18"}, {})
    assert good.level == "ok" and "numpy 2.0" in good.fact
    bad = doctor.packages_finding({}, {"cv2": "libGL.so.1: cannot open"})
    assert bad.level == "error" and "libGL.so.1" in bad.fact
    assert bad.advice.endswith("--force-reinstall opencv-contrib-python'")


def test_imports_that_fail_have_reasons() -> None:
    assert doctor.import_troubles(["json"]) == {}
    assert "no_such_thing" in doctor.import_troubles(["no_such_thing"])["no_such_thing"]


def test_two_opencv_packages_clash() -> None:
    assert doctor.opencv_finding({"opencv-contrib-python": "5"}).level == "ok"
    assert doctor.opencv_finding({}).level == "ok"
    both = doctor.opencv_finding({"opencv-contrib-python": "5", "opencv-python": "4", "x": "1"})
    assert both.level == "warning"
    assert "pip uninstall -y opencv-contrib-python opencv-python'" in both.advice


def test_where_qt_looks_for_plug_ins() -> None:
    assert doctor.qt_path_finding(None, None).advice == NOTHING
    by_opencv = doctor.qt_path_finding(None, "x/cv2/qt/plugins")
    assert by_opencv.level == "ok" and "delete QT_QPA" in by_opencv.advice
    assert doctor.qt_path_finding("elsewhere", "x/cv2/qt/plugins").level == "warning"


def test_the_window_may_lack_a_library_of_the_system() -> None:
    assert doctor.window_finding({}).level == "ok"
    lacking = doctor.window_finding({"PyQt6.QtWidgets": "libEGL.so.1: cannot open shared object"})
    assert lacking.level == "warning" and "libEGL.so.1" in lacking.advice
    assert "pip install" in doctor.window_finding({"pyqtgraph": "No module"}).advice


@pytest.mark.parametrize(
    ("system", "environ", "level"),
    [
        ("win32", {}, "ok"),
        ("darwin", {}, "ok"),
        ("linux", {"DISPLAY": ":0"}, "ok"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "ok"),
        ("linux", {}, "warning"),
        ("win32", {"QT_QPA_PLATFORM": "offscreen"}, "warning"),
        ("linux", {"QT_QPA_PLATFORM": "minimal:enable_fonts", "DISPLAY": ":0"}, "warning"),
        ("linux", {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":0"}, "ok"),
    ],
)
def test_display(system: str, environ: dict[str, str], level: str) -> None:
    assert doctor.display_finding(system, environ).level == level


def test_tensorrt_is_optional() -> None:
    assert "not installed" in doctor.tensorrt_finding({}, True).fact
    assert "not started" in doctor.tensorrt_finding({"tensorrt-rtx": "1.7"}, False).fact
    assert "with an NVIDIA" in doctor.tensorrt_finding({"tensorrt-rtx": "1.7"}, True).fact


def test_a_silent_fall_back_to_the_cpu_is_noticed() -> None:
    cpu, cuda = "CPUExecutionProvider", "CUDAExecutionProvider"
    assert doctor_run.provider_finding([cpu], {cpu}, False).advice == NOTHING
    assert "onnxruntime-gpu" in doctor_run.provider_finding([cpu], {cpu}, True).advice
    assert doctor_run.provider_finding([cuda, cpu], {cpu}, True).level == "warning"
    assert doctor_run.provider_finding([cuda, cpu], {cuda}, True).level == "ok"


def test_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(0, "Cam", "/dev/video0", "/dev/v4l/by-id/cam")
    assert doctor_run.cameras_finding([]).fact == "no camera is connected"
    assert doctor_run.cameras_finding([camera]).fact == "0 Cam"
    shut = Camera(1, "Shut", "p", "i", (), "you may not use p; join its group")
    found = doctor_run.cameras_finding([camera, shut])
    assert (found.level, found.advice) == ("warning", "join its group")

    def fail() -> list[Camera]:
        raise UserError("no list; install it")

    monkeypatch.setattr(doctor_run, "list_cameras", fail)
    assert doctor_run.check_cameras() == (
        Finding("cameras", "warning", "no list", "install it"), [],
    )  # fmt: skip


def test_a_damaged_model_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"junk")
    monkeypatch.setattr(assets, "path", lambda name: tmp_path / "bad.onnx")
    models: dict[object, object] = {}
    found = doctor_run.check_model("hand", models, [])  # type: ignore[arg-type]
    assert found.level == "error" and "bad.onnx" in found.fact and not models


def test_a_model_says_under_which_terms_it_may_be_used() -> None:
    found = doctor_run.check_model("hand", {}, [])
    licence = load_model(assets.path("models/hand21.onnx")).info.licence
    assert len(licence) > 10 and found.fact.endswith(f"; {licence}")


def test_the_selftest_judges() -> None:
    stages = {"detect": 1.0, "network": 2.0}
    assert doctor_run.selftest_finding(SelfTest(60, 60, 0.2, stages)).level == "ok"
    missed = doctor_run.selftest_finding(SelfTest(60, 59, 0.2, stages))
    assert missed.level == "error" and "59 of 60" in missed.fact
    slow = doctor_run.selftest_finding(SelfTest(60, 60, 3.0, {"network": 50.0}))
    assert slow.level == "warning" and "50.0 ms per frame" in slow.fact


class Staring:
    """A tracker that sees a face at one place, from a given frame on."""

    def __init__(self, at: float, since: int = 0) -> None:
        self.timings = Timings()
        self._at, self._since, self._frame = at, since, -1

    def process(self, frame_bgr: Image, t: float) -> Result:
        assert frame_bgr.shape == (288, 288, 3)
        self._frame += 1
        self.timings.frames += 1
        with self.timings.stage("network"):
            pass
        corners = np.array([[105, 82], [206, 183]], np.float32) + self._at
        face = replace(clips.track("face"), xy=corners)
        return Result(t, () if self._frame < self._since else (face,))


def test_the_selftest_wants_the_face_in_its_place() -> None:
    def found(tracker: Staring, limit: float = 10.0) -> tuple[int, int]:
        done = doctor_run.self_test(tracker, limit)
        return done.with_face, done.frames

    assert found(Staring(0)) == (60, 60)
    assert found(Staring(60)) == (0, 60)
    assert found(Staring(0, since=7)) == (58, 60)
    assert found(Staring(0), limit=0.0) == (1, 1)


def test_the_picture_is_whole() -> None:
    golden = ROOT / "tests/golden/face_picture.jpg"
    assert assets.checked_path(doctor_run.PICTURE).read_bytes() == golden.read_bytes()


def stub(*findings: Finding) -> Callable[[object], Diagnosis]:
    return lambda _: Diagnosis(findings, {})


def test_the_table_and_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Finding("models", "error", "hand [21] is gone", "install it again")
    monkeypatch.setattr(tracker.checkup.doctor, "examine", stub(Finding("a", "ok", "fine"), bad))
    done = CliRunner().invoke(ui.commands.tracker.app, ["doctor"])
    assert done.exit_code == 1
    assert "hand [21] is gone" in done.stdout and "-> install it again" in done.stdout
    assert "nothing to do" not in done.stdout and "'tracker video' cannot run" in done.stdout


def test_without_a_needed_package_it_still_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.NEEDED, "no-such", "no_such")
    told: list[str] = []
    found = doctor.examine(told.append)
    assert told == ["importing what is needed"]
    assert found.exit_code == 1 and "self_test" not in found.facts
    json.dumps(found.to_json())


def test_a_broken_pyav_does_not_break_the_command(tmp_path: Path) -> None:
    (tmp_path / "av.py").write_text("raise ImportError('libx264.so is missing')\n")
    done = in_a_process(f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 1, done.stderr
    named = {f["name"]: f for f in json.loads(done.stdout)["findings"]}
    assert named["packages"]["level"] == "error" and "libx264.so" in named["packages"]["fact"]


def test_a_real_run() -> None:
    done = in_a_process(str(ROOT))
    found = json.loads(done.stdout)
    named = {f["name"]: f for f in found["findings"]}
    assert all(f["level"] in ("ok", "warning", "error") for f in named.values())
    assert all(f["fact"] and f["advice"] and "\n" not in f["advice"] for f in named.values())
    assert found["video_can_run"] == (done.returncode == 0)
    assert named["hand detector"]["level"] == named["face detector"]["level"] == "ok"
    if not all((ROOT / f"assets/models/{m}.onnx").is_file() for m in doctor_run.BUNDLED.values()):
        assert done.returncode == 1 and found["self_test"] is None
        return
    assert done.returncode == 0, done.stdout
    assert found["self_test"]["with_face"] == found["self_test"]["frames"] > 0
    assert set(found["self_test"]["ms_per_stage"]) == {"detect", "crop", "network", "smooth"}
    assert {len(model["sha256"]) for model in found["models"]} == {64}
    assert {model["info"]["kind"] for model in found["models"]} == {"hand", "face"}
    assert found["providers"]["bound"]


def in_a_process(path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ui.commands.tracker", "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=Path(path.partition(os.pathsep)[0]),
        capture_output=True,
        text=True,
        timeout=120,
    )
