"""Which of several processes this is, told by torchrun in the environment. No torch here."""

from __future__ import annotations

import os


def rank() -> int:
    """0 for the process that evaluates, writes and prints."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes train together; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leading() -> bool:
    """Whether this process is the one that evaluates, writes and prints."""
    return rank() == 0
