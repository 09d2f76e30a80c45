"""The clicking dock: its panels, keys and tools, and the viewer they act on."""
