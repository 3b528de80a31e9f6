"""``--cfg job``: the whole configuration, with the comments of its files."""

from __future__ import annotations

import pytest
import yaml

from metamuse import config
from metamuse.cli import job, main


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["problem=opscale", "llm=litellm", "llm.model=openai/x"],
        ["problem=autothrottle", "arm=evolution", "root='a # b'"],
    ],
)
def test_what_is_printed_is_the_configuration(overrides: list[str]) -> None:
    """Comments change no value, whatever the values hold."""
    text = job.text(overrides)
    assert yaml.safe_load(text) == config.compose(overrides)


def test_every_setting_that_a_file_explains_is_explained() -> None:
    """The comments are those of the files that were chosen, at the settings that they stand at."""
    lines = job.text(["search.lag=7", "llm=litellm"]).splitlines()
    lag = next(line for line in lines if line.strip().startswith("lag:"))
    assert lag.strip().startswith("lag: 7 ")
    source = (config.folder() / "search" / "default.yaml").read_text(encoding="utf-8")
    assert lag.partition("# ")[2] in source
    assert any(line.startswith("# Any model litellm knows.") for line in lines)
    assert not any("composer" in line for line in lines if line.startswith("#"))


def test_comments_are_found_by_depth() -> None:
    """A nested setting's comment does not stick to one of the same name outside."""
    found = job.comments("# Head.\na: 1  # of a\nb:   # of b\n  a: 2\n  c: 3  # of c\nd: 4\n", "g")
    assert found == {"g": "Head.", "g.a": "of a", "g.b": "of b", "g.b.c": "of c"}


def test_the_flag_prints_it_and_a_mistake_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The flag is answered by the program itself; wrong settings as everywhere."""
    assert main(["--cfg", "job", "problem=binpacking", "seed=5"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["seed"] == 5
    assert main(["--cfg", "job", "sed=5"]) == 2
    assert "Did you mean seed?" in capsys.readouterr().err
    assert main(["--cfg", "job", "problem=none"]) == 2
    assert "choose one of" in capsys.readouterr().err
