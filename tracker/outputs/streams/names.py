"""Names for who is seen: `left` and `right` hand, `face`, `object`; the second is `face2`."""

from __future__ import annotations

from tracker.result import Result
from tracker.types import Track


class Names:
    """Gives each track a name of its own for as long as it is seen, the smallest that is free."""

    def __init__(self) -> None:
        """Nobody was seen."""
        self._names: dict[int, str] = {}  # by track id
        self.known: list[str] = []  # all that were ever given

    def given(self, result: Result | None) -> dict[str, Track]:
        """Who is seen now, by name."""
        tracks = () if result is None else result.tracks
        kept = {t.id: self._names[t.id] for t in tracks if self._fits(t)}
        for track in tracks:
            if track.id in kept:
                continue
            stem, number = _stem(track), 1
            while (name := stem if number == 1 else f"{stem}{number}") in kept.values():
                number += 1
            kept[track.id] = name
        self._names = kept
        seen = {kept[t.id]: t for t in tracks}
        self.known += [name for name in seen if name not in self.known]
        return seen

    def _fits(self, track: Track) -> bool:
        """A hand whose side turns out to be the other one gets the other name."""
        return self._names.get(track.id, "").rstrip("0123456789") == _stem(track)


def _stem(track: Track) -> str:
    return (track.side or "hand") if track.kind == "hand" else track.kind
