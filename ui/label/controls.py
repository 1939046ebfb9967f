"""What a person can do to the label of a frame, apart from how it looks.

Everything that is labelled is said about the frame on the screen, never about one that is still
being read. `version` counts changes: the window looks at it when its timer ticks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from tracker.errors import UserError
from train.project.clips import Clip
from train.project.labels import UNSURE, FrameLabel, ObjectLabel
from train.project.layout import Project
from train.project.store import Store
from ui.kit.words import capital
from ui.label import edit
from ui.label.playhead import Key, Screen

FLASH_S = 2.0


@dataclass(frozen=True, slots=True)
class Chosen:
    """One object on the frame: a labelled one or a guess, by its number."""

    id: int
    is_guess: bool = False


class LabelControls:
    """Holds the project, its labels, the guesses, and what is chosen on the screen."""

    def __init__(
        self, project: Project, clips: tuple[Clip, ...], store: Store,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """`clips` has one at least. Shows the frame that was edited last."""
        self.project, self.store = project, store
        self.message = ""
        self.flash = ""  # what an action did, in the picture for FLASH_S
        self._clock, self._flash_until = clock, 0.0
        self.screen = Screen(project, clips, self.say, clock, store.last_edited)
        self.chosen: Chosen | None = None
        self.landmark: int | None = None
        self.guesses: dict[Key, tuple[ObjectLabel, ...]] = {}
        self.shows_guesses = True
        self._dropped: set[tuple[Key, int]] = set()
        self._kept: set[Key] = set()  # frames whose pictures are in the project
        self._seen_key: Key | None = None
        self._changes = 0

    @property
    def version(self) -> int:
        """Another number after each change."""
        return self._changes + self.screen.version

    def label(self) -> FrameLabel | None:
        """What is labelled on the frame on the screen."""
        key = self.screen.key
        return None if key is None else self.store.labels.frames.get(key)

    def objects(self) -> tuple[ObjectLabel, ...]:
        """The labelled objects on it."""
        label = self.label()
        return () if label is None else label.objects

    def proposal(self) -> FrameLabel | None:
        """What spreading proposes for it."""
        key = self.screen.key
        return None if key is None else self.store.labels.proposals.get(key)

    def open_guesses(self) -> list[ObjectLabel]:
        """Guesses on it that are neither labelled nor thrown away; proposals go before them.

        None where they are hidden: what nobody sees is neither chosen nor accepted.
        """
        key, proposal = self.screen.key, self.proposal()
        if key is None or not self.shows_guesses:
            return []
        if proposal is not None:
            return list(proposal.objects)
        found = edit.still_open(self.guesses.get(key, ()), self.label())
        return [g for g in found if (key, g.id) not in self._dropped]

    def thing(self, chosen: Chosen | None = None) -> ObjectLabel | None:
        """The object that `chosen` means, by default the chosen one."""
        chosen = chosen or self.chosen
        if chosen is None:
            return None
        among = self.open_guesses() if chosen.is_guess else self.objects()
        return next((o for o in among if o.id == chosen.id), None)

    def tick(self) -> None:
        """Take what was decoded; on another frame nothing is chosen that is not there."""
        self.screen.tick()
        if self.flash and self._clock() >= self._flash_until:
            self.flash = ""
            self.changed()
        if self.screen.key != self._seen_key:
            self._seen_key = self.screen.key
            self.choose_first()

    def say(self, sentence: str) -> None:
        """What just happened."""
        self.message = sentence
        self.changed()

    def show(self, sentence: str) -> None:
        """The same in the picture, where the person looks, for a moment."""
        self.flash, self._flash_until = sentence, self._clock() + FLASH_S
        self.changed()

    def changed(self) -> None:
        """Something is to be shown again."""
        self._changes += 1

    # Choosing

    def choose(self, chosen: Chosen | None, landmark: int | None = None) -> None:
        """This object, and this landmark of it."""
        self.chosen, self.landmark = chosen, landmark
        self.changed()

    def next_object(self) -> None:
        """Go through the objects on the frame."""
        every = [Chosen(o.id) for o in self.objects()]
        every += [Chosen(g.id, True) for g in self.open_guesses()]
        if every:
            at = every.index(self.chosen) + 1 if self.chosen in every else 0
            self.choose(every[at % len(every)], self.landmark)

    def next_landmark(self, by: int) -> None:
        """Go through the landmarks."""
        count = len(self.project.landmarks)
        start = -1 if by > 0 else count
        self.landmark = ((start if self.landmark is None else self.landmark) + by) % count
        self.changed()

    def next_labelled(self, forward: bool) -> None:
        """The next or the previous labelled frame of this clip."""
        screen = self.screen
        numbers = edit.labelled_frames(self.store.labels.frames, screen.clip.name)
        found = (edit.beyond if forward else edit.before)(numbers, screen.frame)
        if found is None:
            self.say(f"no labelled frame {'after' if forward else 'before'} this one in this clip")
        else:
            screen.go(found)

    def show_guesses(self, on: bool) -> None:
        """Show guesses, or hide them; one that is hidden is chosen no more."""
        self.shows_guesses = on
        is_placing = self.chosen is None and self.landmark is not None
        if self.thing() is None and not is_placing:
            self.choose_first()

    def choose_first(self) -> None:
        """What is there to be seen of it is shown beside the frame; guesses come later."""
        objects = self.objects()
        guesses = [g for g in self.open_guesses() if g.source != UNSURE]
        if self.thing() is None and (objects or guesses):
            self.choose(Chosen(objects[0].id) if objects else Chosen(guesses[0].id, True))
        elif self.thing() is None:
            self.choose(None)

    def guessed(self, key: Key, found: tuple[ObjectLabel, ...]) -> None:
        """What a network thinks of a frame."""
        self.guesses[key] = found
        if key == self.screen.key and self.thing() is None and self.landmark is None:
            self.choose_first()
        self.changed()

    # Labels

    def may_label(self) -> bool:
        """Can the frame on the screen be labelled now? Says why not."""
        seen = self.screen.seen
        if self.store.read_only:
            self.say(f"not changed: {self.store.why}")
        elif seen is None or not self.screen.is_current:
            self.say("not changed: the frame is still being read")
        elif seen.frame.bgr is None:
            self.say("not changed: this frame could not be decoded, so it cannot be labelled")
        else:
            return True
        return False

    def commit(self, objects: tuple[ObjectLabel, ...], words: str, negative: bool = False) -> bool:
        """Label the frame on the screen, on the disk when this returns; False: it was not done."""
        seen, key = self.screen.seen, self.screen.key
        if not self.may_label() or seen is None or key is None or seen.frame.bgr is None:
            return False
        objects = tuple(o for o in objects if not edit.is_empty(o))
        height, width = seen.frame.bgr.shape[:2]
        try:
            if not objects and not negative:
                self.store.remove_frame(*key)
            else:
                if key not in self._kept:
                    self.store.keep_picture(*key, seen.frame.bgr)
                    self._kept.add(key)
                size_wh = (width, height)
                t = 0.0 if seen.clip.is_stills else seen.frame.t  # pictures have no time
                self.store.set_frame(FrameLabel(*key, t, size_wh, objects, negative))
        except UserError as error:
            self.say(str(error))
            return False
        self.say(words)
        return True

    def keep(self, thing: ObjectLabel, landmark: int | None, words: str) -> bool:
        """Commit the chosen object, changed; a guess becomes a label by it."""
        if self.chosen is not None and self.chosen.is_guess:
            thing = edit.numbered([thing], self.objects())[0]
        if not self.commit(edit.placed(self.objects(), thing), words):
            return False
        self.choose(None if edit.is_empty(thing) else Chosen(thing.id), landmark)
        return True

    def accept(self) -> None:
        """The guesses on the frame become labels; what became of it stands in the picture."""
        self._accept()
        self.show(capital(self.message))

    def _accept(self) -> None:
        found = self.open_guesses()
        if not found:
            label = self.label()
            why = "it is labelled" if label is not None else "there is none"
            why = why if self.shows_guesses else "guesses are hidden, G shows them"
            self.say(f"no guess to accept on this frame: {why}")
            return
        added = edit.numbered(found, self.objects())
        count = "the guess" if len(added) == 1 else f"{len(added)} guesses"
        words = f"accepted {count} on frame {self.screen.frame}"
        if any(g.source == UNSURE for g in found):
            words += "; the network is sure of none of its points, so look at each"
        if self.commit((*self.objects(), *added), words):
            self.choose(Chosen(added[0].id), self.landmark)

    def drop_guess(self, chosen: Chosen) -> None:
        """Show a guess no more; a proposal is refused."""
        proposal = self.proposal()
        if proposal is not None:
            self._refuse(proposal, chosen.id)
        elif self.screen.key is not None:
            self._dropped.add((self.screen.key, chosen.id))
            self.choose(None)
            self.say("the guess is gone")

    def _refuse(self, proposal: FrameLabel, number: int) -> None:
        rest = tuple(o for o in proposal.objects if o.id != number)
        if self.store.read_only:
            self.say(f"not changed: {self.store.why}")
            return
        try:
            if rest:
                self.store.propose({proposal.key: replace(proposal, objects=rest)}, {}, "")
            else:
                self.store.refuse([proposal.key])
        except UserError as error:
            self.say(str(error))
            return
        self.choose_first()
        self.say(f"the proposal for frame {proposal.frame} is refused")

    def nothing_here(self) -> None:
        """The frame shows no object, which networks learn from too; again: say nothing about it."""
        label = self.label()
        if label is not None and label.negative:
            self.unlabel()
        elif self.commit((), f"frame {self.screen.frame}: nothing here", negative=True):
            self.choose(None)

    def unlabel(self) -> None:
        """Forget what is labelled on the frame."""
        if self.label() is None:
            self.say("nothing is labelled on this frame")
        elif self.commit((), f"frame {self.screen.frame} is not labelled any more"):
            self.choose(None)

    def undo(self, again: bool = False) -> None:
        """Take the last change back, or make it again, and show where that was."""
        if self.store.read_only:
            self.say(f"not changed: {self.store.why}")
            return
        before = self.store.labels.frames
        try:
            what = self.store.redo() if again else self.store.undo()
        except UserError as error:
            self.say(str(error))
            return
        if what is None:
            self.say(f"nothing to {'do again' if again else 'undo'}")
            return
        self.say(f"{'done again' if again else 'undone'}: {what}")
        where = edit.difference(before, self.store.labels.frames)
        if where is not None and where != self.screen.key:
            self.screen.visit(where)
        else:
            self.choose_first()

    def save(self) -> None:
        """Write the label files, with a backup."""
        try:
            self.store.save()
        except UserError as error:
            self.say(str(error))
        else:
            self.say("saved to labels/labels.json and labels/ranges.csv")
