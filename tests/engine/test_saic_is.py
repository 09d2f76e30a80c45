"""Points, contours and strokes of both signs, as SAIC-IS was used."""

import numpy as np
import pytest
from parity import load_case, published_state

from napari_clickseg import Segmenter, model_from_state_dict
from napari_clickseg.engine.profiles import get_profile
from napari_clickseg.engine.zoom_in import TypedZoomIn
from napari_clickseg.interactions import Click, Contour, Stroke

KINDS = {"contour": Contour, "stroke": Stroke}


def interaction(kind, positive, points):
    if kind == "point":
        return Click(*points[0], positive)
    return KINDS[kind](tuple(map(tuple, points)), positive)


@pytest.mark.parametrize("run", ["plain", "zoom", "fixed"])
def test_a_published_session_of_mixed_interactions(run):
    case, meta = load_case("saicis_hrnet18_session")
    (options,) = [r for r in meta["runs"] if r["id"] == run]
    zoom = options["zoom_in"]
    if zoom is not None:
        skip = zoom["skip_interactions"]
        zoom = TypedZoomIn(
            skip_clicks=skip["point"],
            skip_contours=skip["contour"],
            skip_strokes=skip["stroke"],
            **{k: v for k, v in zoom.items() if k != "skip_interactions"},
        )
    size = options["fixed_size"]
    profile = get_profile("saic_is").override(
        zoom_in=zoom, fixed_size=size and tuple(size), accumulate=True
    )
    model = model_from_state_dict(published_state(meta), meta["config"])
    seg = Segmenter(model, profile=profile)
    seg.set_image(case["image"])
    for k, said in enumerate(meta["interactions"]):
        seg._say(interaction(*said), None)
        roi, expected = seg.history.present.roi, options["rois"][k]
        if expected is not None:
            assert [roi.top, roi.bottom - 1, roi.left, roi.right - 1] == expected
        difference = np.abs(seg.probabilities - case[f"probs_{run}"][k].astype(np.float32))
        assert difference.max() <= 1e-2, k
