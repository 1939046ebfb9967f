"""`midi:note 60 [VELOCITY]`, `midi:cc 7 [VALUE]`, `midi:program 5`, `midi:bend`: mido and rtmidi.

Channels count from 1 and come from `[midi] channel`; a slider gives the value of a cc or the bend.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.actions.run import Phase

VIRTUAL = "landmark-tracker"  # the port of our own, where `[midi] port` names none
NUMBERS = {"note": (1, 2), "cc": (1, 2), "program": (1, 1), "bend": (0, 0)}  # least, most


@dataclass(frozen=True, slots=True)
class Tone:
    """`value` None: 127 when it fires, what the slider says otherwise."""

    kind: str
    number: int
    value: int | None


def parse(text: str) -> Tone:
    """ValueError where it is none of the four."""
    kind, *words = text.split() or [""]
    least, most = NUMBERS.get(kind, (0, -1))
    is_right = least <= len(words) <= most and all(w.isdigit() and int(w) < 128 for w in words)
    if not is_right:
        raise ValueError(
            f"'midi:{text}' is no message; write midi:note 60, midi:cc 7 64, midi:program 5 or "
            "midi:bend, numbers 0 to 127"
        )
    numbers = [int(word) for word in words]
    value = numbers[1] if len(numbers) > 1 else None
    return Tone(kind, numbers[0] if numbers else 0, value)


class Midi:
    """Sends to one port; what sounds is ended with the gesture, and in the end."""

    def __init__(self, settings: Mapping[str, Any], open_port: Any = None) -> None:
        """`port` and `channel` of the settings. OSError where there is no such port."""
        import mido

        self._message = mido.Message
        self._channel = int(settings.get("channel", 1)) - 1
        port = settings.get("port")
        self._port = (open_port or mido.open_output)(port or VIRTUAL, virtual=port is None)
        self._sounding: set[int] = set()

    def run(self, what: Tone, phase: Phase, value: float) -> None:
        level = what.value if what.value is not None else 127
        if phase == "value":
            level = round(min(max(value, 0.0), 1.0) * 127)
        if what.kind == "note":
            if phase in ("begin", "repeat"):
                self._send("note_on", note=what.number, velocity=level)
                self._sounding.add(what.number)
            elif phase == "end":
                self._send("note_off", note=what.number)
                self._sounding.discard(what.number)
        elif phase == "end":
            return
        elif what.kind == "cc":
            self._send("control_change", control=what.number, value=level)
        elif what.kind == "program":
            self._send("program_change", program=what.number)
        else:
            self._send("pitchwheel", pitch=round((2 * min(max(value, 0.0), 1.0) - 1) * 8191))

    def close(self) -> None:
        for note in sorted(self._sounding):
            self._send("note_off", note=note)
        self._port.close()

    def _send(self, kind: str, **fields: int) -> None:
        self._port.send(self._message(kind, channel=self._channel, **fields))
