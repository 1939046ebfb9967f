"""Checkpoints: safetensors with a JSON header, written beside and renamed. Never pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from tracker.errors import writing
from tracker.find.markups import drawing_from
from tracker.outputs.out_file import refuse_bad_output
from tracker.plain_data import count, from_json
from tracker.whole_files import write_whole
from train.config import FitSpec, spec_from_dict, spec_to_dict
from train.data.pictures import Markup
from train.networks.model import LandmarkNet

SCHEMA = 1
MOST_LANDMARKS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A run at one step. `tensors` has the prefixes model., ema. and optimiser."""

    spec: FitSpec
    markup: Markup
    step: int
    tensors: dict[str, Tensor]
    extra: Mapping[str, Any]  # licence, data, metrics: whatever a model card wants

    def part(self, prefix: str) -> dict[str, Tensor]:
        """The tensors under one prefix, without it."""
        cut = len(prefix) + 1
        return {k[cut:]: v for k, v in self.tensors.items() if k.startswith(prefix + ".")}


def build_model(spec: FitSpec, markup: Markup) -> LandmarkNet:
    """A network of this spec with fresh weights."""
    return LandmarkNet(len(markup.landmarks), spec.net, spec.heads, spec.beta)


def model_with(state: Mapping[str, Tensor], spec: FitSpec, markup: Markup) -> LandmarkNet:
    """A network of this spec with these weights, in evaluation mode."""
    model = build_model(spec, markup)
    model.load_state_dict(state)
    return model.eval()


def flatten_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Optimiser state as named tensors: '<parameter index>.<key>'."""
    state = optimiser.state_dict()["state"]
    return {
        f"{i}.{key}": value if isinstance(value, Tensor) else torch.tensor(value)
        for i, values in state.items()
        for key, value in values.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """The reverse of `flatten_optimiser`; learning rates stay those of `optimiser`."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})


def save_checkpoint(
    path: Path,
    spec: FitSpec,
    markup: Markup,
    step: int,
    model: nn.Module | None,
    ema: nn.Module,
    optimiser: torch.optim.Optimizer | None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write everything that a resume or an export needs; a crash leaves the old file whole.

    UserError where it cannot be written, for instance on a full disk.
    Without `model` only the averaged weights are kept: half the size, enough for an export or a
    warm start, not for a resume.
    """
    tensors: dict[str, Tensor] = {}
    parts = {"ema": ema.state_dict()}
    if model is not None:
        parts["model"] = model.state_dict()
    if optimiser is not None:
        parts["optimiser"] = flatten_optimiser(optimiser)
    for prefix, part in parts.items():
        for name, value in part.items():
            tensors[f"{prefix}.{name}"] = value.detach().cpu().clone().contiguous()
    header = {
        "schema": SCHEMA,
        "spec": spec_to_dict(spec),
        "markup": asdict(markup),
        "step": step,
        "extra": dict(extra or {}),
    }
    write_whole(path, save(tensors, metadata={"tracker": json.dumps(header)}))


def prepare_output(out: Path, *inputs: Path) -> None:
    """Make the folder of `out`. UserError where it cannot be written or is one of `inputs`.

    An earlier output may be written over: commands that make a model call this before long work.
    """
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    refuse_bad_output(out, inputs, overwrite=True)


def _whole(value: Tensor) -> Tensor:
    """Weights that were kept in 16 bits (`train shrink`) are float32 again."""
    return value.float() if value.dtype == torch.float16 else value


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; ValueError says what is wrong with a file that is none."""
    if not path.is_file():
        raise ValueError(f"checkpoint {path} does not exist; 'train fit' writes last.safetensors")
    try:
        with safe_open(path, "pt") as file:
            meta = file.metadata() or {}
            tensors = {k: _whole(file.get_tensor(k)) for k in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"checkpoint {path} is not safetensors ({error})") from error
    if "tracker" not in meta:
        raise ValueError(f"checkpoint {path} was not written by 'train fit'")
    try:
        header = from_json(meta["tracker"], nan=True)
        found = _parse(header, _completed(path, header, tensors))
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(
            f"checkpoint {path} describes its network wrongly ({error!r}); take the checkpoint of "
            "another run"
        ) from error
    odd = next((k for k, v in found.tensors.items() if not torch.isfinite(v).all()), None)
    if odd is not None:
        raise ValueError(
            f"checkpoint {path} holds weights that are no numbers ({odd}): the training failed, or "
            "the file is damaged; take an earlier one, such as best.safetensors"
        )
    _refuse_misshapen(path, found)
    return found


def _completed(
    path: Path, header: Mapping[str, Any], tensors: dict[str, Tensor]
) -> dict[str, Tensor]:
    """With the weights that stand in an exported model beside it (`train shrink --beside`)."""
    if "folded" not in header:
        return tensors
    from train.loop.folded import fill

    return fill(tensors, header["folded"], path.parent)


def _parse(header: Mapping[str, Any], tensors: dict[str, Tensor]) -> Checkpoint:
    m = header["markup"]
    markup = Markup(
        tuple(map(str, m["landmarks"])),
        tuple((count(a), count(b)) for a, b in m["edges"]),
        tuple((count(a), count(b)) for a, b in m["flip_pairs"]),
        drawing_from(m.get("drawing")),
    )
    if not 0 < len(markup.landmarks) <= MOST_LANDMARKS:
        raise ValueError(f"it has {len(markup.landmarks)} landmarks")
    spec, extra = spec_from_dict(header["spec"]), dict(header["extra"])
    return Checkpoint(spec, markup, count(header["step"]), tensors, extra)


def _refuse_misshapen(path: Path, found: Checkpoint) -> None:
    """ValueError where averaged weights are not those of the network, before any is built."""
    with torch.device("meta"):
        wanted = build_model(found.spec, found.markup).state_dict()
    given = found.part("ema")
    odd = [
        k for k in {**wanted, **given}
        if k not in given or k not in wanted or given[k].shape != wanted[k].shape
    ]  # fmt: skip
    if odd:
        raise ValueError(
            f"checkpoint {path} holds other weights than the {found.spec.net.name} that it "
            f"describes ({odd[0]}); take the checkpoint of another run"
        )


def load_model(path: Path) -> tuple[LandmarkNet, Checkpoint]:
    """The averaged (EMA) network of a checkpoint, in evaluation mode."""
    found = load_checkpoint(path)
    return model_with(found.part("ema"), found.spec, found.markup), found
