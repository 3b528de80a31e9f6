"""The applications by name, and tiny ones to probe policies on."""

from __future__ import annotations

import numpy as np

from evaluators.autothrottle.application import Application, Service, visit
from evaluators.autothrottle.hotel import HOTEL
from evaluators.autothrottle.load import Load
from evaluators.autothrottle.social import SOCIAL
from evaluators.autothrottle.train import TRAIN

APPLICATIONS = {app.name: app for app in (SOCIAL, HOTEL, TRAIN)}

_PAIR = Application(
    "pair",
    (Service("front", 8, 0.4), Service("back", 4, 0.8, sweep_ms=30.0, sweep_every=20.0)),
    ((1.0, visit("front", 4.0, visit("back", 10.0, threads=4), after=2.0)),),
    slo_ms=150.0,
    scale=1.0,
    high=("back",),
)
_ONE = Application("one", (Service("only", 4, 1.0),), ((1.0, visit("only", 8.0)),), 80.0, 1.0, ("only",), 8.0)

#: Loads of seconds: every method of a contract is called, few enough times for CPython.
TINY = (
    Load("probe-pair", _PAIR, np.full(64, 20, dtype=np.int64), 20, 5, 11),
    Load("probe-one", _ONE, np.repeat(np.array([5, 60, 10, 90], dtype=np.int64), 5), 4, 2, 12),
)
