"""Datagrams are lost without a word where they only cannot go out now."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

import pytest

from tracker.actions.osc import Osc, parse
from tracker.errors import UserError
from tracker.outputs.streams.address import Datagrams, address


@pytest.fixture
def heard() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        yield ear


class Refusing:
    """A socket whose sends fail with an error of the system until `error` is 0."""

    def __init__(self, sound: socket.socket, error: int) -> None:
        self.sound, self.error = sound, error

    def sendto(self, data: bytes, where: tuple[str, int]) -> int:
        if self.error:
            raise OSError(self.error, "so the system says")
        return self.sound.sendto(data, where)

    def close(self) -> None:
        self.sound.close()


@pytest.mark.parametrize(
    "target",
    ["osc:/x", "osc:192.168.1.20:9000", "osc://192.168.1.20:9000/x", "osc://a?b", "osc:#a"],
)
def test_a_host_that_would_be_left_out_is_refused(target: str) -> None:
    """Sent to this computer in its place, it would be looked for in vain."""
    with pytest.raises(UserError) as caught:
        address(target, 9000)
    assert str(caught.value) == (
        f"{target} is no address of a host and a port alone; give one such as osc://127.0.0.1:9000"
    )


def test_what_is_not_written_out_is_this_computer_and_the_usual_port() -> None:
    for target in ("osc:", "osc://", "osc://:9000", "osc://127.0.0.1", "osc://127.0.0.1:9000/"):
        assert address(target, 9000) == ("127.0.0.1", 9000), target


def test_brackets_that_do_not_close_are_no_port() -> None:
    with pytest.raises(UserError, match="no usable port; give one such as"):
        address("udp://[::1:9")


@pytest.mark.parametrize("host", ["foo..bar", f"{'a' * 64}.example"])
def test_a_host_that_is_no_name_is_told(host: str) -> None:
    """A part of a name has 1 to 63 letters (RFC 1035); Python raises no OSError then."""
    with pytest.raises(UserError, match=r"cannot be reached: .*; check the host's name"):
        Datagrams(f"udp://{host}:5005")


def test_localhost_is_where_programs_listen(
    heard: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, Windows and Debian, whose resolvers name ::1 first."""
    port = heard.getsockname()[1]
    both = [(socket.AF_INET6, ("::1", port, 0, 0)), (socket.AF_INET, ("127.0.0.1", port))]

    def getaddrinfo(host: str, *_: object, family: int = 0, **__: object) -> list[object]:
        assert host == "localhost"
        return [(f, socket.SOCK_DGRAM, 17, "", a) for f, a in both if family in (0, f)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    out = Datagrams(f"udp://localhost:{port}")
    out.send(b"from an output")
    assert heard.recv(100) == b"from an output"
    out.close()
    pytest.importorskip("pythonosc", reason="python-osc is not installed")
    Osc({"to": f"localhost:{port}"}).run(parse("/an_action"), "begin", 0.0)
    assert heard.recv(100).startswith(b"/an_action")


@pytest.mark.parametrize("error", [errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN])
def test_a_network_that_drops_and_comes_back_ends_nothing(heard: socket.socket, error: int) -> None:
    out = Datagrams(f"udp://127.0.0.1:{heard.getsockname()[1]}")
    cut = Refusing(out._socket, error)
    out._socket = cut  # type: ignore[assignment]
    assert out.send(b"lost") is False
    cut.error = 0
    assert out.send(b"here again") is True
    assert heard.recv(100) == b"here again"
    out.close()


def test_what_never_goes_out_is_told(heard: socket.socket) -> None:
    """A datagram has 65,507 bytes at most: with one more the system itself refuses."""
    out = Datagrams(f"udp://127.0.0.1:{heard.getsockname()[1]}")
    with pytest.raises(OSError) as caught:
        out.send(b"x" * 65508)
    assert caught.value.errno == errno.EMSGSIZE
    out.close()
