"""What a person can do to the points of objects: place, drag, nudge, hide, copy, delete."""

from __future__ import annotations

from dataclasses import replace

from train.project.labels import ObjectLabel
from ui.label import edit
from ui.label.controls import Chosen, LabelDesk


class Points:
    """Each method is one action, which one undo takes back. Guesses that are touched are labels."""

    def __init__(self, desk: LabelDesk) -> None:
        """Nothing is copied yet."""
        self.desk = desk
        self._copied: tuple[ObjectLabel, ...] = ()

    def begin(self) -> None:
        """The next click is the first landmark of another object."""
        if self.desk.may_label():
            self.desk.choose(None, 0)
            self.desk.say(f"click where '{self.desk.project.landmarks[0]}' is")

    def target(self) -> int | None:
        """The landmark that a click beside all points would place; None: it would place none."""
        desk = self.desk
        thing = desk.thing()
        if thing is None:
            starts = not desk.objects() and not desk.open_guesses()
            return (desk.landmark or 0) if starts or desk.landmark is not None else None
        if desk.landmark is None or thing.v[desk.landmark] != edit.UNLABELLED:
            return None
        return desk.landmark

    def click(self, x: float, y: float) -> None:
        """Place the next landmark here, or choose nothing."""
        desk, at = self.desk, self.target()
        if at is None:
            desk.choose(None)
            return
        thing = desk.thing() or edit.empty_object(desk.objects(), len(desk.project.landmarks))
        thing = edit.with_point(thing, at, (x, y))
        name, onwards = desk.project.landmarks[at], edit.next_unlabelled(thing, at)
        words = f"'{name}' placed" + (
            "; every landmark is" if onwards is None
            else f"; next: '{desk.project.landmarks[onwards]}'"
        )  # fmt: skip
        if desk.keep(thing, at, words) and onwards is not None:
            desk.choose(desk.chosen, onwards)

    def drag(self, chosen: Chosen, at: int, x: float, y: float) -> None:
        """Put a landmark somewhere else; it is as visible as it was."""
        desk, thing = self.desk, self.desk.thing(chosen)
        if thing is not None:
            seen = int(thing.v[at]) or edit.VISIBLE
            desk.chosen = chosen
            name = desk.project.landmarks[at]
            desk.keep(edit.with_point(thing, at, (x, y), seen), at, f"'{name}' moved")

    def shove(self, chosen: Chosen, dx: float, dy: float) -> None:
        """Move a whole object."""
        desk, thing = self.desk, self.desk.thing(chosen)
        if thing is not None:
            desk.chosen = chosen
            desk.keep(edit.moved(thing, (dx, dy)), desk.landmark, "the object is moved")

    def nudge(self, dx: float, dy: float) -> None:
        """Move the chosen landmark a little."""
        chosen, thing, at = self.desk.chosen, self.desk.thing(), self.desk.landmark
        if chosen is None or thing is None or at is None or thing.v[at] == edit.UNLABELLED:
            self.desk.say("no point is chosen: click one, or press Down")
            return
        x, y = thing.xy[at] + (dx, dy)
        self.drag(chosen, at, float(x), float(y))

    def cycle(self, chosen: Chosen | None = None, at: int | None = None) -> None:
        """Visible, occluded, not labelled."""
        desk = self.desk
        chosen, at = chosen or desk.chosen, desk.landmark if at is None else at
        thing = desk.thing(chosen)
        if thing is None or chosen is None or at is None or thing.v[at] == edit.UNLABELLED:
            desk.say("no point is chosen: click one, or press Down")
            return
        thing = edit.cycled(thing, at)
        desk.chosen = chosen
        seen = int(thing.v[at])
        words = f"'{desk.project.landmarks[at]}' is {edit.WORDS[seen]}"
        if seen == edit.UNLABELLED:
            words += "; click to place it again"
        desk.keep(thing, at, words)

    def copy_previous(self) -> None:
        """The objects of the labelled frame before this one, here."""
        desk = self.desk
        frames, name = desk.store.labels.frames, desk.screen.clip.name
        numbers = [n for n in edit.labelled_frames(frames, name) if frames[name, n].objects]
        found = edit.before(numbers, desk.screen.frame)
        if found is None:
            desk.say("no labelled frame before this one in this clip to copy from")
        else:
            self._paste(frames[name, found].objects, f"points copied from frame {found}")

    def copy(self) -> None:
        """Remember the objects of this frame."""
        self._copied = self.desk.objects() or tuple(self.desk.open_guesses())
        count = len(self._copied)
        self.desk.say(f"{count} object{'s' * (count != 1)} copied" if count else "nothing to copy")

    def paste(self) -> None:
        """The remembered objects, here."""
        if self._copied:
            self._paste(self._copied, "points pasted")
        else:
            self.desk.say("nothing was copied; Ctrl+C copies the points of a frame")

    def delete(self) -> None:
        """Remove the chosen object."""
        desk = self.desk
        chosen = desk.chosen
        if chosen is None or desk.thing() is None:
            desk.say("no object is chosen: click one of its points, or its box")
        elif chosen.is_guess:
            desk.drop_guess(chosen)
        else:
            rest = tuple(o for o in desk.objects() if o.id != chosen.id)
            if desk.commit(rest, f"object {chosen.id} deleted"):
                desk.choose(Chosen(rest[0].id) if rest else None)

    def _paste(self, objects: tuple[ObjectLabel, ...], words: str) -> None:
        """In the place of what is labelled here. Somebody wanted them: they are the user's."""
        copies = tuple(replace(o, source="user") for o in objects)
        if self.desk.commit(copies, words):
            self.desk.choose(Chosen(copies[0].id), self.desk.landmark)
