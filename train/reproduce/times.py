"""How long cells take on this machine, said before they are trained."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from train.grid.resume import read_result
from train.reproduce.experiments import Cell
from train.reproduce.run import ReproduceWish, in_steps, open_cells, row_spec, span, timing

ENOUGH = 100  # steps of a finished cell that its speed can be told from


def finished_rate(wish: ReproduceWish, row: str) -> float | None:
    """Mean seconds a step of a row's finished cells, tests included; None where there are none."""
    folder = (wish.out / Cell(wish.experiment, row, 0, 0).folder).parents[1]
    found = [read_result(p.parent) for p in folder.glob("*/*/result.json")]
    rates = [
        r["seconds"] / (r["steps"] - r["from_step"])
        for r in found
        if r is not None and r["steps"] - r["from_step"] >= ENOUGH
    ]
    return sum(rates) / len(rates) if rates else None


def seconds_of(wish: ReproduceWish, row: str, measure: bool) -> tuple[float | None, str]:
    """(seconds of one cell of a row, how that is known); None unless known or to `measure`."""
    if wish.budget.seconds is not None:
        return wish.budget.seconds, "as asked"
    spec = row_spec(wish, row, 0)
    steps = spec.steps if wish.budget.steps is None else wish.budget.steps
    rate = finished_rate(wish, row)
    if rate is not None:
        return steps * rate, "as those that are finished"
    if not measure:
        return None, ""
    step_s, evaluation_s = timing(wish, row)
    evaluations = steps / in_steps(spec, steps).evaluate_every
    return steps * step_s + evaluations * evaluation_s, "by a few timed steps"


def time_lines(
    wish: ReproduceWish, cells: Sequence[Cell], at_once: int | None = 1, measure: bool = True
) -> Iterator[str]:
    """A line for each row of these cells: what is to be trained and how long; then the sum.

    Rows of which nothing is finished are timed for a few steps, if there is to be a `measure`.
    """
    todo, total = open_cells(wish, cells), 0.0
    for row in dict.fromkeys(c.row for c in cells):
        mine, every = ([c for c in group if c.row == row] for group in (todo, cells))
        shares = ", ".join(f"{100 * s:g}" for s in dict.fromkeys(c.share for c in every))
        seeds = f"{wish.seeds} seeds" if wish.seeds > 1 else "1 seed"
        text = f"{row}: {shares} % of the labels, {seeds}; "
        if mine:
            each, how = seconds_of(wish, row, measure)
            total += math.nan if each is None else each * len(mine)
            text += f"{len(mine)} to train"
            text += "" if each is None else f", {span(each)} each ({how})"
        yield text if mine else text + "all finished"
    yield sum_line(len(todo), len(cells), total, at_once)


def sum_line(todo: int, cells: int, seconds: float, at_once: int | None) -> str:
    """How much there is to train in all, and how long (NaN: not known) it takes."""
    text = f"{todo} training{'s' if todo > 1 else ''}"
    if todo < cells:
        text += f" ({cells - todo} of {cells} are finished)"
    if math.isnan(seconds):
        return text
    text += f", {span(seconds)} in all"
    if at_once is None:
        return text + ", less by as many as Ray runs at once"
    if at_once > 1:
        text += f" one after the other, {span(seconds / at_once)} at best {at_once} at once"
    return text
