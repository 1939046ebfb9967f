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
    most_frame_pixels_of,
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


@pytest.mark.parametrize(
    ("file_bytes", "bits", "alone", "millions"),
    [
        (2_000_000, 12, False, 36),
        (1_999_999, 12, False, 15.318627),  # 1250 / (34 (1.5 + 0.9))
        (1_999_999, 12, True, 36),  # one frame is held, not 34
        (1_999_999, 24, False, 9.426847),  # 1250 / (34 (3 + 0.9))
        (1_999_999, 48, False, 5.328218),  # 1250 / (34 (6 + 0.9))
        (1_999_999, 48, True, 6),  # 288 / 48
        (15_999_999, 24, False, 12),
        (15_999_999, 13, False, 22.153846),
        (16_000_000, 48, False, 36),
    ],
)
def test_small_files_have_a_lower_limit(
    file_bytes: int, bits: int, alone: bool, millions: float
) -> None:
    assert most_frame_pixels_of(file_bytes, bits, alone) == round(millions * MILLION)
    limit_pixels()
    assert most_frame_pixels_of(file_bytes, bits, alone) == round(millions * MILLION)


@pytest.mark.parametrize("millions", [1, 36, 200])
def test_what_a_user_set_counts_for_small_files_as_it_is(millions: int) -> None:
    limit_pixels()
    limit_pixels(millions)
    assert most_frame_pixels_of(1000, 48, alone=False) == millions * MILLION


def test_what_cameras_make_fits() -> None:
    """Sizes of UHD in short clips, of 8K in those of a second."""
    assert most_frame_pixels_of(100_000, 12, alone=False) > 5120 * 2880
    assert most_frame_pixels_of(100_000, 24, alone=False) > 4096 * 2176
    assert most_frame_pixels_of(2_000_000, 32, alone=False) > 4096 * 2176  # 4:2:2, 10 bits
    assert most_frame_pixels_of(2_000_000, 12, alone=False) > 8192 * 4352
