"""MetaMuse: LLM-driven discovery of system policies (arXiv 2510.03851)."""

from __future__ import annotations

import os

# Third parties that would otherwise reach for the network when they are imported: litellm fetches its price
# table, mlflow reports usage. Set before anything imports them; the user's own setting wins.
for _name, _value in (
    ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
    ("MLFLOW_DISABLE_TELEMETRY", "true"),
    ("DO_NOT_TRACK", "true"),
):
    os.environ.setdefault(_name, _value)

__version__ = "0.1.0"
