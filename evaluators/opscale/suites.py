"""The synthetic scenarios of a search: feedback, validation, hold-out, and scenarios unlike all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from evaluators.draws import STREAMS, generator, uniform
from evaluators.opscale.generators import CHAT, CODE, LONG, Lengths, requests
from evaluators.opscale.scenario import Scenario, System, seen

_DEFAULT_COUNT = {"feedback": 30, "validation": 24, "holdout": 24}
_SPAN = 900.0
_SHIFTED_EACH = 3
_FIRST_SHIFT = 3  # number of the first random stream after those of the sets

_LLAMA = System(gpus=64)
_LARGE = System(model="llama3-70b", tp=4, ttft=4.0, tbt=0.06, gpus=96)
_MIXTRAL = System(model="mixtral-8x7b", tp=2, ttft=3.0, tbt=0.06, gpus=64)
_QWEN_MOE = System(model="qwen2-57b-a14b", tp=2, ttft=3.0, tbt=0.06, gpus=64)

#: Systems, shapes, lengths and mean rates in turn. Each takes about 4 to 12 GPUs.
_KINDS: tuple[tuple[str, System, str, Lengths, float], ...] = (
    ("8b-prefill-code", _LLAMA, "bursty", CODE, 30.0),
    ("70b-prefill-code", _LARGE, "bursty", CODE, 4.0),
    ("8b-decode-chat", replace(_LLAMA, phases="decode"), "diurnal", CHAT, 50.0),
    ("mixtral-prefill-chat", _MIXTRAL, "steps", CHAT, 16.0),
    ("8b-prefill-long", replace(_LLAMA, ttft=8.0), "steps", LONG, 6.0),
    ("70b-decode-code", replace(_LARGE, phases="decode"), "bursty", CHAT, 16.0),
    ("8b-prefill-chat", _LLAMA, "smooth", CHAT, 50.0),
    ("qwenmoe-prefill-code", _QWEN_MOE, "diurnal", CODE, 16.0),
    ("mixtral-decode-chat", replace(_MIXTRAL, phases="decode"), "smooth", CHAT, 30.0),
    ("8b-serve-chat", replace(_LLAMA, phases="serve"), "steps", CHAT, 24.0),
)
#: Load delays of whole replicas in turn: pod, warm pod, and the operators' own (the equal-delay ablation).
_DELAYS = (40.0, 10.0, 1.0)


def synthetic_suite(
    which: str, seed: int, n: int | None = None, system: Mapping[str, Any] | None = None
) -> list[Scenario]:
    """Returns the scenarios of a set, named like `synthetic/feedback/07-8b-decode-chat-diurnal-10s`.

    Ten kinds of systems and traffic take turns, and with them three load delays of a whole replica. The sets differ in
    their random streams: rates, bursts, lengths.

    Args:
        which: The set.
        seed: Any non-negative integer.
        n: Number of scenarios; default 30 for feedback, 24 for the others.
        system: Fields of :class:`System` that all scenarios are given.

    Raises:
        ValueError: An unknown set, or n below 1.
    """
    if which not in STREAMS:
        raise ValueError(f"there is no synthetic set {which!r}; known are {', '.join(STREAMS)}")
    count = _DEFAULT_COUNT[which] if n is None else n
    if count < 1:
        raise ValueError(f"a synthetic set needs at least one scenario, not {count}")
    return [
        _scenario(generator(seed, which, i), f"synthetic/{which}/{i:02d}", i, system or {})
        for i in range(count)
    ]


def _scenario(rng: np.random.Generator, prefix: str, i: int, system: Mapping[str, Any]) -> Scenario:
    kind, base, shape, lengths, rate = _KINDS[i % len(_KINDS)]
    delay = _DELAYS[(i + i // len(_KINDS)) % len(_DELAYS)]
    chosen = replace(base, **{"model_delay": delay, **system})
    return made(
        rng,
        f"{prefix}-{kind}-{shape}-{chosen.model_delay:g}s",
        chosen,
        shape,
        lengths,
        rate * uniform(rng, 0.8, 1.25),
    )


def made(
    rng: np.random.Generator,
    name: str,
    system: System,
    shape: str,
    lengths: Lengths,
    rate: float,
    span: float = _SPAN,
) -> Scenario:
    """A scenario of a burst class; what was seen before is another draw of the same class."""
    past = seen(requests(rng, shape, lengths, rate, span))
    trace = requests(rng, shape, lengths, rate, span)
    return Scenario(name, system, trace.arrivals, trace.prompts, trace.outputs, past)


def shifted_suites(seed: int) -> dict[str, Sequence[Scenario]]:
    """Scenarios on which no search looks, three of a kind, by what is unlike the sets: does a policy carry over?"""
    kinds: dict[str, tuple[System, str, Lengths, float, float]] = {
        "H100": (replace(_LLAMA, gpu="h100", ttft=1.0, tbt=0.03), "bursty", CODE, 40.0, 600.0),
        "GB200 MoE": (replace(_MIXTRAL, gpu="gb200", tp=1, ttft=1.0, tbt=0.03), "steps", CHAT, 40.0, 600.0),
        "Qwen2-7B serve": (replace(_LLAMA, model="qwen2-7b", phases="serve"), "bursty", CODE, 10.0, 900.0),
        "cold pods": (replace(_LLAMA, model_delay=120.0, operator_delay=5.0), "bursty", CODE, 12.0, 1200.0),
        "uniform tandem": (replace(_LLAMA, whole="uniform_tandem"), "diurnal", CODE, 12.0, 900.0),
        "two hours": (replace(_LLAMA, phases="decode"), "diurnal", CHAT, 8.0, 7200.0),
        "two weeks": (replace(_LLAMA, model_delay=10.0), "fortnight", CODE, 12.0, 2016.0),
        "failures": (replace(_LLAMA, model_delay=10.0, mtbf=3600.0), "steps", CODE, 20.0, 900.0),
    }
    suites: dict[str, Sequence[Scenario]] = {}
    for number, (kind, (system, shape, lengths, rate, span)) in enumerate(kinds.items(), _FIRST_SHIFT):
        scenarios = []
        for i in range(_SHIFTED_EACH):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, i)))
            name = f"synthetic/{kind}/{i:02d}-{shape}"
            chosen = replace(system, failure_seed=i) if system.mtbf else system
            scenarios.append(made(rng, name, chosen, shape, lengths, rate, span))
        suites[kind] = scenarios
    return suites
