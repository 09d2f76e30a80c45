"""Calls of `clickseg-refine`, and what they leave."""

import csv

import numpy as np

from napari_clickseg.commands.refine import main


def truth(scene):
    """Labels of the red disk and the blue square."""
    labels = np.zeros(scene.shape[:2], np.uint16)
    labels[(scene == (220, 30, 30)).all(axis=2)] = 1
    labels[(scene == (30, 30, 220)).all(axis=2)] = 2
    return labels


def call(folders, *more):
    """The exit code of the command, with images, masks and output."""
    images, masks, out = folders
    return main([str(images), str(masks), "-o", str(out), *map(str, more)])


def rows(path):
    """The rows of a table."""
    with path.open(encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def contents(folder):
    """All files, with their bytes."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
