"""`say:TEXT` speaks, `command:PROGRAM ARGUMENT...` starts a program; both are processes.

A command is what stands in the profile, cut into words as a shell does, and no shell sees it;
nothing that is seen in a picture gets into it. Which profiles may name one, `profile.py` decides.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from tracker.actions.run import Phase
from tracker.stop import apart

MOST = 8  # programs that may run at once
PATIENCE = 20.0  # s for speech
SPEAKERS = ("spd-say", "espeak-ng", "espeak")


def parse_command(text: str) -> tuple[str, ...]:
    """Program and arguments. ValueError where there is none, or a quote is open."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"'command:{text}' cannot be read ({error}); close the quote") from error
    if not words:
        raise ValueError("'command:' names no program; write command:PROGRAM ARGUMENT...")
    return words


def parse_say(text: str) -> str:
    """ValueError where there is nothing to say."""
    if not text.strip():
        raise ValueError("'say:' says nothing; write say:TEXT")
    return text.strip()


class Commands:
    """Starts programs and does not wait for them; they outlive the tracker."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Nothing runs yet."""
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, what: Sequence[str], phase: Phase, value: float) -> None:
        if phase not in ("begin", "repeat"):
            return
        self._running = [process for process in self._running if process.poll() is None]
        if len(self._running) >= MOST:
            raise OSError(f"{what[0]} was not started: {MOST} programs of yours run already")
        none = subprocess.DEVNULL
        self._running.append(
            subprocess.Popen(what, stdin=none, stdout=none, stderr=none, **apart())
        )

    def close(self) -> None:
        """They go on."""
        for process in self._running:
            process.poll()


class Speech:
    """Speaks by what the system has."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """OSError where nothing speaks here."""
        self._speaker = speaker()

    def run(self, what: str, phase: Phase, value: float) -> None:
        if phase in ("begin", "repeat"):
            with suppress(subprocess.TimeoutExpired):
                done = subprocess.run(
                    self._speaker, input=what.encode(), timeout=PATIENCE, check=False,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                if done.returncode:
                    raise OSError(f"{self._speaker[0]} ended with status {done.returncode}")

    def close(self) -> None:
        """Nothing is held."""


def speaker() -> list[str]:
    """A program that speaks what it reads. OSError where there is none."""
    if sys.platform == "darwin":
        return ["say", "-f", "-"]
    if sys.platform == "win32":
        script = (
            "Add-Type -AssemblyName System.Speech; "
            "(New-Object System.Speech.Synthesis.SpeechSynthesizer)"
            ".Speak([Console]::In.ReadToEnd())"
        )
        return ["powershell", "-NoProfile", "-Command", script]
    for name in SPEAKERS:
        found = shutil.which(name)
        if found is not None:
            return [found, "-e"] if name == "spd-say" else [found, "--stdin"]
    raise OSError("nothing speaks here; install speech-dispatcher or espeak-ng")
