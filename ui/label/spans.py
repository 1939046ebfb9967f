"""What a person can do to stretches of time: hold a number key while the clip plays, and edit.

Number 0 is 'none' for gestures; for head pose it takes the label away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tracker.errors import UserError
from train.project import ranges
from train.project.labels import Range
from ui.label.controls import LabelControls

Kind = Literal["gesture", "pose"]
# Seconds that a key must be up. While a key is down, X11 tells of releases and presses in turn,
# and where the machine is busy Qt cannot always tell these from real ones.
UP_S = 0.08
NOTHING = ""  # the class that takes a label away
KINDS: tuple[Kind, ...] = ("gesture", "pose")


@dataclass(frozen=True, slots=True)
class Held:
    """A number key that is down."""

    digit: int
    kind: Kind
    label: str
    clip: str
    start_s: float


class Spans:
    """Ranges of the clip on the screen; each change is one action, which one undo takes back."""

    def __init__(self, controls: LabelControls) -> None:
        """Plain numbers label gestures where the project has any, else head pose."""
        self.controls = controls
        self.held: Held | None = None
        self._up: tuple[float, float, bool] | None = None  # clock, clip time, was it playing
        self._chosen: Range | None = None
        self.mode: Kind = (
            "gesture" if controls.project.gestures or not controls.project.pose else "pose"
        )

    @property
    def chosen(self) -> Range | None:
        """The range chosen on the timeline; not one of another clip, or that is no more."""
        found = self._chosen
        if found is None or found.clip != self.controls.screen.clip.name:
            return None
        return found if found in self.controls.store.labels.ranges else None

    def classes(self, kind: str) -> tuple[str, ...]:
        """What the numbers 0, 1, 2 ... mean."""
        project = self.controls.project
        if kind == "gesture":
            return project.gesture_classes
        return (NOTHING, *project.pose) if project.pose else ()

    def kinds(self) -> list[Kind]:
        """What can be labelled in this project."""
        return [kind for kind in KINDS if self.classes(kind)]

    def shown_kinds(self) -> list[Kind]:
        """What can be labelled of what is on the screen: pictures have no time."""
        return [] if self.controls.screen.clip.is_stills else self.kinds()

    def own(self, kind: str) -> list[Range]:
        """The ranges of the clip on the screen."""
        name = self.controls.screen.clip.name
        return [r for r in self.controls.store.labels.ranges if r.clip == name and r.kind == kind]

    def switch(self) -> None:
        """Plain numbers label the other kind from now on."""
        kinds = self.kinds()
        if len(kinds) < 2:
            self.controls.say("this project labels one kind of ranges only")
            return
        self.mode = kinds[1 - kinds.index(self.mode)]
        self.controls.say(f"numbers label {_words(self.mode)} now")

    def press(self, digit: int, shifted: bool) -> None:
        """A number key goes down; with Shift it means the other kind."""
        if self.held is not None and self.held.digit == digit:
            self._up = None  # it has been down all the time
            return
        kind = self.mode
        if shifted:
            kind = "pose" if self.mode == "gesture" else "gesture"
        classes, screen = self.classes(kind), self.controls.screen
        if screen.clip.is_stills:
            self.controls.say(f"pictures have no time: {_words(kind)} is labelled in clips")
        elif not classes:
            self.controls.say(f"this project has no {_words(kind)}; see project.toml")
        elif digit >= len(classes):
            self.controls.say(f"there is no {_words(kind)} number {digit}")
        elif self.controls.store.read_only:
            self.controls.say(f"not changed: {self.controls.store.why}")
        elif screen.seen is not None and screen.is_open:
            self.finish()  # fingers that overlap: the label of the first key ends here
            self.held = Held(digit, kind, classes[digit], screen.clip.name, screen.t)
            self.controls.say(f"{_named(kind, classes[digit])} from {screen.t:.2f} s ...")

    def release(self, digit: int, now: float) -> None:
        """It comes up at clock time `now`; `tick` says whether it stayed up."""
        if self.held is not None and self.held.digit == digit:
            screen = self.controls.screen
            self._up = (now, screen.t, screen.is_playing)

    def tick(self, now: float) -> None:
        """What was shown while a key was down has its label."""
        up = self._up
        if up is not None and now - up[0] >= UP_S:
            self._end(*up[1:])

    def finish(self) -> None:
        """A key that is down counts as come up now, one that came up as that."""
        screen = self.controls.screen
        _, t, is_playing = self._up or (0.0, screen.t, screen.is_playing)
        self._end(t, is_playing)

    def _end(self, t: float, is_playing: bool) -> None:
        """The key that is down came up at time t of the clip."""
        held, screen = self.held, self.controls.screen
        self.held = self._up = None
        if held is None:
            return
        start, end = sorted((held.start_s, t))
        if held.clip != screen.clip.name or not screen.is_open:
            self.controls.say("not labelled: another clip was chosen meanwhile")
        elif start == end and not is_playing:
            self._tap(held)
        else:
            end = screen.end_of(screen.at(end))
            self._paint(Range(held.clip, start, end, held.kind, held.label))

    def preview(self) -> Range | None:
        """What would be labelled if the key came up now."""
        held, screen = self.held, self.controls.screen
        if held is None or held.clip != screen.clip.name:
            return None
        low, high = sorted((held.start_s, screen.t))
        return Range(held.clip, low, screen.end_of(screen.at(high)), held.kind, held.label)

    def choose(self, chosen: Range | None) -> None:
        """This range on the timeline."""
        self._chosen = chosen
        if chosen is not None:
            self.controls.say(
                f"{_named(chosen.kind, chosen.label)}, {chosen.start_s:.2f} to {chosen.end_s:.2f} s"
                "; drag its ends, a number changes it, Delete removes it"
            )
        self.controls.changed()

    def resize(self, old: Range, start_s: float, end_s: float) -> None:
        """Move the ends of a range to the nearest frames."""
        times, screen = self.controls.screen.times(), self.controls.screen
        edges = [*times.tolist(), screen.end_of(len(times) - 1)]
        start, end = (min(edges, key=lambda e: abs(e - t)) for t in sorted((start_s, end_s)))
        if end <= start:
            self.controls.say("a range is one frame long at least; Delete removes it")
            return
        new = replace(old, start_s=float(start), end_s=float(end))
        self._replace(old, new, f"{_named(old.kind, old.label)}: {start:.2f} to {end:.2f} s")

    def relabel(self, old: Range, label: str) -> None:
        """Another class for a range; NOTHING: remove it."""
        if label == NOTHING:
            self.delete(old)
        else:
            words = f"{_named(old.kind, old.label)} is {_named(old.kind, label)} now"
            self._replace(old, replace(old, label=label), words)

    def delete(self, old: Range | None = None) -> None:
        """Remove a range, by default the chosen one."""
        old = old or self.chosen
        if old is not None:
            self._replace(old, None, f"{_named(old.kind, old.label)} removed")

    def _tap(self, held: Held) -> None:
        """A number while the clip stands changes the range that is chosen, or the one here."""
        kind = held.kind
        here = ranges.range_at(self.controls.store.labels.ranges, held.clip, kind, held.start_s)
        old = self.chosen if self.chosen is not None and self.chosen.kind == kind else here
        if old is None:
            self.controls.say("press P to play, then hold the number while it is to be seen")
        else:
            self.relabel(old, held.label)

    def _paint(self, new: Range) -> None:
        every = self.controls.store.labels.ranges
        length = f"{new.end_s - new.start_s:.2f} s"
        if new.label == NOTHING:
            after = ranges.erased(every, new.clip, new.kind, new.start_s, new.end_s)
            self._set(after, f"{_words(new.kind)} taken away for {length}")
        else:
            self._set(ranges.painted(every, new), f"{_named(new.kind, new.label)} for {length}")

    def _replace(self, old: Range, new: Range | None, words: str) -> None:
        every = self.controls.store.labels.ranges
        if old in every and self._set(ranges.changed(every, old, new), words):
            self._chosen = new

    def _set(self, after: tuple[Range, ...], words: str) -> bool:
        controls = self.controls
        if controls.store.read_only:
            controls.say(f"not changed: {controls.store.why}")
            return False
        try:
            controls.store.set_ranges(after)
        except UserError as error:
            controls.say(str(error))
            return False
        controls.say(words)
        return True


def _words(kind: str) -> str:
    return "gesture" if kind == "gesture" else "head pose"


def _named(kind: str, label: str) -> str:
    return f"{_words(kind)} '{label or 'nothing'}'"
