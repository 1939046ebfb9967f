from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import pytest

import assets


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the detectors, which `assets` believes to be its own."""
    shutil.copytree(assets.path("detectors/SHA256SUMS").parent, tmp_path / "detectors")
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path / "detectors"


def test_the_detectors_are_whole() -> None:
    for name in ("palm_detection", "face_detection"):
        assert assets.checked_path(f"detectors/{name}.tflite").is_file()


def test_missing() -> None:
    with pytest.raises(FileNotFoundError, match=r"models/nope.onnx is missing .* install"):
        assets.path("models/nope.onnx")


def test_a_flipped_bit_is_seen(copy: Path) -> None:
    body = bytearray((copy / "face_detection.tflite").read_bytes())
    body[1000] ^= 1
    (copy / "face_detection.tflite").write_bytes(body)
    with pytest.raises(ValueError, match=r"face_detection\.tflite is damaged"):
        assets.checked_path("detectors/face_detection.tflite")
    assets.checked_path("detectors/palm_detection.tflite")


def test_a_file_without_a_sum_is_refused(copy: Path) -> None:
    (copy / "other.tflite").write_bytes(b"x")
    with pytest.raises(ValueError, match="none is listed"):
        assets.checked_path("detectors/other.tflite")


def test_all_of_it_fits_into_a_wheel_of_30_mb() -> None:
    """What the wheel itself weighs: tests/package."""
    folder = Path(assets.__file__).parent
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    sizes = [len(zlib.compress(path.read_bytes())) for path in files]  # as a wheel packs them
    assert sum(sizes) < 29_000_000
