"""The contract of mechanisms from which the composer makes policies; cache, bin packing and autothrottle have it in tests of
their own."""

from __future__ import annotations

import dataclasses
import functools
import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from problems.base import Problem, make
from problems.composing import ComposedLibrary, Part, Plan

ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Member:
    """A problem's library and what is particular to it.

    Attributes:
        name: Of the problem.
        short: Of its probes, workloads on which an interpreted policy takes no time.
        lone: Whether rules only run with the structure of the last resort, because each run takes long.
    """

    name: str
    short: Callable[[Problem], list[Any]]
    lone: bool = False

    @functools.cached_property
    def problem(self) -> Problem:
        settings = yaml.safe_load((ROOT / f"conf/problem/{self.name}.yaml").read_text())
        return make(settings | {"sites": None} if "sites" in settings else settings)

    @functools.cached_property
    def library(self) -> ComposedLibrary:
        return importlib.import_module(f"problems.{self.name}.mechanisms").LIBRARY  # type: ignore[no-any-return]

    @functools.cached_property
    def places(self) -> Mapping[str, int]:
        return importlib.import_module(f"problems.{self.name}.mechanisms.rules").PLACES  # type: ignore[no-any-return]

    @functools.cached_property
    def workloads(self) -> list[Any]:
        return self.short(self.problem)

    def source(self, structure: str, *rules: str) -> str:
        return self.library.draft(Plan(Part(structure), tuple(map(Part, rules)))).source("x")

    def run(self, source: str) -> None:
        policy = InterpretedPolicy(load(source, self.problem.contract))
        loop = self.problem.bind(policy)
        for workload in self.workloads:
            assert np.isfinite(self.problem.simulate(policy, loop, workload).value)

    def drawn(self, rng: np.random.Generator, wishes: int) -> Plan:
        """A plan of that many wishes, some of them with a strength."""
        mechanisms = self.library.mechanisms
        chosen = rng.choice(len(mechanisms), wishes, replace=False)
        strengths = [float(rng.random()) if i % 2 else None for i in range(wishes)]
        parts = [mechanisms[i].parts for i in chosen]
        return self.library.combine(list(zip(parts, strengths, strict=True)), rng)


def _requests(problem: Problem) -> list[Any]:
    return [
        dataclasses.replace(w, arrivals=w.arrivals[:25], prompts=w.prompts[:25], outputs=w.outputs[:25])
        for w in problem.probes()
    ]


MEMBERS = [
    Member("opscale", _requests),
    Member("dex", lambda problem: list(problem.probes()[:2])),
    Member("sensing", lambda problem: list(problem.probes()[2:]), lone=True),
]
members = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)


@members
def test_the_catalogue_names_every_part_and_nothing_else(member: Member) -> None:
    library = member.library
    named = {part for mechanism in library.mechanisms for part in mechanism.parts}
    assert named | {library.last_resort.structure.name} == {*library.structures, *library.rules}
    assert {rule.partition("_")[0] for rule in library.rules} == set(member.places)
    assert len({m.id for m in library.mechanisms}) == len(library.mechanisms) >= 20
    for mechanism in library.mechanisms:
        assert len(mechanism.parts) >= 2, "the second is for when the first is taken"
        assert any(part in library.rules for part in mechanism.parts), mechanism.id


@members
def test_amounts_survive_the_observation(member: Member) -> None:
    for mechanism in member.library.mechanisms:
        for amount, strength in zip(mechanism.amounts, (0.15, 0.5, 0.85), strict=True):
            said = mechanism.sentence.format(amount=amount)
            assert amount in said
            assert mechanism.strength(said[0].upper() + said[1:]) == strength


@pytest.mark.parametrize(
    ("member", "structure"),
    [
        pytest.param(member, name, id=f"{member.name}-{name}")
        for member in MEMBERS
        for name in member.library.structures
    ],
)
def test_every_structure_runs_with_every_rule(member: Member, structure: str) -> None:
    plain = member.source(structure)
    member.run(plain)
    for rule in member.library.rules:
        source = member.source(structure, rule)
        assert source != plain, rule
        if member.lone and structure != member.library.last_resort.structure.name:
            load(source, member.problem.contract)
        else:
            member.run(source)


@members
def test_random_combinations_run_and_no_role_has_more_rules_than_places(member: Member) -> None:
    rng = np.random.default_rng(1)
    for i in range(60):
        plan = member.drawn(rng, 5)
        names = [part.name for part in plan.rules]
        assert len(set(names)) == len(names)
        for role, places in member.places.items():
            assert sum(part.role == role for part in plan.rules) <= places, names
        if i < 12:
            member.run(member.library.draft(plan, rng).source("x"))


@members
def test_a_design_holds_a_plan_that_gives_the_same_policy_under_any_seed(member: Member) -> None:
    library, keys = member.library, tuple(member.problem.design_keys)
    rng = np.random.default_rng(3)
    for _ in range(20):
        drawn = rng.choice(len(library.mechanisms), 4, replace=False)
        observed = [(library.mechanisms[i], library.observation(library.mechanisms[i], rng)) for i in drawn]
        design = library.design(observed, keys, rng)
        assert tuple(design) == keys
        assert all(words.strip() and "As the other parts say" not in words for words in design.values())
        assert library.read(design["state"]) is not None
        sources = {library.code(design, _unasked, np.random.default_rng(seed)) for seed in range(3)}
        assert len(sources) == 1
        source = sources.pop()
        for line in design["constants"].split("; "):
            assert f"{line.split(' (')[0]}  # tune: " in source


@members
def test_numbers_of_a_plan_survive_a_design(member: Member) -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        plan = member.drawn(rng, 4)
        draft = member.library.draft(plan, rng)
        draft.source("x")
        found = member.library.read(f"Kept. {plan.line(draft.numbers)}")
        assert found is not None
        assert [found.structure.name, *(r.name for r in found.rules)] == [
            plan.structure.name, *(r.name for r in plan.rules)
        ]  # fmt: skip
        again = member.library.draft(found)
        again.source("x")
        assert again.numbers == pytest.approx(draft.numbers, rel=0.01)


@members
def test_a_design_from_elsewhere_becomes_a_policy(member: Member) -> None:
    library = member.library
    design = {"name": "Other", "idea": 'A "clever" \\ idea', "state": "a queue [plan: nonsense + x | A=1]"}
    member.run(library.code(design, lambda text: library.mechanisms[0], np.random.default_rng(0)))


@members
def test_repairs_get_simpler_and_end(member: Member) -> None:
    library, rng = member.library, np.random.default_rng(7)
    plan = next(plan for plan in iter(lambda: member.drawn(rng, 6), None) if len(plan.rules) > 2)
    draft = library.draft(plan)
    code = draft.source("x")
    design = {"name": "N", "idea": "I.", "state": plan.line(draft.numbers)}
    lengths = [len(code)]
    for _ in range(len(plan.rules) + 3):
        code = library.repair(design, code, _unasked, np.random.default_rng(0))
        lengths.append(len(code))
    assert lengths[1] < lengths[0]
    assert lengths[-1] == lengths[-2] == min(lengths)
    member.run(code)


def _unasked(text: str) -> Any:
    raise AssertionError(f"the plan's line was not understood: {text}")
