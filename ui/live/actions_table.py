"""Everything that a key, a menu entry or a button of the live window does: one table."""

from __future__ import annotations

from ui.kit.actions import Entry

# fmt: off
ENTRIES = (
    Entry("pause", "Pause", ("Space",), "Hold the picture, and go on", "File", "pause", True,
          "play"),
    Entry("record", "Record", ("R",), "Record video and landmarks; again: stop", "File",
          "record", True, "stop"),
    Entry("snapshot", "Snapshot", ("S",), "Save this picture and its landmarks", "File",
          "snapshot"),
    Entry("flag", "Flag", ("F",), "Keep this moment for labelling: the frame and 2 s around it",
          "File", "flag"),
    Entry("compare", "Compare", ("B",), "Two models on the same frame", "Tools", "compare", True),
    Entry("compare_view", "Side by side / A / B", ("Shift+B",),
          "While comparing: both beside each other, only A, or only B", "View"),
    Entry("mirror", "Mirror", ("M",), "Show the picture as in a mirror", "View", "mirror", True),
    Entry("landmarks", "Landmarks", ("L",), "Draw landmarks, axes and labels", "View",
          "landmarks", True),
    Entry("gesture", "New gesture", ("G",),
          "Teach a gesture of your own in half a minute; more samples, undo", "Tools"),
    Entry("labels", "Labels", ("T",), "Write gesture, side, head pose and number", "View",
          "labels", True),
    Entry("space", "3D view", ("D",), "Hands and heads in space; drag to turn them", "View", "",
          True),
    Entry("hud", "Numbers", ("H",), "Rates, times and latency", "View", "hud", True),
    Entry("privacy", "Privacy", ("P",), "Landmarks on black, no picture", "View", "privacy", True),
    Entry("panel", "Panel", ("F9",), "Settings, sending, actions, plots", "View", "panel", True),
    Entry("actions", "Actions", ("A",), "What gestures do, how near they are, a test", "View", "",
          True),
    Entry("actions_on", "Actions on", ("Shift+A",), "Do what the profile of actions says", "Tools",
          "", True),
    Entry("send", "Send", ("O",), "Where results go, how that is doing, switches", "View", "",
          True),
    Entry("recentre", "Recentre", ("C",),
          "The way the head is held now is straight ahead, for avatars and games", "Tools",
          "recentre"),
    Entry("neutral", "Face at rest", ("N",),
          "Capture your face at rest in 5 s: it is subtracted from expressions", "Tools"),
    Entry("face", "Expressions", ("E",), "What the face expresses, as bars", "View", "", True),
    Entry("hide", "Hide window", ("Ctrl+W",), "Go on in the system tray, where actions are in use",
          "File"),
    Entry("fullscreen", "Full screen", ("F11",), "Only the picture", "View", "", True),
    Entry("back", "Back", ("Esc",),
          "Leave full screen; else end comparing; else close what lies over the picture", "View"),
    Entry("open", "Open video...", ("Ctrl+O",), "Play a video file", "File"),
    Entry("help", "Keys", ("?", "F1"), "Show all keys", "Help", "help"),
    Entry("quit", "Quit", ("Q", "Ctrl+Q"), "Finish recordings and close", "File",
          apart=True),
)
HELP = (
    ("", (
        *((entry.all_keys, entry.text, entry.tip) for entry in ENTRIES),
        ("Tab, arrows, Space", "Panel", "Go through the settings and change them"),
    )),
)
# fmt: on
