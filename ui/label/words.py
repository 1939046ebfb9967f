"""From the controls to what the labeller shows: the scene, the timeline, sentences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

from tracker.outputs.skeleton import Skeleton
from train.project.labels import SPREAD, UNSURE, Labels, ObjectLabel
from train.project.ranges import range_at
from ui.label import edit
from ui.label.controls import Chosen, LabelControls
from ui.label.guesses import Suggestions
from ui.label.paint import Scene
from ui.label.points import Points
from ui.label.spans import Spans
from ui.label.timeline import Line


@dataclass(frozen=True, slots=True)
class Looks:
    """How points are drawn."""

    opacity: float = 1.0
    names: bool = False
    edges: bool = True
    boxes: bool = True
    guesses: bool = True
    hidden: bool = False


def things(controls: LabelControls, looks: Looks) -> list[tuple[Chosen, ObjectLabel]]:
    """Objects to paint, the chosen one last and so on top."""
    if looks.hidden:
        return []
    found = [(Chosen(g.id, True), g) for g in controls.open_guesses()] if looks.guesses else []
    found += [(Chosen(o.id), o) for o in controls.objects()]
    return sorted(found, key=lambda pair: pair[0] == controls.chosen)


def scene(controls: LabelControls, spans: Spans, look: Skeleton, looks: Looks) -> Scene:
    """What is painted on the frame."""
    label = controls.label()
    mark = "" if label is None else "negative" if label.negative else "labelled"
    if label is not None and label.is_spread:
        mark = "spread"
    return Scene(
        look, controls.project.landmarks, tuple(things(controls, looks)), controls.chosen,
        controls.landmark,
        looks.opacity, looks.names, looks.edges, looks.boxes, note(controls, looks),
        banner(controls, spans), mark,
    )  # fmt: skip


def note(controls: LabelControls, looks: Looks) -> str:
    """What the frame on the screen is."""
    label = controls.label()
    if controls.store.read_only:
        return "Read-only: another window labels this project"
    if controls.screen.problem:
        return controls.screen.problem
    if not controls.screen.is_open:
        return f"Opening {controls.screen.clip.name} ..."
    if controls.flash:
        return controls.flash
    if label is not None and label.negative:
        return "Nothing here"
    if label is not None and label.is_spread:
        return f"Accepted, spread {_origin(label.objects[0])}: changing it makes it a label by hand"
    if label is not None:
        return "Labelled"
    proposal = controls.proposal()
    if looks.guesses and proposal is not None:
        return f"Proposal, spread {_origin(proposal.objects[0])}: Enter accepts, Delete refuses it"
    guesses = controls.open_guesses() if looks.guesses else []
    if guesses and all(g.source == UNSURE for g in guesses):
        return "Unsure guess: drag it to where it belongs, B where nothing is"
    if guesses:
        return "Guess: Enter accepts it, dragging a point or a box corrects it"
    return "Not labelled"


def _origin(thing: ObjectLabel) -> str:
    """From which frames, and how sure."""
    frames = "frame" + "s" * (len(thing.came_from) > 1)
    numbers = " and ".join(map(str, thing.came_from))
    return f"from {frames} {numbers}, sure by {100 * sureness(thing):.0f} %"


def banner(controls: LabelControls, spans: Spans) -> str:
    """What the frame's time is labelled with, or is being labelled with."""
    coming = spans.preview()
    if coming is not None:
        return f"{coming.label or 'take away'} since {coming.start_s:.2f} s"
    clip, t, kinds = controls.screen.clip.name, controls.screen.t, spans.shown_kinds()
    found = [range_at(controls.store.labels.ranges, clip, kind, t) for kind in kinds]
    return ", ".join(r.label for r in found if r is not None)


def line(controls: LabelControls, spans: Spans, suggestions: Suggestions) -> Line:
    """What the timeline shows."""
    screen, name = controls.screen, controls.screen.clip.name
    labelled = controls.store.labels.frames
    own = [label for key, label in labelled.items() if key[0] == name]
    kinds = spans.shown_kinds()
    return Line(
        screen.end_of(len(screen.times()) - 1),
        screen.t,
        tuple(screen.time_of(f) for f in own if not f.negative and not f.is_spread),
        tuple(screen.time_of(label) for label in own if label.negative),
        tuple(
            float(s.frame) if s.t is None else s.t
            for s in suggestions.found
            if s.clip == name and (name, s.frame) not in labelled
        ),
        tuple(kinds),
        tuple((kind, c) for kind in kinds for c in spans.classes(kind)),
        tuple(r for kind in kinds for r in spans.own(kind)),
        spans.chosen,
        spans.preview(),
        screen.clip.is_stills,
        len(screen.times()),
        tuple(screen.time_of(f) for f in own if f.is_spread),
        proposed_marks(controls.store.labels, name),
    )


@lru_cache(maxsize=1)  # while nothing is changed every frame shows the same
def proposed_marks(labels: Labels, name: str) -> tuple[tuple[float, float], ...]:
    """Time and mean confidence of each proposal of a clip."""
    found = (labels.proposals[key] for key in labels.proposals_of(name))
    return tuple(sorted((f.t, sureness(f.objects[0])) for f in found))


def sureness(thing: ObjectLabel) -> float:
    """Mean confidence of the points of a spread object that are labelled; 1 where none is told."""
    if thing.confidence is None or not (thing.v > 0).any():
        return 1.0
    return float(thing.confidence[thing.v > 0].mean())


def object_words(controls: LabelControls, points: Points) -> str:
    """What is chosen, and what a click would do, as rich text."""
    thing, at = controls.thing(), points.target()
    names = controls.project.landmarks
    if at is not None:
        return f"Click where <b>{escape(names[at])}</b> is. Down: skip it."
    if thing is None:
        return "Click a point, or add an object: I by its points, R by its box."
    known = int((thing.v > edit.UNLABELLED).sum())
    who = {"user": "by hand", "model": "by the model", "mediapipe": "by MediaPipe",
           SPREAD: "spread", UNSURE: "a place to begin"}  # fmt: skip
    source = escape(who.get(thing.source, thing.source))
    kind = "Guess" if controls.chosen is not None and controls.chosen.is_guess else "Object"
    if kind == "Guess" and thing.is_spread:
        kind = "Proposal"
    box = "drawn box" if thing.box_xyxy is not None else "box of its points"
    if thing.is_spread:
        source += f" {_origin(thing)}"
    return f"{kind} {thing.id}: {known} of {len(names)} landmarks, {box}, {source}"


def numbers_words(spans: Spans) -> str:
    """What the number keys mean."""
    if spans.kinds() and not spans.shown_kinds():
        return "Pictures have no time: gestures and head pose are labelled in clips."
    parts = []
    for kind in spans.kinds():
        classes = spans.classes(kind)
        keys = " ".join(f"{i} {c or 'take away'}" for i, c in enumerate(classes[:10]))
        shift = "" if kind == spans.mode else "Shift+"
        name = "Gesture" if kind == "gesture" else "Head pose"
        parts.append(f"{name}, hold {shift}number: {keys}")
    return "   |   ".join(parts)


def frame_words(controls: LabelControls, scale: float) -> str:
    """Where we are."""
    screen = controls.screen
    last = max(len(screen.times()) - 1, 0)
    if screen.clip.is_stills:
        return f"picture {screen.frame} of {last}, zoom {scale:.0%}"
    return f"frame {screen.frame} of {last}, {screen.t:.2f} s, zoom {scale:.0%}"


def title(controls: LabelControls, root: Path) -> str:
    """Of the window."""
    only = " (read-only)" if controls.store.read_only else ""
    return f"{controls.project.name}: {controls.screen.clip.name}{only} - {root.name}"


def greeting(controls: LabelControls) -> str:
    """What is said when the window opens."""
    store = controls.store
    if store.read_only:
        return f"read-only: {store.why}"
    if store.recovered:
        count = store.recovered
        plural = "s" if count > 1 else ""
        found = f"{count} action{plural} recovered that the last session had not saved"
        return ". ".join([found, *store.messages])
    return ". ".join(store.messages) or "Enter accepts a guess, ? shows all keys"
