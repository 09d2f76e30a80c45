"""One tooltip per control of the dock, keyed by the control's object name."""

from __future__ import annotations

TOOLTIPS: dict[str, str] = {
    "image": "The image to click on. Only image layers are listed; it is never changed.",
    "contrast": "Which values the model sees as black and white, from the next object on: the\n"
    "limits of the layer, percentiles of its values, or all that its type can hold (of floats:\n"
    "the smallest and largest value). Colour photographs are taken as they are.",
    "model": "The network that turns clicks into a mask: those of the package and those in the\n"
    "folder of downloaded models. The options below start with its published numbers.",
    "browse": "Open a model file: our .safetensors, a published .pth or .pt, or .params of MXNet.",
    "more": "The models on this machine, and published ones: what they are, how to get them.",
    "read_card": "What the chosen model was trained on, its terms, and what it is good and bad at.",
    "zoo_get": "Agree to the licence shown above and download the file; it is verified.",
    "zoo_place": "Copy a file that you have, such as one got by hand, into the folder of models.",
    "zoo_cancel": "Stop the download; nothing is kept.",
    "zoo_remove": "Delete the file from the folder of models, after a question.",
    "zoo_close": "Close this window. A download goes on.",
    "device": "Where the network runs. auto takes a GPU if there is one.\n"
    "Other devices are checked when the model is loaded.",
    "start": "Create the click, preview and objects layers and listen to clicks.\n"
    "Deleted layers come back; nothing else in the viewer is touched.",
    "positive": "The left mouse button marks the object. The right button places the other sign.\n"
    "A key swaps them (T).",
    "negative": "The left mouse button marks background. The right button places the other sign.\n"
    "A key swaps them (T).",
    "tool_points": "Click on the object or on background (F2). Clicks can be dragged (napari's\n"
    "select mode, 3) and deleted (D, or select and Delete).",
    "tool_stroke": "Draw a line along the object or the background (F3).\n"
    "A model that takes clicks only is shown clicks along it.",
    "tool_contour": "Draw around the object, or around background, with the button held (F4).\n"
    "A model that takes clicks only corrects what you drew.",
    "tool_polygon": "A contour corner by corner; double-click or Enter closes it (F5).",
    "tool_box": "Draw a box that the object lies in (F6): nothing outside of it is taken.\n"
    "A new box replaces the old one.",
    "auto_run": "Run the model after each click (Q). Off, or while Ctrl is held, clicks wait and\n"
    "run together.",
    "run": "Run what waits. If nothing does, run the whole object again with the options as they\n"
    "are now (G).",
    "channel": "What the model sees as this colour: a channel of the image, or another layer of\n"
    "its shape, each with the contrast shown. It counts from the next object on.",
    "folder_open": "Open a folder of images and go from one to the next; each gets a mask file of\n"
    "its own. The first image without a mask is opened.",
    "folder_previous": "Save the mask and open the previous image (PageUp).",
    "folder_next": "Save the mask and open the next image (PageDown). What is unfinished waits.",
    "folder_list": "mask: there is a mask file. unfinished: an object in work waits here.\n"
    "Click on an image to open it.",
    "folder_pattern": "Name of the mask files: {name} is the image's name, {file} that with its\n"
    "suffix. The ending (.png, .tif, .npy) names the format.",
    "folder_masks": "Where the masks are. Press to choose a folder; press again for beside the\n"
    "images.",
    "folder_correct": "If an image has a mask of one object, click on that object at once. Accept\n"
    "keeps its id; a key (Escape) gives it back as it was.",
    "folder_clicks": "Write a session (.clickseg.json) with each mask, so that its objects come\n"
    "back with their clicks.",
    "start_source": "What a new object starts from: nothing, the object selected in the table\n"
    "(also that of another slice), masks of a Labels layer, or a file.",
    "start_part": "the part clicked: the connected part of the label under the first click.\n"
    "all of it: press Take.",
    "start_take": "Make all of the mask the object in work; clicks then correct it.",
    "opacity": "How much the preview covers the image.",
    "outline": "Show the outline of the mask instead of filling it (U), as wide on the screen\n"
    "at any zoom. It is a layer of its own, which goes when this is off.",
    "click_size": "Size of the clicks' symbols on the screen; 0 hides them.",
    "line_width": "Width of strokes, contours and boxes on the screen.\n"
    "What the model sees does not depend on it.",
    "hide_preview": "Hide the preview as long as you hold this button, or its key (H).",
    "jump": "Bring the object in work into the middle of the view (J).",
    "undo": "Take back the last click, deletion, move or reset. Any number of steps (Ctrl+Z).",
    "redo": "Bring back what Undo took (Ctrl+Shift+Z).",
    "reset": "Remove all clicks of this object. Undo brings them back (R).",
    "accept": "Write the preview, brush edits included, into 'clickseg objects' and start\n"
    "the next object (N).",
    "accept_part": "Write the preview into the object and click on another part of it: the label\n"
    "id stays (Shift+N).",
    "objects_layer": "The Labels layer that accepted objects are written into. Choose one of\n"
    "yours to go on with the objects in it.",
    "region": "Draw a thin frame around the part of the image that the model looked at last, and\n"
    "show that part here as the model saw it.",
    "picture": "The image as the model saw it at its last look: region, channels and contrast.",
    "objects_table": "Accepted objects. Select one to see it; double-click it to click on it\n"
    "again: its clicks come back and it keeps its id; a key (Escape) gives it back as it was.\n"
    "Double-click a class to name it. Ctrl+click selects several. Keys go to the previous (,)\n"
    "and next one (.).",
    "open_again": "Click on the selected object again, with its clicks; Accept keeps its id,\n"
    "a key (Escape) gives it back as it was. Another (I) does the same with the object under the\n"
    "mouse pointer.",
    "recover": "Bring these objects back, with their clicks, into 'clickseg objects'.",
    "later": "Do not ask again for now; the next start asks again.",
    "discard": "Delete them for good.",
    "merge": "Make one object of those selected; it gets the smallest of their ids.",
    "delete": "Remove the selected objects and their pixels. Undo brings them back.",
    "copy_details": "Copy where the error happened, the versions and the device, for a report.",
    "save_session": "Write all objects of this image, with their clicks and settings, into a\n"
    "session file (.clickseg.json) to go on another day or on another machine.",
    "open_session": "Make the objects of a session file again, with their clicks. The image that\n"
    "it was made on has to be open.",
    "next_class": "Class that the next objects get, such as 'nucleus'. Type a new name, or choose\n"
    "one.",
    "class_colour": "Colour of this class.",
    "by_class": "Draw objects in the colours of their classes instead of their own.",
    "cancel": "Stop the running prediction, or the refinement of edges. Clicks and mask are\n"
    "kept (K).",
    "label": "Label id the object gets in 'clickseg objects'. Counts up after each Accept.",
    "policy": "keep existing objects: pixels of earlier objects stay theirs.\n"
    "overwrite: the new object takes them.\n"
    "inside selected label: it takes only pixels of the label selected in 'clickseg objects'.",
    "threshold": "Pixels with at least this probability belong to the object.\n"
    "Moving it does not run the model again.",
    "fill_holes": "Background that the object surrounds becomes object, unless you clicked on it\n"
    "as background or painted it so. Seen at once; the model is not asked.",
    "keep_parts": "Which connected parts of the mask are kept. all: every one; clicked: those you\n"
    "clicked, drew on or started from; largest: the largest one too.",
    "min_size": "Parts with fewer pixels are left out, unless you clicked on them.",
    "smooth": "Round the outline over about this many pixels (standard deviation). It takes\n"
    "spikes and fills notches as thin as that, but none that you clicked on.",
    "zoom_in": "Look at the region around the object instead of the whole image.",
    "zoom_expansion": "The region is this many times the size of the object.",
    "zoom_target": "Longer side, in pixels, that the region is resized to for the model.",
    "zoom_fixed": "Show the region as a square of the target size, or keep its proportions.",
    "longest_side": "The whole image is reduced to this longest side for the model.\n"
    "The mask has the image's own size all the same.",
    "zoom_skip": "Look at the whole view for this many clicks before zooming in.",
    "flip": "Average with the mirrored image: slightly better masks, twice the time.",
    "profile": "Whose numbers are used: those of the system the model was published with,\n"
    "here as in its demo (..._demo).\n"
    "RITM and avalanche files look alike, and SimpleClick and CFR-ICL files: choose here.",
    "refinement": "Backpropagating refinement changes numbers inside the network until the mask\n"
    "obeys the clicks: better masks of hard objects, more time. NoBRS takes the mask as it is.",
    "brs_evaluations": "Calls of the network at most for the refinement of each click (L-BFGS).",
    "brs_seconds": "The refinement of each click ends with the call that is over later than this.",
    "max_clicks": "The network is shown this many clicks at most, the oldest.\n"
    "Refinement takes all clicks, but was published showing the network 5 or 8.",
    "cascade_steps": "Cascade-forward refinement: how often the network looks again at its own\n"
    "mask after the first click.",
    "cascade_adaptive": "End the CFR steps once hardly a pixel of the mask changes.",
    "bfloat16": "Compute with half as many bits where the processor or GPU has them: faster and\n"
    "less memory, and masks that differ by a few pixels at the outline. Refinement stays exact.",
    "all_keys": "Show what all keys do (F1). They are set in napari's Preferences.",
    "roi": "The part of the image that the model looked at on the last click; on a GPU also how\n"
    "much of its memory is in use.",
}


def tooltip(name: str) -> str:
    """Tooltip of the control with this object name.

    Raises
    ------
    KeyError
        If the control has no tooltip, so that none is forgotten.
    """
    return TOOLTIPS[name]
