"""What to type for what is missing."""

from __future__ import annotations

import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from engines import installation
from engines.installation import install, needs

LISTED = [
    "numpy<3,>=1.26",
    'torch<3,>=2.6; extra == "train"',
    'evdev>=1.7; platform_system == "Linux" and extra == "actions"',
    'winsdk>=1; platform_system != "Linux" and extra == "actions"',
    "mido<2,>=1.3; extra == 'actions'",
]


def test_the_packages_of_an_extra_on_this_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert needs("train", LISTED) == ["torch<3,>=2.6"]
    assert needs("actions", LISTED) == ["evdev>=1.7", "mido<2,>=1.3"]
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    assert needs("actions", LISTED) == ["winsdk>=1", "mido<2,>=1.3"]
    assert needs("tra", LISTED) == []


def test_the_real_extras_name_packages_and_never_this_distribution() -> None:
    for extra in ("train", "exchange", "outputs", "actions", "openvino", "tensorrt", "ray"):
        words = shlex.split(install(extra))
        wanted = words[words.index("install") + 1 :]
        assert wanted and all("landmark" not in word for word in wanted), extra
    assert any(word.startswith("torch") for word in shlex.split(install("train")))


def test_pip_is_this_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Path(sys.executable).parent
    monkeypatch.setattr(installation.shutil, "which", lambda name: str(here / name))
    assert install("exchange").startswith('pip install "h5py')
    monkeypatch.setattr(installation.shutil, "which", lambda name: f"/elsewhere/{name}")
    assert install("exchange").startswith(f"{sys.executable} -m pip install ")
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "executable", "C:\\My Programs\\python.exe")
    assert install("ray").startswith('uv pip install --python "C:\\My Programs\\python.exe" "ray')


def test_from_the_source_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.requires", none)
    assert install("train").endswith('install ".[train]"')
