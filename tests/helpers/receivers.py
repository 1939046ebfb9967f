"""Who listens in the tests of what is sent: sockets and servers of other people's making."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

from tests.helpers.live import wait_for


class Mailbox:
    """A UDP socket that keeps what comes."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(5)
        self.port: int = self._socket.getsockname()[1]

    def take(self) -> bytes:
        return self._socket.recv(65535)

    def is_empty(self) -> bool:
        self._socket.settimeout(0.1)
        try:
            self._socket.recv(65535)
        except TimeoutError:
            return True
        finally:
            self._socket.settimeout(5)
        return False

    def close(self) -> None:
        self._socket.close()


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()
    try:
        yield box
    finally:
        box.close()


class OscEars:
    """python-osc's own server; every message in order."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[object, ...]]] = []
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(
            lambda address, *values: self.heard.append((address, values))
        )
        self._server = BlockingOSCUDPServer(("127.0.0.1", 0), dispatcher)
        self.port: int = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def wait(self, address: str, count: int = 1) -> list[tuple[object, ...]]:
        """Values of the first `count` messages to an address, or more."""
        wait_for(lambda: len(self.values(address)) >= count, f"{count} of {address}: {self.heard}")
        return self.values(address)

    def values(self, address: str) -> list[tuple[object, ...]]:
        return [values for heard, values in list(self.heard) if heard == address]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()


@contextmanager
def osc_ears() -> Iterator[OscEars]:
    ears = OscEars()
    try:
        yield ears
    finally:
        ears.close()
