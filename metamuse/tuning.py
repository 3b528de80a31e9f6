"""Tuning marked constants: candidates and baselines get the same number of trials.

Optuna's TPE sampler proposes, seeded; values are rounded to four digits, so that what is scored is what is
written into the tuned policy's text. The constants as they stand are the first trial: tuning never loses on
the workloads it sees. A trial in which the policy fails counts as a trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from metamuse.policy.constants import Constant

optuna.logging.set_verbosity(optuna.logging.ERROR)

Values = Mapping[str, int | float]


@dataclass(frozen=True)
class Tuned:
    """The outcome.

    Attributes:
        values: The best constants.
        objective: What they reached.
        default: What the constants as they stood reached; None if they failed.
        failed: Trials in which the policy failed.
        tried: Every choice that was asked for and what it reached (None: the policy failed), in order; values in the
            order of ``values``.
    """

    values: dict[str, int | float]
    objective: float
    default: float | None
    failed: int
    tried: tuple[tuple[tuple[int | float, ...], float | None], ...]


def tune(
    constants: Mapping[str, Constant],
    objective: Callable[[Values], float | None],
    trials: int,
    seed: int,
) -> Tuned | None:
    """Look for the constants with the largest objective.

    Args:
        constants: By name.
        objective: Score of some values, None if the policy fails with them.
        trials: How often to ask it at most; equal values are asked once.
        seed: Of the sampler.

    Returns:
        The best of all trials; None if every one failed.
    """
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True)
    )
    space = {name: _distribution(constant) for name, constant in constants.items()}
    first = {name: constant.value for name, constant in constants.items()}
    study.enqueue_trial(first)
    known: dict[tuple[int | float, ...], float | None] = {}
    for _ in range(trials):
        trial = study.ask(space)
        values = {name: _rounded(constants[name], trial.params[name]) for name in constants}
        key = tuple(values.values())
        if key not in known:
            known[key] = objective(values)
        reached = known[key]
        if reached is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, reached)
    scored = [(reached, key) for key, reached in known.items() if reached is not None]
    if not scored:
        return None
    # The first of equals: the default, if nothing is better.
    reached, key = max(scored, key=lambda pair: pair[0])
    failed = sum(1 for value in known.values() if value is None)
    default = known[tuple(first.values())]
    return Tuned(dict(zip(constants, key, strict=True)), reached, default, failed, tuple(known.items()))


def _distribution(constant: Constant) -> BaseDistribution:
    if isinstance(constant.value, int):
        return IntDistribution(int(constant.low), int(constant.high), log=constant.log)
    return FloatDistribution(float(constant.low), float(constant.high), log=constant.log)


def _rounded(constant: Constant, value: float) -> int | float:
    if isinstance(constant.value, int):
        return int(value)
    if value == constant.value:
        return value
    return min(max(float(f"{value:.4g}"), float(constant.low)), float(constant.high))
