"""One trained network that the tests of its forms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.helpers.blobs import write_blobs, write_config
from train.config import read_config
from train.export.export import export_model
from train.loop.fit import fit


@pytest.fixture(scope="session")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with labels.json, its pictures, run/model.safetensors and blobs.onnx.

    Made once for all processes of the test run: copy it before changing anything.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "blobs"
    with FileLock(f"{folder}.lock"):
        if not (folder / "blobs.onnx").is_file():  # it comes last, and whole
            write_blobs(folder)
            spec = read_config(write_config(folder, steps=30))
            note = {"licence": "CC0", "data": "blobs"}
            final = fit(spec, folder, folder / "run", resume=True, extra=note)
            export_model(final, folder / "blobs.onnx")
    return folder
