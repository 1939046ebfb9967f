"""Where faces at rest are kept: a file a person, in the user's settings.

    {"schema": 1, "captures": [
      {"when": "2026-11-29T17:00:00", "frames": 88, "model": "5c1f...", "proportions": [2.31, ...],
       "expressions": {"browDownLeft": 0.12, ...}}]}

The last capture counts; some of those before it stay, so that none is lost by mistake.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from tracker.errors import UserError, writing
from tracker.find.expressions import by_name, in_order
from tracker.follow.neutral import SPREAD, NeutralFace
from tracker.plain_data import bare_name, finite, from_json
from tracker.settings_folder import settings_folder
from tracker.whole_files import read_text, write_whole

SCHEMA = 1
USUAL = "me"
KEPT = 20  # captures


def folder() -> Path:
    """Where the files are; nobody makes it here."""
    return settings_folder() / "neutral"


def people() -> list[str]:
    """Whose face at rest is kept."""
    return sorted(path.stem for path in folder().glob("[!.]*.json"))


def file_of(who: str) -> Path:
    """The file of a person; `who` may be a path of one. UserError for what is no name."""
    if who.endswith(".json"):
        return Path(who)
    try:
        return folder() / f"{bare_name(who)}.json"
    except (TypeError, ValueError) as error:
        raise UserError(f"{who!r} is no name for a face; write a word, or a FILE.json") from error


def meant_face(wish: str) -> Path | None:
    """By a choice: '' the usual person's where it was captured, 'none' none, else a person's."""
    if wish == "none":
        return None
    if wish:
        return file_of(wish)
    usual = file_of(USUAL)
    return usual if usual.is_file() else None


def chosen_face(wish: str) -> Path | None:
    """`meant_face`; UserError where it is not there."""
    found = meant_face(wish)
    if found is not None and not found.is_file():
        raise UserError(
            f"there is no face at rest at {found}; press N in 'tracker live', or run 'tracker "
            "neutral take'"
        )
    return found


def read_face(path: Path) -> NeutralFace:
    """The last capture of a file. UserError where it is no such file."""
    try:
        last = _captures(path)[-1]
        expressions = {str(k): finite(v, 0, 1) for k, v in last["expressions"].items()}
        shape = np.array([finite(v) for v in last["proportions"]])
        if len(shape) != len(SPREAD):
            raise ValueError(f"{len(shape)} proportions")
        values = np.array(in_order(expressions), np.float32)
        return NeutralFace(values, shape, int(last["frames"]), str(last.get("model", "")))
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{path} holds no face at rest that can be read ({error or type(error).__name__}); "
            "move it away, or give another file"
        ) from error


def keep_face(path: Path, face: NeutralFace) -> None:
    """Add a capture, which counts from now on; written whole. UserError where that fails."""
    before = []
    if path.exists():
        read_face(path)  # what is no such file stays as it is
        before = _captures(path)[1 - KEPT :]
    capture = {
        "when": datetime.now().isoformat(timespec="seconds"),
        "frames": face.frames,
        "model": face.model,
        "proportions": [round(float(v), 4) for v in face.proportions],
        "expressions": {k: round(v, 4) for k, v in by_name(face.expressions).items()},
    }
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": SCHEMA, "captures": [*before, capture]}, indent=1)
    write_whole(path, f"{text}\n".encode())


def _captures(path: Path) -> list[dict[str, Any]]:
    found = from_json(read_text(path))
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"it is no file of schema {SCHEMA}")
    captures = found["captures"]
    if not isinstance(captures, list) or not all(isinstance(c, dict) for c in captures):
        raise ValueError("its captures are no list of objects")
    return captures
