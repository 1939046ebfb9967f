"""Model files, their descriptions, checkpoints and kept engines, bent: loaded or a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save as write_tensors

from engines.onnx_file import check_onnx
from engines.trt_cache import Stored, read, write
from tests.engines.test_trt_cache import KEY
from tests.fuzz.strategies import DEEP, bent_bytes, bent_json, quietly
from tests.helpers.drawn import blob_info, centroid_onnx
from tests.train.loop.test_checkpoint import save
from tracker.errors import UserError
from tracker.find.markups import read_markup
from tracker.find.model_file import Attribute, ModelInfo
from tracker.types import CropRule
from train.config import read_config
from train.loop.checkpoint import load_checkpoint
from train.project.scan import Scan, keep_scan, kept_scan

INFO = json.loads(blob_info().to_props()["tracker"]) | {
    "crop": {"scale": 1.6, "across": [0, [1, 2]], "up": []},
    "drawing": {"colours": [{"of": [0, 1], "points": "#ff0000", "lines": ""}], "nose": 0,
                "text_at": None},
}  # fmt: skip
TOML = b'kind = "object"\nlandmarks = ["a", "left_b", "right_b"]\nedges = [["a", 1]]\nscale = 1.6\n'
CONFIG = (
    b'kind = "hand"\nsteps = 10\n[net]\nname = "rcn_lite"\nwidths = [4, 4, 4, 4]\n'
    b"[loss]\nalpha = 1.0\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sound ones of each kind."""
    made = tmp_path_factory.mktemp("models")
    centroid_onnx(made / "sound.onnx")
    save(made / "sound.safetensors")
    write(made / "sound.engine", Stored(KEY, {"tracker": "x"}, b"body"))
    scan = Scan(np.arange(5.0), np.zeros(5, bool), np.zeros(5, np.uint32), (4, 3))
    keep_scan(made, "0" * 64, scan)
    return made


@given(bent_json(INFO))
@example(DEEP)
@example(json.dumps(INFO).replace('"size": 64', '"size": 128.5'))
@example(json.dumps(INFO).replace('"size": 64', '"size": 200000'))
@example(json.dumps(INFO).replace('"scale": 1.6', '"scale": NaN'))
@example("[]")
def test_descriptions(text: str) -> None:
    info = quietly(lambda: ModelInfo.from_props({"tracker": text}, "x.onnx"), ValueError)
    if isinstance(info, ModelInfo):
        assert 0 < info.size <= 2048 and type(info.size) is int
        assert info.crop is None or 0 < info.crop.scale < 1000
        assert all(isinstance(a, Attribute) and a.width > 0 for a in info.attributes)
        assert isinstance(info.rule, CropRule)


@given(st.data())
def test_networks(folder: Path, data: st.DataObject) -> None:
    path = folder / "bent.onnx"
    path.write_bytes(data.draw(bent_bytes((folder / "sound.onnx").read_bytes())))
    quietly(lambda: check_onnx(path), ValueError)


@given(st.data())
def test_checkpoints(folder: Path, data: st.DataObject) -> None:
    path, sound = folder / "bent.safetensors", folder / "sound.safetensors"
    if data.draw(st.booleans()):
        path.write_bytes(data.draw(bent_bytes(sound.read_bytes())))
    else:
        with safe_open(sound, "pt") as file:
            header = json.loads(file.metadata()["tracker"])
        text = data.draw(bent_json(header)).encode("utf-8", "replace").decode()
        tensors = {"ema.x": torch.zeros(1)}
        path.write_bytes(write_tensors(tensors, metadata={"tracker": text}))
    quietly(lambda: load_checkpoint(path), ValueError)


@given(st.data())
def test_kept_engines(folder: Path, data: st.DataObject) -> None:
    path = folder / "bent.engine"
    bent = data.draw(bent_bytes((folder / "sound.engine").read_bytes()))
    path.write_bytes(bent)
    found = quietly(lambda: read(path), ValueError)
    assert found is None or bent == (folder / "sound.engine").read_bytes()


@given(st.data())
def test_kept_scans(folder: Path, data: st.DataObject) -> None:
    (sound,) = (folder / "scans").glob("0*.npz")
    path = sound.with_name(f"{'1' * 64}.npz")
    path.write_bytes(data.draw(bent_bytes(sound.read_bytes())))
    found = kept_scan(folder, "1" * 64)
    assert found is None or len(found.times) == len(found.lost) == len(found.sums)


@given(bent_bytes(TOML))
@example(b"x = " + DEEP.encode())
@example(TOML.replace(b"1.6", b"nan"))
@example(TOML.replace(b'"a", "l', b'"=1+1", "l'))
def test_markups(folder: Path, data: bytes) -> None:
    path = folder / "m.toml"
    path.write_bytes(data)
    quietly(lambda: read_markup(path), UserError)


@given(bent_bytes(CONFIG))
@example(CONFIG.replace(b"10", b"1" + b"0" * 30))
@example(CONFIG.replace(b"1.0", b"1" + b"0" * 400))
@example(CONFIG.replace(b"1.0", b"nan"))
@example(CONFIG.replace(b"[4, ", b"[1000000, "))
def test_configs(folder: Path, data: bytes) -> None:
    path = folder / "c.toml"
    path.write_bytes(data)
    quietly(lambda: read_config(path), ValueError, UserError)
