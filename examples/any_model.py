"""Evaluate any model on any data set, cell by cell.

Open this file as a notebook in VS Code, Spyder or (with jupytext) Jupyter, or run it as it is:
``python examples/any_model.py``. It needs nothing but the plugin. Change the next cell to look at
your own model and data.
"""

# %% What to evaluate
MODEL = "clickseg-compact"  # a name of `clickseg-models list`, or a file of weights
DATA = None  # a folder with images/ and masks/, or such as "SBD:val@/data/SBD"; None makes one
BRS = "NoBRS"  # or RGB-BRS, DistMap-BRS, f-BRS-A, f-BRS-B, f-BRS-C, where the model offers it
OBJECTS = 2  # per image, the largest; or "all"

# %% The data: coins on a table, if there is none
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage
from skimage import data

from napari_clickseg.data.datasets import open_dataset

if DATA is None:
    DATA = Path(tempfile.mkdtemp()) / "coins"
    coins = data.coins()[20:150, 10:210]
    labels, _ = ndimage.label(ndimage.binary_opening(ndimage.binary_fill_holes(coins > 120)))
    for part, picture_of in (("images", coins), ("masks", labels.astype(np.uint8))):
        (DATA / part).mkdir(parents=True)
        Image.fromarray(picture_of).save(DATA / part / "coins.png")

dataset = open_dataset(DATA)
print(f"{dataset.name}: {len(dataset)} images")

# %% The model
from napari_clickseg import Segmenter

segmenter = Segmenter(MODEL, brs=BRS)
print(segmenter.profile)

# %% The whole data set, as published: at most 20 clicks, to an IoU of 0.9
from napari_clickseg.evaluation.dataset import evaluate_dataset
from napari_clickseg.evaluation.report import table
from napari_clickseg.evaluation.summary import summarise
from napari_clickseg.evaluation.terms import Terms

result = evaluate_dataset(segmenter, dataset, OBJECTS, Terms(n_clicks=20, target_iou=0.9))
print(table([summarise(result)]))

# %% The same with less careful users
users = ("uniform", "outside")
others = [evaluate_dataset(segmenter, dataset, OBJECTS, user=user, seeds=1) for user in users]
print(table([summarise(each) for each in (result, *others)]))

# %% One object, to an IoU of 0.95, click by click
from napari_clickseg.evaluation.protocol import chosen_objects, evaluate_object
from napari_clickseg.evaluation.shown import picture
from napari_clickseg.evaluation.sizes import at_size

scene, terms = dataset[0], Terms(target_iou=0.95)
shown = at_size(scene.image, scene.target(chosen_objects(scene, OBJECTS)[0]), terms)
segmenter.set_image(shown.image)
strip = []
one = evaluate_object(
    segmenter,
    shown.target,
    terms,
    watch=lambda mask, so_far: strip.append(picture(shown, mask, so_far.interactions)),
)
for number, (click, iou) in enumerate(zip(one.interactions, one.ious, strict=True), start=1):
    print(f"click {number}: {'object' if click.positive else 'background'}, IoU {iou:.3f}")

# %% The mask after each click, and what is wrong with it
Image.fromarray(np.vstack(strip))
