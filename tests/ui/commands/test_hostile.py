"""Files that mean no good, given to the real commands: a sentence, little memory, no end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import pytest

from tests.helpers import bombs, clips

ROOT = Path(__file__).parents[3]
POSIX = pytest.mark.skipif(os.name != "posix", reason="the memory of a child")


@dataclass(frozen=True)
class Ran:
    """What became of a command."""

    code: int
    said: str  # on stderr
    peak_mb: float


# A child's peak in `wait4` counts the process that started it, too; Linux tells its own.
PEAK = """
import atexit, os, pathlib
from ui.commands.tracker import main
status, told = pathlib.Path("/proc/self/status"), pathlib.Path(os.environ["PEAK"])
atexit.register(lambda: told.write_text(status.read_text() if status.exists() else "VmHWM: 0 kB"))
main()
"""


def run(*words: object, **env: str) -> Ran:
    """A command in a process of its own, with its peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "peak"
        done = subprocess.run(
            [sys.executable, "-c", PEAK, *map(str, words)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PEAK": str(told), **env},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
        assert told.is_file(), f"it ended with {done.returncode}: {done.stderr}"
        peak = re.search(r"VmHWM:\s+(\d+) kB", told.read_text())
    assert peak is not None
    return Ran(done.returncode, done.stderr, int(peak[1]) / 1024)


def sentences(ran: Ran) -> dict[str, str]:
    """What was said of each file, by its name; the last line lists those that failed."""
    lines = ran.said.strip().splitlines()
    assert all(line.startswith("tracker: ") for line in lines), ran.said
    return {Path(line.split()[1].rstrip(":")).name: line for line in lines[:-1]}


@POSIX
def test_pictures_larger_than_allowed_are_refused_before_their_pixels(tmp_path: Path) -> None:
    """A TIFF of 0.4 KB took 5.3 GB and ended the process with a signal."""
    bombs.png(tmp_path / "a.png")
    bombs.tiff(tmp_path / "b.tif")
    cv2.imwrite(str(tmp_path / "c.png"), clips.picture(0))
    ran = run("image", tmp_path, "--json", tmp_path / "o.jsonl")
    said = sentences(ran)
    for name in ("a.png", "b.tif"):
        assert "larger than 100 million pixels; make it smaller, or allow more" in said[name]
    assert ran.code == 1 and ran.peak_mb < 600
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 2, "c.png, and the header"


@POSIX
def test_frames_larger_than_allowed_are_refused_before_their_pixels(tmp_path: Path) -> None:
    bombs.gif(tmp_path / "a.gif")
    bombs.ffv1(tmp_path / "b.mkv")
    clips.make(tmp_path / "c.mp4")
    clips.flat(tmp_path / "d.mp4", (6400, 6400), 1)
    ran = run("video", tmp_path, "--json", tmp_path / "out")
    said = sentences(ran)
    for name, limit in {"a.gif": "36", "b.mkv": "36", "d.mp4": "15.32"}.items():
        assert f"has frames that are larger than {limit} million pixels" in said[name], name
    assert ran.code == 1 and ran.peak_mb < 600
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["c.jsonl"]


@POSIX
def test_large_frames_do_not_pile_up(tmp_path: Path) -> None:
    """20 frames of 16 million pixels: 24 MB each as they are stored, 48 MB as they are worked on.

    Before, some thirty waited in the encoder and between the threads.
    """
    source = clips.flat(tmp_path / "a.mp4", (4096, 4096), 20)
    words = ("--no-hands", "--max-megapixels", 36)  # for a file as small as this
    ran = run("video", source, "--out", tmp_path / "o.mp4", *words)
    assert ran.code == 0 and source.stat().st_size < 1_000_000
    assert ran.peak_mb < 700


def test_the_limit_can_be_moved(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), clips.picture(0, (1200, 1000)))
    clips.make(tmp_path / "a.mp4", clips.Clip(size_wh=(1200, 1000), frames=2))
    for command, name in (("image", "a.png"), ("video", "a.mp4")):
        words = (command, tmp_path / name, "--json", tmp_path / f"{command}.jsonl", "--no-faces")
        small = run(*words, "--max-megapixels", 1)
        assert small.code == 1 and "larger than 1 million pixels" in small.said
        by_environment = run(*words, OPENCV_IO_MAX_IMAGE_PIXELS="1000000")
        assert by_environment.code == 1 and "larger than 1 million pixels" in by_environment.said
        assert run(*words, "--max-megapixels", 2).code == 0
