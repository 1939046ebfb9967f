"""The wheel, as somebody has it who installs it: its size, its files, its types, its commands.

Not part of a usual run, since a wheel is built: `pytest -m wheel -n0`.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LARGEST = 30_000_000  # bytes
PACKAGES = ("assets", "engines", "tracker", "train", "ui")

pytestmark = pytest.mark.wheel


def run(*words: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    code = (
        "import os, sys; from setuptools import build_meta; os.chdir(sys.argv[1]); "
        "print(build_meta.build_wheel(sys.argv[2], {'--build-option': ['-q', 'build', '-b', "
        "sys.argv[3]]}))"
    )
    run(sys.executable, "-c", code, ROOT, out, out / "build", cwd=out)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """An environment with the wheel in it; what it needs is that of this environment."""
    home = wheel.parent / "env"
    venv.create(home, with_pip=False)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    with zipfile.ZipFile(wheel) as file:
        file.extractall(inside)
    (inside / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def test_its_size_and_its_files(wheel: Path) -> None:
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    assert wheel.stat().st_size <= LARGEST
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    assert "assets/models/hand21.onnx" in names and "train/report/report.css" in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_its_types_are_seen_from_another_environment(python: Path, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text((ROOT / "examples/first_steps.py").read_text())
    (tmp_path / "wrong.py").write_text(
        "from tracker import Tracker, read\n"
        "result = Tracker().process(3, 0.0)\n"
        "result.tracks[0].gesture.upper()\n"
        "read('x').frames[0].result.draw\n"
        "reveal_type(result.to_rows())\n"
    )
    words = [
        sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", python,
        "--cache-dir", tmp_path / "cache",
    ]  # fmt: skip
    assert "Success" in run(*words, "right.py", cwd=tmp_path)
    done = subprocess.run(
        [str(word) for word in [*words, "wrong.py"]], cwd=tmp_path, capture_output=True, text=True
    )
    assert 'wrong.py:2: error: Argument 1 to "process"' in done.stdout, done.stdout
    assert 'wrong.py:3: error: Item "None"' in done.stdout
    assert 'wrong.py:4: error: Item "None"' in done.stdout
    assert done.stdout.replace("builtins.", "").count("list[dict[str, object]]") == 1


def test_its_program_runs_from_there(python: Path, tmp_path: Path) -> None:
    picture = python.parents[1].rglob("selftest.jpg")
    code = (
        "import sys, tracker; from ui.commands.tracker import main; "
        "print(tracker.__file__); sys.argv = ['landmark-tracker', *sys.argv[1:]]; main()"
    )
    said = run(python, "-c", code, "image", next(picture), cwd=tmp_path)
    assert str(python.parents[1]) in said.splitlines()[0], "not the one of this checkout"
    assert (tmp_path / "selftest_annotated.jpg").stat().st_size > 5000
