"""The cache mechanisms: every part fits every other, and what they make does what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evaluators.base import Score
from evaluators.cache import simulator
from evaluators.cache.trace import Trace
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.cache.mechanisms import LIBRARY
from problems.cache.mechanisms.catalogue import MECHANISMS
from problems.cache.mechanisms.plan import combine, drafted
from problems.cache.mechanisms.rules import PLACES, RULES
from problems.cache.mechanisms.structures import BY_WORTH, STRUCTURES
from problems.cache.problem import CacheProblem
from problems.composing import Part, Plan

KEYS = tuple(CacheProblem.design_keys)


def _trace(seed: int = 5, n: int = 130) -> Trace:
    """Skewed requests, a scan in the middle, a loop at the end; sizes 1..7."""
    rng = np.random.default_rng(seed)
    skewed = np.minimum(rng.pareto(0.8, n), 60).astype(np.int64)
    keys = np.concatenate(
        [skewed[: n // 2], np.arange(100, 130), skewed[n // 2 :], np.tile(np.arange(20), 2)]
    )
    return Trace.from_keys("t", keys, sizes=1 + keys % 7)


def _jobs(capacities: tuple[int, ...] = (1, 12)) -> list[simulator.Job]:
    trace = _trace()
    unit = [simulator.Job(replace(trace, sizes=None), capacity) for capacity in capacities]
    return [*unit, simulator.Job(trace, 40, by_bytes=True)]


def _interpreted(source: str, jobs: list[simulator.Job]) -> list[Score]:
    policy = InterpretedPolicy(load(source, simulator.CONTRACT))
    loop = simulator.bind(policy)
    return [simulator.simulate(policy, loop, job) for job in jobs]


def _source(structure: str, *rules: str, seed: int | None = None, **numbers: float) -> str:
    plan = Plan(Part(structure), tuple(map(Part, rules)), numbers)
    return drafted(plan, None if seed is None else np.random.default_rng(seed)).source("x")


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_runs_with_every_rule(structure: str) -> None:
    jobs = _jobs()[1:]
    plain = _source(structure)
    assert all(0 < score.value < 1 for score in _interpreted(plain, jobs))
    for rule in RULES:
        source = _source(structure, rule)
        if rule != "worth_count" or structure not in BY_WORTH:  # which they get anyway
            assert source != plain, rule
        _interpreted(source, jobs)


def test_random_combinations_run() -> None:
    rng = np.random.default_rng(1)
    jobs = _jobs((9,))
    for _ in range(60):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        _interpreted(drafted(plan, rng).source("x"), jobs)


@pytest.mark.parametrize(
    "parts",
    [
        ("regions", "admit_merit", "insert_jury", "hit_rest", "worth_jitter", "memory_sour"),
        ("tiers", "admit_regret", "memory_carry", "insert_drought", "hit_luck", "age_lazy"),
    ],
)
def test_compiled_and_interpreted_policies_agree(parts: tuple[str, ...]) -> None:
    source = _source(*parts)
    compiled = CompiledPolicy(load(source, simulator.CONTRACT), (16, 49))
    loop = simulator.bind(compiled)
    for job, expected in zip(_jobs(), _interpreted(source, _jobs()), strict=True):
        assert simulator.simulate(compiled, loop, job).details == expected.details


@pytest.mark.parametrize(
    ("baseline", "structure", "numbers"),
    [
        ("fifo", "arrival", {}),
        ("lru", "recency", {}),
        ("clock", "circle", {"MOST": 1}),
        ("sieve", "hand", {"MOST": 1}),
    ],
)
def test_plain_structures_are_the_textbook_algorithms(
    baseline: str, structure: str, numbers: dict[str, float]
) -> None:
    folder = CacheProblem.__module__.rpartition(".")[0].replace(".", "/")
    with open(f"{folder}/baselines/{baseline}.py", encoding="utf-8") as file:
        expected = _interpreted(file.read(), _jobs((1, 5, 12))[:3])
    assert [s.value for s in _interpreted(_source(structure, **numbers), _jobs((1, 5, 12))[:3])] == [
        s.value for s in expected
    ]


def _misses(source: str, keys: np.ndarray, capacity: int) -> float:
    return _interpreted(source, [simulator.Job(Trace.from_keys("t", keys), capacity)])[0].value


@pytest.mark.parametrize(
    "rule",
    ["insert_bimodal", "insert_drought", "insert_wave", "insert_chosen", "admit_door", "admit_drought"],
)
def test_rules_against_loops_keep_part_of_a_loop(rule: str) -> None:
    loop = np.tile(np.arange(200), 20)
    numbers = {"SPAN": 1, "CHOSEN": 0.05, "IN_LUCK": 0.01}  # few enough to fit
    assert _misses(_source("recency"), loop, 20) == 1.0
    assert _misses(_source("recency", rule, **numbers), loop, 20) < 0.95


@pytest.mark.parametrize("rule", ["admit_second", "admit_door", "admit_merit"])
def test_admission_rules_keep_one_hit_traffic_out(rule: str) -> None:
    rng = np.random.default_rng(2)
    keys = np.where(rng.random(4000) < 0.5, rng.integers(0, 40, 4000), np.arange(4000) + 1000)
    assert _misses(_source("arrival", rule), keys, 40) < _misses(_source("arrival"), keys, 40) - 0.05


FRONTS = [rule for rule in RULES if rule.startswith("front_")]
_COMPETING = ["front_contest", "front_climb", "front_ghosts"]


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("structure", ["regions", "balance", "span"])
def test_a_front_stands_before_a_structure_beside_every_kind_of_rule(front: str, structure: str) -> None:
    rules = ("admit_lottery", "insert_wave", "memory_boost", "guard_credit", "worth_fame", "hit_rest")
    source = _source(structure, front, *rules)
    assert "self.window" in source
    _interpreted(source, _jobs((1, 2, 12)))


@pytest.mark.parametrize("front", _COMPETING)
def test_a_window_that_is_contested_keeps_frequent_objects_from_a_scan(front: str) -> None:
    rng = np.random.default_rng(6)
    hot = rng.integers(0, 30, 3000)
    keys = np.where(np.arange(3000) % 3 > 0, np.arange(3000) + 1000, hot)
    assert _misses(_source("recency", front), keys, 40) < _misses(_source("recency"), keys, 40) - 0.1


@pytest.mark.parametrize(("front", "lets_in"), [("front_trial", {"PASS": 1}), ("front_nursery", {})])
def test_a_queue_in_front_holds_back_what_is_requested_once(front: str, lets_in: dict[str, float]) -> None:
    rng = np.random.default_rng(7)
    keys = np.where(rng.random(4000) < 0.5, rng.integers(0, 40, 4000), np.arange(4000) + 1000)
    fronted = _source("arrival", front, SMALL=0.2, **lets_in)
    assert _misses(fronted, keys, 50) < _misses(_source("arrival"), keys, 50) - 0.05


def test_ghosts_widen_a_window_for_recency_and_leave_it_small_in_a_loop() -> None:
    def share(keys: np.ndarray) -> float:
        policy = InterpretedPolicy(load(_source("recency", "front_ghosts", PULL_IN=0.02), simulator.CONTRACT))
        made = []
        construct = policy.state
        policy.state = lambda *given: made.append(construct(*given)) or made[-1]  # type: ignore[method-assign,func-returns-value]
        simulator.simulate(policy, simulator.bind(policy), simulator.Job(Trace.from_keys("t", keys), 40))
        return float(made[-1].share)

    rng = np.random.default_rng(8)
    # Each object is asked for a few times, soon after one another, and never again.
    drifting = np.arange(4000) // 4 + rng.integers(0, 30, 4000)
    assert share(drifting) > 0.2
    assert share(np.tile(np.arange(400), 10)) < 0.1


def test_short_spans_are_kept_in_a_loop_and_a_scan() -> None:
    loop = np.tile(np.arange(60), 60)
    assert _misses(_source("span", GUESTS=0.02), loop, 40) < 0.5 < _misses(_source("recency"), loop, 40)


def test_the_pull_of_a_heap_leads_from_lasting_to_fading_fame() -> None:
    rng = np.random.default_rng(10)
    settled = np.concatenate(
        [rng.integers(0, 40, 2000), rng.integers(100, 140, 2000)]
    )  # the favourites change
    scanned = np.where(np.arange(4000) % 2, np.arange(4000) + 1000, rng.integers(0, 40, 4000))

    def misses(pull: float, keys: np.ndarray) -> float:
        return _misses(_source("heap", "worth_count", PULL=pull, FREQUENCY=1.0, MOST=250), keys, 50)

    assert misses(1.0, settled) < misses(0.01, settled) - 0.1
    assert misses(0.01, scanned) < misses(1.0, scanned) - 0.05


def test_two_parts_cannot_write_the_same_method() -> None:
    draft = drafted(Plan(Part("ladder")))
    with pytest.raises(ValueError, match="climb"):
        draft.method("climb", "slot", ["return slot"])


def test_catalogue_is_consistent() -> None:
    assert len({m.id for m in MECHANISMS}) == len(MECHANISMS)
    named = {part for m in MECHANISMS for part in m.parts}
    assert named == {*STRUCTURES, *RULES}
    for mechanism in MECHANISMS:
        assert len(mechanism.parts) >= 2, "the second is for when the first is taken"
        assert any(part in RULES for part in mechanism.parts), mechanism.id


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.id)
def test_amounts_survive_the_observation(mechanism) -> None:  # type: ignore[no-untyped-def]
    for amount, strength in zip(mechanism.amounts, (0.15, 0.5, 0.85), strict=True):
        text = mechanism.sentence.format(amount=amount)
        assert amount in text
        assert mechanism.strength(text[0].upper() + text[1:]) == strength


def test_a_design_holds_a_plan_that_gives_the_same_policy_under_any_seed() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        observed = [
            (MECHANISMS[i], MECHANISMS[i].sentence) for i in rng.choice(len(MECHANISMS), 4, replace=False)
        ]
        design = LIBRARY.design(observed, KEYS, rng)
        assert tuple(design) == KEYS
        assert all(text.strip() for text in design.values())
        assert LIBRARY.read(design["state"]) is not None
        sources = {LIBRARY.code(design, _unasked, np.random.default_rng(seed)) for seed in range(3)}
        assert len(sources) == 1
        source = sources.pop()
        for line in design["constants"].split("; "):
            assert f"{line.split(' (')[0]}  # tune: " in source


def test_strength_reaches_the_constant() -> None:
    def small(strength: float) -> float:
        draft = drafted(Plan(Part("recency"), (Part("front_trial", strength),)), np.random.default_rng(0))
        return draft.numbers["SMALL"]

    assert small(0.1) < small(0.5) < small(0.9)


def test_no_role_is_taken_more_often_than_it_has_places() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        drawn = rng.choice(len(MECHANISMS), 8, replace=False)
        plan = combine([(MECHANISMS[i].parts, None) for i in drawn], rng)
        names = [part.name for part in plan.rules]
        assert len(set(names)) == len(names)
        for role, places in PLACES.items():
            assert sum(name.startswith(role + "_") for name in names) <= places


def test_plans_are_small_and_mostly_treat_newcomers_in_one_way() -> None:
    rng = np.random.default_rng(9)
    plans = []
    for _ in range(300):
        drawn = rng.choice(len(MECHANISMS), 4, replace=False)
        plans.append(combine([(MECHANISMS[i].parts, None) for i in drawn], rng))
    fronted = [
        [rule.role for rule in plan.rules] for plan in plans if any(r.role == "front" for r in plan.rules)
    ]
    assert 60 < len(fronted) < 180
    assert sum("insert" in roles or "admit" in roles for roles in fronted) < len(fronted) / 3
    assert {plan.structure.name for plan in plans} == set(STRUCTURES)
    assert np.mean([len(plan.rules) for plan in plans]) < 3.0
    given = [plan.structure.name in BY_WORTH for plan in plans]  # they get a worth on top of the one rule
    plain = sum(len(plan.rules) <= 1 + more for plan, more in zip(plans, given, strict=True))
    assert 75 < plain < 200


def test_a_design_from_elsewhere_becomes_a_policy() -> None:
    design = {"name": "Other", "idea": 'A "clever" \\ idea', "state": "a queue [plan: nonsense + x | A=1]"}
    source = LIBRARY.code(design, lambda text: MECHANISMS[0], np.random.default_rng(0))
    assert _interpreted(source, _jobs())


def test_repairs_get_simpler_and_end() -> None:
    plan = Plan(Part("circle"), tuple(map(Part, ("admit_door", "insert_jury", "worth_count", "guard_due"))))
    draft = drafted(plan)
    code = draft.source("x")
    design = {"name": "N", "idea": "I.", "state": plan.line(draft.numbers)}
    repaired = LIBRARY.repair(design, code, _unasked, np.random.default_rng(0))
    assert len(repaired) < len(code)
    assert "jury" in repaired
    for _ in range(5):
        code = repaired
        repaired = LIBRARY.repair(design, code, _unasked, np.random.default_rng(0))
        _interpreted(repaired, _jobs())
    assert "CLOCK" not in repaired
    assert "self.order.move_to_front(slot)" in repaired


def _unasked(text: str):  # type: ignore[no-untyped-def]
    raise AssertionError(f"the plan's line was not understood: {text}")
