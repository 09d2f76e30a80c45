"""What images are recognised by; lazy ones are read in a thread, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from qtpy.QtCore import QObject, Signal

from ...data.saved_session import ImageSignature
from ..layers.own import bare

if TYPE_CHECKING:
    from napari.layers import Image

__all__ = ["Signatures"]

Signed = Future[ImageSignature]


class Signatures(QObject):
    """Signs image layers. A few blocks are read, which takes a lazy mosaic a second.

    Parameters
    ----------
    parent : QObject, optional
    """

    _ready = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: WeakKeyDictionary[Image, tuple[Any, Signed]] = WeakKeyDictionary()
        self._asked: list[tuple[Signed, Callable[[Signed], Any]]] = []
        self._ready.connect(self._answer)

    def begin(self, image: Image) -> Signed:
        """Sign a layer unless that was begun; arrays in memory are signed at once."""
        image = bare(image)
        data = image.data[0] if image.multiscale else image.data
        before, signed = self._known.get(image, (None, None))
        if before is data and signed is not None:
            return signed
        name = str(getattr(image.source, "path", None) or image.name)
        signed = Future()
        if type(data) is np.ndarray:
            _sign(data, name, signed)
            return signed
        self._known[image] = data, signed
        threading.Thread(target=_sign, args=(data, name, signed), daemon=True).start()
        return signed

    def of(self, image: Image) -> ImageSignature:
        """The signature of a layer, waited for if need be."""
        return self.begin(image).result()

    def ask(self, image: Image, answer: Callable[[Signed], Any]) -> None:
        """Call ``answer(future)`` with the signature: now if it is known, else from the event loop.

        What cannot be read is an error of the future's result.
        """
        signed = self.begin(image)
        if signed.done():
            answer(signed)
            return
        self._asked.append((signed, answer))
        signed.add_done_callback(self._wake)

    def _wake(self, signed: Signed) -> None:
        """Go over to the main thread."""
        with suppress(RuntimeError):  # closed, and nobody waits any more
            self._ready.emit(signed)

    def _answer(self, signed: Signed) -> None:
        asked = [pair for pair in self._asked if pair[0] is signed]
        self._asked = [pair for pair in self._asked if pair[0] is not signed]
        for _, answer in asked:
            answer(signed)

    def forget(self) -> None:
        """Answer no more."""
        self._asked = []
        self._known.clear()


def _sign(data: Any, name: str, signed: Signed) -> None:
    try:
        signed.set_result(ImageSignature.of(data, name))
    except BaseException as error:  # noqa: BLE001  (readers of other plugins raise what they like)
        signed.set_exception(error)
