"""What the pages of the panel are made of."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QScrollArea,
    QWidget,
)

ASK = "?"  # data of the entry that opens a file dialog


class Page(QScrollArea):
    """One page: it scrolls, by the wheel too, where a window is too low for it.

    Over a list or a number the wheel changes that only where the keyboard is; else it scrolls.
    """

    def __init__(self, inside: QWidget) -> None:
        """`inside` gets the whole width."""
        super().__init__()
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for kind in (QComboBox, QAbstractSpinBox):
            for choice in inside.findChildren(kind):
                choice.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Hand the wheel on to what scrolls: a list would keep it, whatever it does with it."""
        if event is None or event.type() != QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return super().eventFilter(watched, event)
        bar, is_choice = self.verticalScrollBar(), isinstance(watched, QComboBox | QAbstractSpinBox)
        if bar is None or not is_choice or watched.hasFocus():
            return super().eventFilter(watched, event)
        QApplication.sendEvent(bar, event)
        return True


def tell(widget: QWidget, tip: str) -> None:
    """Say what a widget is for, and keep the keyboard on the picture when it is clicked."""
    widget.setToolTip(tip)
    if not isinstance(widget, QAbstractButton):
        widget.setAccessibleName(tip)
    widget.setAccessibleDescription(tip)
    is_typed_in = isinstance(widget, QAbstractSpinBox)
    focus = Qt.FocusPolicy.StrongFocus if is_typed_in else Qt.FocusPolicy.TabFocus
    widget.setFocusPolicy(focus)


def choose(combo: QComboBox, value: object) -> None:
    """Select the entry with this data; a file that is not there yet is added by its name."""
    at = combo.findData(value)
    if at < 0 and combo.isEditable():
        combo.setCurrentIndex(-1)
        combo.setEditText(str(value))
        return
    if at < 0:
        at = max(combo.findData(ASK), 0)
        combo.insertItem(at, Path(str(value)).name, value)
        combo.setItemData(at, value, Qt.ItemDataRole.ToolTipRole)
    combo.setCurrentIndex(at)


def form(group: QGroupBox) -> QFormLayout:
    """A form that fills the group, each label beside its field."""
    found = QFormLayout(group)
    found.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    found.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
    return found


def wrapped() -> QLabel:
    """A label whose text is wrapped, and can be copied."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)  # names in it are other people's
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def long_row(rows: QFormLayout, title: str) -> QLabel:
    """A row of a form whose text has room for two lines; the title stands beside the first."""
    text = wrapped()
    text.setText("-")
    text.setMinimumHeight(2 * text.fontMetrics().lineSpacing())
    rows.addRow(title, text)
    before = rows.labelForField(text)
    assert isinstance(before, QLabel)
    for label in (text, before):
        label.setAlignment(Qt.AlignmentFlag.AlignTop)
    return text
