"""Making annotations that the readers of data sets take, out of those that are published."""
