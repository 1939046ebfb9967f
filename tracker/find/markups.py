"""What is labelled: names, edges, mirror partners and crop of the landmarks.

`hand21` and `face68` are those of the bundled models. Any other is a TOML file:

    kind = "object"                     # 'hand', 'face' or 'object': who finds it in the frame
    landmarks = ["tip", "neck", "left_ear", "right_ear", "end"]
    edges = [["tip", "neck"], [1, 4]]   # pairs of names, or of numbers from 0
    flip_pairs = [["left_ear", "right_ear"]]  # which change places in a mirror image; [] for none
    normaliser = ["tip", "end"]         # errors are given in % of this distance; [] for the box
    scale = 1.6                         # side of the crop / longer side of the landmarks' box
    across = ["left_ear", "right_ear"]  # two landmarks that stand level; absent: never turned

Two whole examples, `mouth12` and `tool5`, are beside this file and may be named like `hand21`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tracker.errors import UserError
from tracker.plain_data import from_toml, is_plain_word
from tracker.types import CropRule, Kind

BUILT_IN = ("hand21", "face68")
EXAMPLES = Path(__file__).parent / "examples"
KINDS = ("hand", "face", "object")
# What errors are divided by: a hand's box, the outer corners of the eyes.
NORMALISERS = {"hand21": (), "face68": ("right_eye_0", "left_eye_3")}
BASES = {"hand": "hand21", "face": "face68", "object": "scratch"}
KNOWN = {
    "kind", "base", "landmarks", "edges", "flip_pairs", "normaliser", "scale", "across", "name",
}  # fmt: skip
DEFAULT_SCALE = 1.6

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Markup:
    """The landmarks of one kind of object. Numbers are 0-based landmark indices."""

    name: str
    kind: Kind
    base: str  # 'hand21', 'face68' or 'scratch': the weights that a training starts from
    landmarks: tuple[str, ...]
    edges: Pairs = ()
    flip_pairs: Pairs = ()
    normaliser: tuple[int, ...] = ()  # two landmarks; (): the longer side of the points' box
    crop: CropRule | None = None  # None: as built in for hand21 and face68


def find_markup(what: str) -> Markup:
    """`hand21`, `face68`, an example's name or the path of a TOML file. UserError: none of them."""
    if what in BUILT_IN:
        return built_in(what)
    example = EXAMPLES / f"{what}.toml"
    if Path(what).name == what and example.is_file():
        return read_markup(example)
    return read_markup(Path(what))


def built_in(name: str) -> Markup:
    """The markup of a bundled model, read from the model file itself."""
    import assets
    from engines import load_engine

    props = load_engine(assets.path(f"models/{name}.onnx"), 1, "CPUExecutionProvider").props
    info = json.loads(props["tracker"])
    landmarks = tuple(info["landmarks"])
    return Markup(
        name, cast(Kind, info["kind"]), name, landmarks,
        tuple((int(a), int(b)) for a, b in info["edges"]),
        tuple((int(a), int(b)) for a, b in info["flip_pairs"]),
        tuple(landmarks.index(n) for n in NORMALISERS[name]),
    )  # fmt: skip


def read_markup(path: Path) -> Markup:
    """Read a TOML file as this module says. UserError names the key that is wrong."""
    if not path.is_file():
        raise UserError(
            f"there is no markup '{path}'; give hand21, face68 or a TOML file with the landmarks "
            "('train init --help' shows one)"
        )
    try:
        found = from_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is no valid TOML: {error}; mend that line") from error
    unknown = sorted(set(found) - KNOWN)
    if unknown:
        raise UserError(
            f"{path}: '{unknown[0]}' is unknown; a markup has {', '.join(sorted(KNOWN))}"
        )
    return parse_markup(found, str(path), path.stem)


def parse_markup(found: Mapping[str, Any], origin: str, name: str = "") -> Markup:
    """A markup from what a TOML file says; `origin` is for messages. UserError names the key."""
    names = landmark_names(found.get("landmarks"), origin)
    kind = found.get("kind", "object")
    if kind not in KINDS:
        raise UserError(f"{origin}: kind is {kind!r}; write one of {', '.join(KINDS)}")
    base = found.get("base", BASES[kind])
    if base not in (*BUILT_IN, "scratch"):
        raise UserError(f"{origin}: base is {base!r}; write hand21, face68 or scratch")
    flips = found.get("flip_pairs")
    pairs = guess_flip_pairs(names, origin) if flips is None else None
    if pairs is None:
        pairs = index_pairs(flips, names, f"{origin}: flip_pairs")
        refuse_shared(pairs, names, origin)
    edges = index_pairs(found.get("edges", []), names, f"{origin}: edges")
    across = index_two(found.get("across", []), names, f"{origin}: across")
    scale = found.get("scale", DEFAULT_SCALE)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 1 <= scale <= 20:
        raise UserError(f"{origin}: scale is {scale!r}; write a number from 1 to 20, such as 1.6")
    return Markup(
        str(found.get("name") or name), cast(Kind, kind), base, names, edges, pairs,
        index_two(found.get("normaliser", []), names, f"{origin}: normaliser"),
        CropRule(float(scale), across),
    )  # fmt: skip


def landmark_names(found: object, origin: str) -> tuple[str, ...]:
    """The list of names: two at least, each once."""
    example = 'landmarks = ["tip", "neck", "end"]'
    if not isinstance(found, list) or not all(isinstance(n, str) and n.strip() for n in found):
        raise UserError(f"{origin}: landmarks must be a list of names; write {example}")
    names = tuple(found)
    odd = next((n for n in names if not is_plain_word(n)), None)
    if odd is not None:
        raise UserError(
            f"{origin}: landmark {odd!r} begins like a formula of a spreadsheet or holds a control "
            "letter; begin its name with a letter"
        )
    if len(names) < 2:
        raise UserError(f"{origin}: landmarks has {len(names)}, two are needed; write {example}")
    twice = [n for i, n in enumerate(names) if n in names[:i]]
    if twice:
        raise UserError(f"{origin}: landmark '{twice[0]}' is named twice; give each its own name")
    return names


def index_pairs(found: object, names: Sequence[str], where: str) -> Pairs:
    """Pairs of names or of numbers from 0, as numbers."""
    if not isinstance(found, list) or any(not isinstance(p, list) or len(p) != 2 for p in found):
        raise UserError(f'{where} must be pairs, such as [["a", "b"], [0, 2]]')
    pairs = tuple((_index(a, names, where), _index(b, names, where)) for a, b in found)
    for a, b in pairs:
        if a == b:
            raise UserError(f"{where} joins '{names[a]}' with itself; name two landmarks")
    return pairs


def index_two(found: object, names: Sequence[str], where: str) -> tuple[int, ...]:
    """Two landmarks by name or number, or none."""
    if not isinstance(found, list) or len(found) not in (0, 2):
        raise UserError(f'{where} must be two landmarks, such as ["a", "b"], or []')
    pair = tuple(_index(value, names, where) for value in found)
    if pair and pair[0] == pair[1]:
        raise UserError(f"{where} names '{names[pair[0]]}' twice; name two landmarks")
    return pair


def guess_flip_pairs(names: Sequence[str], origin: str) -> Pairs:
    """`mirror_partners` of a TOML file. UserError where they cannot be told from names."""
    try:
        return mirror_partners(names, "add flip_pairs = [[a, b], ...], or [] for none")
    except ValueError as error:
        raise UserError(f"{origin}: {error}") from error


def mirror_partners(names: Sequence[str], remedy: str) -> Pairs:
    """Mirror partners by name: swapping 'left' and 'right' in one gives the other.

    ValueError, which ends with `remedy`, where those names are numbered (right_brow_0): the mirror
    image of a side's first landmark is often the other side's last, and a wrong guess ruins a
    training silently.
    """
    at = {name: i for i, name in enumerate(names)}
    pairs = []
    for i, name in enumerate(names):
        j = at.get(mirror_name(name), i)
        if j != i and any(c.isdigit() for c in name):
            raise ValueError(
                f"landmarks such as '{name}' are numbered, so their mirror partners cannot be told "
                f"from names; {remedy}"
            )
        if i < j:
            pairs.append((i, j))
    return tuple(pairs)


def mirror_name(name: str) -> str:
    """'left' and 'right' change places."""
    return name.replace("left", "\0").replace("right", "left").replace("\0", "right")


def refuse_shared(pairs: Pairs, names: Sequence[str], origin: str) -> None:
    """A landmark has one mirror partner at most."""
    seen: set[int] = set()
    for i in (i for pair in pairs for i in pair):
        if i in seen:
            raise UserError(
                f"{origin}: flip_pairs names '{names[i]}' twice; a landmark has one mirror partner"
            )
        seen.add(i)


def _index(value: object, names: Sequence[str], where: str) -> int:
    if isinstance(value, str) and value in names:
        return list(names).index(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names):
        return value
    raise UserError(f"{where} names {value!r}, which is no landmark; take one of the list")
