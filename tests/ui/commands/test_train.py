"""The `train` commands as a user types them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ui.commands.train
from engines.installation import install
from tests.helpers.blobs import write_blobs, write_config
from ui.commands.train import main

HERE = Path(__file__).parents[3]


def in_a_process(*arguments, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "ui.commands.train", *map(str, arguments)],
        cwd=HERE, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def train(monkeypatch, capsys):
    """The same without a process of its own, which imports torch again; a traceback is raised."""

    def run(*arguments, code=0):
        monkeypatch.setattr(sys, "argv", ["train", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        out, error = capsys.readouterr()
        assert end.value.code == code, error + out
        assert "Traceback" not in error
        return out + error

    return run


def assert_one_sentence(text, message):
    assert message in text
    assert len(text.strip().splitlines()) == 1


def test_fit_evaluate_export(tmp_path, train):
    labels = write_blobs(tmp_path)
    config = write_config(tmp_path, steps=20)
    run = tmp_path / "run"
    words = ("--data", tmp_path, "--out", run, "--set", "loss.alpha=0.01")
    out = in_a_process("fit", config, *words)
    assert "hold-out NME" in out
    assert (run / "curves.png").stat().st_size > 5000
    model = tmp_path / "m.onnx"
    assert "4 landmarks" in train("export", run / "model.safetensors", "--out", model)
    for which in (model, run / "model.safetensors"):
        report = tmp_path / which.stem
        text = train("evaluate", which, labels, "--out", report)
        assert "NME per landmark" in text
        found = json.loads((report / "metrics.json").read_text())
        assert found["images"] == 2
        assert (report / "ced.png").exists()
        assert (report / "worst.png").exists()
    one, two = (json.loads((tmp_path / n / "metrics.json").read_text()) for n in ("m", "model"))
    assert one["nme"] == pytest.approx(two["nme"], abs=0.02)


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["fit", "no.toml"], "does not exist"),
        (["evaluate", "no.onnx", "no.json"], "does not exist"),
        (["export", "no.safetensors", "--out", "x.onnx"], "does not exist"),
        (["prepare", "feet", "--data", ".", "--out", "x.json"], "hands or faces"),
        (["prepare", "hands", "--data", ".", "--out", "x.json"], "does not exist"),
    ],
)
def test_mistakes_are_one_sentence(train, arguments, message):
    run = in_a_process if arguments[0] == "fit" else train  # nor does an import say anything
    assert_one_sentence(run(*arguments, code=1), message)


def test_help_is_in_the_order_of_the_tour(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    told = CliRunner().invoke(ui.commands.train.app, ["--help"]).stdout
    tour, more = told.split("The tour, in its order")[1].split(" More ")
    named = [line.split()[1] for line in tour.splitlines() if re.match(r"\W ([a-z]+)  ", line)]
    assert named == ["init", "add", "label", "suggest", "spread", "finetune", "report", "check"]
    others = {line.split()[1] for line in more.splitlines() if re.match(r"\W ([a-z-]+)  ", line)}
    assert others == {
        "import", "export-labels", "remove", "fit", "evaluate", "export", "quantize", "parity",
        "speed", "shrink", "average", "presence", "head", "ablation", "prepare", "reproduce",
        "gesture",
    }  # fmt: skip


RUN = "import sys; {}; from ui.commands.train import main; sys.argv[1:] = {!r}; main()"


@pytest.mark.parametrize(
    "package,arguments",
    [
        ("torch", ["fit", "no.toml"]),
        ("torch", ["export", "no.safetensors", "--out", "x.onnx"]),
        ("matplotlib", ["evaluate", "no.onnx", "no.json"]),
    ],
)
def test_without_the_extra_the_remedy_is_named(package, arguments):
    code = RUN.format(f"sys.modules[{package!r}] = None", arguments)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    sentence = f"needs {package}, which is not installed; run: "
    assert_one_sentence(done.stderr, sentence + install("train"))


def test_a_module_of_ours_that_is_missing_is_a_bug_and_says_so():
    code = RUN.format("sys.modules['train.config'] = None", ["fit", "no.toml"])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HERE, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "not installed" not in done.stderr
