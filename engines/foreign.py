"""Networks of others: looked through and tried once, before they are run here."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from engines.onnx_file import check_onnx
from engines.trial import try_out
from engines.user_folder import is_noted, note

BUNDLED = Path(__file__).resolve().parent.parent / "assets"
KIND = "networks"
_known: set[str] = set()


def refuse_unsafe(path: Path) -> None:
    """ValueError in one sentence where an ONNX file must not be run here. OSError: unreadable.

    Those that come with the program, those that were made here (`made_here`) and those that were
    tried before are taken as they are; the others are looked through, and run in a child.
    """
    if path.resolve().is_relative_to(BUNDLED):
        return
    digest = sha256(path.read_bytes()).hexdigest()
    if digest in _known or is_noted(KIND, digest):
        return
    check_onnx(path)
    try_out(path)
    _remember(digest)


def made_here(path: Path) -> None:
    """A network that this program has just made need not be tried."""
    _remember(sha256(path.read_bytes()).hexdigest())


def _remember(digest: str) -> None:
    _known.add(digest)
    note(KIND, digest)
