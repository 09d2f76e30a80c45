"""The docks that train and evaluate: a form for a console script, and the runs it started."""
