"""Labels that spread, in the labeller's window, on a clip whose points are known exactly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.helpers.labelling import CTRL, SHIFT, Room
from tests.helpers.teaching import new_project
from tests.train.spread.moving import SIZE_WH, moved, truth, write_moving
from train.project.adding import add_clips
from train.project.labels import FrameLabel, ObjectLabel
from train.project.store import Store
from ui.label.timeline import SPREAD

KEY = Qt.Key


def by_hand(frame: int) -> FrameLabel:
    thing = ObjectLabel(1, truth(frame), np.full(3, 2, np.uint8), None, "user")
    return FrameLabel("m.mp4", frame, frame / 25, SIZE_WH, (thing,))


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path) -> Iterator[Room]:
    """24 frames, 4 and 14 labelled by hand; the window begins at 14."""
    project = new_project(tmp_path / "p")
    add_clips(project, [write_moving(tmp_path / "m.mp4", 24)])
    with Store.open(project) as store:
        for i in (4, 14):
            store.keep_picture("m.mp4", i, moved(i))
            store.set_frame(by_hand(i))
    made = Room(qtbot, project)
    yield made
    made.end()


def spread(room: Room) -> None:
    room.key("s")
    settle(room)


def settle(room: Room) -> None:
    """Until nothing is followed any more, and all that was found is proposed."""

    def is_done() -> bool:
        room.window.tick()
        return not room.window.spreading.is_busy and room.window.jobs.is_idle

    room.bot.waitUntil(is_done, timeout=20000)
    room.window.tick()


def proposed(room: Room) -> list[int]:
    return sorted(n for _, n in room.store.labels.proposals)


ALL = [i for i in range(24) if i not in (4, 14)]


def test_s_proposes_and_one_undo_takes_all_of_it_back(room: Room) -> None:
    spread(room)
    assert proposed(room) == ALL and len(room.store.labels.frames) == 2
    assert "22 frames have new proposals" in room.message
    line = room.line.line
    assert len(line.proposed) == 22 and len(line.labelled) == 2 and not line.spread
    room.key("z", CTRL)
    assert proposed(room) == [] and room.line.line.proposed == ()
    assert len(room.store.labels.frames) == 2
    room.key("y", CTRL)
    assert proposed(room) == ALL


def test_a_proposal_is_seen_like_a_guess_and_accepted_by_itself(room: Room) -> None:
    spread(room)
    room.key("j")  # from 14 on
    assert room.controls.screen.frame == 15
    (shown,) = room.controls.open_guesses()
    assert np.abs(shown.xy - truth(15)).max() < 1.0
    assert room.canvas.scene.note.startswith("Proposal, spread from frame 14, sure by 100 %")
    room.key(KEY.Key_Return)
    label = room.store.labels.frames["m.mp4", 15]
    assert label.is_spread and label.objects[0].confidence is not None
    assert 15 not in proposed(room) and len(proposed(room)) == 21
    assert (room.project.frames_dir / "m" / "frame000015.png").is_file()
    assert room.line.line.spread == (label.t,) and len(room.line.line.labelled) == 2


def test_a_dragged_point_makes_it_a_label_by_hand(room: Room) -> None:
    spread(room)
    room.key("j")
    x, y = truth(15)[0]
    room.drag((float(x), float(y)), (float(x) + 8, float(y)))
    (thing,) = room.store.labels.frames["m.mp4", 15].objects
    assert (thing.source, thing.confidence, thing.came_from) == ("user", None, ())
    assert not room.store.labels.frames["m.mp4", 15].is_spread


def test_delete_refuses_the_proposal_on_the_screen(room: Room) -> None:
    spread(room)
    room.key("j")
    room.key(KEY.Key_Delete)
    assert 15 not in proposed(room) and ("m.mp4", 15) not in room.store.labels.frames
    spread(room)
    assert 15 not in proposed(room)  # it is not brought back
    room.key("z", CTRL)
    assert 15 in proposed(room)


def test_a_stretch_is_accepted_and_refused_at_once(room: Room) -> None:
    spread(room)
    room.controls.screen.go(8)
    room.settle()
    room.key(KEY.Key_Return, CTRL)
    settle(room)
    assert sorted(n for _, n in room.store.labels.frames) == list(range(4, 15))
    assert proposed(room) == [0, 1, 2, 3, *range(15, 24)]
    assert room.controls.chosen is not None and not room.controls.chosen.is_guess
    room.key(KEY.Key_Delete, CTRL | SHIFT)
    assert proposed(room) == [] and "13 proposals refused" in room.message
    room.key("z", CTRL)
    room.key("z", CTRL)
    assert len(room.store.labels.frames) == 2 and proposed(room) == ALL


def test_a_changed_label_takes_along_what_came_from_it(room: Room) -> None:
    spread(room)
    room.key("d")  # nothing after 14
    x, y = truth(14)[0]
    room.click(float(x), float(y))
    room.key(KEY.Key_Right, SHIFT)  # moves the point by a pixel
    assert room.store.labels.frames["m.mp4", 14].objects[0].xy[0, 0] > truth(14)[0, 0] + 0.5
    assert proposed(room) == [0, 1, 2, 3]
    spread(room)
    assert proposed(room) == ALL


def test_s_again_ends_it_and_it_goes_on_later(room: Room) -> None:
    room.press("s")
    room.window.spreading._stop.set()  # before the first frame
    settle(room)
    assert len(proposed(room)) < 22
    spread(room)
    assert proposed(room) == ALL


def test_proposals_have_their_own_colour_on_the_timeline(room: Room) -> None:
    spread(room)
    image = room.line.grab().toImage()
    ratio = image.width() / room.line.width()
    x = room.line.x_of(8 / 25)
    seen = image.pixelColor(round(x * ratio), round(28 * ratio))
    assert abs(seen.red() - SPREAD.red()) < 60 and seen.blue() > seen.green() + 60
    above = image.pixelColor(round(x * ratio), round(21 * ratio))
    assert not above.blue() > above.green() + 60  # half as high as a label


def test_nothing_labelled_nothing_spread(qtbot: QtBot, tmp_path: Path) -> None:
    project = new_project(tmp_path / "p")
    add_clips(project, [write_moving(tmp_path / "m.mp4", 6)])
    room = Room(qtbot, project)
    room.key("s")
    assert not room.window.spreading.is_busy and "from which anything could spread" in room.message
    room.key(KEY.Key_Return, CTRL)
    assert "nothing is proposed in this stretch" in room.message
    room.end()
