"""The calls of a search are counted by rehearsing it."""

from __future__ import annotations

import pytest

from metamuse import config, rehearsal
from metamuse.rehearsal import Calls, rehearse
from metamuse.run import Run


def calls(*overrides: str) -> Calls:
    run = Run(config.compose(["problem=cache", *overrides]), quiet=True)
    return rehearse(run.problem, run.settings, lambda state, waypoints: run.proposer(state)(waypoints))


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("repeated_sampling", {"formulation": 12, "code": 12}),
        ("plansearch", {"observation": 13, "formulation": 12, "code": 12}),
        ("unstimulated", {"observation": 48, "formulation": 12, "code": 12}),
        ("rsdict_sf_nowr", {"code": 12}),
        ("funsearch", {"code": 12}),
        ("evolution", {"code": 12}),
    ],
)
def test_each_way_to_search_has_its_calls(arm: str, expected: dict[str, int]) -> None:
    assert calls(f"arm={arm}", "solutions=12").number == {**expected, "repair": 12}


def test_words_are_observed_once_and_sets_are_two_after_the_warmup() -> None:
    asked = calls("arm=rsdict_sf", "solutions=12", "stimuli.warmup=6", "search.lag=2").number["observation"]
    assert 65 <= asked <= 6 * 4 + 6 * 8  # a few of 72 words come twice


def test_programs_in_prompts_count() -> None:
    few, many = (calls(f"arm={arm}", "solutions=12", "search.lag=2") for arm in ("best_of_n", "funsearch"))
    assert many.prompt_bytes["code"] > few.prompt_bytes["code"] + 10 * 4000


def test_long_searches_are_counted_by_their_last_part(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = calls("arm=plansearch", "solutions=60").number
    monkeypatch.setattr(rehearsal, "MOST", 20)
    assert calls("arm=plansearch", "solutions=60").number == whole
