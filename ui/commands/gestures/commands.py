"""`train gesture` and `tracker gestures`: teach, list, remove, undo, share. No PyTorch, no Qt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import tell, user_errors

if TYPE_CHECKING:
    from tracker.gestures.own import Own

Name = Annotated[str, typer.Argument(metavar="NAME", help="What to call it, such as heart.")]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE.json", help="Default: the one of this user's settings."),
]

gestures = typer.Typer(
    add_completion=False,
    help="Gestures of your own: list them, teach one from clips, remove, undo, share. 'tracker "
    "live' teaches them in its window (G).",
)


@gestures.callback(invoke_without_command=True)
def show(context: typer.Context, file: File = None) -> None:
    """List your gestures, with how surely each is told."""
    if context.invoked_subcommand is not None:
        return
    from tracker.gestures.teaching import learnt, told

    with user_errors():
        place, own = _read(file)
        if not own.names:
            tell(f"no gestures of your own yet ({place})")
            tell("next: tracker gestures teach NAME --clip SHOWN.mp4 --not ELSE.mp4")
            return
        recogniser = learnt(own)
        for gesture in own.gestures:
            shown, others = (sum(map(len, takes)) for takes in (gesture.takes, gesture.others))
            turn = ", at any turn" if gesture.any_turn else ""
            turn += ", a motion" if gesture.is_motion else ""
            tell(f"{gesture.name}: {gesture.hands}{turn}; {shown} samples, {others} of else")
            for sentence in told(recogniser, gesture.name):
                tell(f"  {sentence}")
    tell(f"in {place}")


def teach(
    name: Name,
    clip: Annotated[
        list[Path],
        typer.Option("--clip", metavar="CLIP", exists=True, dir_okay=False,
                     help="Shows it, all the time; repeat. Ten seconds are enough."),
    ],
    other: Annotated[
        list[Path] | None,
        typer.Option("--not", metavar="CLIP", exists=True, dir_okay=False,
                     help="Shows hands that do anything else; repeat."),
    ] = None,
    hands: Annotated[
        str, typer.Option(metavar="either|left|right|both", help="Which hand shows it.")
    ] = "either",
    any_turn: Annotated[
        bool,
        typer.Option("--any-turn", help="However the hand is turned. Default: about as shown."),
    ] = False,
    motion: Annotated[
        bool,
        typer.Option("--motion", help="A movement, shown several times with a rest between, such "
                     "as drawing a Z; not a pose that is held."),
    ] = False,
    file: File = None,
) -> None:  # fmt: skip
    """Teach a gesture from clips, in seconds: hands do not have to be labelled.

    What was taught before stays; the same name again adds samples. 'tracker live' and 'tracker
    video' name it from then on. Needs no PyTorch.
    """
    from tracker.config import TrackerConfig
    from tracker.gestures.own import OF, WHICH, Gesture, Own, checked_name, write_own
    from tracker.gestures.teaching import begun, learnt, told, with_clips
    from tracker.track import Tracker
    from ui.commands.console import bars

    if hands not in WHICH:
        raise typer.BadParameter(f"--hands is one of {', '.join(WHICH)}, not {hands!r}")
    if motion and (any_turn or hands == "both"):
        raise typer.BadParameter("--motion is made by one hand, and at the turn that is shown")
    with user_errors():
        try:
            gesture = Gesture(checked_name(name), hands, any_turn, motion)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        place, before = _read(file)
        gesture = begun(before, gesture)
        clips = [(OF[0], path) for path in clip] + [(OF[1], path) for path in other or ()]
        with Tracker(TrackerConfig(faces=False)) as tracker, bars(sys.stderr.isatty()) as bar:
            own = with_clips(before, gesture, clips, tracker, bar)
        _, now = _read(file)  # a window or another command may have taught meanwhile
        own = Own((*now.done, *own.done[len(before.done) :]), now.undone)
        recogniser = learnt(own)
        write_own(place, own)
        for action in own.done[-len(clips) :]:
            tell(f"{action['from']}: {len(action['samples'])} samples of {action['of']}")
        for sentence in told(recogniser, name):
            tell(sentence)
    tell(f"kept in {place}; 'tracker gestures undo' takes the last clip back")


@gestures.command()
def remove(name: Name, file: File = None) -> None:
    """Remove a gesture; 'undo' brings it back."""
    from tracker.gestures.own import removed

    with user_errors():
        place, own = _read(file)
        _write(place, removed(own, name), f"removed {name}; 'tracker gestures undo' brings it back")


@gestures.command()
def undo(file: File = None) -> None:
    """Take the last action back: a clip, a removal, a strictness."""
    from tracker.errors import UserError
    from tracker.gestures import own as files

    with user_errors():
        place, own = _read(file)
        if not own.done:
            raise UserError(f"there is nothing to undo in {place}; teach a gesture first")
        _write(place, files.undo(own), f"undone: {files.words_of(own.done[-1])}")


@gestures.command()
def redo(file: File = None) -> None:
    """Do again what was undone last."""
    from tracker.errors import UserError
    from tracker.gestures import own as files

    with user_errors():
        place, own = _read(file)
        if not own.undone:
            raise UserError(f"nothing was undone in {place}; 'tracker gestures undo' comes first")
        _write(place, files.redo(own), f"done again: {files.words_of(own.undone[-1])}")


@gestures.command()
def strictness(
    name: Name,
    value: Annotated[
        float, typer.Argument(min=0, max=1, help="0: never missed ... 1: never by mistake.")
    ],
    file: File = None,
) -> None:
    """Say how sure a gesture must be to be shown."""
    from tracker.gestures.own import only, with_strictness
    from tracker.gestures.teaching import learnt, told

    with user_errors():
        place, own = _read(file)
        only(own, [name])  # complains where there is none such
        own = with_strictness(own, name, value)
        _write(place, own, told(learnt(own), name)[0])


@gestures.command()
def export(
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="File to write.")],
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Default: all.")] = None,
    file: File = None,
) -> None:
    """Write gestures to a file for others: 'tracker live --gestures OUT.json' uses it."""
    from tracker.errors import UserError
    from tracker.gestures.own import only, write_own

    with user_errors():
        if out.exists():
            raise UserError(f"{out} is there already; name another file")
        place, own = _read(file)
        chosen = only(own, names or [])
        if not chosen.names:
            raise UserError(f"{place} holds no gestures yet; teach one first")
        write_own(out, chosen)
    tell(f"wrote {out}: {', '.join(chosen.names)}; landmarks, no pictures")


def _read(file: Path | None) -> tuple[Path, Own]:
    from tracker.gestures.own import read_own, usual_file

    place = file or usual_file()
    return place, read_own(place)


def _write(place: Path, own: Own, words: str) -> None:
    from tracker.gestures.own import write_own

    write_own(place, own)
    tell(words)


gestures.command(name="teach")(teach)
