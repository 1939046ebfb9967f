"""The journal: each action as one line, on the disk before it counts.

A line says what a frame, or the ranges, became, so that doing it twice is doing it once. Its
`seq` and `generation` tell whether labels.json, which is written from time to time, has it already.
`undo` is 'undo' or 'redo' where the action was one; `more` is what else became of frames and
proposals with it, and one spreading is all the actions of one `group`. `crc`, which is last, is
the checksum of the line without it; lines of older versions have none. A last line that a crash
cut off is no line.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    seconds,
    stand_of,
)
from train.project.layout import Project

CHECKSUM = re.compile(rb', "crc": "([0-9a-f]{8})"\}$')


Frames = Mapping[Key, FrameLabel | None]  # what each became; None: nothing


@dataclass(frozen=True, slots=True, eq=False)
class More:
    """What many frames became in one action."""

    words: str  # for people, such as 'spreading'
    labels: Frames = field(default_factory=dict)
    proposals: Frames = field(default_factory=dict)
    spread: Mapping[str, bool] = field(default_factory=dict)  # stretches: gone through or not
    group: str = ""  # actions of one group are undone together; '': it stands alone


@dataclass(frozen=True, slots=True, eq=False)
class Action:
    """What changed: one frame (None: its label was removed), or with `key` None all ranges.

    With `more`, that as well, and then with `key` None the ranges stay as they are.
    """

    key: Key | None
    frame: FrameLabel | None
    ranges: tuple[Range, ...]
    undo: str = ""  # '', 'undo' or 'redo'
    more: More | None = None


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
        found, stand = read_coco(project)
        rows = range_rows(project.ranges_path)
        data = _bytes(project)
        if read_coco_stand(project) == stand:
            break
    if rows.wrong:
        line, what = rows.wrong[0]
        raise UserError(f"{project.ranges_path}, line {line}: {what}; mend that line")
    saved = replace(found, ranges=rows.ranges)
    length = data.rfind(b"\n") + 1
    actions, unreadable, last = [], 0, stand
    for text in data[:length].split(b"\n")[:-1]:
        try:
            body = from_json(checked(text))
            action = action_from_json(project, body)
            at = Stand(str(body["generation"]), int(body["seq"]), action.key or last.last)
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
    if action.key is None and action.more is None:
        return replace(labels, ranges=action.ranges)
    more = action.more or More("")
    own = {} if action.key is None else {action.key: action.frame}
    frames = _changed(labels.frames, {**more.labels, **own})
    if action.more is None:
        return replace(labels, frames=frames)
    gone = {name for name, is_done in more.spread.items() if not is_done}
    spread = (labels.spread | more.spread.keys()) - gone
    proposals = _changed(labels.proposals, more.proposals)
    return replace(labels, frames=frames, proposals=proposals, spread=spread)


def _changed(frames: Mapping[Key, FrameLabel], by: Frames) -> dict[Key, FrameLabel]:
    after = dict(frames)
    for key, label in by.items():
        if label is None:
            after.pop(key, None)
        else:
            after[key] = label
    return after


def reverse(labels: Labels, action: Action) -> Action:
    """What undoes an action that is about to be applied to `labels`."""
    if action.key is None and action.more is None:
        return Action(None, None, labels.ranges)
    frame = None if action.key is None else labels.frames.get(action.key)
    more = action.more
    if more is not None:
        more = replace(
            more,
            labels={key: labels.frames.get(key) for key in more.labels},
            proposals={key: labels.proposals.get(key) for key in more.proposals},
            spread={name: name in labels.spread for name in more.spread},
        )
    return Action(action.key, frame, (), more=more)


def both_reversed(later: Action, earlier: Action) -> Action:
    """What undoes two actions of one group, of what undoes each; the earlier one has its way."""
    a, b = later.more, earlier.more
    assert a is not None and b is not None
    return replace(
        earlier,
        more=replace(
            b, labels={**a.labels, **b.labels}, proposals={**a.proposals, **b.proposals},
            spread={**a.spread, **b.spread},
        ),
    )  # fmt: skip


def remember(past: list[Action], back: Action) -> None:
    """Put what undoes an action on the list, or to that of its group, which is undone with it."""
    group = "" if back.more is None else back.more.group
    for i, old in enumerate(past):
        if group and old.more is not None and old.more.group == group:
            past[i] = both_reversed(back, old)
            return
    past.append(back)


def to_json(action: Action, stand: Stand) -> dict[str, Any]:
    """An action as one line of the journal, numbered `stand`."""
    head: dict[str, Any] = {"seq": stand.seq, "generation": stand.generation}
    if action.undo:
        head["undo"] = action.undo
    if action.more is not None:
        more = action.more
        head["more"] = {
            "words": more.words, "group": more.group, "spread": dict(more.spread),
            "labels": [[*key, _body(f)] for key, f in more.labels.items()],
            "proposals": [[*key, _body(f)] for key, f in more.proposals.items()],
        }  # fmt: skip
    if action.key is not None:
        return head | {"clip": action.key[0], "frame": action.key[1], "label": _body(action.frame)}
    if action.more is not None:
        return head
    rows = [[r.clip, r.start_s, r.end_s, r.kind, r.label] for r in action.ranges]
    return head | {"ranges": rows}


def _body(frame: FrameLabel | None) -> dict[str, Any] | None:
    if frame is None:
        return None
    objects = [object_to_json(found) for found in frame.objects]
    return {
        "t_s": frame.t, "size_wh": list(frame.size_wh), "negative": frame.negative,
        "objects": objects,
    }  # fmt: skip


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
    undo, landmarks = str(found.get("undo", "")), len(project.landmarks)
    if "ranges" in found:
        rows = found["ranges"]
        ranges = tuple(
            Range(str(c), finite(s), finite(e), str(k), str(n)) for c, s, e, k, n in rows
        )
        return Action(None, None, ranges, undo)
    more = None if "more" not in found else _more(found["more"], landmarks)
    if more is not None and "clip" not in found:
        return Action(None, None, (), undo, more)
    key = (bare_name(found["clip"]), count(found["frame"]))
    return Action(key, _label(key, found["label"], landmarks), (), undo, more)


def _label(key: Key, body: Mapping[str, Any] | None, landmarks: int) -> FrameLabel | None:
    if body is None:
        return None
    width, height = body["size_wh"]
    return FrameLabel(
        *key, seconds(body["t_s"]), (count(width, 1), count(height, 1)),
        tuple(object_from_json(o, landmarks) for o in body["objects"]), bool(body["negative"]),
    )  # fmt: skip


def _more(found: Mapping[str, Any], landmarks: int) -> More:
    frames: list[dict[Key, FrameLabel | None]] = []
    for rows in (found["labels"], found["proposals"]):
        keys = [((bare_name(clip), count(frame)), body) for clip, frame, body in rows]
        frames.append({key: _label(key, body, landmarks) for key, body in keys})
    spread = {str(name): bool(is_done) for name, is_done in dict(found["spread"]).items()}
    return More(str(found["words"]), frames[0], frames[1], spread, str(found["group"]))


def _bytes(project: Project) -> bytes:
    try:
        return project.journal_path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UserError(
            f"{project.journal_path} could not be read: {error.strerror}; check the file"
        ) from error
