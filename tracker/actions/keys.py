"""The names of keys, buttons and axes, and how the systems call them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

BUTTONS = ("left", "middle", "right")
AXES = ("x", "y", "rx", "ry")


@dataclass(frozen=True, slots=True)
class Key:
    """How uinput and pynput call a key; a pynput name of one character is that character."""

    evdev: str
    pynput: str


def _keys() -> Iterator[tuple[str, Key]]:
    for letter in "abcdefghijklmnopqrstuvwxyz0123456789":
        yield letter, Key(f"KEY_{letter.upper()}", letter)
    for number in range(1, 13):
        yield f"f{number}", Key(f"KEY_F{number}", f"f{number}")
    for name, evdev, other in (
        ("space", "SPACE", "space"), ("enter", "ENTER", "enter"), ("tab", "TAB", "tab"),
        ("esc", "ESC", "esc"), ("backspace", "BACKSPACE", "backspace"),
        ("delete", "DELETE", "delete"), ("insert", "INSERT", "insert"), ("home", "HOME", "home"),
        ("end", "END", "end"), ("page_up", "PAGEUP", "page_up"),
        ("page_down", "PAGEDOWN", "page_down"), ("left", "LEFT", "left"),
        ("right", "RIGHT", "right"), ("up", "UP", "up"), ("down", "DOWN", "down"),
        ("ctrl", "LEFTCTRL", "ctrl"), ("shift", "LEFTSHIFT", "shift"), ("alt", "LEFTALT", "alt"),
        ("super", "LEFTMETA", "cmd"), ("caps_lock", "CAPSLOCK", "caps_lock"),
        ("print_screen", "SYSRQ", "print_screen"), ("menu", "COMPOSE", "menu"),
        ("minus", "MINUS", "-"), ("equal", "EQUAL", "="), ("comma", "COMMA", ","),
        ("period", "DOT", "."), ("slash", "SLASH", "/"), ("semicolon", "SEMICOLON", ";"),
        ("apostrophe", "APOSTROPHE", "'"), ("backslash", "BACKSLASH", "\\"),
        ("left_bracket", "LEFTBRACE", "["), ("right_bracket", "RIGHTBRACE", "]"),
        ("grave", "GRAVE", "`"), ("play_pause", "PLAYPAUSE", "media_play_pause"),
        ("next_track", "NEXTSONG", "media_next"),
        ("previous_track", "PREVIOUSSONG", "media_previous"),
        ("volume_up", "VOLUMEUP", "media_volume_up"),
        ("volume_down", "VOLUMEDOWN", "media_volume_down"),
        ("mute", "MUTE", "media_volume_mute"),
    ):  # fmt: skip
        yield name, Key(f"KEY_{evdev}", other)


KEYS: Mapping[str, Key] = dict(_keys())
MODIFIERS = ("ctrl", "shift", "alt", "super")


def chord(text: str) -> tuple[str, ...]:
    """Keys pressed together, such as `ctrl+shift+t`. ValueError names the one that is none."""
    names = tuple(part.strip().lower() for part in text.split("+"))
    for name in names:
        if name not in KEYS:
            raise ValueError(f"there is no key {name!r}; write {near(name, KEYS)}")
    if len(set(names)) != len(names):
        raise ValueError(f"{text!r} names a key twice; write each once")
    return names


def near(word: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    """What may have been meant, or all there is."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), 3, 0.6)
    return " or ".join(close) if close else f"one of {', '.join(known)}"
