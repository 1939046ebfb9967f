"""The pictures of an import on their way into the project: all of them or none.

A picture is on the disk before the index names it, and the index before a label speaks of it; a
number that the index does not name is free, and what a kill left under it is overwritten. So no
label ever comes to lie on the pixels of another import.
"""

from __future__ import annotations

from pathlib import Path

from tracker.errors import writing
from tracker.types import Image
from train.project.labels import picture_name
from train.project.stills import INDEX, digest, is_stills, next_number, read_set, write_set
from train.project.store import Store


class NewPictures:
    """The pictures of one import; new stills go into the set `name`. The store can be written."""

    def __init__(self, store: Store, name: str) -> None:
        """Reads only. UserError: the index of the set is broken."""
        self._store, self._project, self.name = store, store.project, name
        self._before = read_set(self._project, name)
        self._known = dict(self._before)
        self._is_new = not is_stills(self._project, name)
        self._old = set(self._before.values())
        labelled = (frame for clip, frame in store.labels.frames if clip == name)
        self._next = max([next_number(self._project, name) - 1, *labelled]) + 1
        self._written: list[Path] = []
        self._folders: list[Path] = []
        self._indexed = False

    def number(self, file: str, bgr: Image) -> int:
        """The number of a still in the set: that of an earlier import, or the next free one."""
        key = file, digest(bgr)
        if key not in self._known:
            self._known[key] = self._next
            self._next += 1
        return self._known[key]

    def keep(self, clip: str, frame: int, bgr: Image) -> None:
        """Write the picture of a frame that is to be labelled. UserError: the disk refuses."""
        path, is_still = self._project.labels_dir / picture_name(clip, frame), clip == self.name
        if not path.is_file() or (is_still and frame not in self._old):
            self._written.append(path)
        if not path.parent.exists():
            self._folders.append(path.parent)
        if is_still and not is_stills(self._project, clip):
            write_set(self._project, clip, {})  # a set from the start: the next import goes on here
        self._store.keep_picture(clip, frame, bgr, again=is_still)

    def write_index(self) -> None:
        """Let the new stills count. UserError: the disk refuses."""
        if self._known != self._before:
            self._indexed = True
            write_set(self._project, self.name, self._known)

    def take_back(self) -> None:
        """Leave nothing of this import behind. No label may speak of its pictures yet."""
        if self._indexed:
            write_set(self._project, self.name, self._before)  # first: it names no missing picture
        for path in self._written:
            with writing(path):
                path.unlink(missing_ok=True)
        if self._is_new:
            index = self._project.frames_dir / self.name / INDEX
            with writing(index):
                index.unlink(missing_ok=True)
        for folder in self._folders:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
