"""`osc:/ADDRESS VALUE...`: Open Sound Control by UDP, to `[osc] to`, or osc:HOST:PORT/ADDRESS."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.actions.run import Phase
from tracker.outputs.streams.address import place

DEFAULT = "127.0.0.1:9000"
VALUE = "VALUE"  # stands for what a slider says


@dataclass(frozen=True, slots=True)
class Message:
    """`where` '': as `[osc] to` says."""

    where: str
    address: str
    values: tuple[int | float | str, ...]


def parse(text: str) -> Message:
    """ValueError where there is no address."""
    words = shlex.split(text)
    where, slash, address = (words[0] if words else "").partition("/")
    if not slash or not address:
        raise ValueError(f"'osc:{text}' has no address; write osc:/ADDRESS VALUE...")
    if where:
        host_port(where)
    return Message(where, f"/{address}", tuple(map(_value, words[1:])))


def host_port(text: str) -> tuple[str, int]:
    """HOST:PORT. ValueError where it is none."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{text!r} is no HOST:PORT; write {DEFAULT}")
    return host, int(port)


def _value(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


class Osc:
    """Sends messages."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """UserError without python-osc is raised where it is opened, see `runners.py`."""
        from pythonosc.udp_client import SimpleUDPClient

        self._make = SimpleUDPClient
        self._to = str(settings.get("to", DEFAULT))
        self._clients: dict[str, Any] = {}

    def run(self, what: Message, phase: Phase, value: float) -> None:
        if phase == "end":
            return
        where = what.where or self._to
        if where not in self._clients:
            host, port = host_port(where)
            self._clients[where] = self._make(host, port, family=place(host, port)[0])
        values: list[int | float | str] = [value if v == VALUE else v for v in what.values]
        if phase == "value" and VALUE not in what.values:
            values.append(value)
        self._clients[where].send_message(what.address, values)

    def close(self) -> None:
        self._clients.clear()
