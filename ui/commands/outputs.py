"""The command `tracker outputs`."""

from __future__ import annotations

from ui.commands.words import tell


def outputs() -> None:
    """List where --to can send results: how it is written, what it needs, whether it works here."""
    from tracker.outputs.listing import LISTED

    width = max(len(one.target) for one in LISTED)
    for one in LISTED:
        fault = one.fault()
        state = f"usable ({one.installed})" if fault is None else f"not usable: {fault}"
        tell(f"{one.target:{width}}  {one.what}")
        tell(f"{'':{width}}  {state}")
