"""Weights that a checkpoint need not hold, since the model exported from it lies beside it.

An exported network has its batch norms folded into the convolutions before them: a weight became
weight * gamma / sqrt(variance + epsilon). The norms themselves are small and stay in the
checkpoint, so that this is undone when it is read, as exactly as the model's file is (16 bits or
32). So a bundled model and its checkpoint take the room of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor

from engines.foreign import refuse_unsafe
from tracker.plain_data import bare_name, digest

Undo = Callable[[str, Mapping[str, Tensor], NDArray[np.float32]], NDArray[np.float32]]
How = Literal["same", "turned", "norm"]  # as it is, transposed, divided by what its norm did
EPSILON = 1e-5  # of torch's batch norms
WORTH = 4096  # values of a weight that is worth it
EXACT = 2.0**-6  # of the largest weight of an output: what a model's rounding takes, twice
FINEST = 2.0**-20  # of a weight in a model's 16 bits: smaller steps it has not, however small it is


def leave_out(
    tensors: Mapping[str, Tensor], model: Path
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the checkpoint keeps, and the note by which `fill` finds the rest in `model`.

    Only weights that come back to within `EXACT` are left out. ValueError where that are none.
    """
    found = exported_weights(model)
    hows = {name: how for name in tensors if (how := _fitting(name, tensors, found)) is not None}
    if not hows:
        raise ValueError(
            f"{model} was not exported from this checkpoint: it has none of its weights"
        )
    note = {"model": model.name, "sha256": _digest(found, hows), "weights": hows}
    return {name: value for name, value in tensors.items() if name not in hows}, note


def fill(tensors: Mapping[str, Tensor], note: Mapping[str, Any], folder: Path) -> dict[str, Tensor]:
    """All tensors, those that were left out taken from the model in `folder`.

    ValueError where the note is no note, or the model is missing or another one now.
    """
    model = folder / bare_name(note["model"])
    if not model.is_file():
        raise ValueError(f"most of its weights are in {model.name}, which must lie beside it")
    hows, found = dict(note["weights"]), exported_weights(model)
    gone = [name for name, how in hows.items() if _short(name) not in found or how not in _UNDO]
    if gone or _digest(found, hows) != digest(note["sha256"]):
        raise ValueError(f"{model.name} beside it is not the one that was exported from it")
    given = {name: _UNDO[how](name, tensors, found[_short(name)]) for name, how in hows.items()}
    return {**tensors, **{name: torch.from_numpy(value) for name, value in given.items()}}


def exported_weights(model: Path) -> dict[str, NDArray[np.float32]]:
    """Weights of an exported model by their names in the network. ValueError for other files."""
    refuse_unsafe(model)
    graph = onnx.load(model).graph
    found = {t.name.removesuffix(".half"): numpy_helper.to_array(t) for t in graph.initializer}
    return {
        name.removeprefix("model."): value.astype(np.float32)
        for name, value in found.items()
        if name.startswith("model.") and value.dtype in (np.float16, np.float32)
    }


def _fitting(
    name: str, tensors: Mapping[str, Tensor], found: Mapping[str, NDArray[np.float32]]
) -> How | None:
    """How a weight comes back from the exported one; None: it does not."""
    wanted = tensors[name].float().numpy()
    given = found.get(_short(name))
    if given is None or wanted.size < WORTH or not name.startswith("ema."):
        return None
    for how, undo in _UNDO.items():
        try:
            back = undo(name, tensors, given)
        except KeyError:  # it has no norm
            continue
        if back.shape != wanted.shape:
            continue
        steps = (
            FINEST * _largest(back) / np.maximum(_largest(given), FINEST) if how == "norm" else 0
        )
        if (np.abs(back - wanted) <= EXACT * _largest(wanted) + steps).all():
            return how
    return None


def _largest(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest size of each output's weights, in a shape to compare them with."""
    most = np.abs(weight).reshape(len(weight), -1).max(1)
    return np.asarray(most.reshape(-1, *[1] * (weight.ndim - 1)))


def _same(
    name: str, tensors: Mapping[str, Tensor], given: NDArray[np.float32]
) -> NDArray[np.float32]:
    return given


def _turned(
    name: str, tensors: Mapping[str, Tensor], given: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.ascontiguousarray(given.T)


def _norm(
    name: str, tensors: Mapping[str, Tensor], given: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Its norm is the layer after it, in the same Sequential."""
    place, number, _ = name.rsplit(".", 2)
    norm = f"{place}.{int(number) + 1}" if number.isdecimal() else ""
    gamma, variance = tensors[f"{norm}.weight"], tensors[f"{norm}.running_var"]
    scale = (gamma.double() / torch.sqrt(variance.double() + EPSILON)).numpy()
    if len(scale) != len(given) or not scale.all():
        raise KeyError(norm)
    back: NDArray[np.float32] = given / scale.reshape(-1, *[1] * (given.ndim - 1))
    return back.astype(np.float32)


_UNDO: dict[How, Undo] = {"same": _same, "turned": _turned, "norm": _norm}


def _short(name: str) -> str:
    """The name within the network."""
    return name.partition(".")[2]


def _digest(found: Mapping[str, NDArray[np.float32]], names: Mapping[str, object]) -> str:
    """sha256 of the weights that are taken; what else the model's file says may change."""
    total = hashlib.sha256()
    for name in sorted(names):
        total.update(found[_short(name)].tobytes())
    return total.hexdigest()
