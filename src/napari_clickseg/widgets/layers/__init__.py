"""The layers that the dock makes, and how changes of them reach the screen."""
