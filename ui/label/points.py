"""What a person can do to the points of objects: place, drag, nudge, hide, copy, delete."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from train.project.labels import UNSURE, ObjectLabel
from ui.label import edit
from ui.label.controls import Chosen, LabelControls


class Points:
    """Each method is one action, which one undo takes back. Guesses that are touched are labels."""

    def __init__(self, controls: LabelControls) -> None:
        """Nothing is copied yet."""
        self.controls = controls
        self._copied: tuple[ObjectLabel, ...] = ()

    def begin(self) -> None:
        """The next click is the first landmark of another object."""
        if self.controls.may_label():
            self.controls.choose(None, 0)
            self.controls.say(f"click where '{self.controls.project.landmarks[0]}' is")

    def target(self) -> int | None:
        """The landmark that a click beside all points would place; None: it would place none."""
        controls = self.controls
        thing = controls.thing()
        if thing is None:
            sure = [g for g in controls.open_guesses() if g.source != UNSURE]
            starts = not controls.objects() and not sure
            return (controls.landmark or 0) if starts or controls.landmark is not None else None
        if controls.landmark is None or thing.v[controls.landmark] != edit.UNLABELLED:
            return None
        return controls.landmark

    def click(self, x: float, y: float) -> None:
        """Place the next landmark here, or choose nothing."""
        controls, at = self.controls, self.target()
        if at is None:
            controls.choose(None)
            return
        thing = controls.thing() or edit.empty_object(
            controls.objects(), len(controls.project.landmarks)
        )
        thing = edit.with_point(thing, at, (x, y))
        name, onwards = controls.project.landmarks[at], edit.next_unlabelled(thing, at)
        words = f"'{name}' placed" + (
            "; every landmark is" if onwards is None
            else f"; next: '{controls.project.landmarks[onwards]}'"
        )  # fmt: skip
        if controls.keep(thing, at, words) and onwards is not None:
            controls.choose(controls.chosen, onwards)

    def drag(self, chosen: Chosen, at: int, x: float, y: float) -> None:
        """Put a landmark somewhere else; it is as visible as it was."""
        controls, thing = self.controls, self.controls.thing(chosen)
        if thing is not None:
            seen = int(thing.v[at]) or edit.VISIBLE
            controls.chosen = chosen
            name = controls.project.landmarks[at]
            controls.keep(edit.with_point(thing, at, (x, y), seen), at, f"'{name}' moved")

    def shove(self, chosen: Chosen, dx: float, dy: float) -> None:
        """Move a whole object."""
        controls, thing = self.controls, self.controls.thing(chosen)
        if thing is not None:
            controls.chosen = chosen
            controls.keep(edit.moved(thing, (dx, dy)), controls.landmark, "the object is moved")

    def nudge(self, dx: float, dy: float) -> None:
        """Move the chosen landmark a little, within the frame."""
        chosen, thing, at = self.controls.chosen, self.controls.thing(), self.controls.landmark
        if chosen is None or thing is None or at is None or thing.v[at] == edit.UNLABELLED:
            self.controls.say("no point is chosen: click one, or press Down")
            return
        seen = self.controls.screen.seen
        if seen is not None and seen.frame.bgr is not None:
            h, w = seen.frame.bgr.shape[:2]
            dx, dy = edit.kept_inside(np.tile(thing.xy[at], 2), (dx, dy), (w, h))
        x, y = thing.xy[at] + (dx, dy)
        self.drag(chosen, at, float(x), float(y))

    def cycle(self, chosen: Chosen | None = None, at: int | None = None) -> None:
        """Visible, occluded, not labelled."""
        controls = self.controls
        chosen, at = chosen or controls.chosen, controls.landmark if at is None else at
        thing = controls.thing(chosen)
        if thing is None or chosen is None or at is None or thing.v[at] == edit.UNLABELLED:
            controls.say("no point is chosen: click one, or press Down")
            return
        thing = edit.cycled(thing, at)
        controls.chosen = chosen
        seen = int(thing.v[at])
        words = f"'{controls.project.landmarks[at]}' is {edit.WORDS[seen]}"
        if seen == edit.UNLABELLED:
            words += "; click to place it again"
        controls.keep(thing, at, words)

    def copy_previous(self) -> None:
        """The objects of the labelled frame before this one, here."""
        controls = self.controls
        frames, name = controls.store.labels.frames, controls.screen.clip.name
        numbers = [n for n in edit.labelled_frames(frames, name) if frames[name, n].objects]
        found = edit.before(numbers, controls.screen.frame)
        if found is None:
            controls.say("no labelled frame before this one in this clip to copy from")
        else:
            self._paste(frames[name, found].objects, f"points copied from frame {found}")

    def copy(self) -> None:
        """Remember the objects of this frame."""
        self._copied = self.controls.objects() or tuple(self.controls.open_guesses())
        count = len(self._copied)
        self.controls.say(
            f"{count} object{'s' * (count != 1)} copied" if count else "nothing to copy"
        )

    def paste(self) -> None:
        """The remembered objects, here."""
        if self._copied:
            self._paste(self._copied, "points pasted")
        else:
            self.controls.say("nothing was copied; Ctrl+C copies the points of a frame")

    def delete(self) -> None:
        """Remove the chosen object."""
        controls = self.controls
        chosen = controls.chosen
        if chosen is None or controls.thing() is None:
            controls.say("no object is chosen: click one of its points, or its box")
        elif chosen.is_guess:
            controls.drop_guess(chosen)
        else:
            rest = tuple(o for o in controls.objects() if o.id != chosen.id)
            if controls.commit(rest, f"object {chosen.id} deleted"):
                controls.choose(Chosen(rest[0].id) if rest else None)

    def _paste(self, objects: tuple[ObjectLabel, ...], words: str) -> None:
        """In the place of what is labelled here. Somebody wanted them: they are the user's."""
        copies = tuple(replace(o, **edit.BY_HAND) for o in objects)
        seen = self.controls.screen.seen
        if seen is not None and seen.frame.bgr is not None:
            height, width = seen.frame.bgr.shape[:2]
            copies = tuple(edit.fitted(o, (width, height)) for o in copies)
        if self.controls.commit(copies, words):
            self.controls.choose(Chosen(copies[0].id), self.controls.landmark)
