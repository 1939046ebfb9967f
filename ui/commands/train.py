"""`train`: fit, evaluate, export, prepare. Heavy imports live inside the commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engines.installation import install
from tracker.errors import UserError
from tracker.stop import Stopped
from train.machine.ranks import leading, world
from ui.commands.exchange import export_labels, import_labels
from ui.commands.finetune import finetune
from ui.commands.gestures.commands import teach
from ui.commands.labels.label import label
from ui.commands.labels.spread import spread
from ui.commands.project import add, check, init, remove
from ui.commands.report import report
from ui.commands.reproduce import reproduce
from ui.commands.speed import indices, parity, quantize
from ui.commands.suggest import suggest
from ui.commands.words import Version, printing, say, stages, tell, waiting

if TYPE_CHECKING:
    from train.loop.fit import Progress

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Teach landmark models of your own: the tour goes from init to check.",
)
TOUR, MORE = "The tour, in its order", "More"
LOADING = "loading PyTorch"  # most of the two or three seconds that `shrink` takes


@app.callback()
def root(version: Version = False) -> None:
    """What stands before a command."""


def main() -> None:
    """Run a command; a mistake of the user is one sentence and exit code 1, never a traceback.

    A run that was asked to stop ends with 130. Of torchrun's processes only the first one prints.
    """
    if not leading():
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  (stays open)
    try:
        with printing("train"):
            app()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except Stopped as stopped:
        say(str(stopped), "train")
        code = 130
    except (UserError, ValueError, OSError, FloatingPointError) as error:
        say(str(error), "train")
        code = 1
    except ModuleNotFoundError as error:
        say(_missing(error), "train")
        code = 1
    if world() > 1:  # gloo's threads sometimes abort a process that takes its leave normally
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _missing(error: ModuleNotFoundError) -> str:
    """A sentence on a package that is not installed; what is missing of our own is raised again."""
    package = (error.name or "").partition(".")[0]
    if package in ("", "assets", "engines", "tracker", "train", "ui"):
        raise error
    return f"this command needs {package}, which is not installed; run: {install('train')}"


def _overrides(values: list[str]) -> dict[str, str]:
    pairs = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals:
            raise ValueError(f"--set takes key=value such as loss.alpha=0.5, found '{value}'")
        pairs[key] = text
    return pairs


def fit(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.toml", help="TOML file: network, heads, losses, data.")
    ],
    data: Annotated[
        Path, typer.Option(help="Folder that the config's label files are in.")
    ] = Path(),
    out: Annotated[Path, typer.Option(help="Folder of this run.")] = Path("runs/fit"),
    resume: Annotated[bool, typer.Option(help="Go on from OUT/last.safetensors.")] = False,
    init: Annotated[Path | None, typer.Option(help="Start from this checkpoint's weights.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a value: loss.alpha=0.5 (repeatable).")
    ] = None,
    licence: Annotated[str, typer.Option(help="Licence text kept in the model.")] = "not stated",
    data_note: Annotated[
        str, typer.Option(help="Training data note kept in the model.")
    ] = "not stated",
) -> None:
    """Train a network; resumable after any kill. Writes metrics.csv, curves.png, checkpoints."""
    from train.config import read_config
    from train.evaluate.curves import plot_curves
    from train.loop.fit import fit as run_fit
    from ui.commands.terminal import Terminal

    spec = read_config(config, _overrides(set_ or []))
    extra = {"licence": licence, "data": data_note}
    with Terminal() as terminal:
        if resume:
            terminal.recall(out / "metrics.csv")

        def told(p: Progress) -> None:
            terminal.step(p)
            if p.hold is not None:
                plot_curves(out / "metrics.csv", out / "curves.png")

        final = run_fit(spec, data, out, resume, init, told, extra)
    if not leading():
        return
    plot_curves(out / "metrics.csv", out / "curves.png")
    tell(f"wrote {final}; next: train export {final} --out MODEL.onnx")


def ablation(
    config: Annotated[
        Path,
        typer.Argument(metavar="CONFIG.toml", help="TOML file with every term of the loss on."),
    ],
    data: Annotated[
        Path, typer.Option(help="Folder that the config's label files are in.")
    ] = Path(),
    out: Annotated[Path, typer.Option(help="Folder of the four runs.")] = Path("runs/ablation"),
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Change a value: steps=500 (repeatable).")
    ] = None,
) -> None:
    """The paper's four rows, L, L+A, L+ELT, L+ELT+A, at the same budget. Resumes by itself."""
    from train.config import read_config
    from train.grid.ablation import ablate

    def report(row: str, p: Progress) -> None:
        if p.hold is not None:
            nme = p.hold["nme"]
            tell(f"{row}  step {p.step}/{p.steps}  NME {nme:.2f} %  {p.images_s:.0f} images/s")

    spec = read_config(config, _overrides(set_ or []))
    for row in ablate(spec, data, out, report):
        tell("  ".join(f"{k} {v}" for k, v in row.items()))


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="Checkpoint (.safetensors) or exported .onnx.")
    ],
    data: Annotated[
        list[Path], typer.Argument(metavar="LABELS.json", help="COCO keypoints JSON files.")
    ],
    out: Annotated[Path | None, typer.Option(help="Folder for metrics.json and pictures.")] = None,
    split: Annotated[str, typer.Option(help="hold, train or all.")] = "hold",
    where: Annotated[list[str] | None, typer.Option(help="quality=manual, source=NAME.")] = None,
    normaliser: Annotated[str, typer.Option(help="Two landmark indices, e.g. 36,45.")] = "",
    hold_out: Annotated[
        float, typer.Option(help="Share of groups, if the file has no split.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of that split.")] = 0,
) -> None:
    """Print NME, PCK, AUC, errors per landmark and attribute accuracy; draw CED and worst cases."""
    from train.evaluate.report import evaluate_model, print_summary, write_report
    from ui.commands.console import console

    pair = indices(normaliser)
    if split not in ("hold", "train", "all"):
        raise ValueError(f"--split takes hold, train or all, found '{split}'")
    with waiting("running the model on the labelled pictures") as count:
        summary, outputs, examples, spec = evaluate_model(
            model, data, split, where or [], pair, hold_out, seed, count
        )
    print_summary(summary, console())
    if out is not None:
        with waiting("drawing curves and the worst pictures"):
            write_report(summary, outputs, examples, spec, out)
        tell(f"wrote {out}/metrics.json, ced.png, worst.png")


Checkpoint = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="model.safetensors or last.safetensors.")
]
Learnt = Annotated[
    list[Path],
    typer.Argument(metavar="LABELS.json", help="The COCO JSON files that it learnt from."),
]


def export(
    checkpoint: Checkpoint,
    out: Annotated[Path, typer.Option(help="The ONNX file to write.")],
    precision: Annotated[
        str, typer.Option(metavar="fp32|fp16", help="fp16, for GPUs: name it MODEL.fp16.onnx.")
    ] = "fp32",
) -> None:
    """One ONNX with soft-argmax, scores and heads inside, described by its own metadata."""
    with stages(LOADING) as stage:
        from train.export.export import export_model

        info = export_model(checkpoint, out, precision, stage)
    tell(
        f"wrote {out}: {info.kind}, {len(info.landmarks)} landmarks, {info.size} px {info.colour}, "
        f"attributes {', '.join(info.gives) or 'none'}, "
        f"{out.stat().st_size / 1e6:.1f} MB"
    )


def shrink(
    source: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A .safetensors, or an exported .onnx in fp32.")
    ],
    out: Annotated[Path, typer.Option(help="The file to write, of the same kind.")],
    beside: Annotated[
        Path | None,
        typer.Option(help="The .onnx made from it, beside OUT: its weights are left out of OUT."),
    ] = None,
) -> None:
    """Half the file: weights in 16 bits; it computes in 32, as before.

    A checkpoint keeps only its averaged weights.
    """
    with stages(LOADING) as stage:
        from train.export.shrink import shrink as run_shrink

        stage(f"writing {out}")
        run_shrink(source, out, beside)
    sizes = [path.stat().st_size / 1e6 for path in (source, out)]
    tell(f"wrote {out}: {sizes[0]:.1f} -> {sizes[1]:.1f} MB")


def average(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A checkpoint.")],
    second: Annotated[
        Path, typer.Argument(metavar="SECOND", help="Another, usually fine-tuned from the first.")
    ],
    out: Annotated[Path, typer.Option(help="The checkpoint to write.")],
    weight: Annotated[float, typer.Option(help="Share of the second.")] = 0.5,
    head: Annotated[
        str | None, typer.Option(help="Of this head alone; all else is the second's.")
    ] = None,
) -> None:
    """A point between two checkpoints of one network: robustness of one, precision of the other."""
    with stages(LOADING) as stage:
        from train.export.average import average as run_average

        stage(f"writing {out}")
        run_average(first, second, weight, out, head)
    tell(f"wrote {out}; next: train evaluate {out} LABELS, train export {out} --out M.onnx")


def presence(
    checkpoint: Checkpoint,
    data: Learnt,
    out: Annotated[Path, typer.Option(help="The checkpoint to write.")],
    kept: Annotated[float, typer.Option(help="Share of objects that stays.")] = 0.995,
) -> None:
    """Move presence after a training: so many objects stay, and few wrong crops pass."""
    from train.export.presence import move_presence

    with waiting("looking at objects, near misses and pictures without an object") as count:
        moved = move_presence(checkpoint, data, kept, out, count)
    tell(f"training pictures, before: {moved.before.words}")
    tell(f"training pictures, now: {moved.after.words}")
    if moved.held_before is not None and moved.held_after is not None:
        tell(f"held out, before: {moved.held_before.words}")
        tell(f"held out, now: {moved.held_after.words}")
    tell(f"wrote {out}, bias of presence {moved.by:+.2f}; next: train export {out} --out M.onnx")


def head(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An attribute: expressions, pose.")],
    checkpoint: Checkpoint,
    data: Learnt,
    out: Annotated[Path, typer.Option(help="The checkpoint to write.")],
    views: Annotated[
        int, typer.Option(min=0, help="Looks at each object; 0: only operating points are chosen.")
    ] = 2,
) -> None:
    """Let one head learn on from the landmarks of a network that is finished."""
    from train.export.learn_head import learn_head

    with waiting(f"looking at objects, then learning {name}") as count:
        learnt = learn_head(checkpoint, data, name, views, out, count)
    if learnt.before is not None and learnt.after is not None:
        tell(f"{name}, held out, error: {learnt.before:.4f} -> {learnt.after:.4f}")
    tell(f"wrote {out}, {learnt.crops} crops; next: train export {out} --out M.onnx")


def speed(
    checkpoints: Annotated[
        list[Path], typer.Argument(metavar="CHECKPOINT", help="Checkpoints to time in alternation.")
    ],
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each.")] = 200,
) -> None:
    """Parameters, multiply-adds and milliseconds per crop in ONNX Runtime at 1 and 2 threads."""
    from train.export.speed import time_models

    with waiting("timing") as count:
        found = time_models(checkpoints, runs, report=count)
    for s in found:
        tell(
            f"{s.name}  {s.parameters:,} parameters  {s.mmac:.0f} MMAC  {s.threads} threads  "
            f"p20 {s.p20_ms:.2f} ms  p50 {s.p50_ms:.2f} ms"
        )


def prepare(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="hands or faces: which shipped model's labels.")
    ],
    data: Annotated[Path, typer.Option(help="Folder with the collections (hands_real/, ...).")],
    out: Annotated[Path, typer.Option(help="The label file to write.")],
    free: Annotated[
        bool, typer.Option("--free", help="Faces: leave out what is for research only.")
    ] = False,
) -> None:
    """Make the label file of a shipped model from the raw collections (split, gestures, pose)."""
    from train.data.faces import prepare_faces
    from train.data.shipped import prepare_hands

    if what not in ("hands", "faces"):
        raise ValueError(f"prepare takes hands or faces, found '{what}'")
    if what == "hands" and free:
        raise ValueError("all that hands learn from is free; leave out --free")
    with waiting("reading the collections") as count:
        counts = (
            prepare_hands(data, out, count)
            if what == "hands"
            else prepare_faces(data, out, free, count)
        )
    tell(f"wrote {out}: " + ", ".join(f"{v} {k}" for k, v in counts.items()))


COMMANDS: tuple[tuple[str, str | None, Callable[..., None]], ...] = (
    *((TOUR, None, one) for one in (init, add, label, suggest, spread, finetune, report, check)),
    (MORE, "gesture", teach),
    (MORE, "import", import_labels), (MORE, "export-labels", export_labels), (MORE, None, remove),
    *((MORE, None, one) for one in (fit, evaluate, export, quantize, parity, speed, shrink)),
    *((MORE, None, one) for one in (average, presence, head, ablation, prepare, reproduce)),
)  # fmt: skip
for panel, name, command in COMMANDS:
    app.command(name, rich_help_panel=panel)(command)


if __name__ == "__main__":
    main()
