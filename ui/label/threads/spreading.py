"""Labels that spread, in the labeller: followed on a thread, proposed stretch by stretch.

The thread only looks; what it finds is journalled here, when the window ticks. A stretch whose
labels were changed meanwhile is thrown away.
"""

from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from tracker.errors import UserError
from train.project.clips import Clip
from train.project.labels import Key, Labels
from train.spread.stretches import SpreadSpec, open_ones, plan_of, span_at
from ui.kit.jobs import Jobs
from ui.label.controls import LabelControls

if TYPE_CHECKING:  # loaded on the thread that uses it: the window is there sooner
    from train.spread.spread import Found
    from train.spread.stretches import SpreadPlan, Stretch


class Spreading:
    """Spreads labels of clips, and settles what was proposed."""

    def __init__(self, controls: LabelControls, jobs: Jobs) -> None:
        """Nothing is followed yet."""
        self.controls, self._jobs = controls, jobs
        self.is_busy, self.share = False, 0.0
        self._told = -1
        self._stop = threading.Event()
        self._found: SimpleQueue[SpreadPlan | Found] = SimpleQueue()
        self._plan: SpreadPlan | None = None
        self._count = 0

    def start(self, everywhere: bool = False) -> None:
        """Follow the labels of this clip, or of all; while that goes on: end it."""
        controls = self.controls
        if self.is_busy:
            self._stop.set()
            controls.say("spreading ends; what was found is kept")
            return
        if controls.store.read_only:
            controls.say(f"not changed: {controls.store.why}")
            return
        clips = [c for c in controls.screen.clips if everywhere or c == controls.screen.clip]
        labels = controls.store.labels
        names = {c.name for c in clips if not c.is_stills}
        if not any(f.objects and k[0] in names for k, f in labels.by_hand().items()):
            controls.say("no frame of a clip is labelled here from which anything could spread")
            return
        self.is_busy, self.share, self._told, self._count = True, 0.0, -1, 0
        self._stop.clear()
        self._plan = None
        controls.say("spreading labels to the frames around; go on meanwhile")
        self._jobs.start(lambda: self._work(clips, labels), self._ended, self._fail)

    def _work(self, clips: list[Clip], labels: Labels) -> None:
        """On a thread of its own."""
        from train.spread.spread import spread
        from train.suggest.prelabel import current_model

        project, spec = self.controls.project, SpreadSpec()
        model = current_model(project, threads=1)
        plan = plan_of(project, labels, clips, spec, model)
        self._found.put(plan)
        todo = open_ones(plan.stretches, labels)
        for found in spread(project, todo, model, spec, self._report, self._stop.is_set):
            self._found.put(found)

    def _report(self, done: int, total: int) -> None:
        self.share = done / max(total, 1)

    def tick(self) -> None:
        """Propose what was found, and tell how far it is."""
        while self.is_busy or not self._found.empty():
            try:
                found = self._found.get_nowait()
            except Empty:
                break
            self._take(found)
        percent = int(100 * self.share)
        if self.is_busy and not self._stop.is_set() and percent != self._told and percent:
            self._told = percent
            self.controls.say(f"spreading labels: {percent} %; S ends it")

    def _take(self, found: SpreadPlan | Found) -> None:
        from train.spread.spread import Found

        store = self.controls.store
        try:
            if not isinstance(found, Found):
                self._plan = found
                if found.forgotten:
                    store.propose({}, found.forgotten, found.group)
            elif self._plan is not None and self._still_holds(found.stretch):
                name, group = found.stretch.name, self._plan.group
                self._count += store.propose(found.proposals, {name: True}, group)
        except UserError as error:
            self._stop.set()
            self.controls.say(str(error))
        self.controls.changed()

    def _still_holds(self, stretch: Stretch) -> bool:
        """Are the labels at its ends those that were followed?"""
        frames = self.controls.store.labels.frames
        return all(f is None or frames.get(f.key) is f for f in (stretch.before, stretch.after))

    def _ended(self, _: None) -> None:
        self.tick()
        self.is_busy = False
        what = f"{self._count} frames have new proposals"
        if not self._count:
            what = "no frame has a new proposal: labels have spread here, or nothing is sure enough"
        self.controls.say(f"{what}; J goes to the next one, Ctrl+Enter accepts a stretch")

    def _fail(self, sentence: str) -> None:
        self.is_busy = False
        self.controls.say(f"labels could not be spread: {sentence}")

    # What was proposed

    def next(self) -> None:
        """Go to the next proposal of this clip, from its start again if need be."""
        controls = self.controls
        keys = controls.store.labels.proposals_of(controls.screen.clip.name)
        if not keys:
            controls.say("nothing is proposed in this clip; S spreads its labels")
            return
        after = [k for k in keys if k[1] > controls.screen.frame]
        controls.screen.visit((after or keys)[0])

    def _here(self, whole: bool) -> list[Key]:
        """The proposals of the stretch around the frame on the screen, or of the whole clip."""
        controls = self.controls
        labels, clip, frame = controls.store.labels, controls.screen.clip, controls.screen.frame
        span = None if whole else span_at(labels, clip.name, frame, clip.frames)
        return labels.proposals_of(clip.name, span)

    def accept(self, whole: bool) -> None:
        """Make proposals labels: those of the stretch around here, or of the clip."""
        controls, keys = self.controls, self._here(whole)
        if not keys or controls.store.read_only:
            controls.say(self._nothing(whole))
            return
        controls.say(f"accepting {len(keys)} proposals")
        clips, project = list(controls.screen.clips), controls.project

        def work() -> list[Key]:
            from train.spread.taking import keep_pictures

            return keep_pictures(project, clips, keys)

        self._jobs.start(work, self._accepted, controls.say)

    def _accepted(self, keys: list[Key]) -> None:
        try:
            count = self.controls.store.accept(keys)
        except UserError as error:
            self.controls.say(str(error))
            return
        self.controls.choose_first()
        self.controls.say(f"{count} proposals are labels now; Ctrl+Z takes that back")

    def refuse(self, whole: bool) -> None:
        """Forget proposals: those of the stretch around here, or of the clip."""
        controls, keys = self.controls, self._here(whole)
        if not keys or controls.store.read_only:
            controls.say(self._nothing(whole))
            return
        try:
            count = controls.store.refuse(keys)
        except UserError as error:
            controls.say(str(error))
            return
        controls.choose_first()
        controls.say(f"{count} proposals refused; Ctrl+Z brings them back")

    def _nothing(self, whole: bool) -> str:
        if self.controls.store.read_only:
            return f"not changed: {self.controls.store.why}"
        where = "this clip" if whole else "this stretch, between the labels around"
        return f"nothing is proposed in {where}; S spreads the labels of the clip"

    def close(self) -> None:
        """End it."""
        self._stop.set()
