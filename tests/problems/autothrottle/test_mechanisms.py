"""The mechanisms of CPU control: every part fits every other, and what they make does what it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluators.autothrottle import simulator
from evaluators.autothrottle.application import Application, Service, visit
from evaluators.autothrottle.contract import APP, MINUTES, OBS, RING, SERVICE
from evaluators.autothrottle.load import Load
from evaluators.base import Score
from metamuse.llm.composer import _composer
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load
from problems.autothrottle.mechanisms import LIBRARY
from problems.autothrottle.mechanisms.catalogue import MECHANISMS
from problems.autothrottle.mechanisms.plan import combine, drafted
from problems.autothrottle.mechanisms.rules import GLOBAL, PLACES, RULES
from problems.autothrottle.mechanisms.structures import STRUCTURES
from problems.autothrottle.problem import AutothrottleProblem
from problems.composing import Part, Plan

KEYS = tuple(AutothrottleProblem.design_keys)
CORES, SLO = 16.0, 60.0

_APP = Application(
    "tiny",
    (Service("front", 8, 0.4), Service("back", 4, 1.2)),
    ((1.0, visit("front", 3.0, visit("back", 9.0, threads=4))),),
    slo_ms=SLO,
    scale=1.0,
    high=("back",),
    node_cores=CORES,
)
#: Parts that write what a plan without them is given anyway.
_GIVEN = ("margin_integral", "up_excess")


def _load(seconds: int, users: int = 12) -> Load:
    return Load("tiny", _APP, np.full(seconds, users, dtype=np.int64), 1, 0, 5)


def _source(structure: str, *rules: str, **numbers: float) -> str:
    return drafted(Plan(Part(structure), tuple(map(Part, rules)), numbers)).source("x")


def _interpreted(source: str, seconds: int = 7) -> Score:
    policy = InterpretedPolicy(load(source, simulator.CONTRACT))
    return simulator.simulate(policy, simulator.bind(policy), _load(seconds))


def _compiled(source: str, seconds: int = 7, users: int = 12) -> Score:
    policy = CompiledPolicy(load(source, simulator.CONTRACT), (CORES, SLO, 2))
    return simulator.simulate(policy, simulator.bind(policy), _load(seconds, users))


def _laws(source: str) -> Any:
    policy = InterpretedPolicy(load(source, simulator.CONTRACT))
    return policy.state(CORES, SLO, 2)


def _driven(state: Any, demand: np.ndarray, target: float = 0.05) -> np.ndarray:
    """The limits of a service that wants ``demand`` (cores, one number a tick) under a local law."""
    obs, usage, throttled = np.zeros(OBS), np.zeros(RING), np.zeros(RING)
    obs[6] = limit = CORES
    limits = np.zeros(len(demand))
    for tick, wanted in enumerate(demand):
        obs[0], obs[1], obs[2] = limit, float(wanted > limit), 1.0
        obs[3], obs[4] = 100.0 * max(0.0, 1.0 - limit / max(wanted, 1e-9)), min(wanted, limit)
        obs[5] += 100.0
        pos = tick % RING
        usage[pos], throttled[pos] = obs[4], obs[1]
        limit = limits[tick] = min(CORES, max(0.01, state.local(tick, obs, usage, throttled, pos, target)))
    return limits


def _targets(state: Any, p99: list[float], rps: list[float] | None = None) -> np.ndarray:
    """float64[M, 2]: the targets of both services in minutes with these percentiles, in ms, and loads."""
    app, services, history = np.zeros(APP), np.zeros(2 * SERVICE), np.zeros(APP * MINUTES)
    cluster = np.array([0, 1])
    out = []
    for minute, late in enumerate(p99):
        if minute > 0:
            app[:] = 100.0, 0.3 * late, 0.5 * late, 0.7 * late, late, 100.0, 6.0, 3.0
            app[0] = app[5] = 100.0 if rps is None else rps[minute]
            services[:] = [0.5, 0.1, 0.9, 0.02, 1.0, 50.0, 3.0, 2.5, 2.0, 6.0, 0.02, 8.0, 50.0, 3.0]
        out.append(
            [state.global_(minute, s, app, services, history, minute % MINUTES, cluster) for s in range(2)]
        )
    return np.array(out)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_every_structure_runs_with_every_rule(structure: str) -> None:
    plain = _source(structure)
    _interpreted(plain, 3)
    for rule, write in RULES.items():
        source = _source(structure, rule)
        program = load(source, simulator.CONTRACT)
        if structure == "built_in" and write.__name__.partition("_")[0] not in GLOBAL:
            assert source == plain, rule
            continue
        assert rule in (*_GIVEN, "goal_integral") or source != plain, rule
        state = InterpretedPolicy(program).state(CORES, SLO, 2)
        if "local" in program.methods:
            demand = np.random.default_rng(7).gamma(1.0, 2.0, 120)
            assert np.isfinite(_driven(state, demand)).all(), rule
        if "global_" in program.methods:
            late = _targets(state, [0.0, 0.0, 20.0, 300.0, 50.0, 1e9])
            assert np.isfinite(late).all() and (late >= 0.0).all(), rule


def test_random_combinations_run() -> None:
    rng = np.random.default_rng(1)
    for _ in range(25):
        drawn = rng.choice(len(MECHANISMS), 5, replace=False)
        plan = combine([(MECHANISMS[i].parts, float(rng.random())) for i in drawn], rng)
        score = _interpreted(drafted(plan, rng).source("x"), 3)
        assert np.isfinite(score.value)


@pytest.mark.parametrize(
    "parts",
    [
        ("smooth", "seen_time", "margin_both", "up_rollback", "up_slope", "memory_scar", "down_probe", "goal_hour"),
        ("crawler", "seen_active", "margin_fold", "up_streak", "down_cool", "pace_quick", "goal_table", "share_wild"),
        ("utilisation", "margin_target", "memory_minute", "down_part", "goal_climb", "share_slack"),
        ("built_in", "goal_load", "share_hot"),
    ],
)  # fmt: skip
def test_compiled_and_interpreted_policies_agree(parts: tuple[str, ...]) -> None:
    source = _source(*parts, FIRST=0.2)
    fast, slow = _compiled(source, 62), _interpreted(source, 62)
    assert fast.decisions == slow.decisions
    assert fast.details == slow.details


@pytest.mark.parametrize("structure", [name for name in STRUCTURES if name != "built_in"])
def test_limits_follow_usage_down_and_up_again(structure: str) -> None:
    rng = np.random.default_rng(2)
    demand = np.concatenate([rng.gamma(4.0, 0.25, 900), rng.gamma(4.0, 0.75, 900)])
    limits = _driven(_laws(_source(structure, "goal_level")), demand)
    calm, busy = limits[600:900], limits[1500:]
    assert 1.0 < calm.mean() < 8.0
    assert busy.mean() > 1.5 * calm.mean()
    assert np.mean(demand[1500:] > busy[: len(demand) - 1500]) < 0.4


@pytest.mark.parametrize("structure", [name for name in STRUCTURES if name != "built_in"])
def test_a_higher_target_is_cheaper(structure: str) -> None:
    demand = np.random.default_rng(3).gamma(3.0, 0.5, 2500)
    source = _source(structure, "margin_lopsided", "up_excess")
    dear, cheap = (_driven(_laws(source), demand, target)[1000:].mean() for target in (0.01, 0.3))
    assert cheap < 0.95 * dear


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.startswith("goal_") and rule != "goal_level"]
)
def test_targets_fall_beyond_the_objective_and_rise_below(rule: str) -> None:
    def last(p99: float) -> float:
        return float(_targets(_laws(_source("built_in", rule)), [0.0, *[p99] * 6])[-1, 0])

    first = _laws(_source("built_in", rule)).goal
    assert last(2.0 * SLO) < first < last(0.3 * SLO)


def test_a_growing_load_lowers_the_target_before_latency_tells() -> None:
    def last(rps: float) -> float:
        source = _source("built_in", "goal_load")
        return float(_targets(_laws(source), [30.0] * 4, [0.0, 100.0, 100.0, rps])[-1, 0])

    assert last(130.0) < last(100.0) < last(80.0)


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.startswith("share_")])
def test_shares_tell_services_apart(rule: str) -> None:
    targets = _targets(_laws(_source("built_in", "goal_level", rule, HOT=3.0, WILD=1.0)), [0.0, 30.0])
    assert targets[1, 0] != targets[1, 1]


def test_a_cut_that_throttles_is_taken_back() -> None:
    state = _laws(_source("peaks", "up_rollback", OVER=0.5, ALPHA=1.0))
    state.before, state.cut_at = 4.0, 0
    obs, usage = np.zeros(OBS), np.full(RING, 2.0)
    obs[0], obs[1], obs[6] = 2.0, 1.0, CORES
    assert state.local(1, obs, usage, np.zeros(RING), 0, 0.0) == 5.0


def test_no_cut_soon_after_a_raise() -> None:
    demand = np.full(400, 1.0)
    demand[200:205] = 12.0
    cooled = _driven(_laws(_source("average", "down_cool", COOL=150)), demand)
    plain = _driven(_laws(_source("average")), demand)
    assert cooled[240:300].min() > plain[240:300].max()


def test_laws_may_be_left_to_the_built_in_ones() -> None:
    assert "def local" not in _source("built_in", "up_streak")
    assert "def global_" not in _source("smooth")
    rng = np.random.default_rng(5)
    drawn = [
        combine([(MECHANISMS[i].parts, None) for i in rng.choice(len(MECHANISMS), 4, replace=False)], rng)
        for _ in range(200)
    ]
    local = [plan.structure.name != "built_in" for plan in drawn]
    global_ = [any(rule.role == "goal" for rule in plan.rules) for plan in drawn]
    assert 0 < sum(local) < 200 and 0 < sum(global_) < 200
    assert all(one or other for one, other in zip(local, global_, strict=True))


def test_catalogue_is_consistent() -> None:
    assert len({m.id for m in MECHANISMS}) == len(MECHANISMS) >= 20
    assert {part for m in MECHANISMS for part in m.parts} == {*STRUCTURES, *RULES}
    assert {rule.partition("_")[0] for rule in RULES} == set(PLACES)
    for mechanism in MECHANISMS:
        assert len(mechanism.parts) >= 2, "the second is for when the first is taken"
        assert any(part in RULES for part in mechanism.parts), mechanism.id


@pytest.mark.parametrize("mechanism", MECHANISMS, ids=lambda m: m.id)
def test_observations_keep_mechanism_and_amount(mechanism: Any) -> None:
    rng = np.random.default_rng(0)
    composer = _composer("autothrottle")
    strengths = set()
    for _ in range(12):
        text = LIBRARY.observation(mechanism, rng)
        assert composer.recognise(text) is mechanism
        strengths.add(mechanism.strength(text))
    assert strengths == {0.15, 0.5, 0.85}


def test_every_mechanism_is_reached_about_equally_often() -> None:
    composer = _composer("autothrottle")
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
        assert all(text.strip() and "As the other parts say" not in text for text in design.values())
        assert LIBRARY.read(design["state"]) is not None
        sources = {LIBRARY.code(design, _unasked, np.random.default_rng(seed)) for seed in range(3)}
        assert len(sources) == 1


def test_no_role_is_taken_more_often_than_it_has_places() -> None:
    rng = np.random.default_rng(4)
    for _ in range(200):
        drawn = rng.choice(len(MECHANISMS), 8, replace=False)
        plan = combine([(MECHANISMS[i].parts, None) for i in drawn], rng)
        names = [part.name for part in plan.rules]
        assert len(set(names)) == len(names)
        for role, places in PLACES.items():
            assert sum(part.role == role for part in plan.rules) <= places


def test_strength_reaches_the_constant() -> None:
    def aim(strength: float) -> float:
        draft = drafted(Plan(Part("built_in"), (Part("goal_level", strength),)), np.random.default_rng(0))
        draft.source("x")
        return draft.numbers["FIRST"]

    assert aim(0.1) < aim(0.5) < aim(0.9)


def test_repairs_get_simpler_and_end_with_captain() -> None:
    rules = ("margin_both", "up_slope", "memory_scar", "down_cool", "goal_hour", "share_hot")
    plan = Plan(Part("trend"), tuple(map(Part, rules)))
    draft = drafted(plan)
    code = draft.source("x")
    design = {"name": "N", "idea": "I.", "state": plan.line(draft.numbers)}
    lengths = [len(code)]
    for _ in range(5):
        code = LIBRARY.repair(design, code, _unasked, np.random.default_rng(0))
        lengths.append(len(code))
        _interpreted(code, 3)
    assert lengths[1] < lengths[0]
    assert "def local" not in code


def _unasked(text: str) -> Any:
    raise AssertionError(f"the plan's line was not understood: {text}")
