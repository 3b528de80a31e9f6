"""The reference page says what the program reads."""

from __future__ import annotations

from pathlib import Path

from metamuse import config, reference

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.page(), (
        "python -m metamuse.reference > docs/reference.md"
    )


def test_every_group_and_file_is_in_it() -> None:
    folders = {path.name for path in config.folder().iterdir() if path.is_dir()}
    assert folders == set(reference.GROUPS)
    page = reference.page()
    for path in config.folder().glob("*/*.yaml"):
        assert f"`{path.parent.name}={path.stem}`" in page


def test_arms_say_which_stimuli_they_choose() -> None:
    parts = dict(part.split("`\n", 1) for part in reference.page().split("\n`arm=")[1:])
    assert "# with stimuli=rsdict\n" in parts["rsdict"]
    assert "# with stimuli=rsdict_sf\n" in parts["rsdict_sf"]
    assert "# with" not in parts["funsearch"]


def test_nothing_of_the_machinery_is_in_it() -> None:
    assert "defaults:" not in reference.page()
    assert "hydra:" not in reference.page()
    assert "@package" not in reference.page()
