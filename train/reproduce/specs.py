"""The training of each row of the paper's tables, as a `FitSpec`.

What is as in the paper and its supplement (S9 to S13), what is not documented there and what is
changed on purpose is said in docs/reproduction.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tracker.find.model_file import Attribute
from tracker.types import CropRule, Kind
from train.config import AugmentSpec, DataSpec, EltSpec, FitSpec
from train.data.pictures import DataSet
from train.losses.paper import LossSpec, with_terms
from train.networks import NetSpec
from train.networks.model import Head
from train.sets.blocks import CLASSES as BLOCK_CLASSES
from train.sets.shapes import CLASSES as SHAPE_CLASSES


def fill_classes(spec: FitSpec, data: DataSet) -> FitSpec:
    """The spec with the classes that its data name, for heads that are written without any."""
    heads = []
    for head in spec.heads:
        attribute = head.attribute
        if not attribute.width:
            found = {e.attributes.get(attribute.name) for e in data.examples} - {None}
            if not found:
                raise ValueError(f"no image says its {attribute.name}; drop the rows with A")
            attribute = replace(attribute, classes=tuple(sorted(str(f) for f in found)))
        heads.append(replace(head, attribute=attribute))
    return replace(spec, heads=tuple(heads))


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
    loss = with_terms(base, row.terms)
    if row.net in ("Heatmap-MT", "RCN"):
        loss = replace(loss, lam=0.0, heat=1.0, sigma=0.0)
    return loss


def shapes_spec(row: Row, seed: int) -> FitSpec:
    """Shapes: class labels alone. Both landmarks soon sit on the square, which tells the class of
    four images in five, until one leaves for the triangle. Heats narrower than a pixel, which have
    hardly a gradient, cost something.
    """
    net = NetSpec(
        "seq_mt", 60, "gray", scaling="unit", kernel=7, maps=16, convs=6, ones=1, last_kernel=1
    )
    head = Head(Attribute("nearer", SHAPE_CLASSES), "landmarks", 40, 0.0, 1, "crop")
    base = LossSpec(1.0, 0.0, 1.0, gamma=1e-5, narrow=1.0, width=1.0)
    return FitSpec(
        "object", WHOLE, net, (head,), 1.0, _loss(row, base),
        DataSpec(), STILL, steps=24000, batch=8, lr=1e-3, seed=seed,
        threads=1, evaluate_every=1000, keep="best",
    )  # fmt: skip


def blocks_spec(row: Row, seed: int) -> FitSpec:
    """Table 1; the class has weight 0.2 (1 in equation 2, which holds the points back here)."""
    names = {"Seq-MT": "seq_mt", "Comm-MT": "comm_mt", "Heatmap-MT": "heatmap_mt"}
    read = "argmax" if row.net == "Heatmap-MT" else "soft"
    net = NetSpec(
        names[row.net], 60, "gray", scaling="unit", kernel=9, maps=8, convs=6, ones=1, read=read
    )
    sources = {"Seq-MT": "landmarks", "Comm-MT": "image", "Heatmap-MT": "heat"}
    head = Head(Attribute("class", BLOCK_CLASSES), sources[row.net], 256, 0.25, 2, "crop")
    return FitSpec(
        "object", WHOLE, net, (head,), 1.0, _loss(row, LossSpec(1.0, 1.0, 0.2)),
        DataSpec(labelled_share=0.5), STILL, TURNED, steps=18000, batch=8, lr=1e-3, seed=seed,
        threads=1, evaluate_every=1000, keep="best",
    )  # fmt: skip


def _rcn(row: Row, name: str, size: int = 80, coarsest: int = 5) -> NetSpec:
    """RCN reads points by argmax, RCN+ by soft-argmax; both see locally normalised gray crops."""
    read = "argmax" if row.net == "RCN" else "soft"
    return NetSpec(name, size, "gray", scaling="lcn", read=read, coarsest=coarsest)


def _multitask(row: Row, net: NetSpec) -> tuple[NetSpec, str]:
    """The network of a row on the data set of `net`, and where its classes are read."""
    names = {"Seq-MT": "seq_mt", "Comm-MT": "comm_mt", "Heatmap-MT": "heatmap_mt"}
    sources = {"Seq-MT": "landmarks", "Comm-MT": "image", "Heatmap-MT": "heat"}
    if row.net not in names:
        raise ValueError(f"no such network in this table: {row.net}; it has {', '.join(names)}")
    read = "argmax" if row.net == "Heatmap-MT" else "soft"
    return replace(net, name=names[row.net], read=read), sources[row.net]


def mtfl_spec(row: Row, seed: int) -> FitSpec:
    """Table S1: five landmarks, the head pose as one of five classes.

    RCN's code trains for thousands of epochs, the paper with distances alone. Here the heat's
    likelihood is added and faces are mirrored, too, so that tens of epochs do. AFLW's test faces
    are photos that end near the face box, a few are upside down, they have three times the finest
    detail (power) of the training faces, and profiles are 11 % of them, but 3 % of the training
    faces: hence `cut`, `spin`, `sharpen` and `often`.
    """
    move = replace(STILL, rotate=30.0, scale=0.1, shift=0.1, flip=0.5, block=0.5)
    move = replace(move, spin=0.03, cut=0.4, sharpen=0.75)
    often = {f"head_pose={side}_profile": 4.0 for side in ("left", "right")}
    often |= {f"head_pose={side}": 1.5 for side in ("left", "right")}
    head = Head(Attribute("head_pose"), "landmarks", 256, 0.25, 2, "crop")
    base = LossSpec(lam=0.05, alpha=0.05, attribute=0.3, heat=1.0, point="l1")
    return FitSpec(
        "face", CropRule(1.0, (), "box"), _rcn(row, "rcn_mtfl", 80, 2), (head,), 1.0,
        _loss(row, base), DataSpec(labelled_share=0.5, normaliser=(0, 1), repeat=often), move,
        EltSpec(30.0, 0.15, 0.1), steps=24000, batch=32, lr=1.5e-3, seed=seed, threads=1,
        evaluate_every=1000, keep="best",
    )  # fmt: skip


def _jitter(rotate: float) -> AugmentSpec:
    """Scale and translation of 10 % of the crop's side, and a rotation; nothing else."""
    return replace(STILL, rotate=rotate, scale=0.1, shift=0.1)


def _of_classes(row: Row, seed: int, kind: Kind, loss: LossSpec, heads: Sequence[Head]) -> FitSpec:
    """Tables 2 and 3, and the networks that table 5 (right) puts beside them.

    `loss` and `heads` are Seq-MT's. RCN and RCN+ see crops of 80 px, as on faces; TCDCN, whose
    classes are linear in its shared layer, 40 px.
    """
    if row.net in ("RCN", "RCN+"):
        net, source = _rcn(row, "rcn" if row.net == "RCN" else "rcn_plus"), "landmarks"
        loss = LossSpec(1.0, 0.5, 1.0)
    elif row.net == "TCDCN":
        net, source, loss = NetSpec("tcdcn", 40, "gray"), "image", LossSpec(1.0, 0.0, 1.0)
    else:
        base = NetSpec("", 64, "gray", kernel=9, maps=64, convs=5, ones=0, last_kernel=9)
        base = replace(base, dropout=heads[0].dropout)
        net, source = _multitask(row, base)
    return FitSpec(
        kind, CropRule(1.0, (), "box"), net, tuple(replace(h, source=source) for h in heads), 1.0,
        _loss(row, loss), DataSpec(labelled_share=0.5),
        _jitter(20.0), EltSpec(20.0, 0.1, 0.1), steps=5000, lr=1e-3, seed=seed, keep="best",
    )  # fmt: skip


def hgr1_spec(row: Row, seed: int) -> FitSpec:
    """Table 2 and table 5, right: 25 landmarks of hands, 27 gestures."""
    head = Head(Attribute("gesture"), "landmarks", 256, 0.5, 2, "crop")
    return _of_classes(row, seed, "hand", LossSpec(0.5, 0.3, 1.0, gamma=1e-5), (head,))


def multipie_spec(row: Row, seed: int) -> FitSpec:
    """Table 3 and table 5, right: 68 landmarks, 6 emotions and 5 cameras."""
    heads = [
        Head(Attribute(name), "landmarks", 256, 0.25, 2, "crop") for name in ("emotion", "camera")
    ]
    return _of_classes(row, seed, "face", LossSpec(2.0, 0.3, 1.0, gamma=1e-5), heads)


def faces300w_spec(row: Row, seed: int) -> FitSpec:
    """Tables 5 and 6: 68 landmarks; the ELT acts on all images, labelled or not."""
    crop, halves = CropRule(1.3, (), "box"), DataSpec(labelled_share=0.5, normaliser=(36, 45))
    if row.net in ("RCN", "RCN+"):
        net, move = _rcn(row, "rcn" if row.net == "RCN" else "rcn_plus"), _jitter(20.0)
        loss, move = LossSpec(1.0, 0.5, 0.0, elt_on="all"), replace(move, block=1.0)
    else:
        base = NetSpec("", 64, "gray", kernel=9, maps=32, convs=7, ones=0, last_kernel=9)
        net, move = _multitask(row, base)[0], _jitter(30.0)
        loss = LossSpec(2.0, 2.0, 0.0, gamma=1e-5, elt_on="all")
    return FitSpec(
        "face", crop, net, (), 1.0, _loss(row, loss), halves, move,
        EltSpec(20.0, 0.15, 0.1), steps=5000, batch=64, lr=1e-3, seed=seed, keep="best",
    )  # fmt: skip


def faces68_spec(row: Row, seed: int) -> FitSpec:
    """The stand-in for 300W: as there, with the heat's likelihood, so that 1,000 steps tell rows
    apart.
    """
    spec = faces300w_spec(row, seed)
    loss = _loss(row, LossSpec(0.05, 0.05, 0.0, heat=1.0, point="l1", elt_on="all"))
    return replace(
        spec, loss=replace(loss, elt_share=0.5), steps=1000, batch=8, lr=1e-3, threads=1,
        augment=replace(spec.augment, flip=0.5), evaluate_every=200,
    )  # fmt: skip


def aflw_spec(row: Row, seed: int) -> FitSpec:
    """Table 5, right bottom: 19 landmarks, yaw, pitch and roll; levels down to 1x1."""
    head = Head(Attribute("pose", (), 3), "landmarks", 256, 0.0, 2, "crop")
    return FitSpec(
        "face", CropRule(1.0, (), "box"), _rcn(row, "rcn_aflw", 80, 1), (head,), 1.0,
        _loss(row, LossSpec(1.0, 0.5, 1.0, elt_on="all")), DataSpec(labelled_share=0.5),
        replace(_jitter(20.0), block=1.0), EltSpec(20.0, 0.15, 0.1),
        steps=20000, batch=64, lr=1e-3, seed=seed, keep="best",
    )  # fmt: skip


SPECS: dict[str, Callable[[Row, int], FitSpec]] = {
    "shapes": shapes_spec,
    "blocks": blocks_spec,
    "hgr1": hgr1_spec,
    "multipie": multipie_spec,
    "300w": faces300w_spec,
    "faces68": faces68_spec,
    "aflw": aflw_spec,
    "mtfl": mtfl_spec,
}
