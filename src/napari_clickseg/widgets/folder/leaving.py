"""What becomes of unfinished objects when the user goes on to another image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMessageBox, QWidget

from .. import messages
from ..dock.clicking import Clicking
from ..dock.source import SourcePanel
from ..objects.actions import ObjectActions

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["ACCEPT", "DISCARD", "KEEP", "Leaving"]

ACCEPT, DISCARD, KEEP = "accept", "discard", "keep"
BUTTONS = {
    ACCEPT: ("Accept", QMessageBox.ButtonRole.AcceptRole),
    KEEP: ("Keep", QMessageBox.ButtonRole.ActionRole),
    DISCARD: ("Discard", QMessageBox.ButtonRole.DestructiveRole),
}


class Leaving:
    """Asks once, and accepts what is unfinished if the user says so.

    Parameters
    ----------
    clicking : Clicking
    actions : ObjectActions
    source : SourcePanel
    parent : QWidget
    """

    def __init__(
        self, clicking: Clicking, actions: ObjectActions, source: SourcePanel, parent: QWidget
    ) -> None:
        self._clicking, self._actions = clicking, actions
        self._source, self._parent = source, parent

    def settle(self, image: Image) -> str | None:
        """Ask before another image is started, if something is unfinished.

        Returns
        -------
        str or None
            `DISCARD`, `KEEP`, or `ACCEPT` if nothing is unfinished (any more); None: stay.
        """
        if self._clicking.image in (None, image) or not self._clicking.unfinished:
            return ACCEPT
        answer = self.ask()
        if answer == ACCEPT and not self._accept_all():
            return None
        return answer

    def ask(self) -> str | None:
        """The user's answer; None if they closed the question."""
        box = QMessageBox(self._parent)
        box.setWindowTitle("Unfinished object")
        box.setText(messages.unfinished(len(self._clicking.unfinished)))
        buttons = {key: box.addButton(*about) for key, about in BUTTONS.items()}
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(buttons[KEEP])
        box.exec()
        return next((key for key, b in buttons.items() if b is box.clickedButton()), None)

    def _accept_all(self) -> bool:
        """Accept what is unfinished; False if that is refused, which is said."""
        clicking = self._clicking
        image = clicking.image
        if not clicking.active:
            clicking.start(image)
        for plane in clicking.unfinished:
            clicking.show_plane(plane)
            self._actions.cancel_prediction()
            self._actions.accept()
        if clicking.unfinished:
            self._source.choose_image(image)
            return False
        return True
