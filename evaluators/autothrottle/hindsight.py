"""What can be chosen best for one load when it is over: scale for reports, and no policy.

Of several settings the best is the cheapest one that meets the objective; if none does, the one of least cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from evaluators.autothrottle.load import Load
from evaluators.autothrottle.native import FAST, SLOW, pair, scored, utilisation
from evaluators.base import Score

#: Throttle ratios that Tower chooses from (the authors' released code), and utilisation targets that were tried.
TARGETS = (0.0, 0.02, 0.04, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)
UTILISATIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Choice:
    """A setting and what it scores.

    Attributes:
        setting: The numbers chosen.
        score: The score of the load with them.
    """

    setting: tuple[float, ...]
    score: Score

    @property
    def met(self) -> bool:
        """Whether the objective was met."""
        return not self.score.details["violated"]


def best(choices: Iterable[Choice]) -> Choice:
    """The best of some settings, the first of equals."""
    return min(choices, key=lambda c: (not c.met, c.score.value))


def static_pair(load: Load, targets: tuple[float, ...] = TARGETS) -> Choice:
    """The best pair of fixed throttle targets for Captain on one load.

    More throttling is cheaper and slower, so the pairs that meet the objective lie below a staircase; only the pairs
    along it are run, at most twice as many as there are targets.
    """
    tried: list[Choice] = []
    row, column = len(targets) - 1, 0
    while row >= 0 and column < len(targets):
        setting = (targets[row], targets[column])
        tried.append(Choice(setting, scored(pair(load.application, *setting), load)))
        if tried[-1].met:
            column += 1
        else:
            row -= 1
    return best(tried)


def static_utilisation(load: Load, sync: int, steps: tuple[float, ...] = UTILISATIONS) -> Choice:
    """The best utilisation target for one load: the authors tuned their K8s baselines so, for every trace anew.

    A higher target is cheaper and slower, so the highest one that meets the objective is looked for from above.

    Args:
        load: The load.
        sync: Ticks between two recommendations.
        steps: The targets to try, ascending.
    """
    tried: list[Choice] = []
    for step in reversed(steps):
        tried.append(Choice((step,), scored(utilisation(load.application, step, sync), load)))
        if tried[-1].met:
            break
    return best(tried)


#: Functions by the id under which reports show them.
HINDSIGHT: dict[str, Callable[[Load], Choice]] = {
    "static_targets": static_pair,
    "k8s_cpu_per_trace": lambda load: static_utilisation(load, SLOW),
    "k8s_cpu_fast_per_trace": lambda load: static_utilisation(load, FAST),
}
