"""Fixtures that several tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.helpers.drawn import SHAPE, BlobEngine, blob_info, centroid_onnx, draw_blobs
from tracker.find.locate import Model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytestqt.qtbot import QtBot

    from tests.helpers.fake_window import Studio

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: one thread each
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program keeps for its user does not go to the home of who tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LANDMARK_TRACKER_CACHE", str(tmp_path_factory.mktemp("own")))
        yield


@pytest.fixture
def blob_model() -> Model:
    """The numpy engine with its description."""
    return Model(BlobEngine(), blob_info())


@pytest.fixture
def blob_onnx(tmp_path: Path) -> Path:
    """A real ONNX file that finds one drawn object."""
    return centroid_onnx(tmp_path / "centroid.onnx")


@pytest.fixture
def blob_clip() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """30 frames of 240 x 320, and the landmarks (3, 2) of the one object that drifts through."""
    truth = [np.add(SHAPE, (100 + 2.3 * i, 120 + 1.1 * i)) for i in range(30)]
    return [draw_blobs([xy]) for xy in truth], truth


@pytest.fixture
def studio(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """The live window on a fake pipeline, with settings of its own."""
    from tests.helpers.fake_window import Studio

    made = Studio(qtbot, tmp_path, monkeypatch)
    yield made
    made.end()
