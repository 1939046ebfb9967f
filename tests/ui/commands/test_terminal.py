"""The curves that a training shows in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.loop.progress import Progress
from ui.commands.terminal import Terminal, sparkline


def test_a_sparkline_goes_from_the_lowest_to_the_highest() -> None:
    assert sparkline([0, 1, 2, 7]) == "▁▂▃█"
    assert sparkline([1, float("nan"), 2]) == "▁█"
    assert sparkline([]) == "" and sparkline([3.0]) == "▁"
    assert len(sparkline(range(100), 40)) == 40


def step(number: int, loss: float, nme: float | None = None) -> Progress:
    hold = None if nme is None else {"nme": nme, "attributes": {}}
    return Progress(number, 200, loss, {}, 10.0, hold)


def test_a_run_that_goes_on_shows_its_whole_curve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics.csv").write_text(
        "step,train_loss,hold_nme\n20,4.0,9.0\n40,3.0,\n60,2.0,5.0\n80,1.0,1.0\n"
    )
    with Terminal() as terminal:
        terminal.recall(tmp_path / "metrics.csv")
        terminal.step(step(61, 2.0))  # the checkpoint was of step 60: row 80 is done again
        terminal.step(step(62, 1.5, 7.0))
    assert terminal.losses == [4.0] * 20 + [3.0] * 20 + [2.0] * 20 + [2.0, 1.5]
    assert terminal.errors == [9.0, 5.0, 7.0]
    assert "hold-out NME 7.00 % █▁▅" in capsys.readouterr().out


def test_a_new_run_begins_with_nothing(tmp_path: Path) -> None:
    with Terminal() as terminal:
        terminal.recall(tmp_path / "metrics.csv")
        terminal.step(step(1, 2.0))
    assert terminal.losses == [2.0] and terminal.errors == []
