"""Raw answers of a language model, one try each, still pass: check, compilation, both modes decide equally.

``tests/corpus/README.md`` says where they come from.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evaluators.binpacking.simulator as binpacking
import evaluators.cache.simulator as cache
from evaluators.base import Score
from evaluators.binpacking.stream import Stream
from evaluators.cache.trace import Trace
from metamuse.llm.parse import extract_code
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

ANSWERS = sorted((Path(__file__).parents[2] / "corpus").glob("[bc]*-[0-9][0-9].md"))


def job() -> cache.Job:
    """A mixture of a skewed popularity and a loop larger than the cache: hits, evictions, returning objects."""
    rng = np.random.default_rng(5)
    skewed = np.minimum(rng.pareto(0.9, 500).astype(int), 200)
    ids = np.concatenate([skewed[:250], 300 + np.arange(120), skewed[250:], 300 + np.arange(120)])
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    dense = np.argsort(np.argsort(first))[inverse].astype(np.int32)
    return cache.Job(Trace("mixture", dense), capacity=20)


def stream() -> Stream:
    rng = np.random.default_rng(5)
    return Stream("weibull", np.clip(np.round(45 * rng.weibull(3, 300)), 1, 100).astype(np.int64), 100)


def simulate(simulator: Any, policy: Any, workload: Any) -> Score:
    score: Score = simulator.simulate(policy, simulator.bind(policy), workload)
    return score


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.stem)
def test_answer_runs_with_equal_decisions(answer: Path) -> None:
    simulator: Any = cache if answer.stem.startswith("cache") else binpacking
    workload: Any = job() if simulator is cache else stream()
    init = (10, 31) if simulator is cache else (100,)
    program = load(extract_code(answer.read_text(encoding="utf-8")), simulator.CONTRACT)
    compiled = CompiledPolicy(program, init)
    interpreted = InterpretedPolicy(program, None, compiled.floats)
    fast = simulate(simulator, compiled, workload)
    slow = simulate(simulator, interpreted, workload)
    assert fast.details == slow.details
    assert fast.value == slow.value


def test_the_corpus_is_complete() -> None:
    assert len([a for a in ANSWERS if a.stem.startswith("cache")]) == 26
    assert len([a for a in ANSWERS if a.stem.startswith("binpacking")]) == 16
