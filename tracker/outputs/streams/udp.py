"""`udp://HOST:PORT`: each line a datagram; the header again every second, for who comes later."""

from __future__ import annotations

from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.streams.address import Datagrams
from tracker.outputs.streams.lines import Lines
from tracker.result import Result
from tracker.types import Frame

AGAIN = 1.0  # seconds
MOST = 65507  # bytes of a datagram


class UdpLines:
    """Sends lines to one address."""

    def __init__(self, target: str, about: About) -> None:
        """UserError where that is no address."""
        self._out, self._lines = Datagrams(target), Lines(about)
        self._told: float | None = None  # when the header was last sent

    def put(self, frame: Frame, result: Result | None) -> None:
        """Send the lines of a frame."""
        lines = self._lines.next(frame, result)
        if self._told is not None and frame.t - self._told >= AGAIN:
            lines.insert(0, self._lines.header)
        if self._told is None or len(lines) > 1:
            self._told = frame.t
        for line in lines:
            data = line.encode()
            if len(data) > MOST:
                raise UserError(
                    f"a line of {len(data)} bytes fits into no datagram; follow fewer objects, or "
                    "use ws:// instead"
                )
            self._out.send(data)

    def close(self, whole: bool) -> None:
        """Send nothing more."""
        self._out.close()
