"""What a person can do to the boxes of objects: draw, drag, let the points say it again."""

from __future__ import annotations

from tracker.types import Floats
from train.project.labels import box_of
from ui.label import edit
from ui.label.controls import Chosen, LabelControls
from ui.label.edit import SAME, overlap


class Boxes:
    """Each method is one action, which one undo takes back. Guesses that are touched are labels."""

    def __init__(self, controls: LabelControls) -> None:
        """Nothing is being drawn."""
        self.controls = controls
        self._drawing: str = ""  # '', 'chosen' (its box anew) or 'new' (another object)

    @property
    def is_drawing(self) -> bool:
        """Would a drag draw a box?"""
        return bool(self._drawing)

    def begin(self, another: bool = False) -> None:
        """The next drag is a box: of the chosen object, or of another one where there is none."""
        controls = self.controls
        if not controls.may_label():
            return
        thing = None if another else controls.thing()
        self._drawing = "new" if thing is None else "chosen"
        whose = "a new object" if thing is None else f"object {thing.id}"
        controls.say(f"drag from corner to corner of {whose}; Esc ends it")

    def stop(self) -> bool:
        """Draw no box; was one about to be?"""
        was, self._drawing = self._drawing, ""
        if was:
            self.controls.say("no box drawn")
        return bool(was)

    def draw(self, box_xyxy: Floats | None) -> None:
        """A box (4,) was drawn; None: one so small that nobody meant it."""
        controls, whose = self.controls, self._drawing
        if not whose:
            return
        if box_xyxy is None:
            controls.say("no box drawn: hold the button down from one corner to the other")
            return
        self._drawing = ""
        thing = None if whose == "new" else controls.thing()
        is_guess = controls.chosen is not None and controls.chosen.is_guess
        if thing is not None and is_guess and overlap(box_of(thing), box_xyxy) < SAME:
            thing = None  # around something else than the guess that happens to be chosen
        if thing is None:
            thing = edit.empty_object(controls.objects(), len(controls.project.landmarks))
            controls.chosen = Chosen(thing.id)
            words = f"object {thing.id} has a box; Down and a click place landmarks, Y guesses them"
            controls.keep(edit.with_box(thing, box_xyxy), None, words)
        else:
            controls.keep(edit.with_box(thing, box_xyxy), controls.landmark, "box drawn")

    def resize(self, chosen: Chosen, box_xyxy: Floats) -> None:
        """Sides of a box were dragged; it is one of its own from now on."""
        thing = self.controls.thing(chosen)
        if thing is not None:
            self.controls.chosen = chosen
            self.controls.keep(edit.with_box(thing, box_xyxy), self.controls.landmark, "box moved")

    def of_points(self) -> None:
        """Forget the drawn box of the chosen object: that of its points is its box again."""
        controls, thing = self.controls, self.controls.thing()
        if thing is None or thing.box_xyxy is None:
            controls.say("no object with a drawn box is chosen")
        elif edit.is_empty(edit.with_box(thing, None)):
            controls.say("this object is nothing but a box; Del removes it")
        else:
            controls.keep(
                edit.with_box(thing, None), controls.landmark, "the box is that of the points"
            )
