"""A cell of the paper's tables: one training of a row, with a share of the labels and a seed.

Its folder OUT/EXPERIMENT/ROW/SHARE/SEED/ holds the run (see train.loop.fit), begun.json (what it
was started with), labelled.json (which images keep their landmarks) and, at the end, result.json
and model.safetensors. A finished cell is not run again; one that was cut goes on from its last
checkpoint; one that was started with other settings or other data is refused.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from train.config import FitSpec, spec_from_dict, spec_to_dict
from train.data.from_project import digest_of
from train.data.pictures import DataSet, choose_labelled, keep_labels, learnable
from train.evaluate.outputs import Outputs, predict, torch_runner
from train.grid.resume import note_begun, note_result, read_begun, read_result, train
from train.loop.checkpoint import Checkpoint, load_model
from train.loop.progress import Progress
from train.machine.device import pick_device, precision_on
from train.machine.provenance import provenance
from train.networks.model import LandmarkNet
from train.reproduce.errors import errors_of
from train.reproduce.experiments import Cell, Experiment, experiment_of, load_set
from train.reproduce.specs import row_of
from train.reproduce.starts import Start, check_start
from train.sets.base import PaperSet, save_list

VALIDATION = 800  # images of the validation set that a training looks at


@dataclass(frozen=True, slots=True)
class Task:
    """A cell and all that its training needs; can be sent to another process or machine."""

    cell: Cell
    spec: FitSpec
    data: Path | None
    out: Path
    budget: str = ""  # as asked for; '': the spec's own
    start: Start | None = None  # None: fresh weights

    @property
    def folder(self) -> Path:
        """Where the cell is kept."""
        return self.out / self.cell.folder

    @property
    def name(self) -> str:
        """For people."""
        return self.cell.name

    def on(self, device: str) -> Task:
        """The same on another device."""
        return replace(self, spec=replace(self.spec, device=device))

    def placed(self) -> Task:
        """With paths that hold wherever the worker stands."""
        data = None if self.data is None else self.data.resolve()
        start = self.start and replace(self.start, model=self.start.model.resolve())
        return replace(self, data=data, out=self.out.resolve(), start=start)


def check_same(task: Task) -> None:
    """ValueError when the cell's folder holds a training with other settings."""
    begun = read_begun(task.folder)
    if begun is None:
        return
    if task.start is None and "start" in begun:
        raise ValueError(
            f"{task.folder} was started from weights of {begun['start']}; give the same --from as "
            "then, or choose another --out"
        )
    if task.start is not None and begun.get("start_sha256") != task.start.sha256:
        raise ValueError(
            f"{task.folder} was not started from {task.start.model}; leave out --from or give the "
            "one of then, or choose another --out"
        )
    found = spec_from_dict(begun["spec"])
    wanted = replace(task.spec, device=found.device, threads=found.threads)
    if found != wanted:
        ours, theirs = spec_to_dict(wanted), spec_to_dict(found)
        other = ", ".join(
            f"{k} {theirs[k]} there, {ours[k]} now"
            for k in ours
            if ours[k] != theirs[k] and not isinstance(ours[k], dict | tuple | list)
        )
        parts = ", ".join(k for k in ours if ours[k] != theirs[k])
        raise ValueError(
            f"{task.folder} was made with another spec ({other or parts}); "
            "choose another --out, or remove that folder to train it anew"
        )  # fmt: skip


def cell_data(
    experiment: Experiment, found: PaperSet, cell: Cell
) -> tuple[DataSet, tuple[int, ...]]:
    """The training set of a cell, and the rows of `found.fit` that keep their landmarks.

    Images that no term of the row can learn from are left out. Of the
    validation images at most VALIDATION stay, evenly spread over them.
    """
    terms = row_of(cell.row).terms
    data, chosen = found.fit, tuple[int, ...]()
    if "L" in terms:
        chosen = choose_labelled(data, cell.share, cell.seed, experiment.balanced)
    data = keep_labels(data, chosen)
    train = [e for e in learnable(data, terms) if not e.hold]
    held = data.rows(True)
    count = min(VALIDATION, len(held))
    kept = [data.examples[held[i * len(held) // count]] for i in range(count)]
    return DataSet(data.markup, tuple(train + kept), data.cache), chosen


def begin(task: Task, digest: str, labelled: int) -> None:
    """Note what a cell is started with; ValueError when it was started with something else."""
    check_same(task)
    begun = read_begun(task.folder)
    if begun is not None:
        if begun["data"] != digest:
            raise ValueError(
                f"{task.folder} was trained on other data; choose another --out, or remove that "
                "folder to train it anew"
            )
        return
    facts = {
        **asdict(task.cell), "labelled": labelled, "budget": task.budget, "data": digest,
        "spec": spec_to_dict(task.spec), **machine_facts(task.spec), **start_facts(task),
    }  # fmt: skip
    note_begun(task.folder, facts)


def run_task(
    task: Task,
    report: Callable[[Progress], None] = lambda _: None,
    given: PaperSet | None = None,
) -> dict[str, Any] | None:
    """Train a cell to its end, or go on with it; its result.

    None where another process trains it at this moment. `given` takes the place of the data set.
    Raises ValueError for a cell that was started with other settings or data.
    """
    task.folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(task.folder / "lock", timeout=0):
            done = read_result(task.folder)
            if done is not None:
                check_same(task)
                return done
            return _train(task, report, given)
    except Timeout:
        return None


def _train(
    task: Task, report: Callable[[Progress], None], given: PaperSet | None
) -> dict[str, Any]:
    experiment, folder = experiment_of(task.cell.experiment), task.folder
    found = load_set(experiment.name, task.data) if given is None else given
    data, chosen = cell_data(experiment, found, task.cell)
    if task.start is not None:
        theirs, _ = cell_data(experiment, found, replace(task.cell, row=task.start.row))
        check_start(task.start, task.spec, digest_of(theirs))
    begin(task, digest_of(data), len(chosen))
    save_list(folder / "labelled.json", found.fit, chosen, task.data)
    notes = {"data": f"{found.name}, {len(chosen)} images with landmark labels"}
    init = None if task.start is None else task.start.model
    trained = train(task.spec, folder, data, init, report, notes)
    model, kept = load_model(trained.model)
    result = {
        **asdict(task.cell), "labelled": len(chosen), "budget": task.budget,
        "train_images": len(data.rows(False)), "test_images": len(found.test.examples),
        **errors_of(found, run_test(model, found, task.spec), task.spec, experiment.named),
        **facts_of(model, kept),
        "steps": task.spec.steps, "from_step": trained.from_step,
        "seconds": round(trained.seconds, 1),
        **machine_facts(task.spec), **start_facts(task), "spec": spec_to_dict(task.spec),
        "provenance": provenance(),
    }  # fmt: skip
    note_result(folder, result, "last.safetensors", "best.safetensors")
    return result


def run_test(model: LandmarkNet, found: PaperSet, spec: FitSpec) -> Outputs:
    """A model's outputs on every test image."""
    model.to(pick_device(spec.device))
    return predict(torch_runner(model), found.test, range(len(found.test.examples)), spec)


def facts_of(model: LandmarkNet, kept: Checkpoint) -> Mapping[str, Any]:
    """Parameters (of the localiser, of everything) and the step whose weights were kept."""

    def count(parameters: Any) -> int:
        return sum(p.numel() for p in parameters)

    return {
        "parameters": count(model.net.parameters()),
        "parameters_in_all": count(model.parameters()), "best_step": kept.step,
    }  # fmt: skip


def start_facts(task: Task) -> dict[str, Any]:
    """What a cell was started from, where it was not from fresh weights."""
    return {} if task.start is None else task.start.facts


def machine_facts(spec: FitSpec) -> dict[str, str]:
    """The source, the device and the precision that this process trains with."""
    device = pick_device(spec.device)
    precision = precision_on(device, spec.precision)
    return {"commit": commit(), "device": str(device), "precision": precision}


def commit() -> str:
    """The source's git commit, with '+' when the code has been changed since; '' without git."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, timeout=30)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        found = git("rev-parse", "--short", "HEAD")
        return found + "+" if found and git("status", "--porcelain", "-uno", "..") else found
    except FileNotFoundError:
        return ""
