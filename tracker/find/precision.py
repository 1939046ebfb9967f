"""Faster forms of a model lie beside it: MODEL.onnx, MODEL.fp16.onnx, MODEL.int8.onnx."""

from __future__ import annotations

from pathlib import Path

PRECISIONS = ("fp32", "fp16", "int8")


def precise_file(path: Path, precision: str) -> Path:
    """The file of a model in this precision; for fp32 the one that was given, whatever it is.

    ValueError for a precision that does not exist, or where its file is missing; it says what
    makes it.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"there is no precision {precision!r}; choose {', '.join(PRECISIONS)}")
    if precision == "fp32" or path.suffix != ".onnx":
        return path
    stem = path.stem.removesuffix(".fp16").removesuffix(".int8")
    form, whole = (path.with_name(f"{stem}{end}") for end in (f".{precision}.onnx", ".onnx"))
    if form.is_file():
        return form
    command = {
        "fp16": f"train export {whole.with_suffix('.safetensors')} --precision fp16 --out {form}",
        "int8": f"train quantize {whole} --data LABELS.json --out {form}",
    }[precision]
    raise ValueError(f"{whole} has no {precision} form beside it; make it with '{command}'")
