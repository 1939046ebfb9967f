"""Everything of `train finetune` up to the first step: read, cut, choose, adapt, measure.

Every run has a folder models/RUN: run.json (what was used, how it ended), labels.json and
ranges.csv as they were, start.safetensors, last.safetensors (resume), metrics.csv, progress.json,
model.safetensors, model.onnx, comparison.json.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import assets
from tracker.find.locate import load_model
from tracker.find.markups import BASES, BUNDLED, irises_in
from tracker.find.model_file import bundled_file, finished_at
from tracker.plain_data import from_json, is_bare
from tracker.whole_files import file_sha256, is_part, write_json, write_whole
from train.config import FitSpec, spec_from_dict, spec_to_dict
from train.data.cutouts import Wanted, chosen_frames, cut_clip
from train.data.find_object import between_labels, by_model, turned
from train.data.from_project import (
    Census,
    Split,
    cutout_examples,
    digest_of,
    labelled_examples,
    markup_of,
    split_of,
    spread_examples,
    take_census,
    with_irises,
)
from train.data.pictures import DataSet, Example
from train.finetune.budget import (
    AFTER,
    EVALUATIONS,
    FEWEST_STEPS,
    budget_facts,
    deadline_of,
    export_time,
    spent_in,
    too_short,
)
from train.finetune.choices import (
    Budget,
    Choice,
    New,
    choose_course,
    choose_spec,
    left_out,
    losses_of,
    missing_attributes,
    project_heads,
    usable_losses,
)
from train.loop.checkpoint import Checkpoint, load_checkpoint
from train.loop.deadline import Deadline
from train.loop.progress import Progress
from train.loop.timing import time_run
from train.loop.warm_start import adapt, fitting_net
from train.machine.provenance import provenance
from train.machine.ranks import world
from train.networks import NetSpec
from train.project.clips import frame_times, read_clips
from train.project.journal import read_labels
from train.project.labels import Labels, ObjectLabel, ranges_to_csv, to_coco
from train.project.layout import Project, open_project

PATIENCE = 9  # of these without a better result end it
THREADS = 2
# What lies in a run's folder before its run.json does.
BEGINNINGS = {"labels.json", "ranges.csv", "start.safetensors"}


BROKEN = (AttributeError, LookupError, OverflowError, TypeError, ValueError)  # of a run.json


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for; None: chosen from the data."""

    base: str | None = None
    budget: Budget = field(default_factory=lambda: Budget(seconds=600.0))
    losses: tuple[str, ...] | None = None
    seed: int = 0
    threads: int | None = None  # THREADS, or those of the run that goes on
    device: str | None = None  # 'auto', or that of the run that goes on
    name: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    spread: bool = False  # learn from proposals that nobody accepted, too
    before: float = math.inf  # unix seconds: only models finished by then may follow the object
    clips: frozenset[str] | None = None  # only these are looked through; None: all
    begun: float | None = None  # of time.monotonic: when the budget began; None: now


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A run that is ready to start (or to go on)."""

    project: Project
    out: Path
    data: DataSet
    census: Census
    split: Split
    spec: FitSpec
    base: str
    choices: tuple[Choice, ...]
    warnings: tuple[str, ...]
    course: str = "plain"  # or 'rounds' or 'auto', see `choose_course`
    deadline: Deadline | None = None  # None: the budget is a number of steps

    @property
    def start(self) -> Path:
        """The weights that it starts from; not there when it starts from scratch."""
        return self.out / "start.safetensors"


@dataclass(frozen=True, slots=True)
class Hooks:
    """How a run tells what it does: a sentence, and (what, done, of) while something is counted."""

    say: Callable[[str], None] = lambda _: None
    count: Callable[[str, int, int], None] = lambda _, __, ___: None
    step: Callable[[Progress], None] = lambda _: None


def base_checkpoint(project: Project, asked: str | None) -> tuple[str, Path | None]:
    """(name, checkpoint) of what to start from; no checkpoint from scratch."""
    name = asked or project.base
    if name == "scratch":
        return name, None
    if name in BASES:
        try:
            return name, assets.path(f"models/{name}.safetensors")
        except FileNotFoundError as error:
            raise ValueError(
                f"{name}.safetensors is not in this installation; give another --from, or install "
                "a landmark-tracker that has it"
            ) from error
    path = Path(name)
    if path.suffix != ".safetensors" or not path.is_file():
        raise ValueError(
            f"--from takes {', '.join(BASES)}, scratch or a .safetensors checkpoint; found '{name}'"
        )
    return path.name, path


def base_facts(project: Project, name: str, checkpoint: Path | None) -> dict[str, str]:
    """What run.json says of a base that is a file of the user's, so that it is found again."""
    if checkpoint is None or name in BASES:
        return {}
    whole, root = checkpoint.resolve(), project.root.resolve()
    where = whole.relative_to(root) if whole.is_relative_to(root) else whole
    return {"base_file": where.as_posix(), "base_sha256": file_sha256(checkpoint)}


def base_of_run(project: Project, facts: Mapping[str, Any]) -> Path | None:
    """The checkpoint that a run started from, by its run.json; None from scratch.

    ValueError where the file has moved or is another one now.
    """
    name = str(facts["base"])
    if name in ("scratch", *BASES):
        return base_checkpoint(project, name)[1]
    path = project.root / str(facts.get("base_file", ""))
    if not path.is_file() or file_sha256(path) != facts.get("base_sha256"):
        raise ValueError(f"{name}, from which the run started, is no longer where it was")
    return path


def follower(project: Project, before: float = math.inf) -> Path | None:
    """The ONNX that finds the object in unlabelled frames, or None where none can.

    The newest model of the project that was finished `before` a moment; before there is one, the
    bundled model of its kind. A run that goes on, or is reported, must see what it saw at first.
    """
    own = [p for p in project.models_dir.glob("[!.]*/model.onnx") if finished_at(p) < before]
    if own:
        return max(own, key=finished_at)
    return bundled_file(project.kind) if project.kind in BUNDLED else None


def gather(
    project: Project, labels: Labels, split: Split, wish: Wish, hooks: Hooks
) -> tuple[DataSet, Census, list[str]]:
    """All examples of a project: labelled objects, and what was followed in its clips."""
    examples: list[Example] = labelled_examples(project, labels, split)
    ambiguous, warnings = 0, list[str]()
    path = follower(project, wish.before)
    model = None if path is None else load_model(path, wish.threads or THREADS)
    sha = "" if path is None else file_sha256(path)
    if model is not None:
        examples = turned(project, model, labels, examples)
    for clip in read_clips(project):
        if wish.clips is not None and clip.name not in wish.clips:
            continue
        if model is None:
            look, key = between_labels(project, labels, clip.name), _boxes_key(labels, clip.name)
        else:
            look, key = by_model(project, model, labels), sha
        times = None  # the rate tells which frames a range has
        if clip.variable and any(r.clip == clip.name for r in labels.ranges):
            times = frame_times(project, clip)
        frames = chosen_frames(clip, labels, wish.wanted, times)
        what = f"looking through {clip.name}"
        cut = cut_clip(project, clip, look, key, frames, partial(hooks.count, what))
        spread, used = spread_examples(project, labels, split, clip) if wish.spread else ([], set())
        examples += spread
        found, unclear = cutout_examples(project, labels, split, clip.name, cut, used)
        examples += found
        ambiguous += unclear
        if cut.empty > 0.5 * max(1, cut.frames):
            warnings.append(
                f"{clip.name}: nothing was followed in {cut.empty} of {cut.frames} frames"
            )
    if ambiguous:
        warnings.append(
            f"{ambiguous} frames of labelled ranges show several objects; their label is not used"
        )
    data = DataSet(markup_of(project), tuple(examples))
    return data, take_census(examples, ambiguous), warnings


def _boxes_key(labels: Labels, clip: str) -> str:
    """Changes with the labelled boxes of a clip."""
    points = [
        (f.frame, np.nan_to_num(o.xy).round(2).tolist(), *_drawn(o))
        for (name, _), f in sorted(labels.frames.items()) if name == clip for o in f.objects
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()


def _drawn(found: ObjectLabel) -> list[list[float]]:
    return [] if found.box_xyxy is None else [found.box_xyxy.round(2).tolist()]


def plan_run(root: Path, wish: Wish, hooks: Hooks) -> Plan:
    """Everything up to the first step."""
    wish = replace(wish, begun=time.monotonic() if wish.begun is None else wish.begun)
    project = open_project(root)
    labels = read_labels(project)
    split = split_of(project, labels, hooks.say)
    data, census, warnings = gather(project, labels, split, wish, hooks)
    name, checkpoint = base_checkpoint(project, wish.base)
    usable = usable_losses(census)
    try:
        losses = losses_of(wish.losses, usable)
    except ValueError as error:
        raise ValueError(f"{error}; add some with 'train label {root}'") from error
    base = None if checkpoint is None else load_checkpoint(checkpoint)
    irises = base is not None and beside_irises(base, project.landmarks)
    if irises:
        data = with_irises(data)
    same = base is not None and base.markup.landmarks == data.markup.landmarks
    learnt = project
    if "A" not in losses:  # heads that nothing teaches would be noise in the model
        learnt, data = replace(project, gestures=(), pose={}), without_attributes(data)
    known = () if base is None else base.spec.heads
    heads = project_heads(learnt, known, same)
    warnings += left_out(heads, known)
    net = NetSpec() if base is None else fitting_net(base, data.markup.landmarks)
    if any(h.attribute.name == "gesture" for h in heads) and "A" in losses:
        shown = census.attributes.get("gesture", {})
        if not shown.get("none", {}).get("train"):
            warnings.append("no time is labelled 'none': whatever it sees it will call a gesture")
    warnings += missing_attributes(heads, census) if "A" in losses else []
    spec, choices = choose_spec(project, census, heads, losses, net, new_to(base, data))
    threads, device = wish.threads or THREADS, wish.device or "auto"
    spec = replace(spec, seed=wish.seed, threads=threads, device=device)
    out = new_run_folder(project, wish.name)
    plan = Plan(project, out, data, census, split, spec, name, tuple(choices), tuple(warnings))
    try:
        prepare_folder(plan, labels, base, hooks)
        plan = fit_budget(plan, wish, hooks)
        course, reason = choose_course(wish.losses, census, plan.spec, world() > 1)
        told = plan.choices if reason is None else (*plan.choices, reason)
        plan = replace(plan, course=course, choices=told)
        clips = [c.name for c in read_clips(project)]
        facts = {"wanted": asdict(wish.wanted), "spread": wish.spread, "clips": clips}
        facts |= base_facts(project, name, checkpoint) | budget_facts(plan.deadline)
        write_run(plan, "started", same_markup=same, irises=irises, **facts)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # nothing of it is of use
        raise
    return plan


def new_to(base: Checkpoint | None, data: DataSet) -> New:
    """What of the data's landmarks the weights that a run starts from do not know."""
    if base is None:
        return "all"
    return "nothing" if set(base.markup.landmarks) >= set(data.markup.landmarks) else "some"


def beside_irises(base: Checkpoint, landmarks: Sequence[str]) -> bool:
    """Does the base have irises beside just these landmarks of a face?"""
    count = irises_in(base.spec.kind, base.markup.landmarks)
    return bool(count) and base.markup.landmarks[:-count] == tuple(landmarks)


def without_attributes(data: DataSet) -> DataSet:
    """The same examples without gestures and poses."""
    examples = tuple(replace(e, attributes={}) for e in data.examples)
    return DataSet(data.markup, examples, data.cache)


def new_run_folder(project: Project, name: str | None) -> Path:
    """models/<name>; by default the time. ValueError when it exists, or cannot be a folder's name.

    One that a kill left before its run had begun is taken.
    """
    name = name or datetime.now().strftime("%Y%m%d_%H%M%S")
    if not is_bare(name):
        raise ValueError(f"--name is the name of a folder in models/; found '{name}'")
    out = project.models_dir / name
    if out.is_dir() and all(p.name in BEGINNINGS or is_part(p) for p in out.iterdir()):
        shutil.rmtree(out)
    if out.exists():
        raise ValueError(f"{out} exists; choose another --name, or go on with --resume")
    out.mkdir(parents=True)
    return out


def prepare_folder(plan: Plan, labels: Labels, base: Checkpoint | None, hooks: Hooks) -> None:
    """Keep the labels as they are now, and the starting weights."""
    coco = to_coco(plan.project, labels)
    write_json(plan.out / "labels.json", coco, None)
    write_whole(plan.out / "ranges.csv", ranges_to_csv(labels.ranges).encode())
    if base is not None:
        start = adapt(plan.spec, plan.data.markup, base, plan.start)
        hooks.say(
            f"from {plan.base}: {start.kept} layers kept, {start.landmarks} of "
            f"{len(plan.data.markup.landmarks)} landmarks known to it by name"
        )


def fit_budget(plan: Plan, wish: Wish, hooks: Hooks) -> Plan:
    """The plan with its number of steps: as asked, or about as many as the time allows here."""
    budget, deadline = wish.budget, None
    if budget.steps is not None:
        steps = budget.steps
    else:
        seconds = float(budget.seconds or 600.0)
        per_step, per_evaluation = time_steps(plan)
        assert wish.begun is not None
        deadline = Deadline(
            seconds, wish.begun, per_step, per_evaluation,
            export_time(newest_times(plan.project), per_step), AFTER,
        )  # fmt: skip
        looks = (EVALUATIONS + 1) * per_evaluation
        steps = int((deadline.free_s - looks) / per_step)
        if steps < FEWEST_STEPS:
            raise ValueError(too_short(deadline))
        hooks.say(
            f"a step takes {1e3 * per_step:.0f} ms here: about {steps} steps in "
            f"{seconds / 60:g} min, of which {deadline.all_spent_s:.0f} s are gone and "
            f"{deadline.closing_s:.0f} s are for hold-out and export at the end"
        )
    every = max(1, steps // EVALUATIONS)
    spec = replace(
        plan.spec, steps=steps, evaluate_every=every, warmup=min(50, max(1, steps // 10)),
        patience=PATIENCE if plan.spec.keep == "best" else 0,
        checkpoint_every=max(1, min(100, every)),
    )  # fmt: skip
    return replace(plan, spec=spec, deadline=deadline)


def newest_times(project: Project) -> Mapping[str, Any] | None:
    """What the newest run of the project with a budget of time took; None before there is one."""
    for path in sorted(project.models_dir.glob("*/run.json"), key=finished_at, reverse=True):
        with suppress(ValueError):
            took = facts_of(path.parent).get("took")
            if isinstance(took, Mapping):
                return took
    return None


def time_steps(plan: Plan) -> tuple[float, float]:
    """Seconds of a training step and of an evaluation here, on a run that is thrown away."""
    return time_run(plan.spec, plan.data, plan.start if plan.start.is_file() else None)


def write_run(plan: Plan, state: str, **more: Any) -> None:
    """run.json: whatever is needed to go on, to compare and to believe."""
    path = plan.out / "run.json"
    facts: dict[str, Any] = facts_of(plan.out) if path.is_file() else {}
    facts |= {
        "schema": 1, "state": state, "base": plan.base, "spec": spec_to_dict(plan.spec),
        "data": digest_of(plan.data), "split": asdict(plan.split), "census": asdict(plan.census),
        "choices": [asdict(c) for c in plan.choices], "course": plan.course, **more,
    }  # fmt: skip
    facts.setdefault("begun", datetime.now().astimezone().isoformat(timespec="seconds"))
    facts.setdefault("provenance", provenance())
    write_json(path, facts)


def facts_of(out: Path) -> dict[str, Any]:
    """What the run.json of a run's folder says. ValueError where it cannot be read."""
    path = out / "run.json"
    try:
        found = from_json(path.read_text(encoding="utf-8"), nan=True)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{path} is damaged ({error}); choose another run, or train again"
        ) from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is no object of JSON; choose another run, or train again")
    return found


def unfinished(project: Project) -> list[Path]:
    """Run folders that can be gone on with, oldest first."""
    found = []
    for path in sorted(project.models_dir.glob("*/run.json")):
        try:
            state = facts_of(path.parent).get("state")
        except ValueError:
            continue
        if state == "started":
            found.append(path.parent)
    return sorted(found, key=lambda p: (p / "run.json").stat().st_mtime)


def data_of_run(
    project: Project, labels: Labels, facts: Mapping[str, Any], wish: Wish, hooks: Hooks
) -> tuple[Split, DataSet, Census, list[str]]:
    """A run's data as they were when it began; `facts` are those of its run.json.

    Its split, how many frames it looked at, and the model that followed the object then; its
    losses. ValueError where run.json does not say them.
    """
    try:
        stretch = facts["split"]["stretch"]
        split = Split(
            tuple(facts["split"]["hold"]), None if stretch is None else tuple(stretch),
            facts["split"]["why"],
        )  # fmt: skip
        begun = datetime.fromisoformat(facts["begun"]).timestamp()
        spread = bool(facts.get("spread", False))
        wish = replace(wish, before=begun, wanted=Wanted(**facts.get("wanted", {})), spread=spread)
        attributes = bool(facts["spec"]["loss"]["attribute"])
    except BROKEN as error:
        raise ValueError(f"run.json is incomplete ({error!r}); start a new run") from error
    data, census, warnings = gather(project, labels, split, wish, hooks)
    if facts.get("irises"):
        data = with_irises(data)
    if not attributes:
        data = without_attributes(data)
    return split, data, census, warnings


def resume_plan(root: Path, wish: Wish, hooks: Hooks) -> Plan:
    """The newest unfinished run (or that of `wish.name`), with the very same data.

    All that decides its weights is that of its run.json; threads and device may be asked for anew,
    and then the last bits may differ.
    """
    project = open_project(root)
    runs = [r for r in unfinished(project) if wish.name in (None, r.name)]
    if not runs:
        raise ValueError(
            f"{project.models_dir} holds no unfinished run; start one without --resume"
        )
    out = runs[-1]
    facts = facts_of(out)
    try:
        spec = spec_from_dict(facts["spec"])
        choices = tuple(Choice(**c) for c in facts["choices"])
        base, digest = str(facts["base"]), str(facts["data"])
        course = str(facts.get("course", "plain"))
        deadline = deadline_of(facts, wish.begun, spent_in(out))
    except BROKEN as error:
        raise ValueError(
            f"{out / 'run.json'} is incomplete ({error!r}); start a new run"
        ) from error
    spec = replace(spec, threads=wish.threads or spec.threads, device=wish.device or spec.device)
    wish = replace(wish, threads=spec.threads, device=spec.device)
    split, data, census, warnings = data_of_run(project, read_labels(project), facts, wish, hooks)
    if digest_of(data) != digest:
        raise ValueError(
            f"the labels or clips have changed since {out.name} was started; "
            "start a new run, or put them back to go on with that one"
        )
    told = tuple(warnings)
    return Plan(project, out, data, census, split, spec, base, choices, told, course, deadline)
