"""The model that answers: its options, the predictor, and models not on this machine."""
