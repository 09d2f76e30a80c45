"""Three accepted objects and what can be seen of them."""

import numpy as np

PLACES = {1: (40, 60), 2: (60, 170), 3: (110, 110)}


def labels(dock):
    return np.array(dock.clicking.layers.objects.data)


def preview(dock):
    return np.asarray(dock.clicking.layers.preview.data) != 0


def objects(dock):
    return dock.clicking.objects


def key(dock, label):
    return next(k for k in objects(dock).items if k[0] == label)
