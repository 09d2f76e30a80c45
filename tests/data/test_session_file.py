import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_clickseg.data.session_file import (
    ImageSignature,
    SavedClass,
    SavedModel,
    SavedObject,
    SavedSession,
    SessionFileError,
    StartMask,
    read_session,
    session_from_json,
    session_to_json,
    write_session,
)
from napari_clickseg.geometry import Box
from napari_clickseg.interactions import BoxPrompt, Click, Contour, Stroke

HASH = "0123456789abcdef" * 4

numbers = st.floats(allow_nan=False, allow_infinity=False)
points = st.tuples(numbers, numbers)
boxes = st.builds(
    lambda top, left, height, width: Box(top, left, top + height, left + width),
    *[st.integers(0, 10**6)] * 2,
    *[st.integers(0, 12)] * 2,
)
interactions = st.one_of(
    st.builds(Click, numbers, numbers, st.booleans()),
    st.builds(Stroke, st.lists(points, min_size=2, max_size=4), st.booleans()),
    st.builds(Contour, st.lists(points, min_size=3, max_size=5), st.booleans()),
    st.builds(BoxPrompt, boxes),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
settings_of = st.dictionaries(st.text(), json_values, max_size=4)
planes = st.none() | st.lists(st.integers(0, 99), max_size=3).flatmap(
    lambda steps: st.permutations([*steps, None, None]).map(tuple)
)


@st.composite
def start_masks(draw, most):
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    bits = draw(st.lists(st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    mask = np.array(bits).reshape(shape)
    place = draw(st.tuples(st.integers(0, 99), st.integers(0, 99)))
    return StartMask.of(mask, place, draw(st.text()), draw(st.integers(0, most)))


@st.composite
def objects(draw):
    said = tuple(draw(st.lists(interactions, max_size=4)))
    start = draw(st.none() | start_masks(len(said)))
    steps = st.sets(st.integers((start.after if start else 0) + 1, max(len(said), 1)))
    rising = bool(said) and (start is None or start.after < len(said))
    low = draw(st.none() | st.floats(-1e9, 1e9))
    return SavedObject(
        id=draw(st.integers(1, 2**32 - 1)),
        class_name=draw(st.text()),
        plane=draw(planes),
        interactions=said,
        confined=draw(st.none() | boxes),
        start_mask=start,
        settings=draw(settings_of),
        area=draw(st.integers(0)),
        seconds=draw(st.floats(0, 1e9)),
        predicted=tuple(sorted(draw(steps))) if rising else (),
        contrast_limits=None if low is None else (low, low + 1.0 + abs(low)),
        viewport=draw(st.none() | boxes),
        overwrites=draw(st.booleans()),
    )


sessions = st.builds(
    SavedSession,
    image=st.builds(
        ImageSignature,
        st.text(),
        st.lists(st.integers(1), min_size=2, max_size=5).map(tuple),
        st.sampled_from(["uint8", "uint16", "float32"]),
        st.just(HASH),
    ),
    model=st.builds(SavedModel, st.text(), st.none() | st.just(HASH)),
    objects=st.lists(objects(), max_size=3).map(tuple),
    settings=settings_of,
    classes=st.lists(
        st.builds(SavedClass, st.text(min_size=1), st.just("#ff8000")),
        max_size=3,
        unique_by=lambda item: item.name,
    ).map(tuple),
)


@settings(max_examples=25)
@given(session=sessions)
def test_a_session_comes_back_as_it_was(session, tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "here.clickseg.json"
    write_session(path, session)
    assert read_session(path) == session
    assert session_from_json(session_to_json(read_session(path))) == session


@given(mask=start_masks(0), place=st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_a_start_mask_is_the_array_it_was_made_of(mask, place):
    array = mask.mask
    assert array.shape == mask.box.shape
    again = StartMask.of(array, place)
    np.testing.assert_array_equal(again.mask, array)
    assert (again.box.top, again.box.left) == place


def saved(**changes):
    clicks = (Click(3.25, 4), Click(5, 6.5, False))
    item = SavedObject(id=2, interactions=clicks, settings={"profile": "ritm", "threshold": 0.6})
    session = SavedSession(
        ImageSignature("cells.tif", (20, 30), "uint16", HASH),
        SavedModel("clickseg-compact", HASH),
        (item,),
        classes=(SavedClass("cell", "#00ff00"),),
    )
    value = session_to_json(session)
    value["objects"][0].update(changes)
    return json.loads(json.dumps(value))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": 0}, "id.*from 1"),
        ({"id": True}, "id"),
        ({"id": 1.0}, "id"),
        ({"class_name": None}, "class_name.*text"),
        ({"plane": [1, 2, 3]}, "plane.*null"),
        ({"plane": [-1, None, None]}, "plane"),
        ({"interactions": {}}, "Interactions are a list"),
        ({"interactions": [{"kind": "wink"}]}, "wink.*click, stroke, contour, box"),
        ({"interactions": [{"kind": ["click"]}]}, "no kind of interaction"),
        ({"interactions": [{"kind": "click", "at": [1, 2]}]}, "click lacks positive"),
        ({"interactions": [{"kind": "click", "at": ["1", 2], "positive": True}]}, "pairs"),
        ({"interactions": [{"kind": "click", "at": [1, 2], "positive": 1}]}, "positive or not"),
        ({"interactions": [{"kind": "stroke", "points": [[1, 2]], "positive": True}]}, "2 points"),
        ({"interactions": [{"kind": "box", "box": [1, 2, 3]}]}, "four whole numbers"),
        ({"confined": [1.5, 0, 2, 2]}, "four whole numbers"),
        ({"start_mask": {"box": [0, 0, 2, 2], "runs": [1, 2]}}, "of 4 pixels"),
        ({"start_mask": {"box": [0, 0, 1, 1], "runs": [1], "after": 3}}, "not older"),
        ({"settings": []}, "settings.*mapping"),
        ({"area": -1}, "area"),
        ({"seconds": -0.5}, "seconds"),
        ({"predicted": [2, 1]}, "rising"),
        ({"predicted": [3]}, "rising"),
        ({"predicted": None}, "rising"),
        ({"contrast_limits": [5, 5]}, "rising"),
        ({"overwrites": 0}, "true or false"),
        ({"colour": "red"}, "colour.*means nothing"),
    ],
)
def test_what_is_wrong_in_an_object_is_said_in_one_sentence(change, words, tmp_path):
    path = tmp_path / "bad.clickseg.json"
    path.write_text(json.dumps(saved(**change)))
    with pytest.raises(SessionFileError, match=words) as caught:
        read_session(path)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "damaged"),
        ('{"format": "clickseg-session", "ver', "damaged"),
        ('{"format": "clickseg-session", "version": NaN}', "NaN"),
        ("[1]", "no session of clicks"),
        ('{"images": [], "annotations": []}', "no session of clicks"),
        ('{"format": "clickseg-session", "version": 2}', "newest.*Update"),
        ('{"format": "clickseg-session", "version": 1}', "lacks image, model"),
    ],
)
def test_other_files_are_refused(text, words, tmp_path):
    path = tmp_path / "other.clickseg.json"
    path.write_text(text)
    with pytest.raises(SessionFileError, match=words):
        read_session(path)


def test_missing_files_and_wrong_names_are_refused(tmp_path):
    with pytest.raises(SessionFileError, match="cannot be opened: No such file"):
        read_session(tmp_path / "none.clickseg.json")
    session = session_from_json(saved())
    with pytest.raises(SessionFileError, match=r"Save it as here\.clickseg\.json"):
        write_session(tmp_path / "here.json", session)
    with pytest.raises(SessionFileError, match="cannot be saved.*No such file"):
        write_session(tmp_path / "no folder" / "here.clickseg.json", session)


def test_a_write_that_fails_leaves_the_older_file(tmp_path, file_size_limit):
    path = tmp_path / "here.clickseg.json"
    session = session_from_json(saved())
    write_session(path, session)
    many = SavedSession(session.image, session.model, session.objects * 400)
    with file_size_limit(5000), pytest.raises(SessionFileError, match="too large"):
        write_session(path, many)
    assert read_session(path) == session
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_signature_knows_the_image_and_reads_little_of_it():
    class Counting:
        shape, dtype, read = (300, 4000, 5000), np.dtype(">u2"), 0

        def __getitem__(self, index):
            block = np.indices([s.stop - s.start for s in index]).sum(axis=0)
            self.read += block.size
            return (block + index[1].start).astype(">u2")

    image = Counting()
    first = ImageSignature.of(image, "a")
    assert image.read <= 5 * 4 * 32 * 32
    assert first.dtype == "uint16" and first.shape == (300, 4000, 5000)
    assert first.same_image(ImageSignature.of(Counting(), "b"))
    small = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert not ImageSignature.of(small, "a").same_image(ImageSignature.of(small + 1, "a"))
    turned = np.asfortranarray(small)
    assert ImageSignature.of(small, "a") == ImageSignature.of(turned, "a")
