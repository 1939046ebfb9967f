"""What belongs to the user and not to a project: a folder of this program, and a key in it.

Projects and models come from others; whatever of theirs must be believed is marked with the key,
which never leaves this folder.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

KEY = "key"


def cache_folder(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where this program keeps what it made itself; it may be deleted at any time."""
    if environ.get("LANDMARK_TRACKER_CACHE"):
        return Path(environ["LANDMARK_TRACKER_CACHE"])
    if system == "win32" and environ.get("LOCALAPPDATA"):
        home = Path(environ["LOCALAPPDATA"])
    elif system == "darwin":
        home = Path.home() / "Library" / "Caches"
    else:
        home = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "landmark-tracker"


def seal(data: bytes, make: bool) -> bytes:
    """The mark (32 bytes) that this user alone can put on `data`; b'' where there is no key yet.

    With `make` a key is made where there is none. OSError where that cannot be written.
    """
    path = cache_folder() / KEY
    if not path.is_file():
        if not make:
            return b""
        _make_key(path)
    return hmac.digest(path.read_bytes(), data, sha256)


def is_sealed(data: bytes, mark: bytes) -> bool:
    """Whether `seal` of this user gave the mark."""
    try:
        found = seal(data, make=False)
    except OSError:
        return False
    return bool(found) and hmac.compare_digest(found, mark)


def note(kind: str, name: str) -> None:
    """Remember a name; where that cannot be written it will be asked for again."""
    place = cache_folder() / kind / name
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()


def is_noted(kind: str, name: str) -> bool:
    """Whether `note` was told the name."""
    return (cache_folder() / kind / name).is_file()


def _make_key(path: Path) -> None:
    """Whole or not at all, for this user's eyes; of two at once the first stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{KEY}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(beside, path)
    except OSError:
        if not path.is_file():  # no links here, as on some network drives
            beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
