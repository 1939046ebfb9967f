"""A profile at work: from what is seen in a frame to what is to be done. No clock, no devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracker.actions.conditions import UNSURE, Condition, Hand, Reading, matching
from tracker.actions.device import Typed
from tracker.actions.measures import measure_of
from tracker.actions.pointer import Point, Pointer
from tracker.actions.profile import SURE, Place, PointerUse, Profile, Rule, Slide
from tracker.actions.run import Event, Phase, Run
from tracker.actions.trigger import State, Timing, Trigger
from tracker.result import Result
from tracker.types import Kind, Track

Names = Mapping[Kind, Sequence[str]]  # of the landmarks that the models find
# Of the pointer's own conditions. Two frames of a hand that turns may look like a pinch.
CLICK = Timing(hold=0.08, release=0.06, cooldown=0.0)
AWAKE = 1.0  # s for which the pointer stays awake after its gesture, a click, or scrolling
GLIDE = Timing(hold=0.1, release=0.15, cooldown=0.0)
KEEP_SCROLLING = "scroll"  # a slider of this scheme is a speed: it is told in every frame


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, as the panel shows it."""

    name: str
    when: str
    run: str
    level: float = 0.0  # how near its condition is to holding, [0, 1],
    progress: float = 0.0  # and how much of the hold time has gone by
    state: State | Literal["off", "idle", "slide"] = "locked"
    fired: int = 0
    value: float | None = None  # of a slider
    note: str = ""  # why it cannot fire


class _Watched:
    """A condition with its memory."""

    def __init__(self, when: Condition, hand: Hand, sure: float, timing: Timing) -> None:
        self.trigger = Trigger(timing)
        self.reading = Reading(0.0, False)
        self._when, self._hand, self._sure = when, hand, sure

    def update(self, result: Result, is_enabled: bool = True) -> Phase | None:
        held = self.reading.holds is True
        self.reading = self._when.read(result, self._hand, self._sure, held)
        # What has begun is not cut short: it ends when its condition does.
        holds = self.reading.holds if is_enabled or self.trigger.has_fired else False
        if self.reading.happened:
            return self.trigger.happen(result.t, is_enabled)
        return self.trigger.update(result.t, holds)


class Rules:
    """The memory of all rules of one profile. `update` takes each frame once, in order."""

    def __init__(self, profile: Profile, names: Names, told: Sequence[str] | None) -> None:
        """`names`: landmarks of the models in use; `told`: see `told_by`; None: not known yet."""
        self.profile, self._names = profile, names
        self._told = told
        self._rules = [(r, _Watched(r.when, r.hand, r.sure, r.timing)) for r in profile.rules]
        self._fired = [0] * len(profile.rules)
        self._slides = [_Slider(slide, names) for slide in profile.slides]
        use = profile.pointer
        self._pointer = None if use is None else _PointerAtWork(use, names)
        enable = profile.enable
        self._enable = (
            None if enable is None else _Watched(enable.when, enable.hand, SURE, enable.timing)
        )
        self.enabled_until = float("-inf")
        self._t = float("-inf")

    @property
    def is_enabled(self) -> bool:
        """May anything fire, as far as the enabling gesture goes?"""
        return self._enable is None or self._t <= self.enabled_until

    def update(self, result: Result, size_wh: tuple[int, int]) -> list[Event]:
        """What is to be done now. `size_wh`: of the picture, in pixels."""
        self._t = result.t
        self._look_for_enabling(result)
        events: list[Event] = []
        for i, (rule, watched) in enumerate(self._rules):
            phase = watched.update(result, self.is_enabled)
            if phase is not None:
                events.append(_event(rule, phase, watched.trigger, result.t))
                self._fired[i] += phase == "begin"
            if watched.trigger.has_fired:
                self._renew(result.t)
        for slider in self._slides:
            events += slider.update(result, size_wh, self.is_enabled)
        if self._pointer is not None:
            events += self._pointer.update(result, size_wh, self.is_enabled)
        return events

    def stop(self) -> list[Event]:
        """The ends of all that has begun; what holds now must end before it fires again."""
        events = [
            _event(rule, "end", watched.trigger, self._t)
            for rule, watched in self._rules
            if watched.trigger.has_fired
        ]
        if self._pointer is not None:
            events += self._pointer.stop(self._t)
        events += [event for slider in self._slides for event in slider.stop(self._t)]
        for _, watched in self._rules:
            watched.trigger.restart()
        return events

    def let_go(self) -> list[Event]:
        """The ends of what has begun and does not hold any more, whatever time its release takes:
        it may be long until the next frame."""
        return [
            _event(rule, "end", watched.trigger, self._t)
            for rule, watched in self._rules
            if watched.trigger.let_go()
        ]

    def rows(self) -> tuple[Row, ...]:
        """As things stand."""
        found = []
        for (rule, watched), fired in zip(self._rules, self._fired, strict=True):
            hand = f"{rule.hand} hand: " if rule.hand != "any" else ""
            found.append(Row(
                rule.name, f"{hand}{rule.when.text}", rule.run.text, watched.reading.level,
                watched.trigger.progress, watched.trigger.state if self.is_enabled else "off",
                fired, note=self._note(rule),
            ))  # fmt: skip
        found += [slider.row() for slider in self._slides]
        if self._pointer is not None:
            found += self._pointer.rows()
        return tuple(found)

    def _note(self, rule: Rule) -> str:
        asked, known = rule.when.needs, self._told
        if asked is None or known is None or asked in known:
            return ""
        what = "gesture " if rule.when.gesture else ""
        return f"the model in use knows no {what}{asked!r}"

    def _look_for_enabling(self, result: Result) -> None:
        if self._enable is None:
            return
        if self._enable.update(result) == "begin" or self._enable.trigger.has_fired:
            assert self.profile.enable is not None
            self.enabled_until = result.t + self.profile.enable.seconds

    def _renew(self, t: float) -> None:
        if self.profile.enable is not None:
            self.enabled_until = max(self.enabled_until, t + self.profile.enable.seconds)


def _event(rule: Rule, phase: Phase, trigger: Trigger, t: float) -> Event:
    since, hold = (trigger.since, rule.timing.hold) if phase == "begin" else (t, 0.0)
    return Event(rule.name, rule.run, phase, t, since, hold=hold)


def _point(result: Result, place: Place, names: Names) -> tuple[Track, Point] | None:
    """The surest track with this landmark, and where that is in the frame."""
    known = names.get(place.kind, ())
    if place.landmark not in known:
        return None
    tracks = [t for t in matching(result, place.kind, place.hand) if t.presence >= UNSURE]
    if not tracks:
        return None
    track = max(tracks, key=lambda t: (t.age, t.presence))
    return track, track.xy[known.index(place.landmark)].astype(np.float64)


def _missing(place: Place | None, names: Names) -> str:
    if place is None or not names or place.landmark in names.get(place.kind, ()):
        return ""
    return f"no model in use finds {place.landmark!r} of a {place.kind}"


class _Slider:
    def __init__(self, slide: Slide, names: Names) -> None:
        self._slide, self._names = slide, names
        when = slide.when
        self._watched = None if when is None else _Watched(when, slide.hand, SURE, GLIDE)
        self._share: float | None = None  # told last, [0, 1] of the range
        self._value: float | None = None

    def update(self, result: Result, size_wh: tuple[int, int], is_on: bool) -> list[Event]:
        if self._watched is not None:
            self._watched.update(result)
            is_on = is_on and self._watched.trigger.has_fired
        raw = self._read(result, size_wh) if is_on else None
        if raw is None:
            return self.stop(result.t)
        (a, b), (c, d) = self._slide.inside, self._slide.outside
        share = min(max((raw - a) / (b - a), 0.0), 1.0)
        is_speed = self._slide.run.scheme == KEEP_SCROLLING
        if self._share is not None and not is_speed and self._is_still(share):
            return []
        self._share, self._value = share, c + share * (d - c)
        return [self._event("value", result.t, self._value)]

    def stop(self, t: float) -> list[Event]:
        """Nothing to be read any more: a joystick goes back to its middle, all else stays."""
        had, self._share, self._value = self._value, None, None
        if had is None or self._slide.run.scheme != "joystick":
            return []
        return [self._event("value", t, 0.0)]

    def row(self) -> Row:
        slide = self._slide
        hand = f"{slide.hand} " if slide.hand != "any" else ""
        where = slide.place.landmark + " " if slide.place is not None else ""
        note = _missing(slide.place, self._names)
        return Row(
            slide.name, f"{hand}{where}{slide.source}", slide.run.text, self._share or 0.0,
            state="slide", value=self._value, note=note,
        )  # fmt: skip

    def _is_still(self, share: float) -> bool:
        """Smaller steps than the dead zone are not told, but the ends of the range are."""
        assert self._share is not None
        reaches_end = share in (0.0, 1.0) and share != self._share
        return abs(share - self._share) < max(self._slide.still, 1e-9) and not reaches_end

    def _read(self, result: Result, size_wh: tuple[int, int]) -> float | None:
        slide = self._slide
        if slide.place is not None:
            found = _point(result, slide.place, self._names)
            if found is None:
                return None
            axis = ("x", "y").index(slide.source)
            return float(found[1][axis]) / size_wh[axis]
        measure = measure_of(slide.source)
        tracks = [t for t in matching(result, measure.kind, slide.hand) if t.presence >= UNSURE]
        values = [v for v in map(measure.read, tracks) if v is not None]
        return values[0] if values else None

    def _event(self, phase: Literal["value"], t: float, value: float) -> Event:
        return Event(self._slide.name, self._slide.run, phase, t, t, value)


class _PointerAtWork:
    def __init__(self, use: PointerUse, names: Names) -> None:
        self._use, self._names = use, names
        self._pointer = Pointer(use.rule)
        hand = use.place.hand
        self._gates = {
            name: _Watched(when, hand, use.sure, CLICK if "click" in name else GLIDE)
            for name in ("when", "click", "right_click", "scroll")
            if (when := getattr(use, name)) is not None
        }
        self._fired = dict.fromkeys((*self._gates, "dwell"), 0)
        self._moves = False
        self._awake_until = float("-inf")

    def update(self, result: Result, size_wh: tuple[int, int], is_on: bool) -> list[Event]:
        t = result.t
        found = _point(result, self._use.place, self._names)
        events: list[Event] = []
        is_awake = is_on and self._is_awake(result)
        for name, gate in self._gates.items():
            if name == "when":
                continue
            phase = gate.update(result, is_awake)
            self._fired[name] += phase == "begin"
            if "click" in name and phase in ("begin", "end"):
                events.append(self._button(name, phase, gate.trigger, t))
            if "click" in name and gate.trigger.state in ("holding", "fired"):
                self._freeze_at_first(gate, t)
            if gate.trigger.has_fired:
                self._awake_until = t + AWAKE
        self._moves = found is not None and is_awake
        if found is None or not self._moves:
            self._pointer.lose()
            return events
        xy, aspect = found[1] / size_wh, size_wh[0] / size_wh[1]
        return events + self._moved(xy, aspect, t)

    def _is_awake(self, result: Result) -> bool:
        """A pinch is not the gesture that wakes the pointer, and must not put it to sleep."""
        gate = self._gates.get("when")
        if gate is None:
            return True
        gate.update(result)
        if gate.trigger.has_fired:
            self._awake_until = result.t + AWAKE
        return result.t <= self._awake_until

    def _moved(self, xy: Point, aspect: float, t: float) -> list[Event]:
        if "scroll" in self._gates and self._gates["scroll"].trigger.has_fired:
            notches = self._pointer.scroll(xy, aspect, t)
            what = Typed("wheel", xy=(0.0, float(notches)))
            return [_device_event("scroll", what, "value", t)] if notches else []
        events = []
        place = self._pointer.move(xy, aspect, t)
        if place is not None:
            events.append(_device_event("move", Typed("move", xy=place), "value", t))
        if self._pointer.dwelt(xy, aspect, t):
            self._fired["dwell"] += 1
            events.append(_device_event("dwell", Typed("click", name="left"), "begin", t))
        return events

    def stop(self, t: float) -> list[Event]:
        events = [
            self._button(name, "end", gate.trigger, t)
            for name, gate in self._gates.items()
            if "click" in name and gate.trigger.has_fired
        ]
        for gate in self._gates.values():
            gate.trigger.restart()
        self._awake_until = float("-inf")
        self._pointer.lose()
        return events

    def rows(self) -> list[Row]:
        place = self._use.place
        where = f"{place.hand} {place.landmark}" if place.hand != "any" else place.landmark
        note = _missing(place, self._names)
        found = [Row(
            "pointer", where, "moves", float(self._moves), float(self._moves),
            "fired" if self._moves else "ready", note=note,
        )]  # fmt: skip
        for name, gate in self._gates.items():
            when = getattr(self._use, name).text
            found.append(Row(
                f"pointer {name.replace('_', ' ')}", when, name, gate.reading.level,
                gate.trigger.progress, gate.trigger.state, self._fired[name],
            ))  # fmt: skip
        return found

    def _freeze_at_first(self, gate: _Watched, t: float) -> None:
        """A pinch moves the finger's tip; what it aimed at is clicked."""
        if t == gate.trigger.since:
            self._pointer.freeze(t)

    def _button(self, name: str, phase: Phase, trigger: Trigger, t: float) -> Event:
        button = "right" if name == "right_click" else "left"
        what = Typed("button", name=button, down=phase == "begin")
        since, hold = (trigger.since, CLICK.hold) if phase == "begin" else (t, 0.0)
        return Event(f"pointer {name}", Run("pointer", what, name), phase, t, since, hold=hold)


def _device_event(name: str, what: Typed, phase: Literal["value", "begin"], t: float) -> Event:
    return Event(f"pointer {name}", Run("pointer", what, name), phase, t, t)
