"""One image of a folder after the other, each with its mask file."""
