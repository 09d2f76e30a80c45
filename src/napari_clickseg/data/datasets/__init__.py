"""Readers of data sets on disk, published ones and a scientist's own: `open_dataset`."""

from .registry import ReaderCard, dataset_readers, find_data, open_dataset

__all__ = ["ReaderCard", "dataset_readers", "find_data", "open_dataset"]
