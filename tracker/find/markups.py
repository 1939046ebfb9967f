"""What is labelled: names, edges, mirror partners, crop and colours of the landmarks.

Each markup is a TOML file, in `markups/` beside this file or wherever the user keeps it:

    kind = "object"                     # 'hand', 'face' or 'object': who finds it in the frame
    landmarks = ["tip", "neck", "left_ear", "right_ear", "end"]
    edges = [["tip", "neck"], [1, 4]]   # pairs of names, or of numbers from 0
    flip_pairs = [["left_ear", "right_ear"]]  # which change places in a mirror image; [] for none
    normaliser = ["tip", "end"]         # errors are given in % of this distance; [] for the box
    scale = 1.6                         # side of the crop / longer side of the landmarks' box
    across = ["left_ear", "right_ear"]  # two that stand level; or
    up = ["end", ["tip", "neck"]]       # two, the first below the other (a list: their middle);
                                        # with both, `up` where it is seen from its side
    nose = "tip"                        # where the axes of a head pose begin; else the middle
    text_at = "end"                     # near which words are written; else above the landmarks
    [[colours]]                         # as often as wanted; else colours around the wheel
    of = ["left_ear", "right_ear"]
    points = "#30ff30"                  # a line has the colour of its later landmark,
    lines = "#808080"                   # or this one between two landmarks of the group

`hand21` and `face68` are those of the bundled models, `mouth12` and `tool5` whole examples; all in
`markups/` are meant by their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

from tracker.errors import UserError
from tracker.plain_data import count, from_toml, is_plain_word
from tracker.types import CropRule, Ends, Kind

FOLDER = Path(__file__).parent / "markups"
# The model of a kind that comes with the program, and its markup: assets/models/NAME.onnx.
BUNDLED: Mapping[Kind, str] = {"hand": "hand21", "face": "face68"}
# The same as `--weights` chooses: 'free' has learnt from nothing but what is free for any use.
Weights = Literal["best", "free"]
WEIGHTS: Mapping[Weights, Mapping[Kind, str]] = {
    "best": BUNDLED,
    "free": {"hand": "hand21", "face": "face68_free"},
}
BASES = tuple(dict.fromkeys(name for names in WEIGHTS.values() for name in names.values()))
KINDS = ("hand", "face", "object")
# Two landmarks more, the person's own: in training they follow the 68 of a face; a model gives them
# beside these (`tracker/find/model_file.py`).
IRISES = ("right_iris", "left_iris")
DRAWN = ("nose", "text_at", "colours")  # how it is drawn
KNOWN = {
    "kind", "base", "landmarks", "edges", "flip_pairs", "normaliser", "scale", "across", "up",
    "name", *DRAWN,
}  # fmt: skip
DEFAULT_SCALE = 1.6

Pairs = tuple[tuple[int, int], ...]


def irises_in(kind: str, landmarks: Sequence[str]) -> int:
    """How many of the last landmarks are irises beside the 68 of a face: two or none."""
    if kind != "face" or tuple(landmarks[-len(IRISES) :]) != IRISES:
        return 0
    return len(IRISES) if tuple(landmarks[: -len(IRISES)]) == find_markup("face68").landmarks else 0


@dataclass(frozen=True, slots=True)
class Paint:
    """Landmarks of one colour. Colours are '#rrggbb'."""

    of: tuple[int, ...]
    points: str
    lines: str = ""  # of edges between two of them; '': as of any other edge


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a markup is drawn, where it says so itself."""

    colours: tuple[Paint, ...] = ()
    nose: int | None = None
    text_at: int | None = None


@dataclass(frozen=True, slots=True)
class Markup:
    """The landmarks of one kind of object. Numbers are 0-based landmark indices."""

    name: str
    kind: Kind
    base: str  # one of BASES or 'scratch': the weights that a training starts from
    landmarks: tuple[str, ...]
    edges: Pairs = ()
    flip_pairs: Pairs = ()
    normaliser: tuple[int, ...] = ()  # two landmarks; (): the longer side of the points' box
    crop: CropRule = field(default_factory=CropRule)
    drawing: Drawing | None = None
    head_pose: bool = False  # is computed from the landmarks

    @property
    def is_bundled(self) -> bool:
        """Does a model of it come with the program?"""
        return self == bundled_markup(self.kind, len(self.landmarks))


def find_markup(what: str) -> Markup:
    """A name of `markups/` or the path of a TOML file. UserError where it is neither."""
    own = FOLDER / f"{what}.toml"
    return read_markup(own if Path(what).name == what and own.is_file() else Path(what))


@cache
def bundled_markup(kind: Kind, count: int) -> Markup | None:
    """The markup of the bundled model of a kind, where it has `count` landmarks.

    Models and projects that name no crop of their own mean this one.
    """
    markup = find_markup(BUNDLED[kind]) if kind in BUNDLED else None
    return markup if markup is not None and len(markup.landmarks) == count else None


@cache
def rule_of(kind: Kind, count: int) -> CropRule:
    """How the crop lies around `count` landmarks where nothing else is said."""
    if kind not in BUNDLED:
        return CropRule(DEFAULT_SCALE)
    irises = len(IRISES) if kind == "face" else 0
    known = bundled_markup(kind, count) or bundled_markup(kind, count - irises)
    return CropRule(find_markup(BUNDLED[kind]).crop.scale) if known is None else known.crop


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
    known = KNOWN | {"head_pose"} if path.parent == FOLDER else KNOWN
    unknown = sorted(set(found) - known)
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
    base = found.get("base", base_of(kind))
    if base not in (*BASES, "scratch"):
        raise UserError(f"{origin}: base is {base!r}; write {', '.join(BASES)} or scratch")
    flips = found.get("flip_pairs")
    pairs = guess_flip_pairs(names, origin) if flips is None else None
    if pairs is None:
        pairs = index_pairs(flips, names, f"{origin}: flip_pairs")
        refuse_shared(pairs, names, origin)
    edges = index_pairs(found.get("edges", []), names, f"{origin}: edges")
    across, up = (two_ends(found.get(k, []), names, f"{origin}: {k}") for k in ("across", "up"))
    scale = found.get("scale", DEFAULT_SCALE)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 1 <= scale <= 20:
        raise UserError(f"{origin}: scale is {scale!r}; write a number from 1 to 20, such as 1.6")
    return Markup(
        str(found.get("name") or name), cast(Kind, kind), base, names, edges, pairs,
        index_two(found.get("normaliser", []), names, f"{origin}: normaliser"),
        CropRule(float(scale), across, up=up), parse_drawing(found, names, origin),
        found.get("head_pose", False) is True,
    )  # fmt: skip


def base_of(kind: Kind) -> str:
    """What a training starts from where nothing else is said."""
    return BUNDLED.get(kind, "scratch")


def parse_drawing(found: Mapping[str, Any], names: Sequence[str], origin: str) -> Drawing | None:
    """How a TOML file wants its landmarks drawn; None where it does not say."""
    if not any(key in found for key in DRAWN):
        return None
    one = {
        key: _index(found[key], names, f"{origin}: {key}")
        for key in ("nose", "text_at")
        if key in found
    }
    groups = found.get("colours", [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise UserError(f'{origin}: colours must be tables: [[colours]], of = ["tip"], points = ""')
    return Drawing(tuple(_paint(group, names, f"{origin}: colours") for group in groups), **one)


def _paint(found: Mapping[str, Any], names: Sequence[str], where: str) -> Paint:
    of, colours = found.get("of"), {"points": found.get("points"), "lines": found.get("lines", "")}
    extra = sorted(set(found) - {"of", *colours})
    if extra:
        raise UserError(f"{where}: '{extra[0]}' is unknown; a group has of, points, lines")
    if not isinstance(of, list) or not of:
        raise UserError(f'{where}: of must be landmarks, such as ["tip", 2]')
    for key, colour in colours.items():
        if not re.fullmatch("#[0-9a-fA-F]{6}" + "|" * (key == "lines"), str(colour)):
            raise UserError(f'{where}.{key} is {colour!r}; write red, green and blue: "#ff3030"')
    return Paint(tuple(_index(value, names, f"{where}.of") for value in of), **colours)


def drawing_from(found: Mapping[str, Any] | None) -> Drawing | None:
    """Back from `asdict`, as model files and checkpoints hold it."""
    if found is None:
        return None
    paints = tuple(
        Paint(tuple(map(count, p["of"])), _colour(p["points"]), p["lines"] and _colour(p["lines"]))
        for p in found["colours"]
    )
    nose, text_at = (None if found[k] is None else count(found[k]) for k in ("nose", "text_at"))
    return Drawing(paints, nose, text_at)


def _colour(found: object) -> str:
    if not isinstance(found, str) or not re.fullmatch("#[0-9a-fA-F]{6}", found):
        raise ValueError(f"{str(found)[:60]!r} is no colour such as #ff3030")
    return found


def ends_from(found: Sequence[Any]) -> Ends:
    """Back from JSON: none or two ends, each a landmark or several. ValueError: other than that."""
    ends = tuple(count(e) if isinstance(e, int) else tuple(map(count, e)) for e in found)
    if len(ends) not in (0, 2) or () in ends:
        raise ValueError("across and up are two ends, each a landmark or several")
    return ends


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


def two_ends(found: object, names: Sequence[str], where: str) -> Ends:
    """Two ends by name or number, each a landmark or a list of them; or none."""
    if not isinstance(found, list) or not any(isinstance(end, list) and end for end in found):
        return index_two(found, names, where)
    if len(found) != 2 or [] in found or found[0] == found[1]:
        raise UserError(f'{where} must be two ends, such as ["a", ["b", "c"]], or []')
    return tuple(
        tuple(_index(value, names, where) for value in end)
        if isinstance(end, list)
        else _index(end, names, where)
        for end in found
    )


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
