"""One training run as a frozen dataclass, read from TOML and stored in every checkpoint."""

from __future__ import annotations

import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from tracker.plain_data import finite, from_toml
from tracker.types import CropRule
from tracker.whole_files import read_text
from train.losses.paper import LossSpec
from train.networks import NetSpec
from train.networks.model import Head

T = TypeVar("T")

MOST, MOST_THREADS, MOST_SIDE, MOST_LAYERS = 2**31 - 1, 1024, 4096, 64
LAYERS = ("depth", "convs", "ones")  # of a network: how many
COUNTS = ("batch", "steps", "threads", "evaluate_every", "checkpoint_every")  # each at least 1


@dataclass(frozen=True, slots=True)
class AugmentSpec:
    """How far a training crop strays from the true one. Zeros turn a part off."""

    rotate: float = 30.0  # degrees, uniform in +-
    scale: float = 0.2  # log-uniform in exp(+-scale)
    shift: float = 0.08  # of the crop's side, uniform in +- per axis
    flip: float = 0.5  # probability
    colour: float = 1.0  # strength
    blur: float = 0.2  # probability
    occlude: float = 0.3  # probability
    block: float = 0.0  # probability of one black rectangle, as in RCN's code
    background: float = 0.7  # probability, for pictures cut out on black
    whole: float = 0.0  # probability that the crop is the whole picture, as a first look without
    # any detector is
    spin: float = 0.0  # probability of any angle in place of +-rotate
    cut: float = 0.0  # probability that the picture ends near the true crop's sides: black beyond;
    # crops without an object are never cut
    # as hands move and cameras fail, each a probability
    motion: float = 0.0  # of motion blur, 3 to 14 % of the crop's side
    dark: float = 0.0  # of low light: a tenth to a half of it, with the sensor's noise
    gamma: float = 0.0  # of a gamma from 0.3 to 3
    jpeg: float = 0.0  # of JPEG at quality 8 to 50
    far: float = 0.0  # of a scale of 0.5 to 1.6 in place of `scale`
    no_up: float = 0.1  # that heads are not told where up is
    sharpen: float = 0.0  # probability that fine detail is raised, as in photos made small
    # without smoothing


@dataclass(frozen=True, slots=True)
class EltSpec:
    """Ranges of the ELT's affine warps (paper: not given; NVIDIA's FPENet: 20 degrees, 12 %)."""

    rotate: float = 25.0
    scale: float = 0.15
    shift: float = 0.08


@dataclass(frozen=True, slots=True)
class DataSpec:
    """Which examples take part."""

    files: tuple[str, ...] = ()  # COCO keypoints JSON files
    hold_out: float = 0.1  # share of groups, where the file names no split itself
    label_share: float = 1.0  # share of training images whose landmarks are used
    # times per epoch, by source ('ytf'), by class ('head_pose=left') or by several of them
    # ('ytf & eyes=closed'); factors multiply
    repeat: Mapping[str, float] = field(default_factory=dict)
    # least share of landmark-labelled images in a batch; 0: as it falls
    labelled_share: float = 0.0
    negatives: float = 0.0  # share of a batch that shows no object
    near_misses: float = 0.0  # of these, share cut beside or far inside an object
    # share of a batch's objects by quality ('teacher', 'exact'); empty: as they fall
    shares: Mapping[str, float] = field(default_factory=dict)
    # near misses are also crops that follow an object wrongly: half beside it, twice too large or
    # small, on a part of it, upside down
    wrong: bool = False
    hidden: float = 1.0  # weight of a landmark that is labelled but hidden
    # weights of landmarks by name ('thumb_tip'), where they matter more or less; of all others 1
    landmarks: Mapping[str, float] = field(default_factory=dict)
    normaliser: tuple[int, ...] = ()  # two landmark indices; empty: longer side of the box


@dataclass(frozen=True, slots=True)
class FitSpec:
    """Everything that decides a run; same spec, same data and same machine: same weights."""

    kind: str = "face"
    crop: CropRule | None = None  # None: as built in for the kind
    net: NetSpec = field(default_factory=NetSpec)
    heads: tuple[Head, ...] = ()
    beta: float = 1.0
    loss: LossSpec = field(default_factory=LossSpec)
    data: DataSpec = field(default_factory=DataSpec)
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    elt: EltSpec = field(default_factory=EltSpec)
    batch: int = 64
    steps: int = 3000
    lr: float = 2e-3
    # 'adam', 'adadelta' (rho .95, no rate of its own: set lr to 1) or 'muon' (train/loop/muon.py)
    optimiser: str = "adam"
    muon: float = 15.0  # rate of Muon's weights in units of lr, which is that of all others
    epsilon: float = 1e-8  # of Adam; gradients far below it move nothing
    warmup: int = 100  # steps
    decay: int = 0  # steps at the end over which a level rate falls to 1 %; 0: a cosine instead
    cycles: int = 1  # of the rate, each with a warm-up and a fall to 1 %; of equal length
    ema: float = 0.998
    seed: int = 0
    threads: int = 2
    precision: str = "bf16"  # 'bf16' (autocast, where the device has it) or 'f32'
    evaluate_every: int = 500
    checkpoint_every: int = 100
    device: str = "auto"  # 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'
    # precision on the hold-out from which a gesture is to be shown, stored as operating points
    shown_at: float = 0.0  # 0: none are chosen
    patience: int = 0  # evaluations without a better hold-out NME that end a run; 0: none do
    keep: str = "last"  # averaged weights that become the model: 'last', or 'best' on the hold-out
    late_heads: bool = False  # 'best' is said of the localiser; the attribute heads are the last
    freeze: bool = False  # the localiser stays as it is, only the attribute heads learn
    freeze_norms: bool = False  # means and variances of the norms stay those of the start
    workers: int = 0  # processes that make batches ahead; 0: the training itself makes them
    row_seeds: bool = False  # a generator for each picture: processes augment their own part alone


def build(cls: type[T], values: Mapping[str, Any], where: str = "config") -> T:
    """A frozen dataclass from plain data; ValueError names the key that does not fit."""
    hints = typing.get_type_hints(cls)
    known = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]
    if not isinstance(values, Mapping):
        raise ValueError(f"{where}: a table was wanted, found {str(values)[:60]}")
    for key in values:
        if key not in known:
            raise ValueError(f"{where}: '{key}' is unknown; it takes {', '.join(known)}")
    for name, f in known.items():
        if f.default is MISSING and f.default_factory is MISSING and name not in values:
            raise ValueError(f"{where}: '{name}' is missing")
    return cls(**{k: _value(hints[k], v, f"{where}.{k}") for k, v in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if is_dataclass(hint):
        if not isinstance(value, Mapping):
            raise ValueError(f"{where}: a table was wanted, found {value!r}")
        return build(typing.cast(type, hint), value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{where}: a list was wanted, found {value!r}")
        return tuple(_value(typing.get_args(hint)[0], v, where) for v in value)
    if origin in (typing.Union, types.UnionType):
        inner = [h for h in typing.get_args(hint) if h is not type(None)]
        if isinstance(value, list | tuple):
            inner = [h for h in inner if typing.get_origin(h) is tuple]
        return value if value is None or len(inner) != 1 else _value(inner[0], value, where)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise ValueError(f"{where}: a table was wanted, found {value!r}")
        each = typing.get_args(hint)[1]
        return {k: _value(each, v, f"{where}.{k}") for k, v in value.items()}
    if origin is not None:
        return value
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return finite(value)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    if isinstance(hint, type) and not isinstance(value, hint):
        raise ValueError(f"{where}: {hint.__name__} was wanted, found {value!r}")
    return value


def read_config(path: Path, overrides: Mapping[str, str] | None = None) -> FitSpec:
    """Read a TOML config; `overrides` are dotted keys with TOML values ('loss.alpha': '0').

    Raises ValueError for a file that is missing, no TOML, or has keys or values that do not fit;
    UserError for one that cannot be read or is no UTF-8 text.
    """
    if not path.is_file():
        raise ValueError(f"config {path} does not exist; give a TOML file such as face68.toml")
    try:
        raw = from_toml(read_text(path))
    except ValueError as error:
        raise ValueError(f"config {path} is not TOML: {error}") from error
    for key, text in (overrides or {}).items():
        try:
            value = tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            value = text
        place = raw
        *parents, last = key.split(".")
        for at, parent in enumerate(parents, start=1):
            place = _inner(place, parent)
            is_list = isinstance(place, list) and parent == "heads" and at < len(parents)
            if not isinstance(place, dict) and not is_list:
                raise ValueError(
                    f"--set {key}={text}: '{parent}' is no table, so it has no keys; "
                    f"set '{parent}' itself, or a key of a table such as loss.alpha=0.5"
                )
        place[last] = value
    spec = build(FitSpec, raw, str(path))
    check_bounds(spec, str(path))
    return spec


def _inner(place: Any, key: str) -> Any:
    """What a key of a config leads to; of its list of heads, the one of this name."""
    if isinstance(place, list):
        return next((h for h in place if h.get("attribute", {}).get("name") == key), None)
    return place.setdefault(key, {})


def check_bounds(spec: FitSpec, where: str) -> None:
    """ValueError names the number that no network or run can have."""
    for name in COUNTS:
        most = MOST_THREADS if name == "threads" else MOST
        refuse_beyond(f"{where}: {name}", getattr(spec, name), 1, most)
    for f in fields(spec.net):
        value = getattr(spec.net, f.name)
        numbers = value if isinstance(value, tuple) else (value,)
        least, longest = (0, MOST_SIDE) if f.name == "fine" else (1, MOST_LAYERS)
        refuse_beyond(f"{where}: the length of net.{f.name}", len(numbers), least, longest)
        most = MOST_LAYERS if f.name in LAYERS else MOST_SIDE
        for number in numbers:
            if isinstance(number, int) and not isinstance(number, bool):
                refuse_beyond(f"{where}: net.{f.name}", number, 0, most)
    for head in spec.heads:
        name = f"{where}: head {head.attribute.name}"
        refuse_beyond(f"{name}, layers", head.layers, 0, MOST_LAYERS)
        refuse_beyond(f"{name}, hidden", head.hidden, 0, MOST_SIDE)
        refuse_beyond(f"{name}, outputs", head.attribute.width, 1, MOST_SIDE)


def refuse_beyond(what: str, value: int, least: int, most: int) -> None:
    """ValueError where a number is out of bounds."""
    if value < least:
        raise ValueError(f"{what} takes {least} or more, found {value}")
    if value > most:
        raise ValueError(f"{what} takes {most} or less, found {value}")


def spec_to_dict(spec: FitSpec) -> dict[str, Any]:
    """Plain data for a checkpoint's header."""
    return asdict(spec)


def spec_from_dict(values: Mapping[str, Any]) -> FitSpec:
    """Back from `spec_to_dict`."""
    spec = build(FitSpec, values, "checkpoint config")
    check_bounds(spec, "checkpoint config")
    return spec
