"""What a load needs whatever the policy."""

from __future__ import annotations

from evaluators.autothrottle.load import THINK_S, Load
from evaluators.base import Score


def work(load: Load) -> Score:
    """Cores that the work of all requests takes if every answer comes as late as the objective allows.

    Users who wait longer send less: in a closed loop of ``u`` users at most ``u / (think time + latency)`` requests come a
    second. Demands are taken at their means, so that a single short load may by chance need a few percent less; a
    margin of :data:`CHANCE` allows for that. It is no policy's goal: a service whose limit is its mean usage is throttled
    all the time.
    """
    rate = THINK_S / (THINK_S + load.application.slo_ms / 1e3) if load.closed else 1.0
    return Score(load.name, (1.0 - CHANCE) * rate * load.demand)


#: Share by which drifting demands may keep the work of a short load below its mean.
CHANCE = 0.1
