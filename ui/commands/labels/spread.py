"""`train spread`: labels of single frames, followed to the frames around them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import tell, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracker.find.locate import Model
    from train.project.clips import Clip
    from train.project.layout import Project
    from train.project.store import Store
    from train.spread.stretches import SpreadSpec


def spread(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The project.")],
    clip: Annotated[
        list[str] | None, typer.Option(help="Only this clip (repeatable), else all.")
    ] = None,
    frames: Annotated[int, typer.Option(help="How far from a label, in frames.")] = 50,
    min_confidence: Annotated[
        float, typer.Option(help="Of a point, 0 to 1; below, it is not proposed.")
    ] = 0.5,
    model: Annotated[
        Path | None, typer.Option(help="Second opinion: an .onnx file or project; else its own.")
    ] = None,
    by_flow: Annotated[bool, typer.Option("--by-flow", help="Without a second opinion.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also where it has spread, or was refused.")
    ] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Make all proposals labels.")] = False,
    refuse: Annotated[bool, typer.Option("--refuse", help="Forget all proposals.")] = False,
) -> None:
    """Follow the points of labelled frames to their neighbours, and propose them there as labels.

    No label is overwritten. Proposals are looked at in 'train label', accepted or refused there or,
    all at once, by --accept and --refuse; 'train finetune' learns from accepted ones by their
    confidence. Ctrl-C ends it; what was found is kept, and the next run goes on.
    """
    from tracker.errors import UserError
    from train.project.clips import read_clips
    from train.project.layout import open_project
    from train.project.store import Store
    from train.spread.stretches import SpreadSpec, chosen_clips

    if accept and refuse:
        raise ValueError("--accept and --refuse exclude each other; give one of them")
    spec = SpreadSpec(frames, min_confidence)
    project = open_project(folder)
    clips = chosen_clips(read_clips(project), clip or ())
    with Store.open(project) as store:
        if store.read_only:
            raise UserError(f"{folder}: nothing was spread: {store.why}")
        if accept or refuse:
            _settle(store, clips, accept)
        else:
            _spread(store, clips, spec, again, None if by_flow else _model(project, model))
            tell(f"next: train label {folder} (look at them), train finetune {folder}")


def _model(project: Project, asked: Path | None) -> Model | None:
    from train.suggest.prelabel import current_model

    return current_model(project, asked)


def _settle(store: Store, clips: Sequence[Clip], accept: bool) -> None:
    """Accept or refuse every proposal of these clips."""
    from train.spread.taking import take_all

    keys = [key for c in clips for key in store.labels.proposals_of(c.name)]
    done = take_all(store, clips, keys) if accept else store.refuse(keys)
    tell(f"{'accepted' if accept else 'refused'} {done} proposals")


def _spread(
    store: Store, clips: Sequence[Clip], spec: SpreadSpec, again: bool, model: Model | None
) -> None:
    from tracker.errors import UserError
    from tracker.stop import stop_on_signal
    from train.spread.spread import spread as run
    from train.spread.stretches import open_ones, plan_of

    plan = plan_of(store.project, store.labels, clips, spec, model)
    if not plan.stretches:
        raise UserError(
            "no frame is labelled from which anything could spread; label one in each clip with "
            f"'train label {store.project.root}'"
        )
    todo = list(plan.stretches) if again else open_ones(plan.stretches, store.labels)
    if plan.forgotten:
        store.propose({}, plan.forgotten, plan.group)
    count = 0
    with stop_on_signal() as stopped, waiting("looking at frames") as report:
        for found in run(store.project, todo, model, spec, report, stopped):
            count += store.propose(found.proposals, {found.stretch.name: True}, plan.group)
            stretch = found.stretch
            made = sum(label is not None for label in found.proposals.values())
            tell(f"{stretch.clip.name}, {stretch.words}: {made} of {len(stretch.forward)} frames")
        was_stopped = stopped()
    left = len(open_ones(plan.stretches, store.labels))
    known = len(plan.stretches) - len(todo)
    if known:
        what = "1 stretch was" if known == 1 else f"{known} stretches were"
        tell(f"{what} spread over already (--again)")
    if was_stopped and left:
        what = "1 stretch is" if left == 1 else f"{left} stretches are"
        tell(f"stopped; {what} left, the same command goes on")
    tell(f"{count} frames have new proposals, {len(store.labels.proposals)} in the project")
