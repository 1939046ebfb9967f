"""`tracker engines`, and the options that choose an engine and a precision."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import ui.commands.tracker
from engines.trt_cache import Stored, beside, read
from tests.helpers import clips
from tests.helpers.drawn import blob_info, centroid_onnx
from tests.helpers.fake_gpu import FakeCuda, FakeTensorRT, install_cuda, install_tensorrt, uninstall
from tracker.config import TrackerConfig
from tracker.find.model_file import model_name, precise_file
from tracker.load import load
from tracker.track import Tracker


def run(*words: object) -> Result:
    return CliRunner().invoke(ui.commands.tracker.app, [str(word) for word in words])


@pytest.fixture
def gpuless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeTensorRT:
    """TensorRT-RTX is installed, without a GPU; nothing else is."""
    state = FakeTensorRT(FakeCuda(count=0))
    uninstall(monkeypatch, "tensorrt", "openvino")
    install_cuda(monkeypatch, state.cuda)
    install_tensorrt(monkeypatch, state)
    monkeypatch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    return state


def test_listed(gpuless: FakeTensorRT) -> None:
    lines = run("engines").stdout.splitlines()
    assert [line.split()[:2] for line in lines[:1]] == [["usable", "onnx"]]
    rest = [line.partition(":")[0].split()[:3] for line in lines[1:-1]]
    assert rest == [["not", "usable", name] for name in ("openvino", "tensorrt", "tensorrt-rtx")]
    assert "shows no GPU" in lines[3] and "can still build engines" in lines[3]
    found = json.loads(run("engines", "--json").stdout)
    assert found["schema_version"] == 1
    assert [e["usable"] for e in found["engines"]] == [True, False, False, False]


def test_kept_engines_are_counted(gpuless: FakeTensorRT, tmp_path: Path, blob_onnx: Path) -> None:
    (first,) = [line for line in run("engines").stdout.splitlines() if "built engines" in line]
    assert first.startswith("built engines will be kept in") and str(tmp_path / "cache") in first
    gpuless.cuda.count = 1
    load(TrackerConfig(faces=False, threads=1, engine="tensorrt-rtx"), [blob_onnx])
    (last,) = [line for line in run("engines").stdout.splitlines() if "built engines" in line]
    assert last.startswith("1 built engines") and str(tmp_path / "cache") in last


def test_built_ahead(gpuless: FakeTensorRT, blob_onnx: Path, tmp_path: Path) -> None:
    words = ("engines", "build", blob_onnx, "--compute", "8.6, 12.0")
    done = run(*words)
    place = beside(blob_onnx, "tensorrt-rtx")
    assert done.exit_code == 0 and f"wrote {place}" in done.stdout
    stored: Stored = read(place)
    assert stored.key.targets == ("8.6", "12.0") and "tracker" in stored.props
    again = run(*words)
    assert again.exit_code == 1 and "exists already; add --overwrite" in again.stderr
    assert run(*words, "--overwrite").exit_code == 0
    assert run(*words, "--out", tmp_path / "o.engine").exit_code == 0
    assert read(tmp_path / "o.engine").body == stored.body


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--engine", "onnx"], "nothing is built ahead for 'onnx'; choose one of tensorrt"),
        (["--compute", "9.9"], "no compute capability '9.9'"),
        ([], "the NVIDIA driver shows no GPU"),
        (["--compute", "8.6", "--engine", "tensorrt"], "on the GPU that will run the engine"),
        (["--compute", "8.6", "--precision", "fp16"], "make it with 'train export"),
        (["--compute", "8.6", "--out", "no/folder/x"], "there is no folder no/folder"),
    ],
)
def test_one_sentence(
    gpuless: FakeTensorRT, blob_onnx: Path, words: list[str], sentence: str
) -> None:
    done = run("engines", "build", blob_onnx, *words)
    assert done.exit_code == 1 and sentence in done.stderr, done.output
    assert done.stderr.startswith("tracker: ") and done.stderr.count("\n") == 1
    assert gpuless.builds == 0


def test_no_model(gpuless: FakeTensorRT, tmp_path: Path) -> None:
    done = run("engines", "build", tmp_path / "nope.onnx", "--compute", "8.6")
    assert done.exit_code == 1 and "there is no model file at" in done.stderr


def test_timed(gpuless: FakeTensorRT, blob_onnx: Path) -> None:
    words = ("engines", "time", blob_onnx, "--runs", 3, "--pause", 0, "--threads", 1)
    (line,) = run(*words).stdout.splitlines()
    assert line.endswith(" ms  CPUExecutionProvider") and float(line.split()[0]) >= 0
    gpuless.cuda.count = 1
    lines = run(*words).stdout.splitlines()
    assert {line.split()[-1] for line in lines} == {"CPUExecutionProvider", "TensorRT-RTX"}
    assert [float(line.split()[0]) for line in lines] == sorted(
        float(line.split()[0]) for line in lines
    )
    missing = run("engines", "time", blob_onnx, "--precision", "int8")
    assert missing.exit_code == 1 and "make it with 'train quantize" in missing.stderr


@pytest.mark.parametrize(
    ("precision", "command"),
    [
        ("fp16", "train export {}/m.safetensors --precision fp16 --out {}/m.fp16.onnx"),
        ("int8", "train quantize {}/m.onnx --data LABELS.json --out {}/m.int8.onnx"),
    ],
)
def test_forms_of_a_model(tmp_path: Path, precision: str, command: str) -> None:
    model, form = tmp_path / "m.onnx", tmp_path / f"m.{precision}.onnx"
    model.touch()
    assert precise_file(model, "fp32") == model
    with pytest.raises(ValueError, match=f"m.onnx has no {precision} form beside it") as error:
        precise_file(model, precision)
    assert command.replace("{}", str(tmp_path)) in str(error.value)
    form.touch()
    assert precise_file(model, precision) == form == precise_file(form, precision)
    assert precise_file(form, "fp32") == form, "what is named is taken"
    with pytest.raises(ValueError, match="there is no precision 'int4'"):
        precise_file(model, "int4")


def test_a_form_is_loaded_and_named(tmp_path: Path) -> None:
    run_folder = tmp_path / "tool" / "models" / "late"
    run_folder.mkdir(parents=True)
    centroid_onnx(run_folder / "model.onnx", blob_info("hand"))
    shutil.copy(run_folder / "model.onnx", run_folder / "model.fp16.onnx")
    config = TrackerConfig(faces=False, precision="fp16", threads=1, engine="onnx")
    loaded = load(config, [run_folder / "model.onnx"])
    assert loaded.models[0].file == "tool, run late in fp16"
    assert model_name(run_folder / "model.onnx") == "tool, run late"
    direct = Tracker(config.with_model("hand", run_folder / "model.onnx"))
    assert direct.models["hand"].path == run_folder / "model.fp16.onnx"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--engine", "abacus"], "there is no engine 'abacus'"),
        (["--precision", "int4"], "there is no precision 'int4'"),
    ],
)
@pytest.mark.parametrize("command", ["video", "image"])
def test_names_are_checked(tmp_path: Path, command: str, words: list[str], sentence: str) -> None:
    done = run(command, tmp_path / "in.mp4", "--json", tmp_path / "o.jsonl", *words)
    assert done.exit_code == 2 and sentence in " ".join(done.stderr.split())


def test_stats_say_which_engine(gpuless: FakeTensorRT, tmp_path: Path, blob_onnx: Path) -> None:
    clip = clips.make(tmp_path / "in.mp4")
    words = ["video", clip, "--json", tmp_path / "o.jsonl", "--no-faces", "--stats", "--overwrite",
             "--model", blob_onnx]  # fmt: skip
    assert "CPUExecutionProvider, 2 threads" in run(*words).stdout
    gpuless.cuda.count = 1
    assert "TensorRT-RTX, 1 threads" in run(*words).stdout
    missing = run(*words, "--engine", "openvino")
    assert missing.exit_code == 1 and "OpenVINO is not installed" in missing.stderr
