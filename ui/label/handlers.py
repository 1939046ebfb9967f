"""What each action of the labeller's table does (ui/label/actions_table.py names them)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.label.window import LabelWindow


def handlers(window: LabelWindow) -> dict[str, Callable[[bool], object]]:
    """One function an action; it gets whether a switch is on."""
    desk, screen, canvas = window.desk, window.desk.screen, window.canvas
    points, boxes = window.points, window.boxes
    return {
        "save": lambda _: desk.save(), "quit": lambda _: window.close(),
        "training": window.training.setVisible,
        "undo": lambda _: desk.undo(), "redo": lambda _: desk.undo(again=True),
        "copy": lambda _: points.copy(), "paste": lambda _: points.paste(),
        "delete": lambda _: window.delete(), "unlabel": lambda _: desk.unlabel(),
        "play": lambda _: screen.play(), "suggested": lambda _: window.suggestions.next(),
        "next": lambda _: screen.go(screen.frame + 1),
        "previous": lambda _: screen.go(screen.frame - 1),
        "next4": lambda _: screen.go(screen.frame + 4),
        "previous4": lambda _: screen.go(screen.frame - 4),
        "next100": lambda _: screen.go(screen.frame + 100),
        "previous100": lambda _: screen.go(screen.frame - 100),
        "first": lambda _: screen.go(0), "last": lambda _: screen.go(len(screen.times()) - 1),
        "next_labelled": lambda _: desk.next_labelled(True),
        "previous_labelled": lambda _: desk.next_labelled(False),
        "next_clip": lambda _: screen.next_clip(1),
        "previous_clip": lambda _: screen.next_clip(-1),
        "accept": lambda _: desk.accept(), "add": lambda _: points.begin(),
        "copy_previous": lambda _: points.copy_previous(),
        "nothing": lambda _: desk.nothing_here(), "next_object": lambda _: desk.next_object(),
        "next_landmark": lambda _: desk.next_landmark(1),
        "previous_landmark": lambda _: desk.next_landmark(-1),
        "box": lambda _: boxes.begin(), "new_box": lambda _: boxes.begin(True),
        "box_of_points": lambda _: boxes.of_points(),
        "guess_in_box": lambda _: window.guesses.in_box(),
        "cycle": lambda _: points.cycle(), "mode": lambda _: window.spans.switch(),
        "fit": lambda _: canvas.fit(),
        "object_view": lambda _: canvas.look_at(desk.thing()),
        "bigger": lambda _: canvas.zoom(1.25), "smaller": lambda _: canvas.zoom(0.8),
        "names": lambda on: window.set_looks(names=on),
        "edges": lambda on: window.set_looks(edges=on),
        "boxes": lambda on: window.set_looks(boxes=on),
        "guesses": lambda on: window.set_looks(guesses=on),
        "hide": lambda on: window.set_looks(hidden=on),
        "clearer": lambda _: window.set_looks(opacity=max(window.looks.opacity - 0.1, 0.1)),
        "fuller": lambda _: window.set_looks(opacity=min(window.looks.opacity + 0.1, 1.0)),
        "help": lambda _: window.show_help(),
    }  # fmt: skip
