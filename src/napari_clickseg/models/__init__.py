"""Architectures, checkpoints, the zoo and the bundled weights."""
