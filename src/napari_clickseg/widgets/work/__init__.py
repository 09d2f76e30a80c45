"""Objects in work: clicks and drawn lines, their history, and the worker that predicts."""
