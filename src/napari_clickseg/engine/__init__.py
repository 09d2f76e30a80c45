"""One object from clicks to mask: session, views, prediction, large images."""
