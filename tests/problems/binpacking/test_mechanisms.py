"""The bin packing mechanisms: every part fits every other, and what they make does what it says."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from evaluators.base import Score
from evaluators.binpacking import simulator
from evaluators.binpacking.stream import Stream
from metamuse.llm.composer import _composer
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.binpacking.mechanisms import LIBRARY
from problems.binpacking.mechanisms.catalogue import MECHANISMS
from problems.binpacking.mechanisms.plan import SOUND, combine, drafted
from problems.binpacking.mechanisms.rules import PLACES, RULES
from problems.binpacking.mechanisms.structures import STRUCTURES
from problems.binpacking.problem import BinPackingProblem
from problems.composing import Part, Plan

KEYS = tuple(BinPackingProblem.design_keys)


def _weibull(seed: int, n: int, capacity: int = 100) -> Stream:
    sizes = np.clip(np.round(0.45 * capacity * np.random.default_rng(seed).weibull(3, n)), 1, capacity)
    return Stream(f"weibull-{n}", sizes.astype(np.int64), capacity)


def _streams() -> list[Stream]:
    """Short streams that reach all branches: another capacity, every size, a capacity of one."""
    wide = np.random.default_rng(4).integers(1, 38, 70)
    return [_weibull(1, 90, 40), Stream("wide", wide, 37), Stream("units", np.ones(20, dtype=np.int64), 1)]


def _source(structure: str, *rules: str, **numbers: float) -> str:
    return drafted(Plan(Part(structure), tuple(map(Part, rules)), numbers)).source("x")


def _interpreted(source: str, streams: list[Stream]) -> list[Score]:
    policy = InterpretedPolicy(load(source, simulator.CONTRACT))
    loop = simulator.bind(policy)
    return [simulator.simulate(policy, loop, stream) for stream in streams]


def _compiled(source: str, streams: list[Stream]) -> list[Score]:
    policy = CompiledPolicy(load(source, simulator.CONTRACT), (100,))
    loop = simulator.bind(policy)
    return [simulator.simulate(policy, loop, stream) for stream in streams]


@functools.cache
def _baseline(id: str) -> str:
    return BinPackingProblem({}).baselines[id]


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_runs_with_every_rule(structure: str) -> None:
    streams = _streams()
    plain = _source(structure)
    _interpreted(plain, streams)
    for rule in RULES:
        source = _source(structure, rule)
        assert rule == "cost_fit" or source != plain, rule  # cost_fit is what a plan without costs gets
        _interpreted(source, streams)


def test_random_combinations_run() -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        _interpreted(drafted(plan, rng).source("x"), _streams())


@pytest.mark.parametrize(
    "parts",
    [
        ("levels", "cost_outlook", "stock_scarce", "pace_ripe", "open_gap", "memory_blur", "cost_glow", "cost_grid"),
        ("classes", "cost_pairs", "cost_dead", "stock_supply", "open_luck", "open_target", "memory_fade", "cost_echo"),
        ("seniors", "cost_company", "cost_elder", "cost_jitter", "stock_power", "pace_root", "open_thaw"),
    ],
)  # fmt: skip
def test_compiled_and_interpreted_policies_agree(parts: tuple[str, ...]) -> None:
    streams = [*_streams(), _weibull(2, 400)]
    source = _source(*parts)
    for compiled, expected in zip(_compiled(source, streams), _interpreted(source, streams), strict=True):
        assert compiled.details == expected.details


@pytest.mark.parametrize(
    ("baseline", "parts"),
    [
        ("best_fit", ("levels",)),
        ("best_fit", ("tightest",)),
        ("first_fit", ("seniors", "cost_elder")),
        ("sum_of_squares", ("levels", "stock_squares", "open_free")),
    ],
)
def test_plain_plans_are_the_textbook_algorithms(baseline: str, parts: tuple[str, ...]) -> None:
    numbers = {"ELDER": 0.2, "CROWD": 0.25, "PRICE": 0.001, "LOOK": 24}
    streams = [_weibull(5, 300), _weibull(6, 300, 51)]
    source = _source(*parts, **numbers)
    if baseline == "first_fit":
        source = source.replace("value += FIT", "value += 0 * FIT")  # given to plans without a sound cost
    bins = [score.details["bins"] for score in _interpreted(source, streams)]
    assert bins == [score.details["bins"] for score in _interpreted(_baseline(baseline), streams)]


@pytest.mark.parametrize(
    "parts",
    [
        ("stock_squares", "open_free"),
        ("stock_supply", "open_free"),
        ("cost_outlook", "open_free"),
        ("cost_outlook", "stock_spread", "open_free"),
        ("cost_outlook", "stock_future", "open_free"),
        ("stock_future", "cost_fit", "open_free"),
    ],
)
def test_what_is_to_beat_best_fit_on_long_streams_does(parts: tuple[str, ...]) -> None:
    streams = [_weibull(7, 5000)]
    (score,) = _compiled(_source("levels", *parts), streams)
    (best_fit,) = _compiled(_baseline("best_fit"), streams)
    assert score.value < best_fit.value - 1.0


def test_a_new_bin_is_priced_on_the_shelf_where_it_will_stand() -> None:
    source = _source("classes", "stock_squares", "open_free", CLASSES=2, STRAY=1.0, CROWD=0.1, FIT=0.01)
    state = _holding(InterpretedPolicy(load(source, simulator.CONTRACT)), [45, 45, 60])
    # 54 finds no room in its class and strays to a bin of 45, on the other shelf.
    assert state.choose(54, np.array([55, 55, 40]), 3) in (-1, 0, 1)
    assert state.shelf == state.home(54) != state.home(45)


def test_a_valley_keeps_middling_leftovers_away() -> None:
    def chosen(*rules: str) -> int:
        policy = InterpretedPolicy(load(_source("levels", *rules, LOW=0.02, HIGH=0.2), simulator.CONTRACT))
        remaining = np.array([60, 90])  # an item of 50 leaves 10 or 40 of 100
        state = _holding(policy, [40, 10])
        return int(state.choose(50, remaining, 2))

    assert chosen() == 0
    assert chosen("cost_valley") == 1


def _holding(policy: InterpretedPolicy, items: list[int]):  # type: ignore[no-untyped-def]
    """A policy in whose bins of 100 these items lie, one each."""
    state = policy.grow(policy.state(100), 64)
    for bin, item in enumerate(items):
        state.on_packed(item, bin, True)
    return state


@pytest.mark.parametrize(
    ("seen", "better"),
    [([30] * 40, 30), ([45] * 40, 45)],
)
def test_the_outlook_of_a_space_depends_on_what_came(seen: list[int], better: int) -> None:
    source = _source("levels", "cost_outlook", PATIENCE=20.0)
    state = _holding(InterpretedPolicy(load(source, simulator.CONTRACT)), seen)
    assert state.waste[better] < 0.01
    assert state.waste[better - 1] == pytest.approx((better - 1) / 100)
    assert state.waste[2 * better] < 0.01


def test_only_spaces_that_something_will_fill_have_a_future() -> None:
    source = _source("levels", "stock_future", PATIENCE=20.0, CROWD=0.05)
    state = _holding(InterpretedPolicy(load(source, simulator.CONTRACT)), [30] * 40)
    assert state.future(29) == pytest.approx(0)
    assert state.future(30) > 0.99
    assert 0.4 < state.future(50) < 0.7  # a 30 will come, and 20 of 50 will be wasted


def test_stocks_with_a_future_cost_less_on_short_streams_than_equal_stocks() -> None:
    rng = np.random.default_rng(9)
    streams = [Stream(f"uniform-{i}", rng.integers(20, 101, 600), 150) for i in range(4)]

    def excess(source: str) -> float:
        return float(np.mean([score.value for score in _compiled(source, streams)]))

    future = excess(_source("levels", "cost_outlook", "stock_future", "open_free"))
    assert future < excess(_source("levels", "cost_outlook", "stock_squares", "open_free")) - 1.0
    assert future < excess(_baseline("best_fit")) - 1.0


def test_opening_rules_open_bins_although_others_have_room() -> None:
    streams = [_weibull(8, 800)]

    def bins(*rules: str) -> float:
        return _interpreted(_source("levels", "stock_squares", *rules, CROWD=0.3), streams)[0].details["bins"]

    for rule in (rule for rule in RULES if rule.startswith("open_")):
        assert bins(rule) != bins(), rule


def test_catalogue_is_consistent() -> None:
    assert len({m.id for m in MECHANISMS}) == len(MECHANISMS) >= 20
    assert {part for m in MECHANISMS for part in m.parts} == {*STRUCTURES, *RULES}
    for mechanism in MECHANISMS:
        assert len(mechanism.parts) >= 2, "the second is for when the first is taken"
        assert any(part in RULES for part in mechanism.parts), mechanism.id


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.id)
def test_observations_keep_mechanism_and_amount(mechanism) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    composer = _composer("binpacking")
    strengths = set()
    for _ in range(12):
        text = LIBRARY.observation(mechanism, rng)
        assert composer.recognise(text) is mechanism
        strengths.add(mechanism.strength(text))
    assert strengths == {0.15, 0.5, 0.85}


def test_every_mechanism_is_reached_about_equally_often() -> None:
    composer = _composer("binpacking")
    words = composer.lexicon.words()[::7]
    odds = composer.odds([f"{word}, {p}" for word in words for p in composer.lexicon.properties(word)[:2]])
    share = odds.mean(axis=0)
    assert share.min() > 0.3 / len(MECHANISMS)
    assert share.max() < 3.0 / len(MECHANISMS)
    assert -(share * np.log(share)).sum() > 0.95 * np.log(len(MECHANISMS))


def test_a_design_holds_a_plan_that_gives_the_same_policy_under_any_seed() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        drawn = rng.choice(len(MECHANISMS), 4, replace=False)
        observed = [(MECHANISMS[i], LIBRARY.observation(MECHANISMS[i], rng)) for i in drawn]
        design = LIBRARY.design(observed, KEYS, rng)
        assert tuple(design) == KEYS
        assert all(text.strip() for text in design.values())
        assert LIBRARY.read(design["state"]) is not None
        sources = {LIBRARY.code(design, _unasked, np.random.default_rng(seed)) for seed in range(3)}
        assert len(sources) == 1
        source = sources.pop()
        for line in design["constants"].split("; "):
            assert f"{line.split(' (')[0]}  # tune: " in source


def test_plans_are_sound_and_no_role_is_taken_more_often_than_it_has_places() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        drawn = rng.choice(len(MECHANISMS), 8, replace=False)
        plan = combine([(MECHANISMS[i].parts, None) for i in drawn], rng)
        names = [part.name for part in plan.rules]
        assert len(set(names)) == len(names)
        assert set(names) & set(SOUND)
        for role, places in PLACES.items():
            # A plan without a sound cost, or without a use for what it remembers, is given one on top.
            spare = 2 if role == "cost" else 0
            assert sum(name.startswith(role + "_") for name in names) <= places + spare


def test_plans_are_small() -> None:
    rng = np.random.default_rng(5)
    plans = []
    for _ in range(300):
        drawn = rng.choice(len(MECHANISMS), 4, replace=False)
        plans.append(combine([(MECHANISMS[i].parts, None) for i in drawn], rng))
    assert np.mean([len(plan.rules) for plan in plans]) < 4.2
    assert {plan.structure.name for plan in plans} == set(STRUCTURES)
    assert {rule.name for plan in plans for rule in plan.rules} == set(RULES)


def test_strength_reaches_the_constant() -> None:
    def look(strength: float) -> float:
        return drafted(Plan(Part("rungs", strength)), np.random.default_rng(0)).numbers["LOOK"]

    assert look(0.1) < look(0.5) < look(0.9)


def test_a_design_from_elsewhere_becomes_a_policy() -> None:
    design = {"name": "Other", "idea": 'A "clever" \\ idea', "state": "a heap [plan: nonsense + x | A=1]"}
    assert _interpreted(
        LIBRARY.code(design, lambda text: MECHANISMS[0], np.random.default_rng(0)), _streams()
    )


def test_repairs_get_simpler_and_end_with_best_fit() -> None:
    rules = ("stock_squares", "open_gap", "cost_outlook", "memory_fade")
    plan = Plan(Part("classes"), tuple(map(Part, rules)))
    draft = drafted(plan)
    code = draft.source("x")
    design = {"name": "N", "idea": "I.", "state": plan.line(draft.numbers)}
    lengths = [len(code)]
    for _ in range(4):
        code = LIBRARY.repair(design, code, _unasked, np.random.default_rng(0))
        lengths.append(len(code))
        scores = _interpreted(code, _streams())
    assert lengths[1] < lengths[0]
    assert "stock" not in code
    assert [s.value for s in scores] == [s.value for s in _interpreted(_baseline("best_fit"), _streams())]


def test_mechanisms_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        MECHANISMS[0].id = "x"  # type: ignore[misc]


def _unasked(text: str):  # type: ignore[no-untyped-def]
    raise AssertionError(f"the plan's line was not understood: {text}")
