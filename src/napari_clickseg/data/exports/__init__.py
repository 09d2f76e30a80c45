"""Labels as other programs read them, one format per module."""
