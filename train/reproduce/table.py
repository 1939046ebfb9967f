"""Results of finished cells: one CSV, and each table of the paper with ours beside it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from tracker.whole_files import write_table, write_whole
from train.grid.resume import read_result
from train.reproduce.experiments import Experiment, experiment_of
from train.reproduce.paper import PaperTable

Result = Mapping[str, Any]


def finished(folder: Path) -> list[dict[str, Any]]:
    """Results of all finished cells under OUT/EXPERIMENT, by row, share and seed."""
    found = [read_result(p.parent) for p in sorted(folder.glob("*/*/*/result.json"))]
    results = [r for r in found if r is not None]
    return sorted(results, key=lambda r: (r["row"], r["share"], r["seed"]))


def value_of(table: PaperTable, result: Result) -> float | None:
    """What of a result stands beside this table's numbers; None where it was not measured."""
    if table.attribute:
        found = result["attributes"].get(table.attribute, {})
        accuracy = found.get("accuracy")
        return None if accuracy is None else 100 * float(accuracy)
    metrics = result["metrics"]
    metric = metrics.get(table.metric or next(iter(metrics)))
    if metric is not None and table.part:
        metric = metric["parts"].get(table.part)
    return None if metric is None or metric["mean"] is None else float(metric["mean"])


def values_at(table: PaperTable, results: Sequence[Result], row: str, share: float) -> list[float]:
    """Ours for one cell of a table, one a seed."""
    mine = [r for r in results if r["row"] == row and r["share"] == share]
    return [v for v in (value_of(table, r) for r in mine) if v is not None]


def shown(value: float) -> str:
    """With as many digits as the paper's."""
    return f"{value:.2f}"


def entry(ours: Sequence[float], theirs: float | None) -> str:
    """'1.70 ±0.10 (5) | 1.70': mean, standard deviation of the seeds, their number, the paper's."""
    paper = "" if theirs is None else shown(theirs)
    if not ours:
        return f"- | {paper}" if paper else ""
    spread = f" ±{shown(statistics.stdev(ours))}" if len(ours) > 1 else ""
    return f"{shown(statistics.fmean(ours))}{spread} ({len(ours)}) | {paper or '-'}"


def text_of(table: PaperTable, results: Sequence[Result]) -> list[str]:
    """Lines of one table: ours | the paper's. Rows and shares that we have."""
    shares = [s for s in table.shares if any(values_at(table, results, r, s) for r in table.rows)]
    rows = [r for r in table.rows if any(values_at(table, results, r, s) for s in shares)]
    if not shares or not rows:
        return []
    head = ["", *[f"{100 * s:g} %" for s in shares]]
    body = [
        [row, *[entry(values_at(table, results, row, s), table.value(row, s)) for s in shares]]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in [head, *body]) for i in range(len(head))]
    lines = [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in [head, *body]
    ]
    return [f"{table.number}: {table.what} ({table.unit})", *lines, *quoted_line(table, shares)]


def quoted_line(table: PaperTable, shares: Sequence[float]) -> list[str]:
    """The paper's other rows at the largest of these shares, as one line; none: no line."""
    share = shares[-1]
    found = [(name, table.value(name, share)) for name in table.quoted]
    told = [f"{name} {shown(v)}" for name, v in found if v is not None]
    return [f"others there at {100 * share:g} %: {', '.join(told)}"] if told else []


def accuracies(experiment: Experiment, results: Sequence[Result]) -> list[str]:
    """A line for each cell group whose attributes were learnt: accuracies on the test set."""
    told: dict[tuple[str, float, str], list[float]] = {}
    for r in results:
        if "A" not in r["row"].partition("(")[2]:
            continue
        for name, found in r["attributes"].items():
            value = 100 * found["accuracy"] if "accuracy" in found else found["mean"]
            unit = "%" if "accuracy" in found else "degrees off"
            told.setdefault((r["row"], r["share"], f"{name} ({unit})"), []).append(float(value))
    return [
        f"{row}, {100 * share:g} %: {name} {entry(values, None).removesuffix(' | -')}"
        for (row, share, name), values in told.items()
    ]


def length_of(result: Result) -> str:
    """Steps as words: '18000', or '14000 (RCN+ (L)) + 10000' where it started from another."""
    before = f"{result['steps_before']} ({result['start']}) + " if "start" in result else ""
    return f"{before}{result['steps']}"


def whole_text(experiment: Experiment, results: Sequence[Result]) -> str:
    """All tables that we have something of, as printed."""
    blocks = [text_of(experiment.whole(table), results) for table in experiment.tables]
    out = ["ours: mean ± deviation (seeds) | the paper's", ""]
    for lines in blocks:
        out += [*lines, ""] if lines else []
    for row in dict.fromkeys(r["row"] for r in results):
        steps = sorted({length_of(r) for r in results if r["row"] == row})
        if len(steps) > 1:
            told_steps = " and ".join(steps)
            out += [f"{row}: trainings of {told_steps} steps stand side by side here", ""]
    told = accuracies(experiment, results)
    if told:
        out += ["attributes on the test set", *told, ""]
    for r in results:
        if "order" in r:
            p = r["points"]
            out.append(
                f"{r['row']}, seed {r['seed']}: landmarks are {p['mean']:.2f} px from the shapes' "
                f"centres (median {p['median']:.2f}, 95th percentile {p['p95']:.2f})"
            )
    return "\n".join(out).rstrip() + "\n"


def flat(result: Result, experiment: Experiment) -> dict[str, Any]:
    """One line of the CSV."""
    line = {k: result[k] for k in ("experiment", "row", "share", "seed", "labelled")}
    for name, metric in result["metrics"].items():
        unit = metric["unit"]
        for key in ("mean", "median", "p95"):
            line[f"{name} ({unit}) {key}"] = metric[key]
        for part, found in metric["parts"].items():
            line[f"{name} ({unit}) {part}"] = found["mean"]
    for name, found in result["attributes"].items():
        key = "accuracy" if "accuracy" in found else "mean"
        line[f"{name} {key}"] = round(float(found[key]), 4)
    if "points" in result:
        line |= {f"points (px) {k}": result["points"][k] for k in ("mean", "median", "p95")}
    for table in experiment.tables:
        line[f"paper: {table.number}"] = table.value(result["row"], result["share"])
    keys = (
        "parameters",
        "steps",
        "steps_before",
        "start",
        "best_step",
        "from_step",
        "seconds",
        "budget",
        "device",
        "commit",
        "precision",
    )
    return line | {k: result.get(k, "") for k in keys}  # older results tell less


def write_results(folder: Path, name: str) -> tuple[list[dict[str, Any]], str]:
    """Write results.csv and table.txt of what is finished; (results, the table as text).

    Several commands may train cells of one experiment at once: they take turns here.
    """
    experiment = experiment_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        results = finished(folder)
        if not results:
            return results, ""
        text = whole_text(experiment, results)
        write_table(folder / "results.csv", [flat(r, experiment) for r in results])
        write_whole(folder / "table.txt", text.encode())
    return results, text
