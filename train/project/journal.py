"""The journal: each action as one line, on the disk before it counts.

A line says what a frame, or the ranges, became, so that doing it twice is doing it once. Its
`seq` and `generation` tell whether labels.json, which is written from time to time, has it already.
`undo` is 'undo' or 'redo' where the action was one. `crc`, which is last, is the checksum of the
line without it; lines of older versions have none. A last line that a crash cut off is no line.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.errors import UserError
from tracker.plain_data import bare_name, count, finite, from_json
from train.project.labels import (
    FrameLabel,
    Key,
    Labels,
    Range,
    Stand,
    object_from_json,
    object_to_json,
    range_rows,
    read_coco,
    stand_of,
)
from train.project.layout import Project

CHECKSUM = re.compile(rb', "crc": "([0-9a-f]{8})"\}$')


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """What changed: one frame (None: its label was removed), or with `key` None all ranges."""

    key: Key | None
    frame: FrameLabel | None
    ranges: tuple[Range, ...]
    undo: str = ""  # '', 'undo' or 'redo'


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The labels of a project as its files say."""

    saved: Labels  # without the journal
    labels: Labels
    stand: Stand  # after the journal's last line
    actions: tuple[Action, ...]  # of the journal, beyond the files
    length: int  # bytes of the journal that are whole lines
    unreadable: int  # whole lines that could not be read
    zeros: int  # bytes of zero after the last line, as a power cut leaves where a line should be
    messages: tuple[str, ...]


def read_labels(project: Project) -> Labels:
    """Every label, with what the journal holds beyond the files. Reads only, never writes.

    UserError for a file that cannot be read, and for landmarks other than the project's.
    """
    return read_state(project).labels


def read_state(project: Project) -> State:
    """Files and journal together; reads only. UserError when a file cannot be read."""
    for _ in range(3):
        # Another process may save in between: then the journal is empty and labels.json is new.
        frames, stand = read_coco(project)
        rows = range_rows(project.ranges_path)
        data = _bytes(project)
        if read_coco_stand(project) == stand:
            break
    if rows.wrong:
        line, what = rows.wrong[0]
        raise UserError(f"{project.ranges_path}, line {line}: {what}; mend that line")
    saved = Labels(frames, rows.ranges)
    length = data.rfind(b"\n") + 1
    actions, unreadable, last = [], 0, stand
    for text in data[:length].split(b"\n")[:-1]:
        try:
            found = from_json(checked(text))
            action = action_from_json(project, found)
            at = Stand(str(found["generation"]), int(found["seq"]), action.key or last.last)
        except (ValueError, KeyError, TypeError, IndexError):
            unreadable += 1
            continue
        if at.generation == stand.generation and at.seq <= stand.seq:
            continue
        actions.append(action)
        last = at
    labels = saved
    for action in actions:
        labels = applied(labels, action)
    zeros = data[length:].count(0)
    return State(saved, labels, last, tuple(actions), length, unreadable, zeros, rows.messages)


def read_coco_stand(project: Project) -> Stand:
    """How far labels.json goes, read again."""
    try:
        return stand_of(from_json(project.labels_path.read_text(encoding="utf-8-sig"))["info"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Stand()


def applied(labels: Labels, action: Action) -> Labels:
    """The labels after an action."""
    if action.key is None:
        return Labels(labels.frames, action.ranges)
    frames = dict(labels.frames)
    if action.frame is None:
        frames.pop(action.key, None)
    else:
        frames[action.key] = action.frame
    return Labels(frames, labels.ranges)


def reverse(labels: Labels, action: Action) -> Action:
    """What undoes an action that is about to be applied to `labels`."""
    if action.key is None:
        return Action(None, None, labels.ranges)
    return Action(action.key, labels.frames.get(action.key), ())


def to_json(action: Action, stand: Stand) -> dict[str, Any]:
    """An action as one line of the journal, numbered `stand`."""
    head: dict[str, Any] = {"seq": stand.seq, "generation": stand.generation}
    if action.undo:
        head["undo"] = action.undo
    if action.key is None:
        rows = [[r.clip, r.start_s, r.end_s, r.kind, r.label] for r in action.ranges]
        return head | {"ranges": rows}
    body: dict[str, Any] | None = None
    if (f := action.frame) is not None:
        objects = [object_to_json(found) for found in f.objects]
        body = {"t_s": f.t, "size_wh": list(f.size_wh), "negative": f.negative, "objects": objects}
    return head | {"clip": action.key[0], "frame": action.key[1], "label": body}


def to_line(action: Action, stand: Stand) -> bytes:
    """An action as the journal holds it, with its checksum and its end."""
    body = json.dumps(to_json(action, stand), ensure_ascii=False, allow_nan=False).encode()
    return body[:-1] + b', "crc": "%08x"}\n' % zlib.crc32(body)


def checked(line: bytes) -> bytes:
    """A line without its checksum. ValueError when that is of another line; it may have none."""
    mark = CHECKSUM.search(line)
    if mark is None:
        return line
    body = line[: mark.start()] + b"}"
    if zlib.crc32(body) != int(mark[1], 16):
        raise ValueError("its checksum is that of another line")
    return body


def action_from_json(project: Project, found: Mapping[str, Any]) -> Action:
    """Read it back. ValueError, KeyError or TypeError when it is none."""
    undo = str(found.get("undo", ""))
    if "ranges" in found:
        rows = found["ranges"]
        ranges = tuple(
            Range(str(c), finite(s), finite(e), str(k), str(n)) for c, s, e, k, n in rows
        )
        return Action(None, None, ranges, undo)
    key, body = (bare_name(found["clip"]), count(found["frame"])), found["label"]
    if body is None:
        return Action(key, None, (), undo)
    landmarks = len(project.landmarks)
    width, height = body["size_wh"]
    label = FrameLabel(
        *key, finite(body["t_s"]), (count(width, 1), count(height, 1)),
        tuple(object_from_json(o, landmarks) for o in body["objects"]), bool(body["negative"]),
    )  # fmt: skip
    return Action(key, label, (), undo)


def _bytes(project: Project) -> bytes:
    try:
        return project.journal_path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UserError(
            f"{project.journal_path} could not be read: {error.strerror}; check the file"
        ) from error
