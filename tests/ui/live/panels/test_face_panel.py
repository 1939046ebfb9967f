"""The page of expressions, and the ring that captures a face at rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import Qt

from tests.helpers import clips
from tests.helpers.fake_pipeline import plain
from tests.helpers.fake_window import Studio, pixel
from tests.tracker.follow.test_neutral import face, resting
from tracker.find.expressions import EXPRESSIONS
from tracker.follow.neutral_files import file_of, keep_face, read_face
from tracker.result import Result
from tracker.types import Track
from ui.live.panels.face_panel import (
    COLOUR,
    NO_EXPRESSIONS,
    OF_ANOTHER,
    ROW,
    rows,
    values,
)


def show(studio: Studio, t: float, *tracks: Track) -> None:
    studio.pipeline.give(plain(), Result(t, tracks))
    studio.window._plotted_at = -1e9
    studio.window._health_at = 1e12  # the plots' turn
    studio.window.tick()
    studio.window.tick()


def test_a_pair_is_one_row_and_all_52_are_there() -> None:
    assert {"eyeBlink", "browInnerUp", "jawLeft", "mouthRight"} <= set(rows(True))
    assert not {"eyeBlinkLeft", "jaw", "mouth"} & set(rows(True)) and len(rows(True)) == 33
    seen = {name: i / 100 for i, name in enumerate(EXPRESSIONS[1:])}
    told = [value for row in rows(True) for value in set(values(seen, row))]
    assert sorted(told) == sorted(seen.values())
    assert set(rows(False)) < set(rows(True)) and len(rows(False)) == 14
    assert values(seen, "eyeBlink") == (seen["eyeBlinkRight"], seen["eyeBlinkLeft"])


def test_bars_are_as_long_as_the_expressions(studio: Studio) -> None:
    window = studio.open(tab="face")
    show(studio, 0.0, face(jawOpen=0.5, eyeBlinkLeft=1.0))
    bars, blue = window.face_panel.bars, (COLOUR.red(), COLOUR.green(), COLOUR.blue())
    assert bars.isVisible()

    def at(row: str, share: float) -> tuple[int, int, int]:
        y = ROW * (1 + rows(False).index(row)) + ROW / 2
        return pixel(bars, 130 + share * (bars.width() - 130), y)

    assert at("jawOpen", 0.45) == blue != at("jawOpen", 0.55)
    assert at("eyeBlink", 0.25) != blue, "the person's own right one is open"
    assert at("eyeBlink", 0.55) == at("eyeBlink", 0.95) == blue


def test_each_face_and_all_52_on_request(studio: Studio) -> None:
    window = studio.open(tab="face")
    bars = window.face_panel.bars
    show(studio, 0.0, face(1))
    one = bars.sizeHint().height()
    show(studio, 0.1, face(1), face(2))
    assert bars.sizeHint().height() == 2 * one
    window.face_panel.every.click()
    assert studio.window.controls.choices.every_expression
    assert bars.sizeHint().height() > 4 * one
    show(studio, 0.2, clips.track("face"))
    assert bars._words == NO_EXPRESSIONS


def test_a_face_at_rest_is_captured_by_a_key(studio: Studio) -> None:
    window = studio.open()
    studio.key(Qt.Key.Key_N)
    assert window.ring.is_on and window.ring.isVisible()
    studio.pipeline.give(plain(), Result(0.0, ()))
    studio.settle()
    assert window.ring.ring.is_missing
    for i in range(52):
        studio.pipeline.give(plain(), Result(1 + i / 10, (face(jawOpen=0.25),)))
        window.tick()
        if i == 25:
            assert window.ring.ring.share == 0.5 and window.ring.ring.word == "3"
    studio.settle()
    assert not window.ring.is_on and not window.ring.isVisible()
    place = file_of("me")
    assert read_face(place).expressions[EXPRESSIONS.index("jawOpen")] == 0.25
    window.controls._settle.timeout.emit()
    assert studio.pipeline.config.neutral == place
    assert "kept and subtracted" in studio.message()
    assert "N captures it anew" in window.face_panel.state.text()


def test_it_can_be_ended_and_says_why_it_failed(studio: Studio) -> None:
    window = studio.open()
    for end in (Qt.Key.Key_Escape, Qt.Key.Key_N):
        studio.key(Qt.Key.Key_N)
        studio.key(end)
        assert not window.ring.is_on
    studio.key(Qt.Key.Key_N)
    studio.pipeline.give(plain(), Result(0.0, (clips.track("face"),)))
    studio.settle()
    assert not window.ring.is_on and "tells no expressions" in studio.message()
    assert not file_of("me").exists()


def test_whose_face_it_is_can_be_typed(studio: Studio) -> None:
    keep_face(file_of("ann"), resting(jawOpen=0.5))
    window = studio.open(tab="face")
    panel = window.face_panel
    assert [panel.people.itemText(i) for i in range(panel.people.count())] == [
        "me", "ann", "nobody"
    ]  # fmt: skip
    for text, chosen in (("ann", "ann"), ("bob", "bob"), ("me", ""), ("nobody", "none")):
        panel.people.setEditText(text)
        panel._chosen()
        assert window.controls.choices.neutral == chosen
        assert panel.people.currentText() == text
    panel.people.setEditText("../x")
    panel._chosen()
    assert window.controls.choices.neutral == "none" and "is no name for a face" in studio.message()
    shown = replace(face(3), at_rest=0.5, expressions=np.zeros(52, np.float32))
    show(studio, 0.0, shown)
    assert "are shown as they are seen" in panel.state.text()
    assert panel.bars._faces[0][0] == "Face #3, less 50% of its face at rest"


def test_a_face_at_rest_of_another_model_is_told(studio: Studio) -> None:
    keep_face(file_of("me"), resting(jawOpen=0.5))
    panel = studio.open(tab="face").face_panel
    assert "N captures it anew" in panel.state.text()
    show(studio, 0.0, face())
    assert panel.state.text() == OF_ANOTHER
    show(studio, 0.1, replace(face(), at_rest=0.0))
    assert panel.state.text().startswith("Subtracted from expressions.")
