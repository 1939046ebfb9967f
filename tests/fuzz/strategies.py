"""What may be in a file that somebody else made: sound ones, bent in one place or many."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

DEEP = "[" * 100_000 + "]" * 100_000
HUGE = "9" * 400
# Written in the place of a value: what JSON texts can say and no sound file does.
WORDS = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", HUGE, "-0", "1e-400", DEEP)
PATHS = (
    "../../../x",
    "/tmp/x",
    "..",
    ".",
    "",
    "a\0b",
    "C:\\x",
    "a/b",
    "x" * 5000,
    "...mp4",
    "\ud800",
)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(PATHS), st.text(max_size=20), st.just([]), st.just({}), st.lists(st.integers()),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)  # fmt: skip
Place = tuple[Any, ...]


def places(body: Any, at: Place = ()) -> list[Place]:
    """Where values are in a document."""
    found = [at] if at else []
    if isinstance(body, dict):
        found += [p for k, v in body.items() for p in places(v, (*at, k))]
    elif isinstance(body, list):
        found += [p for i, v in enumerate(body[:4]) for p in places(v, (*at, i))]
    return found


def bent_json(body: Any) -> st.SearchStrategy[str]:
    """The text of a document with one to three values changed, gone, twice, or no JSON at all."""
    every = places(body)

    @st.composite
    def bend(draw: st.DrawFn) -> str:
        changed, words = copy.deepcopy(body), dict[str, str]()
        for _ in range(draw(st.integers(1, 3))):
            *parents, last = draw(st.sampled_from(every))
            place = changed
            try:
                for key in parents:
                    place = place[key]
                kind = draw(st.sampled_from(("value", "word", "gone", "twice")))
                if kind == "gone":
                    del place[last]
                elif kind == "twice" and isinstance(place, list):
                    place.append(copy.deepcopy(place[last]))
                elif kind == "word":
                    mark = f"@@{len(words)}@@"
                    words[json.dumps(mark)] = draw(st.sampled_from(WORDS))
                    place[last] = mark
                else:
                    place[last] = draw(VALUES)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took the place away
        text = json.dumps(changed)
        for mark, word in words.items():
            text = text.replace(mark, word)
        return text

    return bend()


def bent_bytes(data: bytes) -> st.SearchStrategy[bytes]:
    """The bytes of a file with some changed, inserted, gone, twice, or cut off."""
    where = st.integers(0, max(0, len(data) - 1))
    change = st.tuples(
        st.sampled_from(("set", "flip", "insert", "gone", "twice", "cut", "zeros")),
        where, st.integers(1, 64), st.binary(min_size=1, max_size=8),
    )  # fmt: skip
    return st.lists(change, min_size=1, max_size=4).map(lambda changes: _bent(data, changes))


def _bent(data: bytes, changes: list[tuple[str, int, int, bytes]]) -> bytes:
    found = bytearray(data)
    for kind, at, many, given in changes:
        if kind == "set":
            found[at : at + len(given)] = given
        elif kind == "flip" and at < len(found):
            found[at] ^= 1 << (many % 8)
        elif kind == "insert":
            found[at:at] = given
        elif kind == "gone":
            del found[at : at + many]
        elif kind == "twice":
            found[at:at] = found[at : at + many]
        elif kind == "cut":
            del found[at:]
        elif kind == "zeros":
            found[at : at + many] = bytes(many)
    return bytes(found)


def quietly(does: Callable[[], object], *allowed: type[Exception]) -> object:
    """Do it; what it may raise gives None. Anything else is what is looked for."""
    try:
        return does()
    except allowed as error:
        assert str(error).strip(), "a refusal says why"
        return None
