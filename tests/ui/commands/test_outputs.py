"""`tracker outputs`: what can be sent to, and why not."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from typer.testing import CliRunner

import ui.commands.tracker
from engines.installation import install
from tracker.outputs import listing
from tracker.outputs.listing import LISTED, Listed
from tracker.outputs.open import OUTPUTS, find_output


def said() -> str:
    done = CliRunner().invoke(ui.commands.tracker.app, ["outputs"])
    assert done.exit_code == 0
    return done.stdout


def test_every_output_is_listed_and_every_listed_one_is_there() -> None:
    opened = {find_output(one.target) for one in LISTED}
    assert opened == set(OUTPUTS.values())
    text = said()
    assert all(f"\n{one.target} " in f"\n{text}" for one in LISTED)


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(listing, "version", none)
    text = said()
    assert text.count(f"not usable: run: {install('outputs')}\n") == 5
    assert install("virtualcam") in text and text.count("usable (built in)") == 7


def test_a_library_that_does_not_load() -> None:
    broken = Listed("x:", "x", "numpy", "outputs", "numpy.no_such_part")
    assert broken.fault() == "numpy does not load: No module named 'numpy.no_such_part'"


def test_extras_are_those_of_the_package() -> None:
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    for one in LISTED:
        if one.library:
            line = next(text for text in project.splitlines() if text.startswith(f"{one.extra} = "))
            assert f'"{one.library}>=' in line
