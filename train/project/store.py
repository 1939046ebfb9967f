"""The labels of a project while they are being made: nothing is lost, whatever happens.

Each action is in the journal, on the disk, before it counts; `save` folds the journal into
labels.json and ranges.csv. A second opener may look but not write. One thread.
"""

from __future__ import annotations

import filecmp
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO

import cv2
import numpy as np
from filelock import FileLock

from tracker.errors import UserError, writing
from tracker.plain_data import bare_name, count, finite
from tracker.sources.picture_file import encoded
from tracker.types import Image
from tracker.whole_files import copy_whole, write_whole
from train.project.journal import (
    Action,
    More,
    State,
    applied,
    read_state,
    remember,
    reverse,
    to_line,
)
from train.project.labels import (
    FARTHEST,
    FrameLabel,
    Key,
    Labels,
    Range,
    Stand,
    coco_bytes,
    ordered,
    picture_name,
    ranges_to_csv,
)
from train.project.layout import Project
from train.project.locks import Claimed, claim, file_of

BACKUPS = 10
NUMBERED = re.compile(r"\w+-n(\d+)-")  # names of backups
LOCK = ".lock"
TAKEN = "another window or command labels this project; close it and open this again"


class Store:
    """Labels that can be changed, undone and saved. Make it with `Store.open`, end it with `close`.

    `read_only` and `why` say whether and why nothing can be changed; `recovered` counts the actions
    that a crash had left in the journal; `messages` are sentences about what was read.
    """

    def __init__(self, project: Project, lock: FileLock | None, why: str) -> None:
        """Use `Store.open`."""
        self.project = project
        self.why = why
        self.read_only = lock is None
        self._lock = lock
        self._locked = None if lock is None else file_of(lock)
        self._journal: IO[bytes] | None = None
        state = read_state(project)
        self._labels, self._stand = state.labels, state.stand
        self._saved = state.stand.seq
        self.recovered = len(state.actions)
        self.messages = state.messages
        self._past: list[Action] = []  # each undoes one action, the latest last
        self._future: list[Action] = []
        self._recall(state)
        if lock is not None:
            self._start(state)

    @staticmethod
    def open(project: Project, read_only: bool = False) -> Store:
        """Read the labels and claim the right to write them.

        Where another has it, or the folder cannot be written, the store is read-only and `why` says
        so. UserError when the labels cannot be read.
        """
        lock, why = (None, "opened to look only") if read_only else _claim(project)
        try:
            return Store(project, lock, why)
        except BaseException:
            if lock is not None:
                lock.release()
            raise

    @property
    def labels(self) -> Labels:
        """What is labelled now; never changes under the reader."""
        return self._labels

    @property
    def last_edited(self) -> Key | None:
        """The frame whose label was changed last, in this session or an earlier one."""
        return self._stand.last

    @property
    def can_undo(self) -> bool:
        return bool(self._past) and not self.read_only

    @property
    def can_redo(self) -> bool:
        return bool(self._future) and not self.read_only

    @property
    def unsaved(self) -> int:
        """Actions that are in the journal only."""
        return self._stand.seq - self._saved

    def set_frame(self, label: FrameLabel) -> None:
        """Replace what is labelled in one frame. ValueError when its arrays do not fit.

        What was proposed for it, and what was followed from its old label, is proposed no more.
        """
        refuse_misfit(self.project, label)
        self._do(Action(label.key, label, (), more=outlived(self._labels, label.key)))

    def remove_frame(self, clip: str, frame: int) -> None:
        """Forget one frame's label; nothing happens where there is none."""
        if (clip, frame) in self._labels.frames:
            more = outlived(self._labels, (clip, frame))
            self._do(Action((clip, frame), None, (), more=more))

    def propose(
        self, proposals: Mapping[Key, FrameLabel | None], spread: Mapping[str, bool], group: str
    ) -> int:
        """Propose labels for frames (None: no more), in place of what was proposed there.

        Frames that are labelled are left out: no label is overwritten. `spread` says which
        stretches were gone through (or are forgotten); all of one `group` is one undo. How many
        frames have a proposal by it.
        """
        kept = {k: f for k, f in proposals.items() if k not in self._labels.frames}
        kept = {k: f for k, f in kept.items() if f is not None or k in self._labels.proposals}
        for label in kept.values():
            if label is not None:
                refuse_misfit(self.project, label)
        self._do(Action(None, None, (), more=More("spreading", {}, kept, spread, group)))
        return sum(label is not None for label in kept.values())

    def accept(self, keys: Iterable[Key], group: str = "") -> int:
        """Make proposals labels, whose source goes on saying that they were spread; how many."""
        found = {k: self._labels.proposals[k] for k in keys if k in self._labels.proposals}
        if found:
            more = More("accepting proposals", found, dict.fromkeys(found), {}, group)
            self._do(Action(None, None, (), more=more))
        return len(found)

    def refuse(self, keys: Iterable[Key]) -> int:
        """Propose these no more; spreading brings them back only when it is to begin again."""
        gone = dict.fromkeys(k for k in keys if k in self._labels.proposals)
        if gone:
            self._do(Action(None, None, (), more=More("refusing proposals", {}, gone)))
        return len(gone)

    def set_ranges(self, ranges: Iterable[Range]) -> None:
        """Replace all time ranges."""
        self._do(Action(None, None, ordered(ranges)))

    def undo(self) -> str | None:
        """Take the latest action back; what was taken back, None when there is nothing."""
        return self._step(self._past, self._future, "undo")

    def redo(self) -> str | None:
        """Do again what was undone last; what it was, None when there is nothing."""
        return self._step(self._future, self._past, "redo")

    def keep_picture(self, clip: str, frame: int, bgr: Image, again: bool = False) -> None:
        """Write the picture (H, W, 3) of a frame that is to be labelled.

        One that is there already stays, unless it shall be written `again`.
        """
        self._refuse_reader()
        write_picture(self.project, (clip, frame), bgr, again)

    def save(self) -> None:
        """Write labels.json and ranges.csv, the old ones into backup/, and empty the journal.

        UserError when the disk refuses; then everything is still in the journal.
        """
        self._refuse_reader()
        if not self.unsaved:
            return
        back_up(self.project)  # what another program put there
        # In this order: labels.json alone says how far both go, and the journal may be done twice.
        write_whole(self.project.ranges_path, ranges_to_csv(self._labels.ranges).encode())
        body = coco_bytes(self.project, self._labels, self._stand)
        write_whole(self.project.labels_path, body)
        back_up(self.project)  # the newest backup is the last save
        self._saved = self._stand.seq
        assert self._journal is not None
        with writing(self.project.journal_path):
            self._journal.truncate(0)
            os.fsync(self._journal.fileno())

    def close(self) -> None:
        """Save what is not saved, and let others write. May be called twice."""
        if self._lock is None:
            return
        try:
            if self.unsaved:
                self.save()
        finally:
            if self._journal is not None:
                self._journal.close()
            if self._lock is not None:  # it may be lost, and no other could be had
                self._lock.release()
            self._lock, self.read_only, self.why = None, True, "closed"

    def reload(self) -> bool:
        """A reader's look at what the writer did meanwhile; whether there was anything."""
        if not self.read_only:
            return False
        state = read_state(self.project)
        news = state.stand != self._stand
        self._labels, self._stand = state.labels, state.stand
        return news

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _recall(self, state: State) -> None:
        """What was done before a crash can still be undone."""
        labels = state.saved
        for action in state.actions:
            back = reverse(labels, action)
            labels = applied(labels, action)
            if action.undo == "undo" and self._past:
                self._past.pop()
                self._future.append(back)
            elif action.undo == "redo" and self._future:
                self._future.pop()
                self._past.append(back)
            else:
                remember(self._past, back)
                self._future.clear()

    def _start(self, state: State) -> None:
        """Open the journal for writing, and fold in what a crash had left."""
        path = self.project.journal_path
        if state.unreadable or state.zeros:
            self._keep_journal(state)
        if not self._stand.generation:
            self._stand = Stand(secrets.token_hex(8), self._stand.seq, self._stand.last)
        with writing(path):
            self._journal = path.open("ab", buffering=0)
            self._journal.truncate(state.length)
        self._saved -= len(state.actions)
        self.save()

    def _keep_journal(self, state: State) -> None:
        """A journal that is damaged is kept as it is, and told."""
        path, folder = self.project.journal_path, self.project.backup_dir
        with writing(folder):
            folder.mkdir(exist_ok=True)
        copy_whole(path, folder / f"{_next_name(folder, 'journal')}.jsonl")
        facts = [f"{state.unreadable} damaged lines of {path.name} were left out"]
        if state.zeros:
            facts = [
                *facts[not state.unreadable :],
                f"{path.name} ended in zeros, as after a power cut",
            ]
        self.messages += (
            f"{'; '.join(facts)}: look at the labels made last; the file is kept in labels/backup",
        )

    def _do(self, action: Action) -> None:
        back = reverse(self._labels, action)
        self._write(action)
        remember(self._past, back)
        self._future.clear()

    def _step(self, source: list[Action], target: list[Action], undo: str) -> str | None:
        self._refuse_reader()
        if not source:
            return None
        step = source[-1]
        action = replace(step, undo=undo)
        back = reverse(self._labels, action)
        self._write(action)
        source.pop()
        target.append(back)
        if step.key is None:
            return "time ranges" if step.more is None else step.more.words
        return f"{step.key[0]}, frame {step.key[1]}"

    def _write(self, action: Action) -> None:
        """Journal it, then let it count. UserError, and nothing has changed, when it cannot be."""
        self._refuse_reader()
        assert self._journal is not None
        last = action.key or self._stand.last
        stand = Stand(self._stand.generation, self._stand.seq + 1, last)
        with writing(self.project.journal_path):
            length = self._journal.seek(0, os.SEEK_END)
            try:
                data = memoryview(to_line(action, stand))
                while data:
                    data = data[self._journal.write(data) :]
                os.fsync(self._journal.fileno())
            except OSError:
                self._journal.truncate(length)  # half a line must not meet the next one
                raise
        self._labels, self._stand = applied(self._labels, action), stand

    def _refuse_reader(self) -> None:
        if self._lock is not None and file_of(self._lock) != self._locked:
            self._claim_again(self._lock)
        if self._journal is not None and not self._journal.closed:
            self._find_journal(self._journal)
        if self.read_only:
            raise UserError(f"these labels cannot be changed: {self.why}")

    def _find_journal(self, ours: IO[bytes]) -> None:
        """Where the journal was cleaned away: begin another, and save what was in it."""
        path, here = self.project.journal_path, os.fstat(ours.fileno())
        with suppress(OSError):
            if os.path.samestat(path.stat(), here):
                return
        ours.close()
        with writing(path):
            self._journal = path.open("ab", buffering=0)
        self.save()

    def _is_as_left(self) -> bool:
        """Whether the files say what this store wrote last, and nothing of anybody else's."""
        found, ours = read_state(self.project).stand, self._stand
        return found.seq == ours.seq and found.generation in (ours.generation, "")

    def _claim_again(self, lost: FileLock) -> None:
        """The lock's file was cleaned away: go on where nobody wrote meanwhile, else only look."""
        lost.release()
        self._lock, why = _claim(self.project)
        self._locked = None if self._lock is None else file_of(self._lock)
        if self._lock is not None and not self._is_as_left():
            self._lock.release()
            self._lock, why = None, "another window or command has changed them meanwhile"
        if self._lock is None:
            self.read_only = True
            self.why = f"labels/{LOCK} was deleted while this was open, and {why}"
            if self._journal is not None:
                self._journal.close()


def write_picture(project: Project, key: Key, bgr: Image, again: bool = False) -> None:
    """`Store.keep_picture` without a store: a picture alone is no label."""
    path = project.labels_dir / picture_name(*key)
    if path.is_file() and not again:
        return
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, encoded(bgr, ".png", cv2.IMWRITE_PNG_COMPRESSION, 3))


def outlived(labels: Labels, key: Key) -> More | None:
    """What is proposed no more when the label of a frame changes; None where nothing was."""
    gone = {
        k: None for k, f in labels.proposals.items()
        if k == key or (k[0] == key[0] and any(key[1] in o.came_from for o in f.objects))
    }  # fmt: skip
    return More("", {}, gone) if gone else None


def back_up(project: Project) -> None:
    """Copy labels.json and ranges.csv into labels/backup/, where the last ten are kept.

    They are numbered, since a clock may be set back. What is there as the newest is not copied.
    """
    folder = project.backup_dir
    with writing(folder):
        folder.mkdir(exist_ok=True)
        files = [p for p in (project.labels_path, project.ranges_path) if p.is_file()]
        newest = max((p.stem for p in folder.glob("labels-*")), key=_age, default="")
        if all(_is_copied(path, folder / f"{newest}{path.suffix}") for path in files):
            return
        name = _next_name(folder, "labels")
        for path in files:
            copy_whole(path, folder / f"{name}{path.suffix}")
        kept = sorted({p.stem for p in folder.glob("labels-*")}, key=_age)
        for stem in kept[:-BACKUPS]:
            for suffix in (".json", ".csv"):
                (folder / f"{stem}{suffix}").unlink(missing_ok=True)


def _is_copied(path: Path, backup: Path) -> bool:
    return backup.is_file() and filecmp.cmp(path, backup, shallow=False)


def _age(stem: str) -> tuple[int, str]:
    """Newer ones are greater; those of older versions have no number and go by their date."""
    number = NUMBERED.match(stem)
    return (int(number[1]) if number else 0), stem


def _next_name(folder: Path, what: str) -> str:
    """labels-n000012-20261129_130500: a number above all others, and the time for people."""
    used = max((_age(p.stem)[0] for p in folder.glob(f"{what}-*")), default=0)
    return f"{what}-n{used + 1:06d}-{datetime.now():%Y%m%d_%H%M%S}"


def _claim(project: Project) -> tuple[FileLock | None, str]:
    """The right to write, or why not."""
    try:
        return claim(project, LOCK, TAKEN), ""
    except Claimed as refused:
        return None, str(refused)


def refuse_misfit(project: Project, label: FrameLabel) -> None:
    """ValueError when a label does not fit the project, or could not be read back."""
    bare_name(label.clip)
    for number, least in ((label.frame, 0), *((side, 1) for side in label.size_wh)):
        count(number, least)
    finite(label.t)
    landmarks = len(project.landmarks)
    for found in label.objects:
        if found.xy.shape != (landmarks, 2) or found.v.shape != (landmarks,):
            raise ValueError(
                f"a label needs xy ({landmarks}, 2) and v ({landmarks},), got {found.xy.shape} and "
                f"{found.v.shape}"
            )
        known = np.abs(found.xy[found.v > 0]) < FARTHEST  # not where it is NaN
        sure = found.confidence
        fits = sure is None or (sure.shape == (landmarks,) and np.abs(sure - 0.5).max() <= 0.5)
        if not fits:
            raise ValueError(f"confidence is ({landmarks},) numbers from 0 to 1")
        if not np.isin(found.v, (0, 1, 2)).all() or not known.all():
            raise ValueError("v must be 0, 1 or 2, and points with v > 0 need coordinates")
        box = found.box_xyxy
        if box is not None and not (box.shape == (4,) and (np.abs(box) < FARTHEST).all()):
            raise ValueError("a box is x0, y0, x1, y1, and all four are numbers")
    if label.negative and label.objects:
        raise ValueError("a frame with objects cannot be marked as empty")
