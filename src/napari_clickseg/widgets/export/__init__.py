"""The dock that exports objects, and the readers and writers that napari itself calls."""
