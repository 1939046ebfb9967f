"""What a training shows in a terminal: progress and curves; of `train finetune` also settings with
reasons and the outcome.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from train.finetune.compare import is_better
from train.finetune.plan import Plan
from train.loop.progress import Progress
from ui.commands.console import console, described

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """A line of blocks, lowest to highest; the newest `width` values."""
    known = [v for v in values if math.isfinite(v)][-width:]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    return "".join(BLOCKS[round((v - low) / span * (len(BLOCKS) - 1))] for v in known)


class Terminal:
    """A bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self.bar = Bar(
            TextColumn("{task.completed}/{task.total}"), BarColumn(),
            described(), TimeRemainingColumn(), console=console(),
        )  # fmt: skip
        self.tasks: dict[str, Any] = {}
        self.losses: list[float] = []  # of each step
        self.errors: list[float] = []  # of each evaluation
        self._before: tuple[tuple[int, float, float], ...] = ()  # step, loss, error; of metrics.csv

    def __enter__(self) -> Terminal:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.bar.console.print(text, highlight=False)

    def recall(self, metrics_csv: Path) -> None:
        """The curves of a run that goes on begin where it began; a new run has no such file."""
        if metrics_csv.is_file():
            with metrics_csv.open(encoding="utf-8", newline="") as file:
                self._before = tuple(
                    (int(row["step"]), _number(row, "train_loss"), _number(row, "hold_nme"))
                    for row in csv.DictReader(file)
                )

    def _take_up(self, step: int) -> None:
        """What was before `step`, which is the first one now: a row is the mean up to its step."""
        last = 0
        for at, loss, error in self._before:
            if at < step:
                self.losses += [loss] * (at - last)
                self.errors += [error] if math.isfinite(error) else []
                last = at
        self._before = ()

    def count(self, what: str, done: int, of: int) -> None:
        """Something that is counted; it goes when it is complete."""
        if what not in self.tasks:
            self.tasks[what] = self.bar.add_task(what, total=of)
        self.bar.update(self.tasks[what], completed=done, total=of, visible=done < of)

    def show(self, plan: Plan) -> None:
        """The data, the settings and why they are so."""
        self.recall(plan.out / "metrics.csv")
        census = plan.census
        table = Table(title=f"{plan.project.name}, run {plan.out.name}")
        for column in ("", "training", "hold-out"):
            table.add_column(column)
        spread = {"train": census.spread}
        for name, counts in (
            ("labelled objects", census.labelled),
            *((("spread from them", spread),) if census.spread else ()),
            ("unlabelled", census.unlabelled),
        ):
            table.add_row(name, str(counts.get("train", 0)), str(counts.get("hold", 0)))
        for attribute, classes in census.attributes.items():
            for label, sides in sorted(classes.items()):
                table.add_row(
                    f"{attribute} {label}", str(sides.get("train", 0)), str(sides.get("hold", 0))
                )
        self.bar.console.print(table)
        held = ", ".join(plan.split.hold) or (
            "{} from {:.1f} to {:.1f} s".format(*plan.split.stretch)
            if plan.split.stretch
            else "none"
        )
        self.say(f"hold-out: {held} ({plan.split.why})")
        for choice in plan.choices:
            self.say(f"{choice.what}: {choice.value} ({choice.why})")
        for warning in plan.warnings:
            self.say(f"warning: {warning}")

    def step(self, p: Progress) -> None:
        """One training step; a line and the curves after each evaluation."""
        if self._before:
            self._take_up(p.step)
        self.losses.append(p.loss)
        if p.hold is not None:
            self.errors.append(p.hold["nme"])
            told = [f"step {p.step}/{p.steps}", f"loss {p.loss:.3f}"]
            if math.isfinite(p.hold["nme"]):
                told.append(f"hold-out NME {p.hold['nme']:.2f} % {sparkline(self.errors)}")
            for name, found in p.hold["attributes"].items():
                value = found.get("accuracy", found.get("mean", 0.0))
                told.append(f"{name} {value:.3f}")
            self.say("  ".join(told))
        if p.message:
            self.say(p.message)
        if "training" not in self.tasks:
            self.tasks["training"] = self.bar.add_task("training", total=p.steps)
        text = f"loss {p.loss:.3f} {sparkline(self.losses[-400::10])}  {p.images_s:.0f} images/s"
        self.bar.update(self.tasks["training"], completed=p.step, total=p.steps, description=text)


def _number(row: Mapping[str, str], column: str) -> float:
    return float(row.get(column) or "nan")


def print_comparison(comparison: Mapping[str, Any]) -> None:
    """Base against fine-tuned on the hold-out, and where it got better or worse."""
    terminal = console()
    tuned, base = comparison.get("tuned"), comparison.get("base")
    if tuned is None:
        terminal.print("nothing is held out, so nothing can be compared; label a second clip")
        return
    table = Table(title=f"hold-out, {tuned['images']} labelled objects ({tuned['normaliser']})")
    for column in ("", "base", "fine-tuned"):
        table.add_column(column, justify="right" if column else "left")

    def row(name: str, key: str, form: str) -> None:
        before = form.format(base[key]) if base else "-"
        table.add_row(name, before, form.format(tuned[key]))

    if tuned["images"]:
        row("NME", "nme", "{:.2f} %")
        row("PCK@0.1", "pck@0.1", "{:.3f}")
        for clip, value in tuned["by_clip"].items():
            before = f"{base['by_clip'][clip]:.2f} %" if base else "-"
            table.add_row(f"NME in {clip}", before, f"{value:.2f} %")
    for name, found in tuned["attributes"].items():
        key = "accuracy" if "accuracy" in found else "mean"
        old = base["attributes"].get(name) if base else None
        unit = "" if key == "accuracy" else " degrees off"
        table.add_row(
            f"{name} ({found['count']})", f"{old[key]:.3f}{unit}" if old else "-",
            f"{found[key]:.3f}{unit}",
        )  # fmt: skip
    terminal.print(table)
    change = comparison.get("change")
    if change:
        colour = {"better": "green", "worse": "red"}.get(change["verdict"], "yellow")
        terminal.print(Text(change["words"], colour), soft_wrap=True)
    if base and tuned["images"]:
        changes = is_better(base, tuned)
        better = [f"{n} {a:.1f} -> {b:.1f} %" for n, a, b in changes[:4] if b < a]
        worse = [f"{n} {a:.1f} -> {b:.1f} %" for n, a, b in reversed(changes[-4:]) if b > a]
        terminal.print("better: " + (", ".join(better) or "no landmark"), highlight=False)
        terminal.print("worse: " + (", ".join(worse) or "no landmark"), highlight=False)
