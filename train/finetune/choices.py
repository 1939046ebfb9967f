"""From what a project holds to the settings of a run, each with the reason that is printed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tracker.find.model_file import Attribute
from train.config import AugmentSpec, DataSpec, EltSpec, FitSpec
from train.data.from_project import CLIP, Census
from train.evaluate.interval import FEWEST_JUDGED
from train.losses.paper import LossSpec
from train.networks import NetSpec
from train.networks.model import Head
from train.project.layout import Project

LOSSES = ("L", "A", "ELT")
ROUNDS = "rounds"  # self-training (train/finetune/rounds.py)
AUTO = "auto"
BEYOND = ("teacher", "temporal", "plausible")  # not of the paper; off unless asked for
FEWEST_HELD = 5  # labelled objects in the hold-out below which it chooses nothing
FEWEST_TO_TRY = 100  # steps of a run in which it is tried what unlabelled frames bring
ELT_WEIGHT = 0.02
BEYOND_WEIGHTS: Mapping[str, float] = {"teacher": 0.02, "temporal": 1.0, "plausible": 1.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a run may take: seconds, or steps."""

    seconds: float | None = None
    steps: int | None = None

    @property
    def text(self) -> str:
        """How a training remembers what it was asked for; '' for nothing."""
        if self.steps is not None:
            return f"{self.steps} steps"
        return "" if self.seconds is None else f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting, its value as shown, and why it is so."""

    what: str
    value: str
    why: str


def parse_budget(text: str) -> Budget:
    """'20m', '1h', '90s' or '2000it'. ValueError says what is understood."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(it|s|m|h)", text.strip().lower())
    if found is None or float(found[1]) <= 0:
        raise ValueError(f"--budget takes 20m, 1h, 90s or 2000it, found '{text}'")
    number, unit = float(found[1]), found[2]
    if unit == "it":
        return Budget(steps=max(1, round(number)))
    return Budget(seconds=number * {"s": 1, "m": 60, "h": 3600}[unit])


def parse_losses(text: str) -> tuple[str, ...] | None:
    """'L,A,ELT' and the extras, in any case, or None for 'auto'; ValueError names what there is."""
    if text.strip().lower() == AUTO:
        return None
    known = {n.lower(): n for n in (*LOSSES, ROUNDS, *BEYOND)}
    names = [n.strip().lower() for n in text.replace("+", ",").split(",") if n.strip()]
    wrong = [n for n in names if n not in known]
    if wrong or not names:
        raise ValueError(
            f"--losses takes {', '.join((*LOSSES, ROUNDS, *BEYOND))}, separated by commas, "
            f"or {AUTO}; found '{text}'"
        )
    return tuple(dict.fromkeys(known[n] for n in names))


def project_heads(project: Project, base: Sequence[Head], same_markup: bool) -> tuple[Head, ...]:
    """The project's attributes, and those of the base that still make sense.

    A gesture is read as the base reads its own: where that sees the picture's up, thumbs held up
    and down can be told apart by the new one, too.
    """
    heads = []
    if project.gestures:
        gesture = Attribute("gesture", project.gesture_classes)
        ups = any(h.up for h in base if h.attribute.name == "gesture" and h.source == "landmarks")
        heads.append(Head(gesture, up=ups))
    if project.pose:
        heads.append(Head(Attribute("pose", size=3)))
    have = {h.attribute.name for h in heads}
    keep = [h for h in base if h.attribute.name not in have]
    return (*heads, *[h for h in keep if same_markup or h.source == "image"])


def usable_losses(census: Census) -> dict[str, str]:
    """Which of L, A, ELT the data can feed, each with the reason."""
    labelled, unlabelled = census.labelled.get("train", 0), census.unlabelled.get("train", 0)
    ranged = {
        name: sum(sides.get("train", 0) for sides in classes.values())
        for name, classes in census.attributes.items()
    }
    found = {}
    if labelled:
        more = f", {census.spread} spread from such" if census.spread else ""
        found["L"] = f"{labelled} labelled objects{more}"
    if any(ranged.values()):
        found["A"] = ", ".join(f"{n} {name}" for name, n in ranged.items()) + " labels"
    if unlabelled:
        found["ELT"] = f"{unlabelled} unlabelled frames"
    return found


def losses_of(asked: Sequence[str] | None, usable: Mapping[str, str]) -> tuple[str, ...]:
    """The terms of a run from labels: those asked for, else all but the ELT, which is tried.

    ValueError where the project has nothing for one of them, or for none that teaches.
    """
    losses = tuple(k for k in usable if k != "ELT") if asked is None else tuple(asked)
    able = {*usable, *((ROUNDS,) if {"L", "ELT"} <= set(usable) else ())}
    lacking = [k for k in losses if k in (*LOSSES, ROUNDS) and k not in able]
    if ROUNDS in lacking and "L" not in usable:
        lacking = ["L"]
    if lacking or not ({"L", "A"} & set(losses)):
        what = {"L": "labelled frames", "A": "labelled time ranges"}
        raise ValueError(
            f"there is nothing to learn {' and '.join(lacking or ['landmarks or gestures'])} from: "
            f"the project has no {what.get((lacking or ['L'])[0], 'unlabelled frames')} "
            "outside the hold-out"
        )
    return losses


def choose_course(
    asked: Sequence[str] | None, census: Census, spec: FitSpec, together: bool = False
) -> tuple[str, Choice | None]:
    """How a run goes, 'plain', 'rounds' or 'auto', and why; no reason where there is no choice.

    `together`: several processes train, which try nothing. ValueError where they are to.
    """
    what, held = "unlabelled frames", census.labelled.get("hold", 0)
    if asked is not None and ROUNDS not in asked:
        return "plain", None
    if asked is not None and together:
        raise ValueError("self-training runs in one process; under torchrun leave out rounds")
    if asked is not None:
        why = "while the hold-out gains" if spec.keep == "best" else "the hold-out cannot choose"
        return ROUNDS, Choice("self-training", "rounds" if spec.keep == "best" else "1 round", why)
    usable = usable_losses(census)
    if not {"L", "ELT"} <= set(usable):
        return "plain", None
    if together:
        return "plain", Choice(what, "not used", "several processes try nothing: give --losses")
    if held < FEWEST_JUDGED or spec.keep != "best":
        short = f"{held} held-out objects cannot tell what they bring, {FEWEST_JUDGED} can"
        why = short if held < FEWEST_JUDGED else "the hold-out lacks a class"
        return "plain", Choice(what, "not used", f"{why}: labels alone are safe")
    if spec.steps < FEWEST_TO_TRY:
        why = f"{spec.steps} steps are too few to try it, {FEWEST_TO_TRY} are enough"
        return "plain", Choice(what, "not used", f"{why}: labels alone are safe")
    why = f"ELT and a round of self-training are tried for the same time; {held} held-out objects"
    return AUTO, Choice(what, "tried", f"{why} choose")


# What the localiser of a run does not know when it starts: everything (from scratch), some of the
# landmarks, nothing
New = Literal["all", "some", "nothing"]


def choose_spec(
    project: Project,
    census: Census,
    heads: Sequence[Head],
    losses: Sequence[str],
    net: NetSpec,
    new: New,
) -> tuple[FitSpec, list[Choice]]:
    """The settings of a run (steps and threads are set later) and the reasons."""
    scratch = new == "all"
    labelled, unlabelled = census.labelled.get("train", 0), census.unlabelled.get("train", 0)
    frozen = "L" not in losses and not scratch
    share = labelled_part(labelled, unlabelled, losses)
    batch = 32 if labelled + unlabelled < 4000 else 64
    # A mirrored hand is the other hand, point for point; of other things only partners tell.
    flips = project.kind == "hand" or bool(project.flip_pairs)
    augment = AugmentSpec(
        rotate=35.0, scale=0.25, shift=0.1, flip=0.5 if flips else 0.0,
        colour=0.7, blur=0.15, occlude=0.2, whole=0.3 if project.kind == "object" else 0.0,
    )  # fmt: skip
    spec = FitSpec(
        kind=project.kind, crop=project.crop, net=net, heads=tuple(heads),
        loss=loss_of(losses, labelled, frozen),
        data=DataSpec(
            labelled_share=share,
            negatives=0.0 if frozen else 0.12,
            near_misses=1.0 if not census.negatives else 0.5,
            normaliser=project.normaliser,
            repeat=by_hand_repeated(labelled, census.spread),
        ),
        augment=augment, elt=EltSpec(), batch=batch,
        lr=2e-3 if scratch else tuned_rate(labelled, new == "nothing" and "A" not in losses),
        warmup=50, ema=0.995, keep=kept_weights(census, losses), freeze=frozen,
        freeze_norms=not scratch, late_heads=True,
    )  # fmt: skip
    return spec, _reasons(spec, census, losses, scratch)


def loss_of(losses: Sequence[str], labelled: int, frozen: bool) -> LossSpec:
    """The weights of the terms that were asked for; `frozen`: only the heads learn."""
    loss = LossSpec(
        lam=0.05 if "L" in losses else 0.0,
        point="l1",
        heat=1.0 if "L" in losses else 0.0,
        alpha=ELT_WEIGHT if "ELT" in losses and not frozen else 0.0,
        elt_on="unlabelled" if labelled else "all",
        elt_share=0.5,
        attribute=(1.0 if frozen else 0.1) if "A" in losses else 0.0,
        presence=0.0 if frozen else 0.2,
    )
    on = {name: BEYOND_WEIGHTS[name] for name in BEYOND if name in losses and not frozen}
    return replace(loss, **on)  # type: ignore[arg-type]


def labelled_part(labelled: int, unlabelled: int, losses: Sequence[str]) -> float:
    """Share of a batch with landmark labels: all where nothing uses the others, else half."""
    if not labelled or not unlabelled:
        return 0.0
    return 0.5 if {"ELT", "A", *BEYOND} & set(losses) else 1.0


def by_hand_repeated(labelled: int, spread: int) -> dict[str, float]:
    """How often an epoch repeats what is labelled by hand, so that what was spread from it, many
    frames that are much alike, is no more than half of the labels that are learnt from.
    """
    return {CLIP: spread / labelled} if spread > labelled > 0 else {}


def kept_weights(census: Census, losses: Sequence[str]) -> str:
    """'best' where the hold-out can tell what is best, else 'last'.

    It can with enough labelled objects, and with examples of every class that is learnt: else
    it would keep weights from before that gesture was learnt.
    """
    if "L" in losses and census.labelled.get("hold", 0) < FEWEST_HELD:
        return "last"
    told = [
        sides.get("hold", 0)
        for classes in census.attributes.values()
        for sides in classes.values()
        if sides.get("train", 0)
    ]
    return "last" if "A" in losses and not all(told) else "best"


def tuned_rate(labelled: int, known: bool = False) -> float:
    """Top learning rate of fine-tuning: few labels must not carry trained weights far away.

    3e-4 for 50 labelled objects, below that in proportion to their number, 5e-5 at least; above
    with its root, up to 1e-3 from 556 on. Where nothing is new, neither landmarks nor heads
    (`known`), far less, or a clip or two are learnt by heart within ten steps (docs/measured.md):
    2e-5 up to 50 objects, above in proportion, up to 1e-3.
    """
    share = labelled / 50
    if known:
        return float(min(1e-3, 2e-5 * max(share, 1.0)))
    return float(min(1e-3, 3e-4 * share**0.5) if share >= 1 else max(5e-5, 3e-4 * share))


def _reasons(spec: FitSpec, census: Census, losses: Sequence[str], scratch: bool) -> list[Choice]:
    labelled, unlabelled = census.labelled.get("train", 0), census.unlabelled.get("train", 0)
    usable = usable_losses(census)
    told = [
        Choice("losses", "+".join(losses), "; ".join(f"{k}: {v}" for k, v in usable.items())),
        Choice("batch", str(spec.batch), f"{labelled} labelled, {unlabelled} unlabelled"),
        Choice("learning rate", f"{spec.lr:g}", "from scratch" if scratch else "trained weights"),
    ]  # fmt: skip
    if spec.freeze:
        told.append(Choice("localiser", "frozen", "no landmark labels: only the heads learn"))
    if spec.data.labelled_share == 0.5:
        told.append(Choice("labelled part of a batch", "half", "few labels would drown otherwise"))
    if spec.data.repeat:
        why = f"{census.spread} were spread from {labelled}, which would drown otherwise"
        told.append(Choice("labels by hand", "half of the labels of a batch", why))
    if spec.keep == "last":
        if census.labelled.get("hold", 0) >= FEWEST_HELD:
            what, why = "the last, blended with the start's", "the hold-out lacks a class"
        else:
            what = "the last, half way back to the start's"
            why = "the hold-out shows too little to choose by"
        told.append(Choice("weights kept", what, why))
    if spec.augment.flip == 0:
        told.append(Choice("mirroring", "off", "the markup names no left-right partners"))
    return told


def left_out(heads: Sequence[Head], base: Sequence[Head]) -> list[str]:
    """A sentence on what the base tells and the new model will not."""
    kept = {head.attribute.name for head in heads}
    lost = [head.attribute.name for head in base if head.attribute.name not in kept]
    if not lost:
        return []
    return [
        f"the new model will not tell {' and '.join(lost)}, as the base does: "
        "it reads them from landmarks that this project does not have"
    ]


def missing_attributes(heads: Sequence[Head], census: Census) -> list[str]:
    """Sentences on classes that the ranges hardly show."""
    told = []
    for head in heads:
        found = census.attributes.get(head.attribute.name)
        if found is None:
            continue
        for name in head.attribute.classes:
            count = found.get(name, {}).get("train", 0)
            if count < 20 and name != "none":
                told.append(
                    f"{head.attribute.name} '{name}' has {count} training frames; 100 are good"
                )
    return told
