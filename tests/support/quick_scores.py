"""Scores out of thin air: an entry of an executor that answers like :mod:`metamuse.evaluation`, at once.

The values are a function of a policy's text, so that runs are repeatable. Imports nothing heavy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_WORKLOADS = 3
_RESULTS = {"simplify": "simplified", "agreement": "agreement"}


def setup(config: Mapping[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The executor's entry: answers tasks as :class:`metamuse.evaluation.Candidates` does, out of thin air."""
    sets = ["shift: none" if name == "shifts" else name for name in config["sets"]]

    def rows(name: str, text: str) -> list[dict[str, Any]]:
        seed = int.from_bytes(hashlib.sha256(f"{name}/{text}".encode()).digest()[:8], "big")
        values = np.random.default_rng(seed).uniform(0.2, 0.8, _WORKLOADS)
        return [
            {"workload": f"{name}-{i}", "value": float(v), "details": {}, "timing": {}, "state_bytes": 64}
            for i, v in enumerate(values)
        ]

    def handle(task: dict[str, Any]) -> dict[str, Any]:
        if task["op"] == "describe":
            named = {n: [{"name": f"{n}-{i}", "digest": n} for i in range(_WORKLOADS)] for n in sets}
            return {"workloads": named, "read_s": dict.fromkeys(sets, 0.0)}
        text = task.get("source") or task["bound"]
        if task["op"] in ("simplify", "agreement"):
            size = {"lines": 9, "statements": 8, "constants": 1}
            made = {"source": f"{text}#", "before": size, "after": size, "digest": "0f", "trials": 3}
            made |= {"decisions": 9, "workloads": _WORKLOADS, "differs": []}
            return {_RESULTS[task["op"]]: dict.fromkeys(("", *task["variants"]), made)}
        scores = {name: rows(name, text) for name in task["sets"]}
        result: dict[str, Any] = {"structure": text, "scores": scores, "seconds": {}}
        result["constants"] = {"X": {"value": 1.0}}
        if task.get("metered"):
            work = {"max": 9, "mean": 3.0, "calls": 100, "method": "pick"}
            scores["validation"] = [row | {"work": work} for row in scores["validation"]]
        if "also" in task:
            result["also"] = {"result": {"scores": {name: rows(name, f"{text}'") for name in task["sets"]}}}
        if "tune" in task:
            tuned = {"source": f"{text}'", "values": {"X": 2.0}, "gain": 1.0, "default_gain": 0.5}
            tuned |= {"failed_trials": 0, "scores": {"validation": rows("validation", f"{text}'")}}
            result["tuned"] = {"result": tuned}
        return result

    return handle
