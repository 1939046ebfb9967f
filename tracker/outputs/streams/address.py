"""Where a stream goes: `SCHEME://HOST:PORT`; the host is this computer unless it is written out."""

from __future__ import annotations

import socket
from contextlib import suppress
from errno import (
    EADDRNOTAVAIL,
    EHOSTDOWN,
    EHOSTUNREACH,
    ENETDOWN,
    ENETUNREACH,
    ENOBUFS,
)
from typing import Any
from urllib.parse import urlsplit

from tracker.errors import UserError

HERE = "127.0.0.1"
# A network that is away, such as Wi-Fi that dropped, may come back.
AWAY = (ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH, EADDRNOTAVAIL, ENOBUFS)


def address(target: str, port: int | None = None) -> tuple[str, int]:
    """Host and port of a target; `port` where it names none. UserError where that is no address.

    Port 0 is any free one, which servers may ask for.
    """
    example = f"one such as {target.partition(':')[0].lower()}://{HERE}:{port or 5005}"
    try:
        parts = urlsplit(target)
        given = parts.port
    except ValueError as error:
        raise UserError(f"{target} has no usable port; give {example}") from error
    # Without its two slashes a host is a path: left out, all would go to this computer instead.
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise UserError(f"{target} is no address of a host and a port alone; give {example}")
    found = port if given is None else given
    if found is None:
        raise UserError(f"{target} names no port; give {example}")
    return parts.hostname or HERE, found


def place(host: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """Where datagrams to a host go, IPv4 first: localhost is often ::1, where few programs listen.

    OSError where the host is not known, UnicodeError where it is no name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, _, _, _, where = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, where


class Datagrams:
    """A UDP socket that only sends, and waits for nobody: what cannot go out is lost."""

    def __init__(self, target: str, port: int | None = None) -> None:
        """UserError where the host is not known."""
        self.host, self.port = address(target, port)
        if self.port == 0:
            raise UserError(f"{target} has no usable port; give another one than 0")
        try:
            family, self._where = place(self.host, self.port)
        except (OSError, UnicodeError) as error:
            fact = getattr(error, "strerror", None) or error
            raise UserError(f"{target} cannot be reached: {fact}; check the host's name") from error
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, data: bytes) -> bool:
        """Send a datagram; False where it did not go out: nobody listens, no room is left, or the
        network is away. OSError where none ever will: it is too long, or not allowed.
        """
        try:
            self._socket.sendto(data, self._where)
        except (BlockingIOError, ConnectionError):
            return False
        except OSError as error:
            if error.errno not in AWAY:
                raise
            return False
        return True

    def close(self) -> None:
        """Send nothing more."""
        with suppress(OSError):
            self._socket.close()
