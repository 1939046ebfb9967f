"""OSC messages at the rate of frames: python-osc builds each address once, numbers are packed in.

Building a message anew costs about 20 microseconds, and a hand and a face are a hundred of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.installation import install
from tracker.errors import UserError

MOST = 1400  # bytes of a datagram, so that networks do not cut it
HEAD = b"#bundle\x00" + struct.pack(">Q", 1)  # time tag 1: at once

Argument = float | int | str


def need_osc() -> None:
    """UserError where python-osc is not installed."""
    try:
        import pythonosc.osc_message_builder  # noqa: F401
    except ImportError as error:
        raise UserError(f"python-osc is not installed; run: {install('outputs')}") from error


def message(address: str, *values: Argument) -> bytes:
    """One OSC message: floats as f, integers as i, texts as s."""
    if any(isinstance(value, str) for value in values):
        return _built(address, values)
    types = "".join("i" if isinstance(value, int) else "f" for value in values)
    return _start(address, types) + struct.pack(f">{types}", *values)


@lru_cache(maxsize=4096)
def _start(address: str, types: str) -> bytes:
    """Address and type tags of a message whose arguments, four bytes each, follow."""
    zeros = tuple(0 if kind == "i" else 0.0 for kind in types)
    whole = _built(address, zeros)
    return whole[: len(whole) - 4 * len(zeros)]


@lru_cache(maxsize=4096)
def named(address: str, name: str, types: str) -> bytes:
    """The same with a text as first argument."""
    zeros = tuple(0 if kind == "i" else 0.0 for kind in types)
    whole = _built(address, (name, *zeros))
    return whole[: len(whole) - 4 * len(zeros)]


def rows(addresses: Sequence[str], values: NDArray[np.floating[Any]]) -> list[bytes]:
    """A message of floats for each address: values (N, M), a row each."""
    count = values.shape[1]
    data, size = values.astype(">f4").tobytes(), 4 * count
    return [
        _start(address, "f" * count) + data[i : i + size]
        for address, i in zip(addresses, range(0, len(data), size), strict=False)
    ]


def _built(address: str, values: Sequence[Argument]) -> bytes:
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    for value in values:
        kind = "s" if isinstance(value, str) else "i" if isinstance(value, int) else "f"
        builder.add_arg(value, kind)
    return bytes(builder.build().dgram)


def bundles(messages: Iterable[bytes], most: int = MOST) -> Iterator[bytes]:
    """Messages in as few bundles as fit into datagrams of `most` bytes."""
    parts, size = [HEAD], len(HEAD)
    for data in messages:
        if size + 4 + len(data) > most and len(parts) > 1:
            yield b"".join(parts)
            parts, size = [HEAD], len(HEAD)
        parts += [struct.pack(">i", len(data)), data]
        size += 4 + len(data)
    if len(parts) > 1:
        yield b"".join(parts)
