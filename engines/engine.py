"""What a loaded network is, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Batch = NDArray[np.float32]
Outputs = dict[str, NDArray[Any]]


class Engine(Protocol):
    """A loaded network. `run` takes one float32 batch and returns every output by its name."""

    @property
    def provider(self) -> str:
        """What truly runs the network, such as 'CPUExecutionProvider' or 'LiteRT'."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads inside one `run`."""
        ...

    @property
    def props(self) -> Mapping[str, str]:
        """The file's own metadata; empty where its format has none."""
        ...

    def run(self, batch: Batch) -> Outputs:
        """Outputs by name. Raises ValueError when the batch does not fit the network's input."""
        ...


def misfit(batch: Batch, wanted: object) -> str:
    """The sentence about a batch that a network does not take; `wanted`: what its input is."""
    return f"a batch {batch.dtype} {batch.shape} does not fit the network's input {wanted}"


def first_line(words: object) -> str:
    """The first line of a library's message, which may be pages long."""
    return str(words).strip().partition("\n")[0][:200]
