"""OpenVINO: never its telemetry; and, where it is installed, the numbers of ONNX Runtime."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import assets
from engines import load_engine

ROOT = Path(__file__).parents[2]
installed = pytest.mark.skipif(
    find_spec("openvino") is None, reason="OpenVINO is not installed (the extra 'openvino')"
)
# It imports as the real one does: with the telemetry package where that can be imported.
PACKAGE = """
try:
    import openvino_telemetry
except ImportError:
    pass
class Core:
    available_devices = ["CPU"]
"""


def test_its_telemetry_is_never_imported(tmp_path: Path) -> None:
    (tmp_path / "openvino.py").write_text(PACKAGE)
    (tmp_path / "openvino_telemetry.py").write_text("print('an event is sent')\n")
    path = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

    def said(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code], env=path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said("import openvino") == "an event is sent\n", "the test sees what it looks for"
    assert said("from engines.openvino import new_core; print(new_core().available_devices)") == (
        "['CPU']\n"
    )


@installed
def test_it_opens_no_connection() -> None:
    """Every way to a network in Python ends the process here."""
    code = """
import socket, sys, urllib.request, http.client
def no(*args, **kwargs):
    sys.exit("a connection was tried")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = no
urllib.request.urlopen = http.client.HTTPConnection.connect = no
import threading
threading.excepthook = lambda args: sys.exit("a thread died")
from engines.choose import load_network
from pathlib import Path
import assets
engine = load_network(assets.path("models/hand21.onnx"), 1, "openvino")
print(engine.provider, [m for m in sys.modules if m.startswith("openvino_telemetry.")])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "OpenVINO CPU []\n"), done.stderr


@installed
@pytest.mark.parametrize("name", ["hand21.onnx", "face68.onnx"])
def test_the_same_numbers(name: str) -> None:
    from engines.openvino import OpenVinoEngine

    path = assets.path(f"models/{name}")
    engine, plain = OpenVinoEngine(path, 1), load_engine(path, 1)
    assert engine.props == plain.props and (engine.provider, engine.threads) == ("OpenVINO CPU", 1)
    for count in (1, 3):
        batch = np.random.default_rng(count).uniform(0, 255, (count, 3, 128, 128))
        found, wanted = (e.run(batch.astype(np.float32)) for e in (engine, plain))
        assert found.keys() == wanted.keys()
        for key in wanted:
            np.testing.assert_allclose(found[key], wanted[key], atol=2e-3)


@installed
def test_errors(tmp_path: Path, blob_onnx: Path) -> None:
    from engines.openvino import OpenVinoEngine

    (tmp_path / "bad.onnx").write_bytes(b"garbage" * 99)
    with pytest.raises(ValueError, match=r"bad\.onnx is not a network that OpenVINO can load"):
        OpenVinoEngine(tmp_path / "bad.onnx")
    with pytest.raises(RuntimeError, match="OpenVINO has no device 'ABACUS' here, only CPU"):
        OpenVinoEngine(blob_onnx, 1, "abacus")
    engine = OpenVinoEngine(blob_onnx, 1)
    for batch in (np.zeros((1, 3, 9, 9), np.float32), np.zeros((1, 3, 64, 64))):
        with pytest.raises(ValueError, match="does not fit the network's input"):
            engine.run(batch)
