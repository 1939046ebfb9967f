"""The options that choose an engine, and the command `tracker engines`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.commands.words import tell, tell_json, user_errors, waiting


def _known_engine(name: str) -> str:
    from engines.choose import split

    try:
        split(name)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return name


def _known_precision(name: str) -> str:
    from tracker.find.model_file import PRECISIONS

    if name not in PRECISIONS:
        raise typer.BadParameter(
            f"there is no precision {name!r}; choose one of {', '.join(PRECISIONS)}"
        )
    return name


def _known_weights(name: str) -> str:
    from tracker.find.markups import WEIGHTS

    if name not in WEIGHTS:
        raise typer.BadParameter(f"there are no {name!r} weights; choose {' or '.join(WEIGHTS)}")
    return name


Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="ENGINE",
        callback=_known_engine,
        help="What runs the landmark models: auto (the fastest that works), onnx, openvino, "
        "tensorrt, tensorrt-rtx; or onnx:PROVIDER, openvino:DEVICE.",
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="fp32|fp16|int8",
        callback=_known_precision,
        help="Form of the models: MODEL.onnx, or MODEL.fp16.onnx, MODEL.int8.onnx beside it.",
    ),
]
Weights = Annotated[
    str,
    typer.Option(
        "--weights",
        metavar="best|free",
        callback=_known_weights,
        help="Of the models that come with the program: the best, or those that have learnt from "
        "nothing that is for research only.",
    ),
]

engines = typer.Typer(
    add_completion=False,
    help="List what can run the landmark models here, and why not; or time it, or build engines "
    "ahead of time.",
)


@engines.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List the engines: which are installed, which run here, and why not."""
    if context.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from engines.status import statuses
    from engines.trt_cache import cache_folder

    found = statuses()
    if as_json:
        rows = [asdict(status) for status in found]
        tell_json({"schema_version": 1, "engines": rows})
        return
    for status in found:
        name = f"{status.name} {status.version or ''}".strip()
        tell(f"{'usable    ' if status.usable else 'not usable'}  {name}: {status.fact}")
    kept = sorted(cache_folder().glob("*.engine"))
    size = sum(path.stat().st_size for path in kept) / 1e6
    told = f"{len(kept)} built engines, {size:.0f} MB, are" if kept else "built engines will be"
    tell(f"{told} kept in {cache_folder()}")


@engines.command()
def build(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="An .onnx file, or a project.")],
    engine: Annotated[
        str, typer.Option(metavar="tensorrt|tensorrt-rtx", help="What will run it.")
    ] = "tensorrt-rtx",
    compute: Annotated[
        str,
        typer.Option(
            metavar="8.6,8.9,12.0",
            help="Compute capabilities of the GPUs, which need not be here (tensorrt-rtx). "
            "Default: the GPU of this machine.",
        ),
    ] = "",
    precision: Precision = "fp32",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Default: MODEL.ENGINE.engine, where it will be found."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
) -> None:
    """Build an engine ahead of time, on a machine with or without a GPU.

    The file is used when it lies beside MODEL and was built from that very model, for that GPU, by
    that version; otherwise an engine is built at the first run as if it were not there.
    """
    with user_errors():
        path, size = _build(model, engine, compute, precision, out, overwrite)
    tell(f"wrote {path}, {size / 1e6:.1f} MB")


@engines.command()
def time(
    model: Annotated[
        Path | None, typer.Argument(metavar="MODEL", help="Default: the bundled hand model.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each engine.")] = 2,
    precision: Precision = "fp32",
    runs: Annotated[int, typer.Option(min=1, help="Timed runs of each.")] = 60,
    pause: Annotated[
        float, typer.Option(min=0, help="Milliseconds between runs; a camera leaves 30.")
    ] = 10.0,
) -> None:
    """Time one crop in every engine that runs here, in turns: what auto decides by."""
    with user_errors():
        rows = _times(model, threads, precision, runs, pause / 1e3)
    for provider, ms in rows:
        tell(f"{ms:6.2f} ms  {provider}")


def _times(
    model: Path | None, threads: int, precision: str, runs: int, pause: float
) -> list[tuple[str, float]]:
    import assets
    from engines.choose import load_network, milliseconds
    from engines.status import statuses
    from tracker.errors import UserError
    from tracker.find.model_file import model_file, precise_file

    try:
        path = assets.path("models/hand21.onnx") if model is None else model_file(model)
        path = precise_file(path, precision)
        plain = load_network(path, threads, "onnx")
        names = [status.name for status in statuses() if status.usable and status.name != "onnx"]
        others = [load_network(path, threads, name) for name in names]
        found = milliseconds(plain, others, runs, pause)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    providers = [engine.provider for engine in (plain, *others)]
    return sorted(zip(providers, found, strict=True), key=lambda row: row[1])


def _build(
    model: Path, engine: str, compute: str, precision: str, out: Path | None, overwrite: bool
) -> tuple[Path, int]:
    from engines.foreign import refuse_unsafe
    from engines.trt import FLAVOURS
    from engines.trt_cache import beside
    from engines.trt_load import build_ahead
    from tracker.errors import UserError
    from tracker.find.model_file import model_file, precise_file

    if engine not in FLAVOURS:
        raise UserError(
            f"nothing is built ahead for {engine!r}; choose one of {', '.join(FLAVOURS)}"
        )
    try:
        path = precise_file(model_file(model), precision)
        if not path.is_file():
            raise UserError(f"there is no model file at {path}; check the path")
        target = out or beside(path, engine)
        if target.exists() and not overwrite:
            raise UserError(f"{target} exists already; add --overwrite, or choose another --out")
        if not target.parent.is_dir():
            raise UserError(f"there is no folder {target.parent}; make it, or choose another --out")
        targets = tuple(part.strip() for part in compute.split(",") if part.strip())
        refuse_unsafe(path)
        with waiting(f"building {path.name}") as count:

            def report(share: float) -> None:
                count(round(100 * share), 100)

            stored = build_ahead(path, FLAVOURS[engine], targets, target, report)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    return target, len(stored.body)
