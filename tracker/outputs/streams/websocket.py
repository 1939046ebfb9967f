"""`ws://HOST:PORT`: a WebSocket server; whoever connects gets the header, then a line a frame.

`http://HOST:PORT/` is a page that draws the lines in a browser. A browser's page of another origin
is refused, so that no web site listens in; programs send no origin. A client that does not read
loses lines, and holds up nobody, not even the end: then it is cut off.
"""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from threading import Lock, Thread, current_thread
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from engines.installation import install
from tracker.errors import UserError
from tracker.outputs.output import About
from tracker.outputs.streams.address import address
from tracker.outputs.streams.lines import Lines
from tracker.result import Result
from tracker.slots import Backlog
from tracker.types import Frame

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import ServerConnection

PORT = 8765
HELD = 1 << 20  # bytes of lines that wait for one client
PARTING = 1.0  # s in the end for clients to take what waits for them, and to say goodbye
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class WebSocketServer:
    """Serves lines to any number of clients."""

    def __init__(self, target: str, about: About) -> None:
        """Begin to listen. UserError where that cannot be done, or websockets is not there."""
        try:
            from websockets.exceptions import ConnectionClosed
            from websockets.sync.server import serve
        except ImportError as error:
            raise UserError(f"websockets is not installed; run: {install('outputs')}") from error
        self._gone = ConnectionClosed
        self._host, port = address(target, PORT)
        self._lines, self._lock = Lines(about), Lock()
        self._clients: list[Backlog[str]] = []
        self._talks: dict[Thread, ServerConnection] = {}  # those that have ended among them
        try:
            self._server = serve(
                self._talk,
                self._host,
                port,
                family=socket.AF_INET6 if ":" in self._host else socket.AF_INET,
                process_request=self._answer,
                logger=logging.getLogger("tracker.outputs.websocket"),
            )
        except OSError as error:
            raise UserError(
                f"{target} cannot be served: {error.strerror or error}; choose another port"
            ) from error
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = Thread(target=self._server.serve_forever, name="websocket", daemon=True)
        self._thread.start()

    def put(self, frame: Frame, result: Result | None) -> None:
        """Offer the lines of a frame to each client."""
        text = "".join(self._lines.next(frame, result))
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            client.put(text, len(text))

    def heard(self) -> str:
        """How many clients there are."""
        count = len(self._clients)
        return "1 client" if count == 1 else f"{count} clients"

    def close(self, whole: bool) -> None:
        """Let everybody go and listen no more."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        self._cut_off()
        self._server.shutdown()
        self._thread.join(1.0)

    def _cut_off(self) -> None:
        """Part with who is still there after PARTING: its thread would wait for it for ever."""
        with self._lock:
            talks = dict(self._talks)
        deadline = monotonic() + PARTING
        for thread, connection in talks.items():
            thread.join(max(deadline - monotonic(), 0.0))
            if thread.is_alive():
                with suppress(OSError):  # it has gone meanwhile
                    connection.socket.shutdown(socket.SHUT_RDWR)

    def _talk(self, connection: ServerConnection) -> None:
        """One client, on its own thread."""
        client: Backlog[str] = Backlog(HELD)
        # What waits in the system is old, and not counted here.
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD // 8)
        if self._lines.header:
            client.put(self._lines.header, len(self._lines.header))
        with self._lock:
            self._clients.append(client)
            self._talks = {t: c for t, c in self._talks.items() if t.is_alive()}
            self._talks[current_thread()] = connection
        try:
            while not client.finished:
                text = client.get(0.5)
                for line in [] if text is None else text.split("\n")[:-1]:
                    connection.send(line)
                self._listen(connection)
        except self._gone:
            pass
        finally:
            with self._lock:
                self._clients = [c for c in self._clients if c is not client]

    def _listen(self, connection: ServerConnection) -> None:
        """Throw away what a client says; raises when it has gone."""
        with suppress(TimeoutError):
            while True:
                connection.recv(0)

    def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """The page, or a refusal; None: it may become a WebSocket."""
        host = request.headers.get("Host", "")
        origin = request.headers.get("Origin")
        named = urlsplit(f"//{host}").hostname
        if self._host in LOOPBACK and named not in LOOPBACK:
            return connection.respond(HTTPStatus.FORBIDDEN, "this computer only\n")
        if origin is not None and urlsplit(origin).netloc != host:
            return connection.respond(HTTPStatus.FORBIDDEN, "this is another site's\n")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        if urlsplit(request.path).path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "there is only /\n")
        page = files("tracker.outputs.streams").joinpath("page.html").read_text(encoding="utf-8")
        response = connection.respond(HTTPStatus.OK, page)
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        return response
