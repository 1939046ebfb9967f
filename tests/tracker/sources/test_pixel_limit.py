"""Which limit counts: the option, the environment, the usual one."""

from __future__ import annotations

import pytest

from tracker.sources.pixel_limit import (
    FRAMES,
    LIMIT,
    USUAL_OF_FRAMES,
    frames_too_large,
    limit_pixels,
    most_frame_pixels,
    most_pixels,
    too_large,
)

MILLION = 1_000_000


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (LIMIT, FRAMES):
        monkeypatch.setenv(name, "")  # so that whatever is set here is taken back
        monkeypatch.delenv(name)


def both() -> tuple[float, float]:
    return most_pixels() / MILLION, most_frame_pixels() / MILLION


def test_8k_fits() -> None:
    assert USUAL_OF_FRAMES > 7680 * 4320 and USUAL_OF_FRAMES > 8192 * 4352  # as codecs round it
    assert both() == (100, 36), "where no command was asked"


def test_the_usual_ones_reach_children() -> None:
    limit_pixels()
    assert both() == (100, 36)
    limit_pixels()
    assert both() == (100, 36)


@pytest.mark.parametrize("millions", [1, 60, 400])
def test_the_option_is_for_both(millions: int) -> None:
    limit_pixels()
    limit_pixels(millions)
    assert both() == (millions, millions)


@pytest.mark.parametrize("millions", [1, 60, 400])
def test_the_environment_is_for_both(millions: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIMIT, str(millions * MILLION))
    assert both() == (millions, millions)
    limit_pixels()
    assert both() == (millions, millions)


def test_a_lower_limit_of_a_child_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limit_pixels()
    monkeypatch.setenv(LIMIT, str(2 * MILLION))
    assert both() == (2, 2)


def test_sentences() -> None:
    assert too_large("a.png").startswith("a.png is larger than 100 million pixels; make it smaller")
    said = "a.mp4 has frames that are larger than 36 million pixels; make it smaller, or allow more"
    assert frames_too_large("a.mp4").startswith(said)
