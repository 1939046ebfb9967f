"""What the commands leave in a home folder that nothing was in before."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import clips
from tests.helpers.clips import Clip

ROOT = Path(__file__).parents[3]
WINDOW = {".config/landmark-tracker/Landmark Tracker.conf"}  # what the user chose in it
HOMES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "MPLCONFIGDIR")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere HOME is not where settings go")
@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("tracker doctor", set()),
        ("tracker cameras", set()),
        ("tracker engines", set()),
        ("tracker bench {clip} --runs 1", set()),
        ("tracker video {clip} --json out.jsonl --out out.mp4", set()),
        ("tracker image {picture} --json out.jsonl", set()),
        ("tracker live --camera {clip} --loop --measure 1", WINDOW),
        ("train init new --landmarks hand21", set()),
    ],
)
def test_no_command_leaves_anything_in_the_home_folder(
    tmp_path: Path, command: str, left: set[str]
) -> None:
    """ONNX Runtime, unless told before its import, leaves a device id and an event database."""
    home, place = tmp_path / "home", tmp_path / "place"
    home.mkdir()
    place.mkdir()
    clip = clips.make(tmp_path / "clip.mp4", Clip(frames=4))
    words = command.format(clip=clip, picture=ROOT / "tests/golden/face_picture.jpg").split()
    env = {k: v for k, v in os.environ.items() if k not in (*HOMES, "ORT_DISABLE_TELEMETRY")}
    env |= {"HOME": str(home), "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-m", f"ui.commands.{words[0]}", *words[1:]],
        env=env, cwd=place, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    found = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert found == left, done.stderr
