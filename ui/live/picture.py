"""The painted view: the picture, and the words on it."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from tracker.types import Image
from ui.kit.picture import AROUND, to_qimage
from ui.live.compose import Pane
from ui.live.hud import OFFERS, Banner, Words
from ui.live.panels.offers import Offers

SHADE = QColor(0, 0, 0, 150)  # behind words
WORDS = QColor(255, 255, 255)
ERROR = QColor(120, 16, 16, 225)
NOTE = QColor(50, 58, 74, 235)
RED = QColor(235, 48, 48)
DIM = QColor(0, 0, 0, 120)
WRAP = Qt.AlignmentFlag.AlignHCenter.value | Qt.TextFlag.TextWordWrap.value


class PictureView(QWidget):
    """Shows one canvas as large as fits. Words are set apart from it and painted on top."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Empty at first."""
        super().__init__(parent)
        self.setMinimumSize(240, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Camera picture")
        self.paints = 0  # how often the canvas was painted
        self.is_stale = True  # the size changed: a canvas of another size would fit better
        self._image: QImage | None = None
        self._panes: Sequence[Pane] = ()
        self._captions: Sequence[str] = ()
        self.words = Words()
        self.offers = Offers(self, OFFERS)

    def room_wh(self) -> tuple[int, int]:
        """The view's size in device pixels."""
        ratio = self.devicePixelRatioF()
        return round(self.width() * ratio), round(self.height() * ratio)

    def set_canvas(
        self, canvas: Image, panes: Sequence[Pane] = (), captions: Sequence[str] = ()
    ) -> None:
        """Take a (H, W, 3) BGR canvas; `captions` name its panes."""
        self._image, self._panes, self._captions = to_qimage(canvas), panes, captions
        self.is_stale = False

    def clear(self) -> None:
        """Show no picture."""
        self._image = None
        self.update()

    def set_words(self, words: Words) -> None:
        """Write this on the picture."""
        if words == self.words:
            return
        self.words = words
        banner = [] if words.banner is None else [f"{words.banner.title}. {words.banner.text}"]
        spoken = [*banner, words.note, *(text for text, _ in words.badges)]
        self.setAccessibleDescription(" ".join(filter(None, spoken)))
        self._place_offers()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        self.is_stale = True
        self._place_offers()

    def _place_offers(self) -> None:
        banner = self.words.banner
        below = QRectF() if banner is None else self._box(banner, 0.5)[0]
        self.offers.offer(() if banner is None else self.words.offers, below)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), AROUND)
        if self._image is not None:
            self._paint_canvas(painter, self._image)
            self.paints += 1
            if self.words.banner is not None:
                painter.fillRect(self.rect(), DIM)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.words.hud:
            self._paint_words(painter, self.words.hud, QPointF(8, 8), 0.0)
        self._paint_badges(painter)
        if self.words.banner is not None:
            self._paint_box(painter, self.words.banner, 0.5)
        if self.words.note:
            self._paint_box(painter, Banner("", self.words.note, is_error=True), 1.0)
        painter.end()

    def canvas_rect(self) -> QRectF:
        """Where the canvas is painted, logical pixels."""
        if self._image is None:
            return QRectF()
        ratio = self.devicePixelRatioF()
        (room_w, room_h), (w, h) = self.room_wh(), (self._image.width(), self._image.height())
        scale = min(room_w / w, room_h / h)
        # An exact fit, and one that is off by the rounding of its size, is not scaled at all.
        w, h = (w, h) if 1 <= scale < 1.01 else (round(w * scale), round(h * scale))
        return QRectF((room_w - w) // 2 / ratio, (room_h - h) // 2 / ratio, w / ratio, h / ratio)

    def _paint_canvas(self, painter: QPainter, image: QImage) -> None:
        place = self.canvas_rect()
        exact = abs(place.width() * self.devicePixelRatioF() - image.width()) < 0.5
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not exact)
        painter.drawImage(place, image)
        if len(self._panes) < 2 and not any(self._captions):
            return
        scale = place.width() / image.width()
        for pane, caption in zip(self._panes, self._captions, strict=True):
            at = place.topLeft() + QPointF(pane.x + pane.width / 2, pane.y) * scale
            self._paint_words(painter, [caption], at + QPointF(0, 8), 0.5)

    def _paint_badges(self, painter: QPainter) -> None:
        at = QPointF(self.width() - 8, 8)
        for text, is_recording in self.words.badges:
            box = self._paint_words(painter, [text], at, 1.0, 16 if is_recording else 0)
            if is_recording:
                painter.setBrush(RED)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawEllipse(QPointF(box.left() + 14, box.center().y()), 6, 6)
            at = QPointF(at.x(), box.bottom() + 6)

    def _paint_words(
        self, painter: QPainter, lines: Sequence[str], at: QPointF, align: float, indent: float = 0
    ) -> QRectF:
        """Lines in a dark box whose top is at `at`; align 0: left, 0.5: centre, 1: right."""
        painter.setFont(self.font())
        metrics = QFontMetricsF(self.font(), self)
        width = max(metrics.horizontalAdvance(line) for line in lines) + 16 + indent
        box = QRectF(at.x() - align * width, at.y(), width, metrics.height() * len(lines) + 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(SHADE)
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(WORDS)
        for i, line in enumerate(lines):
            y = box.top() + 5 + metrics.ascent() + i * metrics.height()
            painter.drawText(QPointF(box.left() + 8 + indent, y), line)
        return box

    def _box(self, banner: Banner, where: float) -> tuple[QRectF, float, QFont]:
        """Where a message lies, how high its title is, and the title's font."""
        bold = QFont(self.font())
        bold.setBold(True)
        bold.setPointSizeF(max(bold.pointSizeF(), 8) * 1.3)
        width = min(self.width() - 32.0, 520.0)
        room = QRectF(0, 0, width - 32, 1e4)
        head = 0.0
        if banner.title:
            head = QFontMetricsF(bold, self).boundingRect(room, WRAP, banner.title).height() + 8
        text = QFontMetricsF(self.font(), self).boundingRect(room, WRAP, banner.text).height()
        height = head + text + 2 * _pad(banner)
        top = 8 + (self.height() - 16 - height) * where
        return QRectF((self.width() - width) / 2, top, width, height), head, bold

    def _paint_box(self, painter: QPainter, banner: Banner, where: float) -> None:
        """A message whose text is wrapped; where 0.5: in the middle, 1: at the bottom."""
        box, head, bold = self._box(banner, where)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ERROR if banner.is_error else NOTE)
        painter.drawRoundedRect(box, 10, 10)
        painter.setPen(WORDS)
        painter.setFont(bold)
        pad = _pad(banner)
        inside = box.adjusted(16, pad, -16, -pad)
        painter.drawText(inside, WRAP, banner.title)
        painter.setFont(self.font())
        painter.drawText(inside.adjusted(0, head, 0, 0), WRAP, banner.text)


def _pad(banner: Banner) -> float:
    return 16.0 if banner.title else 8.0
