"""Names and tooltips of the batch dock's fields."""

from __future__ import annotations

from typing import Any

__all__ = ["named"]

TIPS = {
    "what": "Refine the objects of a layer, or masks in a folder.",
    "labels": "The Labels layer to start from. It is not changed: the refined objects come as a\n"
    "new layer.",
    "planes": "Of a time-lapse or a volume: refine the plane that is shown, or all planes, one\n"
    "after the other, each with its plane of the image. Empty planes are skipped.",
    "image": "The image that the objects are of.",
    "only": "Refine the label that is selected in the layer and leave the others as they are.",
    "session": "A session (.clickseg.json) of this image: its clicks are used for the objects\n"
    "that have some.",
    "corrected_layer": "A copy of the objects of which you corrected some: where it differs\n"
    "becomes clicks. It is not changed either.",
    "images": "Folder of images, or one image. Stacks are refined plane by plane.",
    "masks": "Folder of masks with the images' names: label images, or one object each; of a\n"
    "stack, a TIFF or npy file with all its planes.\n"
    "Leave it empty to segment the images from their sessions alone.",
    "out": "Folder for the refined masks and the tables. It must be another one.",
    "clicks": "Sessions (.clickseg.json) of the images' names: their clicks are used for the\n"
    "objects that have some. Without, every object is refined by itself.",
    "corrected": "Masks of the images' names of which you corrected some objects: where they\n"
    "differ becomes clicks.",
    "model": "The network that refines.",
    "device": "Where it runs. auto takes a GPU if there is one.",
    "refine": "Move the outline of every object to the edges of the image. Finished files of a\n"
    "folder are skipped.",
    "cancel": "Stop. Finished files stay, and the next run goes on from there.",
    "table": "What changed, the most doubtful objects first. Select a row to see the object.",
}


def named(widget: Any, name: str) -> Any:
    """The widget, with its name and tooltip."""
    widget.setObjectName(name)
    widget.setToolTip(TIPS[name])
    return widget
