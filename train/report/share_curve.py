"""The error against the share of labels, one training a cell, on the user's own clips.

A cell is a row of the paper's table (L, L+A, L+ELT, L+ELT+A), a share of the labelled frames and a
seed. All cells start from the run's own start, get the same time, and are measured once, at their
end: nothing is chosen on the hold-out. A cell that is finished is not trained again, one that was
cut goes on.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from tracker.plain_data import from_json
from tracker.whole_files import write_json, write_table
from train.config import FitSpec
from train.data.pictures import DataSet, hide_landmarks, learnable
from train.finetune.choices import BEYOND, Budget, choose_spec, usable_losses
from train.finetune.plan import Plan, time_steps
from train.grid.cells import ROWS, row_spec
from train.grid.resume import in_turn, note_begun, note_result, read_begun, read_result, train
from train.loop.checkpoint import load_checkpoint
from train.loop.progress import Progress
from train.report.findings import Finished

LEAST_STEPS = 10
CHECKPOINTS = 5  # in a cell
BEYOND_OFF: dict[str, Any] = dict.fromkeys(BEYOND, 0.0)


@dataclass(frozen=True, slots=True)
class CurveWish:
    """What the user asked for."""

    rows: tuple[str, ...] = tuple(ROWS)
    shares: tuple[float, ...] = (0.1, 0.3, 1.0)
    seeds: int = 1
    budget: Budget = field(default_factory=lambda: Budget(seconds=120.0))


@dataclass(frozen=True, slots=True)
class Point:
    """One training of the curve."""

    row: str
    share: float
    seed: int

    @property
    def folder(self) -> str:
        """Its name under cells/."""
        return f"{self.row.replace('+', '_')}_{self.share:g}_{self.seed}"

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.row}, {100 * self.share:.0f} % of the labels, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a cell."""

    row: str
    share: float
    seed: int
    labelled: int  # objects whose landmarks were used
    steps: int
    seconds: float | None  # None: it was cut and went on
    nme: float  # %
    pck: float  # at 0.1
    accuracy: float | None  # of the gesture, where the row learns it and the hold-out shows it


@dataclass(frozen=True, slots=True)
class Curve:
    """Results so far, and sentences about what was left out."""

    results: tuple[Result, ...]
    notes: tuple[str, ...]
    missing: int = 0  # cells not trained yet
    budget: str = ""  # of each training


def parse_shares(text: str) -> tuple[float, ...]:
    """'0.1,0.3,1.0', or with %; ValueError says what is understood."""
    try:
        shares = tuple(
            float(p[:-1]) / 100 if p.endswith("%") else float(p)
            for p in (part.strip() for part in text.split(","))
        )
    except ValueError as error:
        raise ValueError(f"--shares takes numbers such as 0.1,0.3,1.0, found '{text}'") from error
    if not all(0 < s <= 1 for s in shares):
        raise ValueError(f"--shares takes numbers above 0 and up to 1, found '{text}'")
    return tuple(sorted(set(shares)))


def parse_rows(text: str) -> tuple[str, ...]:
    """'L,L+A,L+ELT,L+ELT+A' in any case and order; ValueError names what there is."""
    known = {frozenset(name.lower().split("+")): name for name in ROWS}
    names = []
    for part in text.split(","):
        found = known.get(frozenset(part.strip().lower().split("+")))
        if found is None:
            raise ValueError(f"--rows takes {', '.join(ROWS)}, found '{part.strip()}'")
        names.append(found)
    return tuple(n for n in ROWS if n in names)


def possible_rows(run: Finished, wanted: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The rows that the project can feed, and a sentence on each reason to leave some out."""
    usable = usable_losses(run.census)
    if "L" not in usable:
        return (), ["no curve: the project has no labelled frames outside the hold-out"]
    if not run.census.labelled.get("hold"):
        return (), ["no curve: no labelled frame is held out; label frames in a second clip"]
    lacks = {
        "A": "no time range is labelled outside the hold-out",
        "ELT": "there are no unlabelled frames to follow",
    }
    rows, notes = [], []
    for term, why in lacks.items():
        without = [r for r in wanted if term in r.split("+") and term not in usable]
        if without:
            notes.append(f"{' and '.join(without)} left out: {why}")
    for row in wanted:
        if all(term in usable for term in row.split("+")):
            rows.append(row)
    return tuple(rows), notes


def cell_spec(run: Finished, row: str, seed: int) -> FitSpec:
    """The run's spec with this row's terms, measured at its end alone."""
    usable = tuple(usable_losses(run.census))
    full, _ = choose_spec(
        run.project, run.census, run.spec.heads, usable, run.spec.net,
        "all" if run.start is None else "some",
    )  # fmt: skip
    mine = run.spec.loss
    loss = replace(
        mine, **BEYOND_OFF,
        attribute=mine.attribute or full.loss.attribute, alpha=mine.alpha or full.loss.alpha,
        elt_on=full.loss.elt_on, heat=mine.heat or full.loss.heat, lam=mine.lam or full.loss.lam,
    )  # fmt: skip
    share = 1.0 if row == "L" else full.data.labelled_share
    spec = replace(
        run.spec, loss=loss, seed=seed, freeze=False, keep="last", patience=0,
        data=replace(run.spec.data, labelled_share=share, label_share=1.0),
    )  # fmt: skip
    return row_spec(spec, row)


def cell_data(data: DataSet, row: str, share: float, seed: int) -> tuple[DataSet, int]:
    """The data set of a cell, and how many training objects keep their landmarks.

    What no term of the row can use is left out.
    """
    kept = learnable(hide_landmarks(data, share, seed), row.split("+"))
    used = sum(bool(e.labelled.any()) for e in kept if not e.hold)
    return DataSet(data.markup, kept, data.cache), used


def steps_of(run: Finished, wish: CurveWish, row: str) -> int:
    """How many steps of a row fit into the budget here, measured once and remembered.

    ValueError when it is too small.
    """
    if wish.budget.steps is not None:
        return wish.budget.steps
    seconds = float(wish.budget.seconds or 120.0)
    path = run.report / "steps.json"
    known: dict[str, int] = (
        from_json(path.read_text(encoding="utf-8"), nan=True) if path.is_file() else {}
    )
    key = f"{row} {seconds:g} s, data {run.digest}"
    if key not in known:
        data, _ = cell_data(run.data, row, 1.0, 0)
        spec = cell_spec(run, row, 0)
        plan = Plan(
            run.project, run.out, data, run.census, run.split, spec, str(run.facts["base"]), (), ()
        )
        per_step, per_evaluation = time_steps(plan)
        steps = int((seconds - 2 * per_evaluation) / per_step)
        if steps < LEAST_STEPS:
            least = LEAST_STEPS * per_step + 2 * per_evaluation
            raise ValueError(
                f"{seconds:.0f} s a cell are too few: a step takes {per_step:.2f} s here; "
                f"give --budget {np.ceil(least):.0f}s or more, or --no-curve"
            )
        known[key] = steps
        write_json(path, known)
    return known[key]


def wanted_cells(rows: Sequence[str], wish: CurveWish) -> list[Point]:
    """All cells, those of one share together: the curve grows in a useful order."""
    return [
        Point(row, share, seed)
        for seed in range(wish.seeds)
        for share in sorted(wish.shares, reverse=True)
        for row in rows
    ]


def read_cell(run: Finished, folder: Path) -> tuple[str, Result] | None:
    """(budget, result) of a cell that is finished, if it was trained on the very same data."""
    try:
        found = read_result(folder)
    except (OSError, ValueError):
        return None
    if found is None or found["data"] != run.digest:
        return None
    return str(found["budget"]), Result(**found["result"])


def is_done(run: Finished, cell: Point, budget: Budget) -> bool:
    """Whether a cell was trained to its end, with this budget."""
    found = read_cell(run, run.report / "cells" / cell.folder)
    return found is not None and found[0] == budget.text


def known_curve(run: Finished, notes: Sequence[str] = (), missing: int = 0) -> Curve:
    """Every result on the run's data that was made under the same budget as the newest one."""
    paths = sorted((run.report / "cells").glob("*/result.json"), key=lambda p: p.stat().st_mtime_ns)
    found = [c for c in (read_cell(run, p.parent) for p in paths) if c is not None]
    newest = found[-1][0] if found else ""
    results = sorted((r for budget, r in found if budget == newest), key=_order)
    return Curve(tuple(results), tuple(notes), missing, newest)


def train_cell(
    run: Finished, cell: Point, wish: CurveWish, report: Callable[[Progress], None]
) -> Result:
    """Train one cell, or go on with it; its checkpoints are deleted once its result is kept."""
    folder = run.report / "cells" / cell.folder
    steps = steps_of(run, wish, cell.row)
    spec = replace(
        cell_spec(run, cell.row, cell.seed), steps=steps, evaluate_every=steps,
        checkpoint_every=max(1, steps // CHECKPOINTS), warmup=min(50, max(1, steps // 10)),
    )  # fmt: skip
    settings = repr(replace(spec, threads=0, device=""))
    head = {
        "data": run.digest, "budget": wish.budget.text,
        "settings": hashlib.sha256(settings.encode()).hexdigest()[:16],
    }  # fmt: skip
    _begin(folder, head, spec)
    data, labelled = cell_data(run.data, cell.row, cell.share, cell.seed)
    trained = train(spec, folder, data, run.start, report)
    seconds = None if trained.from_step else round(trained.seconds, 1)
    hold = load_checkpoint(trained.model).extra["hold_out"]
    result = Result(
        cell.row, cell.share, cell.seed, labelled, steps, seconds,
        round(hold["nme"], 4), round(hold["pck@0.1"], 4), _accuracy(folder, ROWS[cell.row][0]),
    )  # fmt: skip
    needless = ("last.safetensors", "model.safetensors", "begun.json")
    note_result(folder, {**head, "result": asdict(result)}, *needless)
    return result


def _begin(folder: Path, head: Mapping[str, Any], spec: FitSpec) -> None:
    """Make the cell's folder, empty unless it is the same cell that was cut.

    Whether it is the same its checkpoint says: `settings` changes with every field that is new.
    """
    begun, last = read_begun(folder) or {}, folder / "last.safetensors"
    same = last.is_file() and all(begun.get(k) == head[k] for k in ("data", "budget"))
    if same:
        kept = load_checkpoint(last).spec
        same = replace(kept, threads=spec.threads, device=spec.device) == spec
    if not same:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note_begun(folder, head)


def _accuracy(folder: Path, learnt: bool) -> float | None:
    """Accuracy of the gesture in the last row of metrics.csv; None where it was not learnt."""
    if not learnt:
        return None
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        last = list(csv.DictReader(file))[-1]
    found = last.get("hold_gesture_accuracy")
    return float(found) if found else None


def open_cells(run: Finished, wish: CurveWish) -> tuple[list[Point], int, list[str]]:
    """Cells that are not trained yet, how many are wanted, and what is left out."""
    rows, notes = possible_rows(run, wish.rows)
    cells = wanted_cells(rows, wish)
    return [c for c in cells if not is_done(run, c, wish.budget)], len(cells), notes


def run_curve(
    run: Finished,
    wish: CurveWish,
    say: Callable[[str], None],
    report: Callable[[str, Progress], None],
) -> Curve:
    """Train whatever is not trained yet, after telling how long that takes."""
    todo, cells, notes = open_cells(run, wish)
    for note in notes:
        say(note)
    if todo:
        say(f"share curve: {announce(cells, len(todo), wish.budget)}; --no-curve skips it")

    def work(cell: Point, told: Callable[[Progress], None]) -> str:
        result = train_cell(run, cell, wish, told)
        write_csv(run, known_curve(run).results)
        return f"NME {result.nme:.2f} %"

    in_turn(todo, work, say, report)
    return known_curve(run, notes)


def announce(cells: int, todo: int, budget: Budget) -> str:
    """How much there is to train."""
    done = f" ({cells - todo} of {cells} are done)" if todo < cells else ""
    if budget.seconds is None:
        return f"{todo} trainings of {budget.steps} steps{done}"
    total = todo * budget.seconds
    text = f"{total / 60:.0f} min" if total >= 90 else f"{total:.0f} s"
    return f"{todo} trainings of {budget.seconds:g} s, about {text} in all{done}"


def _order(r: Result) -> tuple[int, float, int]:
    return list(ROWS).index(r.row), r.share, r.seed


def write_csv(run: Finished, results: Sequence[Result]) -> None:
    """report/curve.csv, one line a cell."""
    write_table(run.report / "curve.csv", [asdict(r) for r in results])
