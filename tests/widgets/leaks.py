"""What a closed dock must not leave in a viewer: callbacks, keys and threads."""

from qtpy.QtCore import QThreadPool

OURS = "napari_clickseg"
MOUSE = ("mouse_drag_callbacks", "mouse_move_callbacks", "mouse_double_click_callbacks")


def _owner(callback):
    """Module of whoever is called."""
    if isinstance(callback, tuple):
        callback = callback[0]()
    module = getattr(callback, "__module__", None) or type(callback).__module__
    return module or ""


def callbacks(viewer):
    """Names of events of the viewer and its layers that call something of ours."""
    models = {
        "layers": viewer.layers,
        "selection": viewer.layers.selection,
        "dims": viewer.dims,
        "cursor": viewer.cursor,
        "camera": viewer.scene.camera,
        "viewer": viewer,
    }
    models |= {layer.name: layer for layer in viewer.layers}
    found = []
    for place, model in models.items():
        for name, emitter in model.events.emitters.items():
            found += [f"{place}.{name}" for c in emitter.callbacks if _owner(c).startswith(OURS)]
        for name in MOUSE:
            calls = getattr(model, name, ())
            found += [f"{place}.{name}" for c in calls if _owner(c).startswith(OURS)]
        for key, call in dict(getattr(model, "keymap", {})).items():
            found += [f"{place} {key}"] * _owner(call).startswith(OURS)
    return found


def assert_nothing_left(viewer):
    """No callback, key or thread of ours is left."""
    assert callbacks(viewer) == []
    assert QThreadPool.globalInstance().waitForDone(5000)
