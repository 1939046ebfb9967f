"""What actions can do on this machine, and why not: for `tracker doctor` and `tracker actions`."""

from __future__ import annotations

from importlib.util import find_spec

from engines.installation import install
from tracker.actions import device, processes
from tracker.actions.runners import RUNNERS
from tracker.checkup.finding import NOTHING, Finding


def what_works() -> dict[str, tuple[bool, str]]:
    """For keys and for each kind of message: does it work, and a sentence. Presses nothing."""
    works, words = device.status()
    found = {"keys": (works is not None, words)}
    for scheme, kind in RUNNERS.items():
        if kind.package:
            module = {"python-osc": "pythonosc"}.get(kind.package, kind.package)
            is_there = find_spec(module) is not None
            fact = f"{kind.package} is {'' if is_there else 'not '}installed"
            found[scheme] = (is_there, fact if is_there else f"{fact}; run: {install('actions')}")
    try:
        found["say"] = True, f"{processes.speaker()[0]} speaks"
    except OSError as error:
        found["say"] = False, str(error)
    found["http"] = found["command"] = True, "needs nothing more"
    return found


def actions_finding() -> Finding:
    """Actions are an extra: what is missing is no fault, but it is told."""
    found = what_works()
    works, words = found["keys"]
    missing = [name for name, (is_there, _) in found.items() if not is_there and name != "keys"]
    fact = f"keys and pointer: {words}" if works else f"no keys and no pointer: {words}"
    if missing:
        fact += f"; not usable: {', '.join(missing)}"
    advice = NOTHING if works and not missing else "see 'tracker actions', if you want to use them"
    return Finding("actions", "ok", fact, advice)
