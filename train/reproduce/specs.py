"""The training of each row of the paper's tables, as a `FitSpec`.

Hyper-parameters named in the paper or its supplement (S9 to S13) are as there; what is not
documented (rate, batch, steps, ranges of the ELT) is ours and said in docs/reproduction.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tracker.modelfile import Attribute
from tracker.types import CropRule
from train.config import AugmentSpec, DataSpec, EltSpec, FitSpec
from train.losses import LossSpec
from train.model import Head
from train.nets import NetSpec
from train.sets.blocks import CLASSES as BLOCK_CLASSES
from train.sets.shapes import CLASSES as SHAPE_CLASSES

STILL = AugmentSpec(
    rotate=0.0, scale=0.0, shift=0.0, flip=0.0, colour=0.0, blur=0.0, occlude=0.0, background=0.0
)
WHOLE = CropRule(1.0, (), "picture")
TURNED = EltSpec(rotate=180.0, scale=0.15, shift=0.1)


@dataclass(frozen=True, slots=True)
class Row:
    """A network and the terms of equation 2 that it is trained with, as in 'Seq-MT (L+ELT+A)'."""

    net: str
    terms: frozenset[str]

    @property
    def name(self) -> str:
        """As the paper's tables write it."""
        order = [t for t in ("L", "ELT", "A") if t in self.terms]
        return f"{self.net} ({'+'.join(order)})"


def row_of(name: str) -> Row:
    """A row from its name; ValueError for one that is not written 'NET (L+...)'."""
    net, space, rest = name.partition(" (")
    terms = frozenset(rest.removesuffix(")").split("+"))
    if not space or not rest.endswith(")") or not terms <= {"L", "ELT", "A"}:
        raise ValueError(f"a row is written like 'Seq-MT (L+ELT+A)', found '{name}'")
    return Row(net, terms)


def _loss(row: Row, base: LossSpec) -> LossSpec:
    """The terms of a row; the softmax likelihood in place of distances where points are argmax."""
    loss = replace(
        base,
        lam=base.lam if "L" in row.terms else 0.0,
        alpha=base.alpha if "ELT" in row.terms else 0.0,
        attribute=base.attribute if "A" in row.terms else 0.0,
    )
    if row.net in ("Heatmap-MT", "RCN"):
        loss = replace(loss, lam=0.0, heat=1.0, sigma=0.0)
    return loss


def shapes_spec(row: Row, seed: int) -> FitSpec:
    """Shapes: class labels alone."""
    net = NetSpec(
        "seq_mt", 60, "gray", scaling="unit", kernel=7, maps=16, convs=6, ones=1, last_kernel=1
    )
    head = Head(Attribute("nearer", SHAPE_CLASSES), "landmarks", 40, 0.0, 1, "crop")
    return FitSpec(
        "object", WHOLE, net, (head,), 1.0, _loss(row, LossSpec(1.0, 0.0, 1.0)),
        DataSpec(), STILL, steps=3000, batch=64, lr=1e-3, seed=seed, threads=1,
        evaluate_every=250, keep="best",
    )  # fmt: skip


def blocks_spec(row: Row, seed: int) -> FitSpec:
    """Table 1."""
    names = {"Seq-MT": "seq_mt", "Comm-MT": "comm_mt", "Heatmap-MT": "heatmap_mt"}
    read = "argmax" if row.net == "Heatmap-MT" else "soft"
    net = NetSpec(
        names[row.net], 60, "gray", scaling="unit", kernel=9, maps=8, convs=6, ones=1, read=read
    )
    sources = {"Seq-MT": "landmarks", "Comm-MT": "image", "Heatmap-MT": "heat"}
    head = Head(Attribute("class", BLOCK_CLASSES), sources[row.net], 256, 0.25, 2, "crop")
    return FitSpec(
        "object", WHOLE, net, (head,), 1.0, _loss(row, LossSpec(1.0, 1.0, 1.0)),
        DataSpec(labelled_share=0.25), STILL, TURNED, steps=3000, batch=64, lr=1e-3, seed=seed,
        threads=1, evaluate_every=250, keep="best",
    )  # fmt: skip


SPECS: dict[str, Callable[[Row, int], FitSpec]] = {"shapes": shapes_spec, "blocks": blocks_spec}
