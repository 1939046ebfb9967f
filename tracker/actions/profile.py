"""A profile: the TOML file that says what does what. Reading one tells all its faults at once.

Each fault has its line and a remedy. A profile with `command:` must be the user's own: a file that
another account may write, or that came inside a project or beside a model, starts no programs.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_args

from tracker.actions.conditions import Condition, Hand, condition, unknown_words
from tracker.actions.device import DEVICES
from tracker.actions.keys import chord, near
from tracker.actions.measures import MEASURES, measure_of
from tracker.actions.osc import host_port
from tracker.actions.pointer import PointerRule
from tracker.actions.run import Run
from tracker.actions.runners import LANES, RUNNERS, parse_run
from tracker.actions.trigger import Timing
from tracker.errors import UserError
from tracker.find.model_file import TOML
from tracker.follow.gesture import NONE
from tracker.types import Kind

SHIPPED = Path(__file__).parent / "profiles"
LARGEST = 1 << 20  # bytes of a profile
SURE = 0.7  # probability from which a gesture counts


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong in a profile; `line` counts from 1, 0: the file as a whole."""

    line: int
    fact: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.fact}" if self.line else self.fact


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One `[[do]]`."""

    name: str
    when: Condition
    run: Run
    hand: Hand = "any"
    timing: Timing = field(default_factory=Timing)
    sure: float = SURE


@dataclass(frozen=True, slots=True)
class Place:
    """A point that is followed: `right index_tip`, `nose_bridge_3`, `object tip`."""

    kind: Kind
    hand: Hand
    landmark: str


@dataclass(frozen=True, slots=True, eq=False)
class PointerUse:
    """The `[pointer]`: which finger, and what it does when."""

    place: Place
    rule: PointerRule
    when: Condition | None = None  # moves only while this holds
    click: Condition | None = None  # the left button is down while this holds: clicks and drags
    right_click: Condition | None = None
    scroll: Condition | None = None  # the finger turns the wheel while this holds
    sure: float = SURE


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """One `[[slide]]`: a value that is passed on while it changes."""

    name: str
    source: str  # of MEASURES, or 'x' or 'y' of `place`
    hand: Hand
    place: Place | None
    inside: tuple[float, float]
    outside: tuple[float, float]
    still: float  # share of the range below which a change is not passed on
    run: Run
    when: Condition | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Enable:
    """The `[enable]`: nothing fires but for a while after this condition held."""

    when: Condition
    hand: Hand
    timing: Timing
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """All of a file."""

    path: Path
    rules: tuple[Rule, ...] = ()
    pointer: PointerUse | None = None
    slides: tuple[Slide, ...] = ()
    enable: Enable | None = None
    pause: tuple[str, ...] = ()  # keys of the global switch
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the runners
    recentre: tuple[str, ...] = ()  # keys after which straight ahead is where the head points

    def schemes(self) -> tuple[str, ...]:
        """Of all runs, the pointer's own included."""
        found = [r.run.scheme for r in self.rules] + [s.run.scheme for s in self.slides]
        return (*dict.fromkeys(found), *(() if self.pointer is None else ("pointer",)))


class Faulty(UserError):
    """A profile that cannot be used; `faults` are all that is wrong with it."""

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        """In the order of the lines."""
        self.path, self.faults = path, tuple(sorted(faults, key=lambda fault: fault.line))
        words = "; ".join(map(str, self.faults))
        super().__init__(f"{path} is no profile that can be used: {words}")


def read_profile(path: Path, told: Sequence[str] | None = None) -> Profile:
    """The profile of a file. Faulty tells all that is wrong, UserError that it cannot be read.

    `told`: what the models tell, see `told_by`; None: not asked.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"{path} is larger than any profile; choose another file")
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is no text in UTF-8; save it as such") from error
    except OSError as error:
        words = error.strerror or error
        raise UserError(f"{path} cannot be read: {words}; see 'tracker actions'") from error
    try:
        body = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else len(text.splitlines())
        raise Faulty(path, [Fault(line, f"this is no TOML: {error}; mend that first")]) from error
    reader = _Reader(path, text)
    profile = reader.profile(body)
    if told is not None:
        reader.name_words(told)
    if reader.faults:
        raise Faulty(path, reader.faults)
    return profile


def shipped() -> dict[str, Path]:
    """The starter profiles by their names."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def why_no_commands(path: Path) -> str | None:
    """Why a profile may start no programs, or None where it may."""
    where = path.resolve()
    for folder in where.parents:
        if (folder / TOML).is_file():
            return f"it lies in the project {folder}; copy it to a folder of your own"
    if any(where.parent.glob("*.onnx")):
        return "it lies beside a model; copy it to a folder of your own"
    if os.name != "posix":
        return None
    for place in (where, where.parent):
        facts = place.stat()
        if facts.st_uid not in (os.getuid(), 0):
            return f"{place} belongs to another account; copy the profile to a folder of your own"
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not facts.st_mode & stat.S_ISVTX:
            return f"others may write to {place}; run 'chmod go-w {place}'"
    return None


# What a value of a table must be: each takes it, or raises ValueError with what to write instead.


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f'{value!r} is no text; write it in quotes, as in "thumb_up"')
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false; write one of them")
    return value


def _between(least: float, most: float) -> Callable[[object], float]:
    def number(value: object) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= cast(float, value) <= most:
            raise ValueError(f"{value!r} is out of range; write a number, {least:g} to {most:g}")
        return float(cast(float, value))

    return number


def _numbers(count: int) -> Callable[[object], tuple[float, ...]]:
    def several(value: object) -> tuple[float, ...]:
        one = _between(-1e6, 1e6)
        if not isinstance(value, list) or len(value) != count:
            raise ValueError(f"{value!r} is not {count} numbers; write [{', '.join('0' * count)}]")
        return tuple(map(one, value))

    return several


def _area(value: object) -> tuple[float, ...]:
    x0, y0, x1, y1 = found = _numbers(4)(value)
    if not (0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
        raise ValueError(f"{value!r} is no part of the picture; write [0.3, 0.3, 0.7, 0.7]")
    return found


def _range(value: object) -> tuple[float, ...]:
    found = _numbers(2)(value)
    if found[0] == found[1]:
        raise ValueError(f"{value!r} is empty; write two different numbers")
    return found


def _one_of(*known: str) -> Callable[[object], str]:
    def word(value: object) -> str:
        if value not in known:
            raise ValueError(f"{value!r} is unknown; write {near(str(value), known)}")
        return str(value)

    return word


def _place(value: object) -> Place:
    """`right index_tip`, `index_tip`, `face nose_bridge_3`, `object tip`."""
    words = _text(value).split()
    kind, hand = "hand", "any"
    if words[0] in ("face", "object", "hand") and len(words) > 1:
        kind = words.pop(0)
    if kind == "hand" and words[0] in get_args(Hand) and len(words) > 1:
        hand = words.pop(0)
    if len(words) != 1 or words[0] in get_args(Hand):
        raise ValueError(f"{value!r} is no landmark; write one like 'right index_tip'")
    return Place(cast(Kind, kind), cast(Hand, hand), words[0])


def _source(value: object) -> tuple[str, Hand, Place | None]:
    """A measure (`right pinch`, `head yaw`), `x` or `y` of a landmark (`index_tip y`), or a class
    of the model's attributes (`face jawOpen`)."""
    words = _text(value).split()
    hand = "any"
    if words[0] in get_args(Hand) and " ".join(words[1:]) in MEASURES:
        hand = words.pop(0)
    if " ".join(words) in MEASURES:
        return " ".join(words), cast(Hand, hand), None
    if len(words) > 1 and words[-1] in ("x", "y"):
        place = _place(" ".join(words[:-1]))
        return words[-1], place.hand, place
    if len(words) == 2 and words[0] in get_args(Kind):  # a class of the model's attributes
        return " ".join(words), "any", None
    known = ", ".join(MEASURES)
    raise ValueError(f"{value!r} is no value; write one of {known}, or 'right index_tip y'")


def _condition(value: object) -> Condition:
    return condition(_text(value))


def _run(value: object) -> Run:
    return parse_run(_text(value))


def _chord(value: object) -> tuple[str, ...]:
    return chord(_text(value))


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no table; write names and values below it")
    return value


def _address(value: object) -> str:
    host_port(_text(value))
    return str(value)


def _channel(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 16:
        raise ValueError(f"{value!r} is no MIDI channel; write 1 to 16")
    return value


Parser = Callable[[object], Any]
SECONDS = _between(0, 60)
TIMES: dict[str, Parser] = {field.name: SECONDS for field in fields(Timing)}
HAND: Parser = _one_of(*get_args(Hand))
RULE: dict[str, Parser] = {
    "name": _text, "when": _condition, "hand": HAND, "run": _run, "sure": _between(0.3, 1), **TIMES,
}  # fmt: skip
POINTER: dict[str, Parser] = {
    "from": _place, "area": _area, "accelerate": _between(1, 3), "still": _between(0, 0.1),
    "mirror": _switch, "dwell": SECONDS, "dwell_within": _between(0.001, 0.2), "when": _condition,
    "click": _condition, "right_click": _condition, "scroll": _condition, "sure": _between(0.3, 1),
}  # fmt: skip
SLIDE: dict[str, Parser] = {
    "name": _text, "from": _source, "in": _range, "out": _range, "still": _between(0, 0.5),
    "run": _run, "when": _condition,
}  # fmt: skip
ENABLE: dict[str, Parser] = {
    "when": _condition, "hand": HAND, "for": _between(0.5, 3600), **TIMES,
}  # fmt: skip
TABLES: dict[str, dict[str, Parser]] = {
    "osc": {"to": _address},
    "http": {"headers": _table},
    "obs": {"url": _text, "password": _text},
    "midi": {"port": _text, "channel": _channel},
}
TOP: dict[str, Parser] = {
    "pause": _chord, "recentre": _chord, "sure": _between(0.3, 1),
    "device": _one_of("auto", *DEVICES),
}  # fmt: skip
NAMES = (*TOP, "do", "pointer", "slide", "enable", *TABLES)


class _Reader:
    """Collects what is wrong instead of stopping at the first of it."""

    def __init__(self, path: Path, text: str) -> None:
        self.faults: list[Fault] = []
        self._path, self._lines = path, _lines(text)
        self._sure = SURE
        self._conditions: list[tuple[Condition, int]] = []

    def profile(self, body: Mapping[str, Any]) -> Profile:
        top = self._read({k: v for k, v in body.items() if k not in NAMES or k in TOP}, TOP, "", 0)
        self._sure = top.get("sure", SURE)
        settings = {name: self._sole(body, name, TABLES[name], ()) for name in TABLES}
        rules = self._several(body, "do", RULE, ("when", "run"), self._rule)
        slides = self._several(body, "slide", SLIDE, ("from", "run"), self._slide)
        pointer = self._sole(body, "pointer", POINTER, ("from",))
        enable = self._sole(body, "enable", ENABLE, ("when",))
        if not (rules or slides or pointer or self.faults):
            self.faults.append(Fault(0, "it does nothing; write a [[do]] with 'when' and 'run'"))
        return Profile(
            self._path,
            tuple(rules),
            self._pointer(pointer) if "from" in pointer else None,
            tuple(slides),
            self._enable(enable) if "when" in enable else None,
            top.get("pause", ()),
            {"device": top.get("device", "auto"), **settings},
            top.get("recentre", ()),
        )

    def name_words(self, known: Sequence[str]) -> None:
        """Faults for gestures and attributes that no model at hand tells."""
        words = tuple(word for word in known if word != NONE)
        for asked, line in self._conditions:
            for name in unknown_words([asked], known):
                what = "a gesture" if asked.gesture else "of"
                fact = f"no model here knows {what} {name!r}; write {near(name, words)}"
                self.faults.append(Fault(line, fact))

    def _rule(self, found: dict[str, Any], index: int) -> Rule:
        run: Run = found["run"]
        self._may_run(run, self._line("do", index, "run"))
        name = found.get("name", found["when"].text)
        timing = Timing(**{key: found[key] for key in TIMES if key in found})
        sure = found.get("sure", self._sure)
        return Rule(name, found["when"], run, found.get("hand", "any"), timing, sure)

    def _slide(self, found: dict[str, Any], index: int) -> Slide:
        run: Run = found["run"]
        line = self._line("slide", index, "run")
        if not RUNNERS[run.scheme].slides:
            known = ", ".join(f"{name}:" for name, kind in RUNNERS.items() if kind.slides)
            self.faults.append(Fault(line, f"{run.scheme}: takes no values; write {known}"))
        source, hand, place = found["from"]
        usual = measure_of(source).usual if place is None else (0.0, 1.0)
        outside = (-1.0, 1.0) if run.scheme == "joystick" else (0.0, 1.0)
        return Slide(
            found.get("name", source), source, hand, place,
            found.get("in", usual), found.get("out", outside), found.get("still", 0.01), run,
            found.get("when"),
        )  # fmt: skip

    def _pointer(self, found: dict[str, Any]) -> PointerUse:
        names = {f.name for f in fields(PointerRule)}
        rule = PointerRule(**{key: value for key, value in found.items() if key in names})
        uses = {k: found.get(k) for k in ("when", "click", "right_click", "scroll")}
        return PointerUse(found["from"], rule, sure=found.get("sure", self._sure), **uses)

    def _enable(self, found: dict[str, Any]) -> Enable:
        timing = Timing(**{key: found[key] for key in TIMES if key in found})
        return Enable(found["when"], found.get("hand", "any"), timing, found.get("for", 5.0))

    def _may_run(self, run: Run, line: int) -> None:
        if run.scheme == "command":
            why = why_no_commands(self._path)
            if why is not None:
                self.faults.append(Fault(line, f"this profile may start no programs: {why}"))

    def _several(
        self,
        body: Mapping[str, Any],
        name: str,
        parsers: Mapping[str, Parser],
        needed: Sequence[str],
        make: Callable[[dict[str, Any], int], Any],
    ) -> list[Any]:
        tables = body.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
            line = self._line(name, 0, None)
            self.faults.append(Fault(line, f"{name!r} stands alone here; write [[{name}]]"))
            return []
        made = []
        for index, table in enumerate(tables):
            found = self._read(table, parsers, name, index)
            if self._has(table, needed, name, index) and all(key in found for key in needed):
                made.append(make(found, index))
        return made

    def _sole(
        self,
        body: Mapping[str, Any],
        name: str,
        parsers: Mapping[str, Parser],
        needed: Sequence[str],
    ) -> dict[str, Any]:
        if name not in body:
            return {}
        table = body[name]
        if not isinstance(table, dict):
            self.faults.append(
                Fault(self._line(name, 0, None), f"{name!r} is no table; write [{name}], once")
            )
            return {}
        found = self._read(table, parsers, name, 0)
        self._has(table, needed, name, 0)
        return found

    def _has(self, table: Mapping[str, Any], needed: Sequence[str], name: str, index: int) -> bool:
        missing = [key for key in needed if key not in table]
        for key in missing:
            words = f"this {name!r} has no {key!r}; add a line '{key} = ...'"
            self.faults.append(Fault(self._line(name, index, None), words))
        return not missing

    def _read(
        self, table: Mapping[str, Any], parsers: Mapping[str, Parser], name: str, index: int
    ) -> dict[str, Any]:
        found = {}
        for key, value in table.items():
            line = self._line(name, index, key)
            if key not in parsers:
                known = NAMES if not name else tuple(parsers)
                self.faults.append(
                    Fault(line, f"{key!r} is unknown here; write {near(key, known)}")
                )
                continue
            try:
                found[key] = parsers[key](value)
            except ValueError as error:
                self.faults.append(Fault(line, f"{key}: {error}"))
            else:
                if isinstance(found[key], Condition):
                    self._conditions.append((found[key], line))
        return found

    def _line(self, name: str, index: int, key: str | None) -> int:
        places = ((name, index, key), (name, index, None), ("", 0, name), (key or "", 0, None))
        for wanted in places:
            if wanted in self._lines:
                return self._lines[wanted]
        return 0


def _lines(text: str) -> dict[tuple[str, int, str | None], int]:
    """Where tables and their keys stand: (table, which of its name, key or None) -> line.

    TOML is read by the standard library, which tells no lines; this looks at what begins them.
    """
    found: dict[tuple[str, int, str | None], int] = {}
    counts: dict[str, int] = {}
    name, index = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[\[?\s*([\w-]+)[\w.\s-]*\]", line)
        key = re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[.=]", line)
        if head is not None:
            name = head[1]
            index = counts.get(name, 0)
            if line.lstrip().startswith("[["):
                counts[name] = index + 1
            found.setdefault((name, index, None), number)
        elif key is not None:
            found.setdefault((name, index, key[1]), number)
    return found


assert set(TABLES) <= set(LANES)
