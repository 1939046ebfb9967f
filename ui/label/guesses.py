"""What a network thinks of the frame on the screen, and which frame it should be told next."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tracker.find.model_file import own_model
from tracker.types import Image
from train.project.labels import UNSURE, FrameLabel, ObjectLabel, box_of
from train.project.layout import Project
from ui.kit.jobs import Jobs
from ui.label.controls import LabelControls
from ui.label.playhead import Key
from ui.label.threads.workers import Done, Latest

if TYPE_CHECKING:  # loaded on the threads that use them: the window is there sooner
    from train.suggest.prelabel import Guesser
    from train.suggest.suggest import Suggestion

By = Literal["model", "mediapipe", "nothing"]
NEAR_S = 1.0  # seconds; a label of a frame so close says where objects should be
COUNT = 24  # frames that are suggested at once


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """A frame (H, W, 3) that somebody shall guess at."""

    key: Key
    bgr: Image
    by: By
    near: tuple[ObjectLabel, ...] = ()  # where labels of frames close by let one expect objects
    last: ObjectLabel | None = None  # the object where it was seen last in the clip
    inside: ObjectLabel | None = None  # only what this object lacks, in its box


def neighbours(
    controls: LabelControls, key: Key, t: float
) -> tuple[FrameLabel | None, FrameLabel | None]:
    """The labelled frames with objects before and after a frame, where they are close in time."""
    frames = controls.store.labels.frames
    if controls.screen.clip.is_stills:
        return None, None  # a picture says nothing about the next one
    own = [f for (name, _), f in frames.items() if name == key[0] and f.objects]
    close = [f for f in own if abs(f.t - t) <= NEAR_S]
    before = max((f for f in close if f.frame < key[1]), key=lambda f: f.frame, default=None)
    after = min((f for f in close if f.frame > key[1]), key=lambda f: f.frame, default=None)
    return before, after


def last_seen(controls: LabelControls, key: Key) -> ObjectLabel | None:
    """The object of the frame of the same clip that is nearest in it: labelled, else guessed."""
    if controls.screen.clip.is_stills:
        return None
    labelled = {k: f.objects for k, f in controls.store.labels.frames.items() if f.objects}
    sure = {
        k: tuple(g for g in found if g.source != UNSURE) for k, found in controls.guesses.items()
    }
    for known in (labelled, sure):
        own = [k for k, found in known.items() if k[0] == key[0] and found]
        if own:
            return known[min(own, key=lambda k: abs(k[1] - key[1]))][0]
    return None


class Guess:
    """Runs on the thread that asks: loads a model when it is first wanted, and each newer one."""

    def __init__(self, project: Project) -> None:
        """Loads nothing yet."""
        self._project = project
        self._path: Path | None = None
        self._guesser: Guesser | None = None

    def make(self, ask: Ask) -> tuple[ObjectLabel, ...]:
        """Objects on a frame. UserError, ValueError when the model cannot be used."""
        from train.suggest.prelabel import Guesser, current_model

        path = own_model(self._project.root)
        if self._guesser is None or path != self._path:
            self.end()
            model = current_model(self._project)
            self._guesser, self._path = Guesser(self._project, model), path
        if ask.inside is not None:
            found = self._guesser.guess_in(ask.bgr, ask.inside)
            return () if found is None else (found,)
        seen = self._guesser.from_mediapipe(ask.bgr) if ask.by == "mediapipe" else ()
        return seen or self._guesser.guess_something(ask.bgr, ask.near, ask.last)

    def end(self) -> None:
        """Forget the model."""
        if self._guesser is not None:
            self._guesser.close()
        self._guesser = None


class Guesses:
    """Asks for guesses at each frame that stays on the screen and is not labelled."""

    def __init__(self, controls: LabelControls) -> None:
        """Begins with the project's model."""
        self.controls = controls
        self.by: By = "model"
        self._asked: tuple[Key, By] | None = None
        self._told = ""
        guess = Guess(controls.project)
        self._thread = Latest(guess.make, guess.end, "label-guess")

    def choose(self, by: By) -> None:
        """Whose guesses are shown."""
        self.by, self._asked, self._told = by, None, ""
        self.controls.guesses.clear()
        self.controls.changed()

    def tick(self) -> None:
        """Take what was guessed, and ask about the frame on the screen."""
        done = self._thread.take()
        if done is not None and done.order.inside is not None:
            self._placed(done)
        elif done is not None and done.order.by == self.by:
            self.controls.guessed(done.order.key, done.found or ())
            if done.problem and done.problem != self._told:
                self._told = done.problem
                self.controls.say(f"no guesses: {done.problem}")
            self.controls.changed()
        screen = self.controls.screen
        key = screen.key
        if self.by == "nothing" or screen.is_playing or key is None or not screen.is_current:
            return
        is_known = key in self.controls.guesses or self.controls.label() is not None
        is_known = is_known or self.controls.proposal() is not None
        frame = None if screen.seen is None else screen.seen.frame
        if frame is None or frame.bgr is None or is_known or self._asked == (key, self.by):
            return
        from train.project.object_crops import expected

        self._asked = (key, self.by)
        near = expected(*neighbours(self.controls, key, frame.t), frame.t)
        self._thread.ask(Ask(key, frame.bgr, self.by, near, last_seen(self.controls, key)))

    def in_box(self) -> None:
        """Have the landmarks that the chosen object lacks placed in its box."""
        controls, seen = self.controls, self.controls.screen.seen
        thing = controls.thing()
        if thing is None or box_of(thing) is None:
            controls.say("no object with a box is chosen: R draws one")
        elif (thing.v > 0).all():
            controls.say("every landmark of this object is labelled")
        elif controls.may_label() and seen is not None and seen.frame.bgr is not None:
            assert controls.screen.key is not None
            controls.say("looking into the box")
            self._thread.ask(Ask(controls.screen.key, seen.frame.bgr, self.by, inside=thing))

    def _placed(self, done: Done[Ask, tuple[ObjectLabel, ...]]) -> None:
        """One undo takes them back, as if a person had placed them."""
        controls, inside = self.controls, done.order.inside
        if (
            controls.screen.key != done.order.key
            or controls.thing() is not inside
            or inside is None
        ):
            controls.say("nothing was placed: the object has changed meanwhile")
        elif done.problem or not done.found:
            controls.say(done.problem or "the model sees nothing of its kind in the box")
        else:
            (found,) = done.found
            count = int((found.v > 0).sum() - (inside.v > 0).sum())
            controls.keep(
                found, controls.landmark, f"{count} landmarks placed by the model; correct them"
            )

    def close(self) -> None:
        """End the thread."""
        self._thread.close()


class Suggestions:
    """Which frames to label next. Ranked in the background, once it is asked for."""

    def __init__(self, controls: LabelControls, jobs: Jobs) -> None:
        """Nothing is ranked yet."""
        self.controls, self._jobs = controls, jobs
        self.found: list[Suggestion] = []
        self.is_ranking, self.share = False, 0.0
        self._opening: Key | None = None  # the frame on which the window opened
        self._told = ""  # how far it is, in the words that were said last
        self._stop = threading.Event()

    def next(self) -> None:
        """Go to the best suggested frame that is not labelled and not on the screen."""
        labelled, key = self.controls.store.labels.frames, self.controls.screen.key
        left = [s for s in self.found if (s.clip, s.frame) not in labelled]
        keys = [(s.clip, s.frame) for s in left]
        at = keys.index(key) + 1 if key in keys else 0
        if at < len(left):
            self._visit(left[at], f"{at + 1} of {len(left)}")
        elif left:
            self._visit(left[0], f"1 of {len(left)}, from the best again")
        else:
            self._start()

    def open_with(self) -> None:
        """Where nothing is labelled yet, and the frames were ranked by `train suggest`, begin with
        the best one, unless somebody has begun elsewhere before it is known.
        """
        from train.suggest.survey import FILE

        controls = self.controls
        is_ranked = (controls.project.cache_dir / FILE).is_file()
        if is_ranked and controls.store.last_edited is None and not controls.store.labels.frames:
            self._opening = (controls.screen.clip.name, controls.screen.frame)
            self._start()

    def _visit(self, s: Suggestion, place: str) -> None:
        self.controls.screen.visit((s.clip, s.frame))
        self.controls.say(f"suggested frame {place}: {s.clip}, frame {s.frame}; {s.why}")

    def _start(self) -> None:
        if self.is_ranking:
            self._opening = None  # somebody wants it now
            self._tell()
            return
        self.is_ranking, self.share = True, 0.0
        self._stop.clear()
        self._tell()
        project, labels = self.controls.project, self.controls.store.labels

        def work() -> list[Suggestion]:
            from train.suggest.prelabel import current_model
            from train.suggest.suggest import suggest

            model = current_model(project)
            return suggest(project, labels, model, COUNT, self._report, self._stop.is_set)

        self._jobs.start(work, self._take, self._fail)

    def _report(self, done: int, total: int) -> None:
        """Called on the thread that ranks; the window looks at it."""
        self.share = done / max(total, 1)

    def _tell(self) -> None:
        self._told = self._words()
        self.controls.say(self._told)

    def _words(self) -> str:
        percent = int(100 * self.share)
        return f"ranking the frames of all clips: {percent} %; go on meanwhile, Esc ends it"

    def tick(self) -> None:
        """Tell how far it is, as long as nothing else was said."""
        is_last = self.is_ranking and self.controls.message == self._told
        if is_last and self._words() != self._told:
            self._tell()

    def stop(self) -> None:
        """Rank what was looked at by now, and go to the best of it."""
        if self.is_ranking and self._opening is None and not self._stop.is_set():
            self._stop.set()
            self.controls.say("ranking ends; what was looked at is ranked")

    def _take(self, found: list[Suggestion]) -> None:
        self.is_ranking = False
        self.found = found
        screen, opening = self.controls.screen, self._opening
        self._opening = None
        if opening is not None and (opening != (screen.clip.name, screen.frame) or not found):
            self.controls.changed()  # the frames are on the timeline; the person is at work
        elif found:
            self.next()
        else:
            self.controls.say("no frame to suggest: every frame is labelled, or there is none")

    def _fail(self, sentence: str) -> None:
        self.is_ranking, self._opening = False, None
        self.controls.say(sentence)

    def close(self) -> None:
        """Stop ranking."""
        self._stop.set()
