"""A segmenter whose masks are known by hand: it takes the colours that were clicked."""

import numpy as np


class ColourSegmenter:
    """All pixels with the colour of a positive click, less those with that of a negative one."""

    def __init__(self, model=None, profile=None):
        self.model, self.profile = model, profile

    def set_image(self, image):
        self.image = image
        self.mask = np.zeros(image.shape[:2], bool)

    def click(self, row, col, positive=True):
        same = (self.image == self.image[int(row), int(col)]).all(axis=-1)
        self.mask = self.mask | same if positive else self.mask & ~same


def striped(widths, height=12):
    """An image of columns of different colours between two black margins, and its labels.

    The object (label 1) is all stripes together; the first is the widest if widths fall.
    """
    total = sum(widths) + 8
    image = np.zeros((height, total, 3), np.uint8)
    labels = np.zeros((height, total), np.int32)
    left = 4
    for k, width in enumerate(widths):
        image[2:-2, left : left + width] = (10 + k, 40 * k, 255 - k)
        labels[2:-2, left : left + width] = 1
        left += width
    return image, labels


class Scenes(list):
    """Scenes as a data set."""

    name = "stripes"

    @property
    def ids(self):
        return [scene.id for scene in self]
