"""The rows of a table of trainings: which terms of equation 2 are on."""

from __future__ import annotations

from dataclasses import replace

from train.config import FitSpec
from train.losses.paper import with_terms

# The paper's four. name: (attribute term on, ELT on)
ROWS = {"L": (False, False), "L+A": (True, False), "L+ELT": (False, True), "L+ELT+A": (True, True)}


def row_spec(spec: FitSpec, name: str) -> FitSpec:
    """The config with this row's terms of equation 2 turned on or off."""
    return replace(spec, loss=with_terms(spec.loss, name.split("+")))
