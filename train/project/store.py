"""The labels of a project while they are being made: nothing is lost, whatever happens.

Each action is in the journal, on the disk, before it counts; `save` folds the journal into
labels.json and ranges.csv. A second opener may look but not write. One thread.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterable
from datetime import datetime
from typing import IO

import cv2
import numpy as np
from filelock import FileLock

from tracker.errors import UserError, writing
from tracker.plain_data import bare_name, count, finite
from tracker.types import Image
from tracker.whole_files import part_of, write_whole
from train.project.journal import Action, State, applied, read_state, reverse, to_json
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
from train.project.locks import Claimed, claim

BACKUPS = 10
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
        """Replace what is labelled in one frame. ValueError when its arrays do not fit."""
        refuse_misfit(self.project, label)
        self._do(Action(label.key, label, ()))

    def remove_frame(self, clip: str, frame: int) -> None:
        """Forget one frame's label; nothing happens where there is none."""
        if (clip, frame) in self._labels.frames:
            self._do(Action((clip, frame), None, ()))

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
        path = self.project.labels_dir / picture_name(clip, frame)
        if path.is_file() and not again:
            return
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        _, data = cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])
        write_whole(path, data.tobytes())

    def save(self) -> None:
        """Write labels.json and ranges.csv, the old ones into backup/, and empty the journal.

        UserError when the disk refuses; then everything is still in the journal.
        """
        self._refuse_reader()
        if not self.unsaved:
            return
        back_up(self.project)
        # In this order: labels.json alone says how far both go, and the journal may be done twice.
        write_whole(self.project.ranges_path, ranges_to_csv(self._labels.ranges).encode())
        body = coco_bytes(self.project, self._labels, self._stand)
        write_whole(self.project.labels_path, body)
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
            self.save()
        finally:
            if self._journal is not None:
                self._journal.close()
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
                self._past.append(back)
                self._future.clear()

    def _start(self, state: State) -> None:
        """Open the journal for writing, and fold in what a crash had left."""
        path = self.project.journal_path
        if state.unreadable:
            with writing(self.project.backup_dir):
                self.project.backup_dir.mkdir(exist_ok=True)
                shutil.copy2(path, self.project.backup_dir / f"journal-{_stamp()}.jsonl")
            self.messages += (
                f"{state.unreadable} damaged lines of {path.name} were left out; the file is kept "
                "in labels/backup",
            )
        if not self._stand.generation:
            self._stand = Stand(secrets.token_hex(8), self._stand.seq, self._stand.last)
        with writing(path):
            self._journal = path.open("ab", buffering=0)
            self._journal.truncate(state.length)
        self._saved -= len(state.actions)
        self.save()

    def _do(self, action: Action) -> None:
        back = reverse(self._labels, action)
        self._write(action)
        self._past.append(back)
        self._future.clear()

    def _step(self, source: list[Action], target: list[Action], undo: str) -> str | None:
        self._refuse_reader()
        if not source:
            return None
        step = source[-1]
        action = Action(step.key, step.frame, step.ranges, undo)
        back = reverse(self._labels, action)
        self._write(action)
        source.pop()
        target.append(back)
        return "time ranges" if step.key is None else f"{step.key[0]}, frame {step.key[1]}"

    def _write(self, action: Action) -> None:
        """Journal it, then let it count. UserError, and nothing has changed, when it cannot be."""
        self._refuse_reader()
        assert self._journal is not None
        last = action.key or self._stand.last
        stand = Stand(self._stand.generation, self._stand.seq + 1, last)
        line = json.dumps(to_json(action, stand), ensure_ascii=False, allow_nan=False) + "\n"
        with writing(self.project.journal_path):
            length = self._journal.seek(0, os.SEEK_END)
            try:
                data = memoryview(line.encode())
                while data:
                    data = data[self._journal.write(data) :]
                os.fsync(self._journal.fileno())
            except OSError:
                self._journal.truncate(length)  # half a line must not meet the next one
                raise
        self._labels, self._stand = applied(self._labels, action), stand

    def _refuse_reader(self) -> None:
        if self.read_only:
            raise UserError(f"these labels cannot be changed: {self.why}")


def back_up(project: Project) -> None:
    """Copy labels.json and ranges.csv into labels/backup/, where the last ten are kept."""
    stamp, folder = _stamp(), project.backup_dir
    with writing(folder):
        folder.mkdir(exist_ok=True)
        for path in (project.labels_path, project.ranges_path):
            if path.is_file():
                part = part_of(folder / f"labels-{stamp}{path.suffix}")
                shutil.copy2(path, part)
                part.replace(folder / f"labels-{stamp}{path.suffix}")
        kept = sorted({p.stem for p in folder.glob("labels-*")})
        for stem in kept[:-BACKUPS]:
            for suffix in (".json", ".csv"):
                (folder / f"{stem}{suffix}").unlink(missing_ok=True)


def _claim(project: Project) -> tuple[FileLock | None, str]:
    """The right to write, or why not."""
    try:
        return claim(project, ".lock", TAKEN), ""
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
        if not np.isin(found.v, (0, 1, 2)).all() or not known.all():
            raise ValueError("v must be 0, 1 or 2, and points with v > 0 need coordinates")
        box = found.box_xyxy
        if box is not None and not (box.shape == (4,) and (np.abs(box) < FARTHEST).all()):
            raise ValueError("a box is x0, y0, x1, y1, and all four are numbers")
    if label.negative and label.objects:
        raise ValueError("a frame with objects cannot be marked as empty")


def _stamp() -> str:
    return f"{datetime.now():%Y%m%d_%H%M%S_%f}"[:-3]
