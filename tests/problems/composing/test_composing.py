"""Plans and drafts, on a problem of three parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from problems.composing import ComposedLibrary, Draft, Part, Plan, Wish, entry, gather, read
from problems.composing.draft import written

STRUCTURES = ("pile", "row")
RULES = ("take_first", "take_last", "leave_some")
PLACES = {"take": 1, "leave": 1}
ALARM = entry(
    "alarm", "take_first leave_some", ("once", "twice", "thrice"), "a bell", "it rings {amount} a day"
)

names = st.sampled_from(RULES)
values = st.one_of(st.integers(-9, 9), st.floats(-1e6, 1e6).map(lambda x: float(f"{x:.3g}")))
numbers = st.dictionaries(st.sampled_from(("ONE", "TWO_TWO")), values)


class ToyDraft(Draft):
    def source(self, doc: str) -> str:
        return self._module(doc, "n", ["self.n = n"], [written("act", "", ["return math.floor(np.pi)"])])


class ToyLibrary(ComposedLibrary):
    mechanisms = (ALARM,)
    structures = dict.fromkeys(STRUCTURES)
    rules = dict.fromkeys(RULES)
    silent = {"state": "Nothing.", "act": "It acts."}
    last_resort = Plan(Part("pile"))

    def combine(self, wishes: Sequence[Wish], rng: np.random.Generator) -> Plan:
        structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng)
        return Plan(structure, tuple(rules))

    def draft(self, plan: Plan, rng: np.random.Generator | None = None) -> Draft:
        draft = ToyDraft(plan.numbers, rng)
        for part in plan.rules:
            draft.strength = part.strength
            draft.say("act", f"Then {part.name} by {draft.number(part.name.upper(), 0.0, 1.0)}.")
        return draft


@given(st.sampled_from(STRUCTURES), st.lists(names, max_size=3), numbers)
def test_a_plan_survives_its_line(structure: str, rules: list[str], numbers: Mapping[str, float]) -> None:
    plan = Plan(Part(structure), tuple(map(Part, rules)), numbers)
    assert read(f"Some words. {plan.line(numbers)} More.", STRUCTURES, RULES) == plan


@pytest.mark.parametrize("text", ["", "[plan: heap]", "[plan: pile + nothing]", "[plan: pile | "])
def test_a_line_of_unknown_parts_is_no_plan(text: str) -> None:
    assert read(text, STRUCTURES, RULES) is None


@given(st.lists(st.lists(names, min_size=1, max_size=2), max_size=5), st.integers(0, 9))
def test_gathered_rules_fit_beside_each_other(wishes: list[list[str]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    structure, rules = gather([(tuple(w), None) for w in wishes], STRUCTURES, RULES, PLACES, rng, ("row",))
    assert structure == Part("row")
    roles = [rule.role for rule in rules]
    assert all(roles.count(role) <= places for role, places in PLACES.items())
    # A role stays empty only if nobody asked for it first.
    assert {Part(wish[0]).role for wish in wishes} <= set(roles)


def test_one_wish_becomes_the_structure_and_the_second_choice_steps_in() -> None:
    rng = np.random.default_rng(0)
    wishes = [(("pile", "take_last"), 0.3), (("take_first",), None), (("take_first", "leave_some"), 0.9)]
    structure, rules = gather(wishes, STRUCTURES, RULES, PLACES, rng)
    assert structure == Part("pile", 0.3)
    assert rules == [Part("take_first"), Part("leave_some", 0.9)]


def test_numbers_follow_strength_settled_values_and_ranges() -> None:
    def number(low: float, high: float, settled: Mapping[str, float], strength: float, *, log: bool) -> float:
        draft = ToyDraft(settled, np.random.default_rng(0))
        draft.strength = strength
        return draft.numbers[draft.number("X", low, high, log=log)]

    assert number(1.0, 100.0, {}, 0.1, log=True) < 5 < 20 < number(1.0, 100.0, {}, 0.9, log=True)
    assert isinstance(number(1, 9, {}, 0.5, log=False), int)
    assert number(1.0, 9.0, {"X": 4.5}, 0.1, log=False) == 4.5
    assert number(1.0, 9.0, {"X": 45.0}, 0.1, log=False) == 9.0


def test_a_design_comes_back_as_its_policy() -> None:
    library, rng = ToyLibrary(), np.random.default_rng(2)
    text = library.observation(ALARM, rng)
    assert ALARM.strength(text) in (0.15, 0.5, 0.85)
    design = library.design([(ALARM, text)], ("name", "idea", "state", "act", "other", "constants"), rng)
    assert list(design) == ["name", "idea", "state", "act", "other", "constants"]
    assert design["idea"] == text + "."
    assert "TAKE_FIRST" not in design["act"]
    code = library.code(design, _unasked, np.random.default_rng(3))
    assert code.startswith("import math\nimport numpy as np\n\nTAKE_FIRST = ")
    assert f"{design['constants'].partition(' (')[0]}  # tune: 0.0..1.0" in code
    assert library.repair(design, code, _unasked, rng).count("TAKE_FIRST") == 0


def test_an_idea_holds_only_observations_that_the_plan_carries_out() -> None:
    library, rng = ToyLibrary(), np.random.default_rng(2)
    whistle = entry(
        "whistle", "take_first take_last", ("once", "twice", "thrice"), "a tone", "it blows {amount}"
    )
    observed = [(ALARM, "It rings."), (whistle, "It blows.")]
    assert library.design(observed, ("idea",), rng)["idea"] == "It rings. It blows."
    last = entry("last", "take_last take_first", ("once", "twice", "thrice"), "an end", "it ends {amount}")
    assert library.design([(ALARM, "It rings."), (last, "It ends.")], ("idea",), rng)["idea"] == "It rings."


def test_a_design_without_a_plan_is_understood_by_its_sentences() -> None:
    code = ToyLibrary().code({"act": "it rings thrice a day"}, lambda text: ALARM, np.random.default_rng(0))
    assert "TAKE_FIRST" in code


def _unasked(text: str):  # type: ignore[no-untyped-def]
    raise AssertionError(f"the plan's line was not understood: {text}")
