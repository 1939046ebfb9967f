"""`train finetune`: teach a model a project's own hands, faces or things."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ui.commands.words import tell


def finetune(
    project: Annotated[Path, typer.Argument(metavar="DIR", help="A project folder.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", help="hand21, face68, face68_free, scratch or a .safetensors checkpoint."
        ),
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="20m, 1h, 90s or 2000it. Default: 10m.")
    ] = None,
    losses: Annotated[
        str | None,
        typer.Option(
            help="L, A, ELT; beyond the paper: rounds (self-training), teacher, temporal, "
            "plausible. Default: auto: L and A as far as there are labels for them; the hold-out "
            "chooses whether ELT or rounds join."
        ),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the run; default: the time.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on with the newest unfinished run.")] = False,
    seed: Annotated[int | None, typer.Option(help="Of everything random. Default: 0.")] = None,
    spread: Annotated[
        bool,
        typer.Option("--spread", help="Learn from proposals that nobody accepted, too."),
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads. Default: 2.")] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, cuda:1 or mps. Default: auto.")
    ] = None,
) -> None:
    """Fine-tune on labelled frames, labelled time ranges and unlabelled frames together.

    Clips are held out whole (labels/split.json, made at the first run, yours to edit). The best
    weights on the hold-out become models/RUN/model.onnx, which 'tracker live --model DIR' takes.
    A budget of time is wall clock, from reading the clips to the exported file, however busy the
    machine is; what --resume goes on with is what is left of it.
    Killed at any moment, --resume goes on. Ctrl-C ends a run early, --resume goes on as well: with
    the options that the run began with, so that the same weights come out.
    """
    begun = time.monotonic()
    from train.finetune.choices import parse_budget, parse_losses
    from train.finetune.finetune import await_start, run_plan
    from train.finetune.plan import Hooks, Wish, plan_run, resume_plan, unfinished
    from train.machine.ranks import leading, world
    from train.project.layout import open_project
    from ui.commands.terminal import Terminal, print_comparison

    wish = Wish(
        from_, parse_budget(budget or "10m"), None if losses is None else parse_losses(losses),
        seed or 0, threads, device, name, spread=spread, begun=begun,
    )  # fmt: skip
    given = {"--from": from_, "--budget": budget, "--losses": losses, "--seed": seed}
    mine = [option for option, value in given.items() if value is not None]
    if resume and mine:
        tell(f"note: {', '.join(mine)} is for new runs; --resume goes on as the run began")
    cut_off = unfinished(open_project(project))
    if cut_off and not resume:
        tell(f"note: run {cut_off[-1].name} is unfinished; --resume goes on with it")
    if world() > 1 and name is None:
        raise ValueError("under torchrun all processes must know the run: give it a --name")
    if not leading() and not resume:
        await_start(open_project(project), str(name))
        resume = True
    with Terminal() as terminal:
        hooks = Hooks(terminal.say, terminal.count, terminal.step)
        plan = resume_plan(project, wish, hooks) if resume else plan_run(project, wish, hooks)
        terminal.show(plan)
        comparison = run_plan(plan, hooks)
    if not leading():
        return
    print_comparison(comparison)
    if plan.deadline is not None:
        tell(f"took {plan.deadline.all_spent_s:.0f} s of {plan.deadline.seconds:g} s")
    tell(
        f"wrote {plan.out / 'model.onnx'}\n"
        f"next: tracker live --model {project}, or "
        f"tracker video CLIP --out OUT.mp4 --model {project}"
    )
