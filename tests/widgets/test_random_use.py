"""200 random actions: no exception, and no callback, thread or layer is left behind."""

import numpy as np
from widgets.disks import DiskModel
from widgets.random_use import RandomUser

ACTIONS = 200


def test_random_use_of_everything(dock_of, shared_viewer, image):
    small = image[:100, :110]
    images = [small, small[..., 0], np.stack([small[..., 0], small[..., 1], small[..., 2]])]
    user = RandomUser(shared_viewer, lambda: dock_of(DiskModel(), shared_viewer)[1], images, 7)
    for _ in range(ACTIONS):
        user.step()
    user.finish()
    names = [layer.name for layer in shared_viewer.layers]
    ours = [n for n in names if n.startswith("clickseg ") and "objects" not in n]
    assert not ours and user.worked > ACTIONS / 4
