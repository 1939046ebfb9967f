"""The examples do what they say, with the tracker's own outputs at the other end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.helpers import clips
from tests.helpers.clips import FakeTracker
from tracker.files.video_job import Job, annotate
from tracker.find.hand_bones import bent
from tracker.outputs.output import About
from tracker.outputs.streams.lsl import LslOutlet
from tracker.outputs.streams.osc import Osc
from tracker.result import Result
from tracker.types import Frame, Track

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = tuple(
    replace(used, info=replace(used.info, landmarks=names))
    for used, names in (
        (clips.USED[0], ("wrist", *(f"p{i}" for i in range(1, 8)), "index_tip",
                         *(f"p{i}" for i in range(9, 21)))),
    )
)  # fmt: skip


def start(name: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / name), *(str(word) for word in words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def hand() -> Track:
    return replace(clips.track("hand", side="right"), xyz=bent("right", np.zeros((5, 3))))


def test_read_jsonl(tmp_path: Path) -> None:
    pytest.importorskip("pandas")
    source = clips.make(tmp_path / "in.mp4")
    annotate(Job(source, json=tmp_path / "o.jsonl"), FakeTracker(("hand",)), MODELS)
    said, wrong = start("read_jsonl.py", tmp_path / "o.jsonl").communicate(timeout=120)
    assert "track 1, left hand: the index fingertip moved 0 pixels" in said, wrong
    assert [line.split() for line in said.splitlines()[-1:]] == [["fist", "12"]]


def test_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its cells, one after the other: a hand that holds a fist for 12 frames of 1/25 s."""
    pytest.importorskip("pandas")
    source = clips.make(tmp_path / "in.mp4")
    annotate(Job(source, json=tmp_path / "points.jsonl"), FakeTracker(), (*MODELS, clips.USED[1]))
    monkeypatch.chdir(tmp_path)
    notebook = json.loads((EXAMPLES / "read_jsonl.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4 and all(not cell.get("outputs") for cell in notebook["cells"])
    names: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    assert len(names["points"]) == 12 * (21 + 68) and len(names["tracks"]) == 24
    assert names["held"].to_dict() == {("left", "fist"): pytest.approx(12 / 25)}
    assert names["speed"].dropna().tolist() == [0.0] * 11
    assert set(names["tracks"].yaw.dropna()) == {10.0}


def test_first_steps(tmp_path: Path) -> None:
    """A face alone has no gesture; a file that is none is a sentence."""
    source = clips.make(tmp_path / "in.mp4")
    done = start("first_steps.py", source, tmp_path / "out")
    said, wrong = done.communicate(timeout=120)
    assert done.returncode == 0 and said == "" and "in.mp4" in wrong, wrong
    done = start("first_steps.py", tmp_path / "none.mp4", tmp_path / "out")
    assert "Traceback" not in done.communicate(timeout=120)[1] and done.returncode == 1


def test_first_steps_draw_the_surest_frame_of_each_gesture(tmp_path: Path) -> None:
    sys.path.insert(0, str(EXAMPLES))
    try:
        from first_steps import pictures  # type: ignore[import-not-found]
    finally:
        sys.path.remove(str(EXAMPLES))
    seen = []
    for i, (gesture, p) in enumerate([("fist", 0.6), ("fist", 0.9), ("point", 0.8), ("fist", 0.7)]):
        track = replace(clips.track("hand"), gesture=gesture, gesture_p=p)
        seen.append((Frame(i, i / 25, clips.picture(i)), Result(i / 25, (track,))))
    seen.append((Frame(4, 0.2, None), Result(0.2, ())))
    assert pictures(iter(seen), tmp_path) == {"fist": 3, "point": 1}
    drawn = cv2.imread(str(tmp_path / "fist.png"))
    assert np.array_equal(drawn, seen[1][1].draw(clips.picture(1)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fist.png", "point.png"]


def test_gesture_to_key(tmp_path: Path) -> None:
    """A clip without that gesture presses nothing, and it ends with the file."""
    source = clips.make(tmp_path / "in.mp4")
    code = (
        "import runpy, sys; from unittest.mock import MagicMock; "
        "from tracker.actions import device; "
        "device.DEVICES = {'none': (lambda: None, MagicMock)}; "
        f"sys.argv = ['x', {str(source)!r}, 'fist', 'space']; "
        f"runpy.run_path({str(EXAMPLES / 'gesture_to_key.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120,
        cwd=EXAMPLES.parent,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "", done.stderr


def test_osc_to_synth(tmp_path: Path) -> None:
    """The hand is seen for a while, open, its fingertip in the middle of the picture."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = start("osc_to_synth.py", tmp_path / "tone.wav", 4, port)
    output = Osc(f"osc://127.0.0.1:{port}", About("cam", MODELS))
    xy = hand().xy.copy()
    xy[8] = 48, 32
    seen = Result(1.0, (replace(hand(), xy=xy),))
    while process.poll() is None:
        output.put(Frame(1, 1.0, clips.picture(0)), seen)
        time.sleep(0.02)
    assert process.returncode == 0, process.communicate()[1]
    with wave.open(str(tmp_path / "tone.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (48000, 4 * 48000)
        tone = np.frombuffer(sound.readframes(4 * 48000), "<i2").astype(float)
    assert np.abs(tone[-24000:]).max() == pytest.approx(12000, rel=0.01), "an open hand is loud"
    loudest = np.abs(np.fft.rfft(tone[-24000:])).argmax() * 2
    assert loudest == pytest.approx(440, abs=3), "one octave above 220, half way up"


def test_lsl_inlet() -> None:
    name = f"landmarks {time.monotonic_ns()}"
    output = LslOutlet(f"lsl:{name}", About("cam", MODELS))
    process = start("lsl_inlet.py", name, 1)
    while process.poll() is None:
        now = time.monotonic()
        output.put(Frame(1, now, None), Result(now, (hand(),)))
        time.sleep(0.02)
    said, wrong = process.communicate()
    output.close(True)
    assert process.returncode == 0, wrong
    x, y = hand().xy[0]
    assert f"right wrist {x:7.1f} {y:7.1f}" in said
