"""Lines of numbers, drawn with axes and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from .run_reading import Curve

__all__ = ["CurveView", "ticks"]

COLOURS = ("#3f8fe0", "#e0852f", "#3fa96b", "#b06fd0", "#d0505f", "#8a8f98")
"""Told apart by the colour-blind, and seen on light and dark grounds."""
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 24, 34  # pixels around the lines
MARKED = 40  # points up to which each gets a dot


class CurveView(QWidget):
    """Draws curves with a common pair of axes.

    Parameters
    ----------
    across : str
        Name of the horizontal axis.
    span : (float, float), optional
        Of the vertical axis; by the numbers if not given.
    nothing : str
        What to say while there are no numbers.
    """

    def __init__(
        self,
        across: str,
        span: tuple[float, float] | None = None,
        nothing: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._across, self._span, self._nothing = across, span, nothing
        self.curves: Sequence[Curve] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(130)

    def sizeHint(self) -> QSize:
        """Room for a legible drawing."""
        return QSize(320, 200)

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """Draw other curves; those without points are left out."""
        self.curves = [curve for curve in curves if curve.xs]
        self.update()

    def paintEvent(self, event: Any) -> None:
        """Draw."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(self.foregroundRole())
        painter.setPen(text)
        if not self.curves:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), flags, self._nothing)
            return
        frame = QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -BOTTOM)
        xs = ticks(*_range([x for curve in self.curves for x in curve.xs]), whole=True)
        ys = ticks(*(self._span or _range([y for curve in self.curves for y in curve.ys])))
        self._draw_axes(painter, frame, xs, ys, text)
        painter.setClipRect(frame.adjusted(-4, -4, 4, 4))
        for number, curve in enumerate(self.curves):
            self._draw_curve(painter, frame, xs, ys, curve, COLOURS[number % len(COLOURS)])
        painter.setClipping(False)
        self._draw_legend(painter, text)

    def _draw_axes(
        self, painter: QPainter, frame: QRectF, xs: list[float], ys: list[float], text: QColor
    ) -> None:
        faint = QColor(text)
        faint.setAlpha(45)
        centre, right = Qt.AlignmentFlag.AlignCenter, Qt.AlignmentFlag.AlignRight
        for value in ys:
            y = _at(frame, xs, ys, xs[0], value).y()
            painter.setPen(faint)
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(text)
            box = QRectF(0, y - 8, LEFT - 6, 16)
            painter.drawText(box, right | Qt.AlignmentFlag.AlignVCenter, f"{value:.4g}")
        for value in xs:
            x = _at(frame, xs, ys, value, ys[0]).x()
            painter.drawText(QRectF(x - 40, frame.bottom() + 2, 80, 15), centre, f"{value:g}")
        painter.drawText(
            QRectF(frame.left(), frame.bottom() + 16, frame.width(), 16), centre, self._across
        )

    def _draw_curve(
        self,
        painter: QPainter,
        frame: QRectF,
        xs: list[float],
        ys: list[float],
        curve: Curve,
        colour: str,
    ) -> None:
        points = [
            _at(frame, xs, ys, x, y)
            for x, y in zip(curve.xs, curve.ys, strict=True)
            if math.isfinite(y)
        ]
        painter.setPen(QPen(QColor(colour), 1.8))
        painter.drawPolyline(QPolygonF(points))
        if len(points) <= MARKED:
            painter.setBrush(QColor(colour))
            for point in points:
                painter.drawEllipse(point, 2.2, 2.2)
            painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_legend(self, painter: QPainter, text: QColor) -> None:
        left = float(LEFT)
        for number, curve in enumerate(self.curves):
            name = f"{curve.name} {curve.ys[-1]:.3g}"
            painter.setPen(QPen(QColor(COLOURS[number % len(COLOURS)]), 3))
            painter.drawLine(QPointF(left, 11), QPointF(left + 14, 11))
            painter.setPen(text)
            painter.drawText(QPointF(left + 19, 15), name)
            left += 33 + painter.fontMetrics().horizontalAdvance(name)


def ticks(low: float, high: float, most: int = 5, whole: bool = False) -> list[float]:
    """Round numbers, evenly spaced, the first not above `low` and the last not below `high`."""
    rough = max(high - low, 1e-9) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(k * power for k in (1, 2, 5, 10) if k * power >= rough * 0.999)
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(k * step, 12) for k in range(first, max(last, first + 1) + 1)]


def _range(values: list[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    return min(finite), max(finite)


def _at(frame: QRectF, xs: list[float], ys: list[float], x: float, y: float) -> QPointF:
    """Where a point is drawn."""
    across, up = (x - xs[0]) / (xs[-1] - xs[0]), (y - ys[0]) / (ys[-1] - ys[0])
    return QPointF(frame.left() + across * frame.width(), frame.bottom() - up * frame.height())
