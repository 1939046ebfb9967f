"""Which of a file's landmarks is which of the project's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.whole_files import read_text
from train.exchange.foreign import repeated


@dataclass(frozen=True, slots=True)
class Match:
    """Where each of a file's landmarks goes."""

    places: tuple[int, ...]  # index of the project's landmark, -1: none
    unknown: tuple[str, ...]  # landmarks of the file that the project lacks
    missing: tuple[str, ...]  # landmarks of the project that the file lacks


def plain(name: str) -> str:
    """A name without case, spaces, - and _."""
    return re.sub(r"[\s_-]+", "", name).casefold()


def read_map(given: str) -> dict[str, str]:
    """Their name -> our name, from 'theirs=ours,...' or a file of such lines ('' : no map).

    ValueError for a line that is neither, UserError for a file that cannot be read.
    """
    if not given:
        return {}
    in_file = "=" not in given or _is_file(given)
    pairs: dict[str, str] = {}
    for part in read_text(Path(given)).splitlines() if in_file else given.split(","):
        if not part.strip() or part.lstrip().startswith("#"):
            continue
        theirs, equals, ours = part.partition("=")
        if not equals or not theirs.strip() or not ours.strip():
            raise ValueError(f"--names takes theirs=ours, such as nose=tip; found '{part.strip()}'")
        pairs[theirs.strip()] = ours.strip()
    return pairs


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except OSError:  # many landmarks are longer than any file's name
        return False


def match(
    theirs: Sequence[str], ours: Sequence[str], given: Mapping[str, str], by_order: bool
) -> Match:
    """Match by the given map, then by name; `by_order` takes the order instead.

    ValueError when two of theirs are one of ours, when a mapped name is unknown, and when the
    counts differ for `by_order`.
    """
    if by_order:
        if len(theirs) != len(ours):
            raise ValueError(
                f"--by-order needs equal counts: the file has {len(theirs)} landmarks and the "
                f"project {len(ours)}; match them by name with --names"
            )
        return Match(tuple(range(len(ours))), (), ())
    at: dict[str, int] = {}
    for i, name in enumerate(ours):
        at[plain(name)] = -1 if plain(name) in at else i  # -1: two of ours look alike
    wanted = {plain(a): b for a, b in given.items()}
    places = []
    for name in theirs:
        target = wanted.get(plain(name))
        if target is not None and target not in ours and at.get(plain(target), -1) < 0:
            raise ValueError(f"--names: the project has no landmark '{target}'")
        target = name if target is None else target
        places.append(ours.index(target) if target in ours else at.get(plain(target), -1))
    twice = repeated([str(p) for p in places if p >= 0])
    if twice is not None:
        both = [n for n, p in zip(theirs, places, strict=True) if p == int(twice)]
        raise ValueError(
            f"the file's landmarks {' and '.join(both)} are both '{ours[int(twice)]}' here; "
            "say with --names which one is"
        )
    unknown = tuple(n for n, p in zip(theirs, places, strict=True) if p < 0)
    return Match(tuple(places), unknown, tuple(n for i, n in enumerate(ours) if i not in places))
