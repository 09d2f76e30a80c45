"""One tooltip per control of the dock, keyed by the control's object name."""

from __future__ import annotations

TOOLTIPS: dict[str, str] = {
    "image": "The image to click on. Only image layers are listed; it is never changed.",
    "model": "The network that turns clicks into a mask: those of the package and those in the\n"
    "folder of downloaded models. The options below start with its published numbers.",
    "browse": "Open a model file: our .safetensors, a published .pth or .pt, or .params of MXNet.",
    "more": "Published models that are not on this machine: what they are and how to get them.",
    "zoo_get": "Agree to the licence shown above and download the file; it is verified.",
    "zoo_place": "Copy a file that you have, such as one got by hand, into the folder of models.",
    "zoo_cancel": "Stop the download; nothing is kept.",
    "zoo_close": "Close this window. A download goes on.",
    "device": "Where the network runs. auto takes a GPU if there is one.\n"
    "Other devices are checked when the model is loaded.",
    "start": "Create the click, preview and objects layers and listen to clicks.\n"
    "Deleted layers come back; nothing else in the viewer is touched.",
    "positive": "The left mouse button marks the object. The right button places the other sign.\n"
    "Press T to swap.",
    "negative": "The left mouse button marks background. The right button places the other sign.\n"
    "Press T to swap.",
    "undo": "Take back the last click, deletion, move or reset. Any number of steps (Ctrl+Z).",
    "redo": "Bring back what Undo took (Ctrl+Shift+Z).",
    "reset": "Remove all clicks of this object. Undo brings them back (R).",
    "accept": "Write the preview, brush edits included, into 'clickseg objects' and start\n"
    "the next object (N).",
    "cancel": "Stop the running prediction, or the refinement of edges. Clicks and mask are\n"
    "kept (K).",
    "label": "Label id the object gets in 'clickseg objects'. Counts up after each Accept.",
    "policy": "keep existing objects: pixels of earlier objects stay theirs.\n"
    "overwrite: the new object takes them.",
    "threshold": "Pixels with at least this probability belong to the object.\n"
    "Moving it does not run the model again.",
    "zoom_in": "Look at the region around the object instead of the whole image.",
    "zoom_expansion": "The region is this many times the size of the object.",
    "zoom_target": "Longer side, in pixels, that the region is resized to for the model.",
    "zoom_skip": "Look at the whole view for this many clicks before zooming in.",
    "flip": "Average with the mirrored image: slightly better masks, twice the time.",
    "profile": "Whose numbers are used: those of the system the model was published with.\n"
    "RITM and avalanche files look alike, and SimpleClick and CFR-ICL files: choose here.",
    "refinement": "Backpropagating refinement changes numbers inside the network until the mask\n"
    "obeys the clicks: better masks of hard objects, more time. NoBRS takes the mask as it is.",
    "brs_evaluations": "Calls of the network at most for the refinement of each click (L-BFGS).",
    "max_clicks": "The network is shown this many clicks at most, the oldest.\n"
    "Refinement takes all clicks, but was published showing the network 5 or 8.",
    "cascade_steps": "Cascade-forward refinement: how often the network looks again at its own\n"
    "mask after the first click.",
    "cascade_adaptive": "End the CFR steps once hardly a pixel of the mask changes.",
    "roi": "The part of the image that the model looked at on the last click.",
}


def tooltip(name: str) -> str:
    """Tooltip of the control with this object name.

    Raises
    ------
    KeyError
        If the control has no tooltip, so that none is forgotten.
    """
    return TOOLTIPS[name]
