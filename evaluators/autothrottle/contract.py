"""What the simulator of CPU control calls, and what the numbers it shows mean."""

from __future__ import annotations

from evaluators.base import Contract, Method

#: Samples of 100 ms in the rings that a local law sees: five seconds.
RING = 50
#: Minutes in the ring that a global law sees.
MINUTES = 60
#: Numbers of one service at one tick, of one service over one minute, and of the application over one minute.
OBS, SERVICE, APP = 8, 7, 8
#: Limits are clipped to this and to the cores of a node; smaller changes than the second one are no write.
LEAST_CORES, LEAST_CHANGE = 0.01, 1e-5
#: The throttle ratio that every service is given as its target where a policy has no ``global_``.
DEFAULT_TARGET = 0.1

CONTRACT = Contract(
    init=("node_cores", "slo_ms", "n_services"),
    methods=(
        Method(
            "local",
            ("tick", "obs", "usage", "throttled", "pos", "target"),
            ("int", "float[]", "float[]", "float[]", "int", "float"),
            "float",
            required=False,
        ),
        Method(
            "global_",
            ("minute", "service", "app", "services", "history", "pos", "cluster"),
            ("int", "int", "float[]", "float[]", "float[]", "int", "int[]"),
            "float",
            required=False,
        ),
    ),
    alternatives=("local", "global_"),
)
