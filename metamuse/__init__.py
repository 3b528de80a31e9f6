"""MetaMuse: LLM-driven discovery of system policies (arXiv 2510.03851)."""

from __future__ import annotations

import os

# Third parties that would otherwise reach for the network when they are imported: litellm fetches its price
# table, mlflow reports usage. And numpy's linear algebra would use all cores for matrices of a few hundred rows: when
# these are busy scoring, its threads wait for each other (0.4 s instead of 6 ms a solve), and last digits would depend
# on their number. Set before anything imports them; the user's own setting wins.
for _name, _value in (
    *((f"{_library}_NUM_THREADS", "1") for _library in ("OPENBLAS", "OMP", "MKL")),
    ("VECLIB_MAXIMUM_THREADS", "1"),
    ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
    ("MLFLOW_DISABLE_TELEMETRY", "true"),
    ("DO_NOT_TRACK", "true"),
):
    os.environ.setdefault(_name, _value)

__version__ = "0.1.0"
