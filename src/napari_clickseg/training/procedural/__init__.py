"""Scenes drawn by the computer, to train on objects that no collection of photographs holds."""
