"""`train quantize` and `train parity`: faster forms of a model, and how far they are from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.words import say, tell, waiting

Where = Annotated[list[str] | None, typer.Option(help="quality=manual, source=NAME.")]


def quantize(
    model: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="An exported .onnx in fp32.")],
    data: Annotated[Path, typer.Option(help="COCO keypoints JSON it was trained on.")],
    out: Annotated[Path, typer.Option(help="The file to write: MODEL.int8.onnx.")],
    target: Annotated[str, typer.Option(metavar="cpu|tensorrt", help="Who will run it.")] = "cpu",
    full_range: Annotated[
        bool, typer.Option(help="8-bit weights, not 7: only for CPUs with VNNI.")
    ] = False,
    keep: Annotated[
        str, typer.Option(help="First and last convolutions that stay in floating point.")
    ] = "0,1",
    where: Where = None,
    normaliser: Annotated[str, typer.Option(help="Two landmark indices, e.g. 36,45.")] = "",
) -> None:
    """Make the int8 form of a model from training crops; print what it costs and brings here."""
    from train.export.quantize import (
        LEAST_FASTER,
        MOST_WORSE,
        check_request,
        gain,
        measured_split,
        training_crops,
    )
    from train.export.quantize import quantize as run_quantize

    pair = indices(normaliser)
    first, last = indices(keep or "0,1", "--keep")
    kept = (first, last)
    check_request(model, data, out, target, pair)
    split = measured_split(model, data, where or [])
    seen = "hold-out" if split == "hold" else "labels that it learnt from"
    if split != "hold":
        say(f"{data} holds nothing out, so both forms are compared on the {seen}", "train")
    with waiting("reading training crops") as count:
        crops = training_crops(model, data, report=count)
    with waiting("running the model on them, for the ranges of its values") as count:
        run_quantize(model, crops, out, target, not full_range, kept, count)
    try:
        with waiting(f"comparing both forms on the {seen}") as count:
            found = gain((model, out), data, where or [], pair, count, split)
    except BaseException:  # Ctrl-C, too: what nobody measured would look finished
        out.unlink(missing_ok=True)
        raise
    tell(f"wrote {out}: {out.stat().st_size / 1e6:.1f} MB, ranges of {len(crops)} crops")
    tell(f"NME on the {seen} {found.nme[0]:.3f} % -> {found.nme[1]:.3f} % ({found.worse:+.2%})")
    for threads, (before, after) in enumerate(found.ms, 1):
        tell(
            f"{threads} thread{'s' * (threads > 1)}: {before:.2f} ms -> {after:.2f} ms per crop, "
            f"{before / after:.2f}x"
        )
    bars = f"less than {MOST_WORSE:.0%} worse and {LEAST_FASTER} times faster"
    tell(f"{'passes' if found.passes else 'misses'} the bars: {bars}")


def parity(
    checkpoint: Annotated[
        Path,
        typer.Argument(metavar="CHECKPOINT", help="MODEL.safetensors; its forms are made anew."),
    ],
    data: Annotated[Path, typer.Option(help="COCO keypoints JSON it was trained on.")],
    crops: Annotated[int, typer.Option(min=1, help="How many crops to compare on.")] = 500,
) -> None:
    """How far the answers of every form and engine are from torch, in pixels of the crop.

    Forms: ONNX in fp32, fp16 and int8; engines: ONNX Runtime, and OpenVINO where it is installed.
    """
    from train.export.parity import compare

    tell("| form | engine | mean px | max px | mean score | max score |")
    tell("|---|---|---|---|---|---|")
    with waiting("comparing forms and engines") as count:
        for d in compare(checkpoint, data, crops, count):
            numbers = (d.mean_px, d.max_px, d.mean_score, d.max_score)
            tell(f"| {d.form} | {d.engine} | {' | '.join(f'{n:.5f}' for n in numbers)} |")


def indices(text: str, option: str = "--normaliser") -> list[int]:
    """'36,45' -> [36, 45]; '' -> []. ValueError for anything else."""
    try:
        found = [int(v) for v in text.split(",")] if text else []
    except ValueError as error:
        raise ValueError(f"{option} takes two indices (36,45), found '{text}'") from error
    if len(found) not in (0, 2):
        raise ValueError(f"{option} takes two indices (36,45), found '{text}'")
    return found
