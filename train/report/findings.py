"""`train report`: what a run of `train finetune` learnt, on the project's own hold-out.

The order of this file is the order of a report: find the run, bring its data back as they were,
run base and fine-tuned model over the hold-out, note what a reader must know. Drawing is in
charts.py and frames.py, the page in page.py, the share curve in share_curve.py.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tracker.find.model_file import newest_model
from tracker.plain_data import from_json
from tracker.progress import Report, silent
from tracker.whole_files import file_sha256
from train.config import FitSpec, spec_from_dict
from train.data.from_project import Census, Split, digest_of
from train.data.pictures import DataSet
from train.evaluate.interval import FEWEST_JUDGED, Change, change_between
from train.evaluate.outputs import Outputs, counted, nme_of, predict, summarise, torch_runner
from train.finetune.choices import missing_attributes
from train.finetune.plan import Hooks, Wish, base_of_run, data_of_run, facts_of
from train.loop.checkpoint import load_checkpoint, load_model
from train.project.clips import Clip, read_clips
from train.project.labels import Labels, labels_from_coco, whole_rows
from train.project.layout import Project, open_project

FEW_LABELS = 20  # training objects below which a warning is due


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A finished run, with its data as they were when it began."""

    project: Project
    out: Path  # models/RUN
    facts: Mapping[str, Any]  # run.json
    spec: FitSpec
    split: Split
    labels: Labels
    clips: tuple[Clip, ...]
    data: DataSet
    census: Census
    notes: tuple[str, ...]  # sentences about the data
    digest: str  # of the data as they are now

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.out / "report"

    @property
    def start(self) -> Path | None:
        """The weights that it started from; None from scratch."""
        path = self.out / "start.safetensors"
        return path if path.is_file() else None


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A model on the hold-out: its summary, its outputs, and the NME of each object (%)."""

    summary: Mapping[str, Any]
    outputs: Outputs
    each: NDArray[np.float64]  # (N,) NaN where no landmark is labelled
    spec: FitSpec


@dataclass(frozen=True, slots=True)
class Kept:
    """Which weights became the model."""

    step: int
    blend: float  # share of the trained weights; the rest are the start's


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Everything that the page tells."""

    run: Finished
    tuned: Held | None  # None: nothing is held out
    base: Held | None  # None: the base knows other landmarks, or its file is gone
    base_facts: Mapping[str, str]  # licence and data of the base
    warnings: tuple[str, ...]
    sums: Mapping[str, str]  # file: sha256
    kept: Kept
    change: Change | None  # from base to fine-tuned; None: no landmarks of both are measured


def find_run(project: Project, name: str | None) -> Path:
    """The folder of the run of that name, or of the newest finished one. ValueError: why not."""
    out = newest_model(project.root).parent if name is None else project.models_dir / name
    if not (out / "run.json").is_file():
        known = sorted(p.parent.name for p in project.models_dir.glob("*/run.json"))
        raise ValueError(
            f"{out.name} is no run of 'train finetune' (there is no run.json in {out}); "
            f"--run takes {', '.join(known) or 'nothing yet'}"
        )
    if not (out / "model.safetensors").is_file() or facts_of(out).get("state") != "finished":
        raise ValueError(
            f"run {out.name} is not finished; 'train finetune {project.root.name} --resume' goes on"
        )
    return out


def labels_of_run(project: Project, out: Path) -> Labels:
    """The labels as they were when the run began."""
    try:
        coco = from_json((out / "labels.json").read_text(encoding="utf-8"), nan=True)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{out / 'labels.json'} cannot be read ({error}); choose another --run, or train again"
        ) from error
    ranges = whole_rows(out / "ranges.csv").ranges
    return replace(labels_from_coco(project, coco, f"models/{out.name}/labels.json"), ranges=ranges)


def clips_of_run(out: Path, facts: Mapping[str, Any]) -> frozenset[str] | None:
    """The clips that a run had, as its run.json says, or else of which it had examples, by its
    split.json; None: neither tells it.
    """
    try:
        if "clips" in facts:
            return frozenset(str(name) for name in facts["clips"])
        groups = from_json((out / "split.json").read_text(encoding="utf-8"))
        named = [*groups["train"], *groups["hold"]]  # clip/NAME
        return frozenset(str(name).partition("/")[2] for name in named)
    except (OSError, LookupError, TypeError, ValueError):
        return None


def open_run(root: Path, name: str | None, hooks: Hooks, threads: int | None = None) -> Finished:
    """Bring a run's data back as they were: its labels, its split, what was followed then."""
    project = open_project(root)
    out = find_run(project, name)
    facts = facts_of(out)
    spec = spec_from_dict(facts["spec"])
    spec = replace(spec, threads=threads or spec.threads, device="auto")
    torch.set_num_threads(spec.threads)
    labels = labels_of_run(project, out)
    known = clips_of_run(out, facts)
    wish = Wish(threads=spec.threads, clips=known)
    split, data, census, notes = data_of_run(project, labels, facts, wish, hooks)
    digest = digest_of(data)
    if digest != facts["data"]:
        notes.append(
            "the clips, or what is followed in them, have changed since this run; numbers may "
            "differ from those that it printed"
        )
        if known is None:
            notes.append("which clips this run had is not known: all that are there now are shown")
    clips = tuple(c for c in read_clips(project) if known is None or c.name in known)
    return Finished(
        project, out, facts, spec, split, labels, clips, data, census, tuple(notes), digest
    )


def run_model(
    checkpoint: Path, run: Finished, rows: Sequence[int], told: Callable[[int], None]
) -> Held:
    """A checkpoint on these rows; of its attributes those that are the run's.

    `told` gets how many rows are done.
    """
    network, found = load_model(checkpoint)
    ours = {h.attribute.name: h.attribute for h in run.spec.heads}
    heads = tuple(h for h in found.spec.heads if ours.get(h.attribute.name) == h.attribute)
    spec = replace(run.spec, heads=heads, net=found.spec.net)
    outputs = predict(counted(torch_runner(network), told), run.data, rows, spec)
    each = nme_of(outputs, spec.data.normaliser)
    return Held(summarise(outputs, run.data, spec), outputs, each, spec)


def find_base(run: Finished) -> tuple[Path | None, dict[str, str]]:
    """The base where it can be compared, and what its file says of licence and data."""
    try:
        path = base_of_run(run.project, run.facts)
    except (ValueError, OSError):
        return None, {"licence": "not known (the checkpoint is no longer there)"}
    if path is None:
        return None, {"licence": "none: trained from scratch"}
    found = load_checkpoint(path)
    told = {k: str(found.extra.get(k, "not stated")) for k in ("licence", "data")}
    told["sha256"] = file_sha256(path)
    same = found.markup.landmarks == run.data.markup.landmarks
    return (path if same else None), told


def examine(run: Finished, told: Report = silent) -> Findings:
    """Run both models over the hold-out and collect what is to be said.

    `told` gets how many objects were looked at, and how many there are to look at.
    """
    rows = run.data.measured()
    base_path, base_facts = find_base(run)
    looks = len(rows) * (1 if base_path is None else 2)
    tuned = base = None
    if rows:
        final = run.out / "model.safetensors"
        tuned = run_model(final, run, rows, lambda done: told(done, looks))
    if rows and base_path is not None:
        base = run_model(base_path, run, rows, lambda done: told(len(rows) + done, looks))
    files = ("model.onnx", "model.safetensors", "labels.json", "ranges.csv")
    sums = {n: file_sha256(run.out / n) for n in files if (run.out / n).is_file()}
    change = change_of(run, tuned, base)
    warnings = (*find_warnings(run, tuned, base, change), *run.notes)
    last = load_checkpoint(run.out / "model.safetensors")
    kept = Kept(last.step, float(last.extra.get("blend", 1.0)))
    return Findings(run, tuned, base, base_facts, warnings, sums, kept, change)


def change_of(run: Finished, tuned: Held | None, base: Held | None) -> Change | None:
    """The difference on the hold-out, with its interval."""
    if tuned is None or base is None:
        return None
    clips = [run.data.examples[int(i)].group for i in tuned.outputs.rows]
    return change_between(base.each, tuned.each, clips)


def find_warnings(
    run: Finished, tuned: Held | None, base: Held | None, change: Change | None
) -> list[str]:
    """Sentences on what makes the numbers weaker than they look."""
    told = []
    labelled = run.census.labelled.get("train", 0)
    if tuned is None:
        told.append("nothing is held out, so nothing can be measured; label a second clip")
    if 0 < labelled < FEW_LABELS:
        told.append(
            f"only {labelled} labelled objects to learn from; label more of the frames that "
            "'train suggest' names"
        )
    held = run.census.labelled.get("hold", 0)
    if tuned is not None and 0 < held < FEWEST_JUDGED:
        told.append(
            f"the errors rest on {held} held-out objects only, and no difference is shown with "
            f"fewer than {FEWEST_JUDGED}; label more of that clip"
        )
    if run.split.stretch is not None:
        told.append(
            "the hold-out is a stretch of a clip that was also trained on, so the numbers flatter; "
            "label frames in a second clip"
        )
    if tuned is not None and base is not None:
        told += beside_base(base, tuned, change)
    if change is not None and change.verdict == "none" and change.percent != 0:
        told.append(f"{change.words}; label more frames, in more clips")
    told += missing_attributes(run.spec.heads, run.census)
    return told + unseen_classes(run)


def beside_base(base: Held, tuned: Held, change: Change | None) -> list[str]:
    """What is weak about the landmarks of the fine-tuned model beside those of its base."""
    if tuned.summary["nme"] > base.summary["nme"]:
        is_shown = change is not None and change.verdict == "worse"
        what = "worse than" if is_shown else "no better on average than"
        return [
            f"the fine-tuned model is {what} the base on the hold-out; use the base, and label "
            "more frames or train longer"
        ]
    if np.array_equal(base.each, tuned.each, equal_nan=True):
        return [
            "the landmarks are those of the base: nothing that was learnt was better on the "
            "hold-out; label frames in more clips"
        ]
    won, of = better_count(base, tuned)
    if 2 * won >= of:
        return []
    return [
        f"the mean error is smaller, but only {won} of {of} held-out objects are nearer than with "
        "the base: a few large errors went away, the others grew a little; label more frames"
    ]


def unseen_classes(run: Finished) -> list[str]:
    """Classes that are trained on but never held out: nothing is known of them."""
    told = []
    for name, classes in run.census.attributes.items():
        missing = [
            c for c, sides in classes.items() if sides.get("train") and not sides.get("hold")
        ]
        if missing:
            told.append(
                f"the hold-out shows no {name} {', '.join(missing)}, so how well it is told is "
                "not measured; label a range of it in a held-out clip"
            )
    return told


@dataclass(frozen=True, slots=True)
class Place:
    """Where a held-out object was labelled."""

    clip: str
    frame: int
    t: float | None  # seconds


def place_of(run: Finished, row: int) -> Place:
    """Clip, frame number and time of a labelled example."""
    example = run.data.examples[row]
    found = re.search(r"(?:^frame|_)(\d{6,})", example.path.stem[-27:])
    frame = int(found[1]) if found else -1
    label = run.labels.frames.get((example.group, frame))
    return Place(example.group, frame, None if label is None else label.t)


@dataclass(frozen=True, slots=True)
class ClipRow:
    """The census of one clip."""

    clip: str
    side: str  # 'training', 'hold-out', 'training and hold-out' or 'not used'
    seconds: float | None  # None: a set of pictures
    frames: int  # labelled by hand
    objects: int
    empty: int  # frames marked as showing nothing
    classes: Mapping[str, float]  # 'gesture fist': seconds
    accepted: int = 0  # frames whose labels were spread and accepted
    proposed: int = 0  # frames for which spreading proposed labels


def clip_rows(run: Finished) -> list[ClipRow]:
    """What is labelled in each clip (and set of pictures) of the run."""
    lengths = {c.name: c.seconds for c in run.clips}
    names = sorted({*lengths, *(clip for clip, _ in run.labels.frames)})
    rows = []
    for name in names:
        every = [f for (clip, _), f in run.labels.frames.items() if clip == name]
        frames = [f for f in every if not f.is_spread]
        seconds: Counter[str] = Counter()
        for r in run.labels.ranges:
            if r.clip == name:
                seconds[f"{r.kind} {r.label}"] += r.end_s - r.start_s  # type: ignore[assignment]
        rows.append(
            ClipRow(
                name, _side(run.split, name), lengths.get(name),
                sum(bool(f.objects) for f in frames), sum(len(f.objects) for f in frames),
                sum(f.negative for f in frames), dict(seconds), len(every) - len(frames),
                len(run.labels.proposals_of(name)),
            )
        )  # fmt: skip
    return rows


def _side(split: Split, clip: str) -> str:
    if clip in split.hold:
        return "hold-out"
    if split.stretch is not None and split.stretch[0] == clip:
        return "hold-out from {:.1f} to {:.1f} s, else training".format(*split.stretch[1:])
    return "training"


def better_count(base: Held, tuned: Held) -> tuple[int, int]:
    """(objects with a smaller NME after fine-tuning, objects compared)."""
    known = np.isfinite(base.each) & np.isfinite(tuned.each)
    return int((tuned.each < base.each)[known].sum()), int(known.sum())


def by_clip(held: Held, run: Finished) -> dict[str, float]:
    """NME (%) of each held-out clip."""
    groups = np.array([run.data.examples[int(i)].group for i in held.outputs.rows])
    found = {}
    for clip in sorted(set(groups.tolist())):
        part = held.each[groups == clip]
        if np.isfinite(part).any():
            found[clip] = float(np.nanmean(part))
    return found


def minutes(seconds: float) -> str:
    """A duration as people say it."""
    if not math.isfinite(seconds):
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
