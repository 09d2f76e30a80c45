"""Recipe files: those of the package are valid, and wrong ones are refused with a sentence."""

import pytest

from napari_clickseg.training.recipe import FOLDER, RecipeError, load_recipe


def test_recipes_of_the_package_are_valid_and_changes_apply():
    names = [path.stem for path in FOLDER.glob("*.toml")]
    assert "compact" in names
    for name in names:
        load_recipe(name)
    changed = load_recipe("compact", ["batch=2", "stages.0.steps=7", "packs.wbc.weight=0"])
    assert (changed.batch, changed.stages[0].steps, changed.packs["wbc"].weight) == (2, 7, 0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["batch"], "has no '='"),
        (["stages.9.steps=1"], "names no place"),
        (["colour=1"], "no recipe takes"),
        (["batch=500"], "smaller than the batch"),
        (["kinds.click=0.5"], "add up to 0.8"),
        (["kinds.click=0", "kinds.lasso=1"], "Give probabilities of click"),
        (["model.every_kind=false"], "takes clicks only"),
        (["scatter.anywhere=0.1"], "Give probabilities of near-centre, uniform"),
        (["scatter={uniform=0.7, outside=0.6}"], "adds up to 1.3. Let it be at most 1"),
    ],
)
def test_wrong_changes_are_refused(changes, words):
    with pytest.raises(RecipeError, match=words):
        load_recipe("compact", changes)


def test_a_missing_recipe_names_the_nearest_ones_and_how_to_list_all(tmp_path):
    with pytest.raises(RecipeError, match="no recipe 'compakt'. The nearest are compact") as said:
        load_recipe("compakt")
    assert "clickseg-train --list" in str(said.value)
    assert len(str(said.value)) < 200
    with pytest.raises(RecipeError, match="no recipe 'qqqq'. Give a TOML file"):
        load_recipe("qqqq")
    with pytest.raises(RecipeError, match=r"no recipe file .*mine.toml"):
        load_recipe(tmp_path / "mine.toml")


@pytest.mark.parametrize(
    ("wrong", "words"), [("base = 3", "gives 'base' as 3"), ("base = [1]", "a list")]
)
def test_a_base_that_is_no_name_is_refused(tmp_path, wrong, words):
    (tmp_path / "mine.toml").write_text(wrong)
    with pytest.raises(RecipeError, match=words):
        load_recipe(tmp_path / "mine.toml")
