"""The card of a model: data, terms, what it is good and bad at, with pictures where it has some."""

from __future__ import annotations

import html

from qtpy.QtGui import QColor, QTextCharFormat, QTextCursor
from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from ...models.card import ModelCard

__all__ = ["CardDialog", "facts"]

LINK = "#2f80d0"
"""Readable on light and dark grounds."""
KEEP = QTextCursor.MoveMode.KeepAnchor
SIZE = (800, 700)
"""Width and height in screen pixels."""


class CardDialog(QDialog):
    """Shows the Markdown file beside a model file, or what its header or the zoo says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.resize(*SIZE)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        QVBoxLayout(self).addWidget(self.text)

    def show_card(self, card: ModelCard) -> None:
        """Show a model's card, in front of everything.

        Raises
        ------
        OSError, UnicodeDecodeError
            If there is a Markdown file that cannot be read.
        """
        self.setWindowTitle(f"About {card.name}")
        document = card.document
        if document is None:
            self.text.setHtml(f"<h3>{html.escape(card.name)}</h3>{facts(card)}")
        else:
            written = document.read_text(encoding="utf-8")
            self.text.setSearchPaths([str(document.parent)])  # of its pictures
            self.text.setMarkdown(written)
            self._colour_links()
        self.show()
        self.raise_()

    def _colour_links(self) -> None:
        """Qt draws links of Markdown in its own blue, which cannot be read on dark grounds."""
        colour = QTextCharFormat()
        colour.setForeground(QColor(LINK))
        cursor = QTextCursor(self.text.document())
        while cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, KEEP):
            if cursor.charFormat().isAnchor():
                cursor.mergeCharFormat(colour)
            cursor.clearSelection()


def facts(card: ModelCard) -> str:
    """Licence, origin, network, data and published results of a model, as an HTML table."""
    write = html.escape
    page = write(card.page or "")
    link = f", <a href='{page}' style='color: {LINK}'>{page}</a>"
    rows = {
        "Licence": f"<b>{write(card.licence)}</b>. {write(card.terms)}",
        "System": write(card.system) + (link if page else ""),
        "Network": write(card.architecture),
        "Trained on": write(", ".join(card.trained_on) or "not stated"),
        "Published": "<br>".join(filter(None, [*_clicks(card), write(card.results)])),
    }
    parts = [
        f"<tr><td>{name}&nbsp;</td><td>{text}</td></tr>" for name, text in rows.items() if text
    ]
    return f"<table>{''.join(parts)}</table>"


def _clicks(card: ModelCard) -> list[str]:
    """One line per mode: published mean clicks to 90 % IoU."""
    modes: dict[str, list[str]] = {}
    for row in card.noc:
        if row.at_90 is not None:
            modes.setdefault(row.mode, []).append(f"{row.dataset} {row.at_90:.2f}")
    return [
        f"clicks to 90 % IoU, {html.escape(mode)}: {html.escape(', '.join(sets))}"
        for mode, sets in modes.items()
    ]
