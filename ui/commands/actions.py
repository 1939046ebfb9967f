"""The command `tracker actions`: starter profiles, checking one, trying one on clips."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ui.commands.words import Mirror, say, tell, user_errors

if TYPE_CHECKING:
    from tracker.actions.profile import Profile
    from tracker.files.action_trial import ClipTrial
    from tracker.load import Loaded

File = Annotated[Path, typer.Argument(metavar="FILE.toml", help="A profile.")]
Models = Annotated[
    list[Path] | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="Your own model, or a project folder, whose gestures the profile names.",
    ),
]

actions = typer.Typer(
    add_completion=False,
    help="Profiles that say which gesture does what, for 'tracker live --actions': list and copy "
    "those that are shipped, check one, try one on clips.",
)


@actions.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """List the shipped profiles, and what can be done on this machine."""
    if context.invoked_subcommand is not None:
        return
    from tracker.actions.profile import shipped
    from tracker.checkup.doctor_actions import what_works

    for name, path in shipped().items():
        tell(f"{name:10} {_first_words(path)}")
    tell("\nCopy one with 'tracker actions copy NAME', change it, then:")
    tell("tracker live --actions NAME.toml\n")
    for name, (works, words) in what_works().items():
        tell(f"{name:10} {'yes' if works else 'no ':3}  {words}")


@actions.command()
def copy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As listed by 'tracker actions'.")],
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT.toml", help="Default: NAME.toml, here.")
    ] = None,
) -> None:
    """Copy a shipped profile, to change it."""
    from tracker.actions.keys import near
    from tracker.actions.profile import shipped
    from tracker.errors import UserError, writing

    known = shipped()
    with user_errors():
        if name not in known:
            raise UserError(f"there is no profile {name!r}; write {near(name, tuple(known))}")
        target = out or Path(f"{name}.toml")
        if target.exists():
            raise UserError(f"{target} is there already; name another file")
        with writing(target), target.open("x", encoding="utf-8") as file:
            file.write(known[name].read_text(encoding="utf-8"))
    tell(f"wrote {target}; 'tracker actions check {target}' after you changed it")


@actions.command()
def check(file: File, model: Models = None) -> None:
    """Tell all that is wrong with a profile, each with its line and a remedy.

    Exit code 0: nothing is wrong; 1: something is.
    """
    from tracker.actions.profile import Faulty, read_profile
    from tracker.files.action_trial import told_of

    with user_errors():
        loaded = _load(model or [], 2)
        try:
            profile = read_profile(file, told_of(loaded))
        except Faulty as error:
            for fault in error.faults:
                tell(f"{file}: {fault}")
            raise typer.Exit(1) from error
    tell(f"{file}: nothing is wrong; {_contents(profile)}")


@actions.command("try")
def try_(
    file: File,
    clips: Annotated[list[Path], typer.Argument(metavar="CLIP...", help="Videos.")],
    model: Models = None,
    max_hands: Annotated[int, typer.Option(min=1, help="Follow at most this many hands.")] = 2,
    mirror: Mirror = True,
) -> None:
    """Tell what a profile would have done in clips, and when; nothing is done.

    The last line counts it per hour: on clips in which nothing should fire, these are the false
    triggers per hour. Times are those of the frame in which the condition first held. Exit code
    130: ended early.
    """
    from tracker.actions.profile import read_profile
    from tracker.files.action_trial import per_hour, told_of, try_clip
    from tracker.stop import INTERRUPTED, stop_on_signal
    from ui.commands.console import bars

    trials = []
    shown = sys.stderr.isatty()
    with user_errors(), stop_on_signal() as stopped, bars(shown) as bar:
        loaded = _load(model or [], max_hands, mirror)
        profile = read_profile(file, told_of(loaded))
        for clip in clips:
            trials.append(try_clip(profile, clip, loaded, stopped, bar(clip.name)))
            _tell(trials[-1])
            if stopped():
                break
        ended_early = stopped()
    rate = per_hour(trials)
    if rate is None and not ended_early:
        say("there was no second of video to try it on; name longer clips")
        raise typer.Exit(1)
    count, minutes = sum(len(t.fired) for t in trials), sum(t.seconds for t in trials) / 60
    if rate is not None:
        tell(
            f"{count} fired in {minutes:.1f} minutes: {rate:.1f} false triggers per hour, if "
            "nothing should have fired"
        )
    if ended_early:
        raise typer.Exit(INTERRUPTED)


def _load(models: Sequence[Path], max_hands: int, mirror: bool = True) -> Loaded:
    from tracker.config import TrackerConfig
    from tracker.gestures.own import chosen_file
    from tracker.load import load

    config = TrackerConfig(
        max_hands=max_hands, objects=True if models else None, facing=mirror,
        gestures=chosen_file(None),
    )  # fmt: skip
    return load(config, models)


def _tell(trial: ClipTrial) -> None:
    tell(f"{trial.clip}: {len(trial.fired)} fired in {trial.seconds:.1f} s")
    for fired in trial.fired:
        tell(f"  {fired.t:8.2f} s  {fired.name}: {fired.run}")


def _first_words(path: Path) -> str:
    """The first comment of a profile, up to its first full stop."""
    lines: Sequence[str] = path.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line.lstrip("# ") for line in lines[:4] if line.startswith("#"))
    return comment.split(". ")[0].rstrip(".")


def _contents(profile: Profile) -> str:
    parts = [f"{len(profile.rules)} rules"]
    if profile.pointer is not None:
        parts.append("a pointer")
    if profile.slides:
        parts.append(f"{len(profile.slides)} sliders")
    return ", ".join(parts)
