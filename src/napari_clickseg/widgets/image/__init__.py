"""The image that is clicked on: its displayed plane, its channels, what it is recognised by."""
