"""A person's own gestures, as a file: what was shown, when, and what was taken back.

The file is readable JSON of two lists of actions: `done`, oldest first, and `undone`. What counts
is what `done` says when it is gone through from its beginning, so undo moves one action over, and
nothing that somebody showed is ever deleted. It is written whole after each action.

    {"schema": 1,
     "done": [{"do": "show", "gesture": "heart", "hands": "both", "any_turn": false,
               "when": "2026-11-29T17:00:00", "from": "camera 0", "of": "gesture",
               "samples": [{"t": 0.03, "hands": [{"side": "left", "xy": [x, y, ...],
                                                  "xyz": [x, y, z, ...]}]}]},
              {"do": "remove", "gesture": "wave"},
              {"do": "hands", "gesture": "heart", "hands": "both", "any_turn": true},
              {"do": "strictness", "gesture": "heart", "value": 0.5}],
     "undone": []}

`of` is 'gesture' or 'anything else'; `xy` are 42 numbers, frame pixels, `xyz` 63, palm lengths from
the wrist (`Track.xyz`), or null where the model gives no depth. A motion's `show` has "motion":
true, and its samples are the frames in which it was made several times.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from tracker.errors import UserError, writing
from tracker.plain_data import finite, from_json, is_plain_word
from tracker.settings_folder import settings_folder
from tracker.types import Side
from tracker.whole_files import read_text, write_whole

SCHEMA = 1
FILE = "gestures.json"
LONGEST = 40  # letters of a name
MOST_SAMPLES = 20_000  # of an action of a file
Which = Literal["either", "left", "right", "both"]
WHICH: tuple[Which, ...] = get_args(Which)
Of = Literal["gesture", "anything else"]
OF: tuple[Of, ...] = get_args(Of)


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One hand of a sample."""

    side: Side
    xy: NDArray[np.float64]  # (21, 2) frame pixels
    xyz: NDArray[np.float64] | None  # (21, 3) palm lengths from the wrist


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The hands of one frame: one of them, or the left and the right one."""

    t: float  # seconds
    hands: tuple[Hand, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Gesture:
    """One gesture as it was taught so far."""

    name: str
    hands: Which = "either"
    any_turn: bool = False  # it is the same however the hand is turned in the picture
    is_motion: bool = False  # a movement that is over in a moment, not a pose that is held
    strictness: float = 0.25  # 0: never missed ... 1: never by mistake
    takes: tuple[tuple[Sample, ...], ...] = ()  # what was shown for it,
    others: tuple[tuple[Sample, ...], ...] = ()  # and as anything else


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """All of a file. Change it by the functions below, which give a new one."""

    done: tuple[Mapping[str, Any], ...] = ()
    undone: tuple[Mapping[str, Any], ...] = ()

    @property
    def gestures(self) -> tuple[Gesture, ...]:
        """What counts, in the order in which it was first shown."""
        found: dict[str, Gesture] = {}
        for action in self.done:
            found = _after(found, action)
        return tuple(g for g in found.values() if g.takes)

    @property
    def digest(self) -> str:
        """The same for all that show the same, however strict its gestures are."""
        shown = [action for action in self.done if action["do"] != "strictness"]
        return sha256(json.dumps(shown).encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """Of those."""
        return tuple(gesture.name for gesture in self.gestures)


def usual_file() -> Path:
    """Where this user's gestures are: with the other settings."""
    return settings_folder() / FILE


def meant_file(wish: str | None) -> Path | None:
    """The file meant by a choice: '' or None this user's where it is there, 'none' none."""
    if not wish:
        usual = usual_file()
        return usual if usual.is_file() else None
    return None if wish == "none" else Path(wish)


def chosen_file(wish: str | None) -> Path | None:
    """`meant_file`; UserError where it is not there."""
    found = meant_file(wish)
    if found is not None and not found.is_file():
        raise UserError(f"there is no file of gestures at {found}; give a file, or 'none'")
    return found


def read_own(path: Path) -> Own:
    """The gestures of a file; none where it does not exist. UserError where it is no such file."""
    if not path.exists():
        return Own()
    try:
        found = from_json(read_text(path))
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            raise ValueError(f"it is no file of gestures of schema {SCHEMA}")
        own = Own(tuple(map(_checked, found["done"])), tuple(map(_checked, found["undone"])))
        _ = own.gestures
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise UserError(
            f"{path} holds no gestures that can be read ({error or type(error).__name__}); move it "
            "away or give another file"
        ) from error
    return own


def write_own(path: Path, own: Own) -> None:
    """Write it whole. UserError where that fails; the file stays as it was then."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    lists = {key: [_line(a) for a in getattr(own, key)] for key in ("done", "undone")}
    parts = [f'"{key}": [\n' + ",\n".join(lines) + "\n]" for key, lines in lists.items()]
    text = f'{{"schema": {SCHEMA},\n' + ",\n".join(parts) + "}\n"
    write_whole(path, text.encode())


def shown(
    own: Own, gesture: Gesture, of: Of, samples: Sequence[Sample], told: Mapping[str, str]
) -> Own:
    """With one more take. `told`: `when` (ISO) and `from` (a camera or clip)."""
    action = {
        "do": "show", "gesture": checked_name(gesture.name), "hands": gesture.hands,
        "any_turn": gesture.any_turn, **({"motion": True} if gesture.is_motion else {}),
        **told, "of": of,
        "samples": [_plain(sample) for sample in samples],
    }  # fmt: skip
    return Own((*own.done, action), own.undone)


def removed(own: Own, name: str) -> Own:
    """Without a gesture. UserError where there is none such."""
    if name not in own.names:
        raise _unknown(own, name)
    return Own((*own.done, {"do": "remove", "gesture": name}), own.undone)


def with_strictness(own: Own, name: str, value: float) -> Own:
    """With a gesture's strictness; a change of the change before takes its place."""
    action = {"do": "strictness", "gesture": name, "value": round(float(value), 3)}
    before = own.done[-1] if own.done else {}
    again = (before.get("do"), before.get("gesture")) == ("strictness", name)
    return Own((*(own.done[:-1] if again else own.done), action), own.undone)


def with_hands(own: Own, name: str, hands: Which, any_turn: bool) -> Own:
    """With a gesture that is shown by these hands from now on, its samples as they are.

    UserError where there is none such, or where its samples are of one hand and not of both.
    """
    gesture = next((g for g in own.gestures if g.name == name), None)
    if gesture is None:
        raise _unknown(own, name)
    if gesture.hands != hands and "both" in (gesture.hands, hands):
        raise UserError(
            f"{name!r} is a gesture of {gesture.hands}; remove it first, or give this one another "
            "name"
        )
    action = {"do": "hands", "gesture": name, "hands": hands, "any_turn": any_turn}
    return Own((*own.done, action), own.undone)


def _unknown(own: Own, name: str) -> UserError:
    known = ", ".join(own.names) or "none yet"
    return UserError(f"there is no gesture {name!r} of yours; there are: {known}")


def undo(own: Own) -> Own:
    """Without the last action; the same where there is none."""
    return Own(own.done[:-1], (*own.undone, *own.done[-1:]))


def redo(own: Own) -> Own:
    """With what was undone last."""
    return Own((*own.done, *own.undone[-1:]), own.undone[:-1])


def words_of(action: Mapping[str, Any]) -> str:
    """What an action did, for the user."""
    name = action["gesture"]
    if action["do"] == "show":
        what = name if action["of"] == "gesture" else f"anything else than {name}"
        return f"{len(action['samples'])} samples of {what}"
    return {
        "remove": f"{name} removed",
        "hands": f"which hands show {name}, and at which turn",
        "strictness": f"how strict {name} is",
    }[action["do"]]


def only(own: Own, names: Sequence[str]) -> Own:
    """The actions of some gestures, to be given to others. UserError where there is none such."""
    for name in names:
        if name not in own.names:
            raise _unknown(own, name)
    chosen = names or own.names
    return Own(tuple(a for a in own.done if a["gesture"] in chosen))


def checked_name(name: object) -> str:
    """A name that can be shown and be a column of a table. ValueError, in a sentence, if not."""
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise ValueError("a gesture needs a name; write a word such as heart")
    if len(name) > LONGEST or not is_plain_word(name) or name == "none":
        raise ValueError(
            f"{name[:LONGEST]!r} cannot name a gesture: up to {LONGEST} letters, not beginning "
            "like a formula, and not 'none'; write a word such as heart"
        )
    return name


def _after(found: dict[str, Gesture], action: Mapping[str, Any]) -> dict[str, Gesture]:
    name = action["gesture"]
    if action["do"] == "remove":
        return {n: g for n, g in found.items() if n != name}
    gesture = found.get(name, Gesture(name))
    if action["do"] == "strictness":
        return {**found, name: replace(gesture, strictness=action["value"])}
    if action["do"] == "hands":
        changed = replace(gesture, hands=action["hands"], any_turn=action["any_turn"])
        return {**found, name: changed}
    take = tuple(map(_sample, action["samples"]))
    gesture = replace(
        gesture, hands=action["hands"], any_turn=action["any_turn"],
        is_motion=action.get("motion", False),
    )  # fmt: skip
    if action["of"] == "gesture":
        gesture = replace(gesture, takes=(*gesture.takes, take))
    else:
        gesture = replace(gesture, others=(*gesture.others, take))
    return {**found, name: gesture}


def _checked(action: Any) -> Mapping[str, Any]:
    """One action of a file of anybody's. ValueError or LookupError where it is none."""
    checked_name(action["gesture"])
    if action["do"] in ("show", "hands"):
        _check_hands(action)
    if action["do"] == "show":
        if action["of"] not in OF or len(action["samples"]) > MOST_SAMPLES:
            raise ValueError(
                f"what is shown is {' or '.join(OF)}, and samples are {MOST_SAMPLES} at most"
            )
        for sample in action["samples"]:
            _sample(sample)
    elif action["do"] == "strictness":
        finite(action["value"], 0.0, 1.0)
    elif action["do"] not in ("remove", "hands"):
        raise ValueError(f"nothing is known of an action {str(action['do'])[:40]!r}")
    return cast(Mapping[str, Any], action)


def _check_hands(action: Mapping[str, Any]) -> None:
    """Which hands, at which turn, and is it a motion? ValueError or LookupError where not said."""
    if action["hands"] not in WHICH:
        raise ValueError(f"hands are {', '.join(WHICH)}")
    truths = action["any_turn"], action.get("motion", False)
    if not all(isinstance(value, bool) for value in truths):
        raise ValueError("any_turn and motion are true or false")
    if truths[1] and action["hands"] == "both":
        raise ValueError("a motion is made by one hand")


def _sample(found: Mapping[str, Any]) -> Sample:
    hands = tuple(_hand(hand) for hand in found["hands"])
    if len(hands) not in (1, 2):
        raise ValueError(f"a sample has one hand or two, not {len(hands)}")
    return Sample(finite(found["t"]), hands)


def _hand(found: Mapping[str, Any]) -> Hand:
    if found["side"] not in get_args(Side):
        raise ValueError(f"a hand is left or right, not {str(found['side'])[:20]!r}")
    xy = np.array([finite(v) for v in found["xy"]]).reshape(21, 2)
    space = found["xyz"]
    xyz = None if space is None else np.array([finite(v) for v in space]).reshape(21, 3)
    return Hand(cast(Side, found["side"]), xy, xyz)


def _plain(sample: Sample) -> dict[str, object]:
    hands = [
        {
            "side": hand.side,
            "xy": [round(float(v), 1) for v in hand.xy.ravel()],
            "xyz": None if hand.xyz is None else [round(float(v), 3) for v in hand.xyz.ravel()],
        }
        for hand in sample.hands
    ]
    return {"t": round(sample.t, 3), "hands": hands}


def _line(action: Mapping[str, Any]) -> str:
    """One action as JSON: a line for its head, one for each sample."""
    if "samples" not in action:
        return json.dumps(action, ensure_ascii=False)
    head = json.dumps({k: v for k, v in action.items() if k != "samples"}, ensure_ascii=False)
    lines = ",\n".join("  " + json.dumps(sample) for sample in action["samples"])
    return f'{head[:-1]}, "samples": [\n{lines}]}}'
