"""The terms of the loss by name, and their sum. One file a family.

To add one, write its file and a row of TERMS; its weight is set with `--set loss.more.NAME=0.1`.
"""

from __future__ import annotations

from dataclasses import fields

from torch import Tensor

from train.losses import beyond, faces, paper
from train.losses.paper import LossSpec, Seen, Term

# In the order in which they are added up.
TERMS: dict[str, Term] = {term.name: term for term in (*paper.TERMS, *beyond.TERMS, *faces.TERMS)}


def composite(seen: Seen, step: int = 0, steps: int = 1) -> dict[str, Tensor]:
    """Every term that is on by name, already weighted; their sum is the cost.

    `step` of `steps`: how far the training is, for weights that rise. Heads have their own name.
    """
    terms: dict[str, Tensor] = {}
    for term in TERMS.values():
        weight = seen.spec.weight(term.weight)
        value = term.value(seen) if weight or term.always else None
        if value is None:
            continue
        values = value if isinstance(value, dict) else {term.name: value}
        for name, one in values.items():
            terms[name] = weight * one
            if term.rise is not None:
                terms[name] = terms[name] * term.rise(seen.spec, step, steps)
    return terms


def needed(spec: LossSpec) -> set[str]:
    """What must be made for the terms that are on (`Term.needs`)."""
    on = (term for term in TERMS.values() if spec.weight(term.weight))
    return {need for term in on for need in term.needs}


def check_weights(spec: LossSpec) -> None:
    """ValueError for a weight in `more` that no term has, or that has a field of its own."""
    own = {f.name for f in fields(spec)}
    free = [term.weight for term in TERMS.values() if term.weight not in own]
    for name in spec.more:
        if name not in free:
            raise ValueError(
                f"loss.more.{name} is the weight of no term; there are {', '.join(sorted(free))}"
            )
