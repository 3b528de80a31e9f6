"""Rules: what may be added to any structure. A rule is a function that writes into a draft.

Roles of the local law: ``seen`` (what counts as throttled), ``margin`` (how it follows the throttle error), ``up`` (when
a limit is raised at once), ``memory`` (what past trouble says), ``pace`` (how often limits are lowered) and ``down`` (how
carefully). Roles of the global law: ``goal`` (the target of a minute) and ``share`` (what a service gets of it).
"""

from __future__ import annotations

from collections.abc import Callable

from problems.autothrottle.mechanisms import goals, lowering, steering
from problems.autothrottle.mechanisms.draft import Draft

Rule = Callable[[Draft], None]

#: How many rules of a role a policy takes at most.
PLACES = {"seen": 1, "margin": 1, "up": 2, "memory": 1, "pace": 1, "down": 2, "goal": 1, "share": 1}
#: Roles of rules that write the global law; the others write the local one.
GLOBAL = ("goal", "share")

RULES: dict[str, Rule] = {f.__name__: f for f in (*steering.RULES, *lowering.RULES, *goals.RULES)}
