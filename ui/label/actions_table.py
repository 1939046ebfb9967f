"""Everything that a key, a menu entry or a button of the labeller does: one table."""

from __future__ import annotations

from ui.kit.actions import Entry, Group, as_markdown, menu_names

# fmt: off
ENTRIES = (
    Entry("save", "Save", ("Ctrl+S",), "Write the label files; every action is kept without it",
          "File", "save"),
    Entry("training", "Training", ("F8",), "Start a training and watch its curves", "File",
          "curves", True),
    Entry("quit", "Quit", ("Ctrl+Q",), "Save and close", "File"),
    Entry("undo", "Undo", ("Ctrl+Z",), "Take the last change back, without limit", "Edit", "undo",
          repeats=True),
    Entry("redo", "Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Make it again", "Edit", "redo",
          repeats=True),
    Entry("copy", "Copy points", ("Ctrl+C",), "Remember the points of this frame", "Edit"),
    Entry("paste", "Paste points", ("Ctrl+V",), "Put them here", "Edit"),
    Entry("delete", "Delete", ("Del", "Backspace"),
          "Remove the chosen object, or the range chosen on the timeline", "Edit", "delete"),
    Entry("unlabel", "Unlabel frame", ("Ctrl+Del",), "Forget all that is labelled on this frame",
          "Edit"),
    Entry("play", "Play", ("P",), "Play and pause; hold 0-9 meanwhile to label", "Go", "play", True,
          "pause"),
    Entry("suggested", "Next suggested", ("Space",),
          "The frame from which the network would learn most; Esc ends the ranking", "Go",
          "suggest", held=True),
    Entry("next", "Next frame", ("Right",), "One frame on", "Go", repeats=True),
    Entry("previous", "Previous frame", ("Left",), "One frame back", "Go", repeats=True),
    Entry("next4", "4 frames on", ("Ctrl+Right",), "Four frames on", "Go", repeats=True),
    Entry("previous4", "4 frames back", ("Ctrl+Left",), "Four frames back", "Go", repeats=True),
    Entry("next100", "100 frames on", ("Ctrl+Alt+Right",), "A hundred frames on", "Go",
          repeats=True),
    Entry("previous100", "100 frames back", ("Ctrl+Alt+Left",), "A hundred frames back", "Go",
          repeats=True),
    Entry("first", "First frame", ("Home",), "The beginning of the clip", "Go"),
    Entry("last", "Last frame", ("End",), "The end of the clip", "Go"),
    Entry("next_labelled", "Next labelled", ("D",), "The next labelled frame of the clip", "Go"),
    Entry("previous_labelled", "Previous labelled", ("A",), "The labelled frame before", "Go"),
    Entry("next_clip", "Next clip", ("Ctrl+PgDown",), "The next clip", "Go"),
    Entry("previous_clip", "Previous clip", ("Ctrl+PgUp",), "The clip before", "Go"),
    Entry("accept", "Accept", ("Return", "Enter"), "The guesses on this frame become labels",
          "Points", "accept"),
    Entry("add", "Add object", ("Ins", "I"), "Place a new object, landmark by landmark", "Points",
          "add"),
    Entry("copy_previous", "Copy previous", ("C",), "The points of the labelled frame before this",
          "Points", "copy"),
    Entry("nothing", "Nothing here", ("B",), "No object on this frame: a negative example",
          "Points", "nothing"),
    Entry("next_object", "Next object", ("X",), "Choose the next object or guess", "Points"),
    Entry("next_landmark", "Next landmark", ("Down",), "Choose the next landmark", "Points",
          repeats=True),
    Entry("previous_landmark", "Previous landmark", ("Up",), "Choose the landmark before", "Points",
          repeats=True),
    Entry("box", "Draw box", ("R",),
          "Drag a box anew around the chosen object, or around a new one where none is chosen",
          "Points", "box", apart=True),
    Entry("new_box", "Box of another", ("Shift+R",), "Drag a box around a new object", "Points"),
    Entry("box_of_points", "Box of the points", ("Ctrl+R",),
          "Forget the drawn box: the box is that of the points", "Points"),
    Entry("guess_in_box", "Guess in the box", ("Y",),
          "The current model places the landmarks that are missing in the chosen box", "Points"),
    Entry("cycle", "Visibility", ("V",), "Visible, occluded, not labelled (also: right click)",
          "Points"),
    Entry("mode", "Numbers: gesture / pose", ("N",), "What plain number keys label", "Points"),
    Entry("spread", "Spread labels", ("S",),
          "Propose this clip's labels for the frames around them; again: end it", "Points",
          "spread", apart=True),
    Entry("spread_all", "Spread in all clips", ("Shift+S",), "The same for every clip", "Points"),
    Entry("next_proposal", "Next proposal", ("J",), "The next frame for which one is proposed",
          "Points"),
    Entry("accept_stretch", "Accept stretch", ("Ctrl+Return", "Ctrl+Enter"),
          "The proposals between the labels around here become labels", "Points"),
    Entry("accept_clip", "Accept clip", ("Ctrl+Shift+Return", "Ctrl+Shift+Enter"),
          "All proposals of this clip become labels", "Points"),
    Entry("refuse_stretch", "Refuse stretch", ("Shift+Del",),
          "Forget the proposals between the labels around here", "Points"),
    Entry("refuse_clip", "Refuse clip", ("Ctrl+Shift+Del",), "Forget all proposals of this clip",
          "Points"),
    Entry("fit", "Fit", ("F",), "The whole frame", "View"),
    Entry("object_view", "To the object", ("Z",), "The chosen object large, and back", "View"),
    Entry("bigger", "Larger", ("+", "="), "Zoom in (also: the wheel)", "View", repeats=True),
    Entry("smaller", "Smaller", ("-",), "Zoom out", "View", repeats=True),
    Entry("names", "Names", ("T",), "Write the names of the landmarks", "View", "", True),
    Entry("edges", "Edges", ("E",), "Draw the lines between landmarks", "View", "", True),
    Entry("boxes", "Boxes", ("O",), "Draw the boxes of objects", "View", "", True),
    Entry("guesses", "Guesses", ("G",), "Show what the model thinks", "View", "", True),
    Entry("hide", "Hide points", ("H",), "Only the picture", "View", "", True),
    Entry("clearer", "Fainter points", (",",), "Less opaque", "View", repeats=True),
    Entry("fuller", "Stronger points", (".",), "More opaque", "View", repeats=True),
    Entry("help", "Keys", ("?", "F1"), "Show all keys", "Help", "help"),
)
NUDGES = {
    "Shift+Left": (-1.0, 0.0), "Shift+Right": (1.0, 0.0), "Shift+Up": (0.0, -1.0),
    "Shift+Down": (0.0, 1.0), "Alt+Shift+Left": (-0.2, 0.0), "Alt+Shift+Right": (0.2, 0.0),
    "Alt+Shift+Up": (0.0, -0.2), "Alt+Shift+Down": (0.0, 0.2),
}
MORE_HELP = (
    ("0-9, held", "while playing: that gesture, 0 = none"),
    ("Shift + 0-9, held", "the same for head pose, 0 = take away"),
    ("Click, drag a point", "choose it, correct it"),
    ("Click elsewhere", "place the next landmark"),
    ("Right click a point", "visible, occluded, not labelled"),
    ("Shift + arrows", "move the point by 1 px; with Alt 0.2"),
    ("Drag a box's side or corner", "make the box larger, smaller"),
    ("Shift + drag a point or box", "move the whole object"),
    ("Wheel", "zoom around the cursor"),
    ("Space or middle drag", "move the picture"),
    ("Drag a range's end", "change it; right click: its class"),
)
# fmt: on


def _rows(menu: str, with_tips: bool) -> tuple[tuple[str, str], ...]:
    return tuple(
        (entry.all_keys, f"{entry.text}. {entry.tip}" if with_tips else entry.text)
        for entry in ENTRIES
        if entry.menu == menu
    )


HELP: tuple[Group, ...] = (
    ("Mouse and numbers", MORE_HELP),
    *((menu, _rows(menu, False)) for menu in menu_names(ENTRIES) if menu != "Help"),
)
HANDBOOK: tuple[Group, ...] = (
    ("Mouse and numbers", MORE_HELP),
    *((menu, _rows(menu, True)) for menu in menu_names(ENTRIES)),
)

if __name__ == "__main__":  # the list of keys of docs/teach.md
    print(as_markdown(HANDBOOK))
