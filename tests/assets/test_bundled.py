"""The main job with the real bundled models, and without any way to reach a network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

import assets
from tests.helpers.clips import make
from tracker import Tracker
from tracker.config import TrackerConfig
from tracker.find.locate import load_model

GOLDEN = Path(__file__).parents[2] / "tests/golden"

# Every way to a socket that Python code has ends here; the exit code tells if one was tried.
BLOCKED = """
import socket, sys
def refuse(*a, **k):
    sys.stderr.write("NETWORK USED\\n")
    raise OSError("no network in this test")
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = socket.create_connection = refuse
from ui.commands.tracker import main
sys.argv = ["tracker", "video", sys.argv[1], "--out", sys.argv[2], "--no-progress"]
main()
"""


def test_tracker_video_opens_no_connection(tmp_path):
    clip = make(tmp_path / "in.mp4")
    out = tmp_path / "out.mp4"
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(clip), str(out)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "NETWORK USED" not in done.stderr
    with av.open(str(clip)) as a, av.open(str(out)) as b:
        assert sum(1 for _ in a.decode(video=0)) == sum(1 for _ in b.decode(video=0))


def test_bundled_face_model_on_a_photograph():
    """The eyes' and nose's landmarks lie where MediaPipe's detector sees these points."""
    picture = cv2.imread(str(GOLDEN / "face_picture.jpg"))
    result = Tracker(TrackerConfig(hands=False)).process(picture, 0.0)
    (face,) = result.tracks
    assert face.presence > 0.9
    theirs = json.loads((GOLDEN / "detector.json").read_text())["face"]["xy"]
    eyes = [face.xy[36:42].mean(0), face.xy[42:48].mean(0)]
    np.testing.assert_allclose(eyes, theirs[:2], atol=3)
    np.testing.assert_allclose(face.xy[30], theirs[2], atol=6)  # tip of the nose
    assert face.pose is not None
    assert abs(face.pose.yaw) < 10
    assert abs(face.pose.roll) < 8


@pytest.mark.parametrize("name", ["hand21", "face68"])
def test_bundled_models_say_what_they_are(name):
    model = load_model(assets.path(f"models/{name}.onnx"))
    assert f"{len(model.info.landmarks)}" == name[-2:]
    assert "not stated" not in (model.info.licence, model.info.data)
    assert len(model.info.checkpoint_sha256) == 64
    assert assets.path(f"models/{name}.onnx").stat().st_size < 10e6
    assert name in assets.path(f"models/{name}.md").read_text()


FREE = Path(assets.__file__).parent / "models" / "face68_free.onnx"


@pytest.mark.skipif(not FREE.is_file(), reason="the free face weights are not in this version")
def test_the_free_face_weights_are_whole_and_free():
    """What `--weights free` takes: all its forms, a card, a licence that says so."""
    info = load_model(FREE).info
    assert info.markup is not None and info.markup.name == "face68"
    assert {"pose", "place", "expressions", "visible", "iris"} <= {a.name for a in info.attributes}
    assert "free for any use" in info.licence and "research" not in info.licence + info.data
    small = load_model(FREE.with_suffix(".int8.onnx")).info
    assert small == info, "of the same checkpoint"
    assert FREE.with_suffix(".safetensors").is_file() and FREE.with_suffix(".md").is_file()
    assert FREE.stat().st_size < 10e6


def test_onnx_runtime_never_starts_with_its_telemetry():
    """Whoever of ours imports onnxruntime has imported `engines` before."""
    for module in (
        "engines.onnx",
        "tracker.checkup.doctor_run",
        "train.export.export",
        "train.evaluate.report",
    ):
        code = (
            "import sys, importlib.abc\n"
            "class Watch(importlib.abc.MetaPathFinder):\n"
            "    def find_spec(self, name, path, target=None):\n"
            "        import os\n"
            "        if name == 'onnxruntime' and os.environ.get('ORT_DISABLE_TELEMETRY') != '1':\n"
            "            sys.exit('onnxruntime starts with telemetry')\n"
            "sys.meta_path.insert(0, Watch())\n"
            f"import {module}, onnxruntime\n"
        )
        env = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=env
        )
        assert done.returncode == 0, f"{module}: {done.stderr}"
