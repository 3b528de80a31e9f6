"""Scores out of thin air, for soak tests: an executor that answers at once what an evaluation answers in a second.

Workloads, their descriptions and the bounds are real; values of candidates are a fixed function of their text, so
that runs are repeatable. Nothing is checked, compiled or simulated, and no process is made.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from metamuse import evaluation
from metamuse.executor.base import Outcome, Task

#: Share of texts that "crash", so that repair turns and failures are part of a soak.
CRASHING = 0.03
#: Hidden dimensions in which texts differ.
_LATENT = 6


def make_executor(config: dict[str, Any], setup: Mapping[str, Any], **_: Any) -> PseudoExecutor:
    """Stands in for :func:`metamuse.build.make_executor`."""
    return PseudoExecutor({"problem": config["problem"], **setup})


class PseudoExecutor:
    """See :class:`metamuse.executor.base.Executor`.

    Args:
        config: See :func:`metamuse.evaluation.setup`.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config
        self.workers = 1

    async def start(self) -> None:
        real = evaluation.setup({**self.config, "warm": False})
        assert isinstance(real, evaluation.Candidates)
        self.real = real
        self.baselines = frozenset(real.problem.baselines.values())
        # A bound's rows have the shape of any policy's, and its values are out of reach.
        bound = {"op": "bound", "bound": real.problem.bounds[0], "sets": list(real.sets)}
        self.rows: dict[str, list[dict[str, Any]]] = real(bound)["scores"]
        rng = np.random.default_rng(0)
        self.loadings = {name: rng.normal(size=(len(rows), _LATENT)) for name, rows in self.rows.items()}

    async def run(self, task: Task) -> Outcome:
        await asyncio.sleep(0)
        payload = task.payload
        if payload["op"] != "evaluate":
            return Outcome(task.id, self.real(payload), None, 0.001, 0.001, 1.0)
        source = payload["source"]
        if source not in self.baselines and _rng(source).random() < CRASHING:
            return Outcome(task.id, None, ("crash", "line 7: it divided by zero"), 0.001, 0.001, 1.0)
        metered = bool(payload.get("metered"))
        result = {
            "structure": hashlib.sha256(source.encode()).hexdigest()[:16],
            "doc": "Scored out of thin air.",
            "constants": {},
            "state_bytes": 4096,
            "scores": {name: self._scores(name, source, metered) for name in payload["sets"]},
            "seconds": dict.fromkeys(
                ("check", "compile", "probe", "score_feedback", "score_validation"), 0.001
            ),
        }
        return Outcome(task.id, result, None, 0.001, 0.001, 1.0)

    def layers(self) -> list[str]:
        return ["none: nothing is run"]

    async def close(self) -> None:
        pass

    def _scores(self, name: str, source: str, metered: bool) -> list[dict[str, Any]]:
        rng = _rng(source)
        worse = 1.2 + 0.1 * np.tanh(self.loadings[name] @ rng.normal(size=_LATENT))
        scores = []
        for row, factor in zip(self.rows[name], worse, strict=True):
            score = row | {"value": float(row["value"] * factor), "state_bytes": 4096}
            score["timing"] = {"seconds": float(rng.random()), "ns_per_decision": float(rng.random())}
            if metered:
                score |= {"timing": {}, "work": {"max": 9, "mean": 3.0, "calls": 100, "method": "evict"}}
            scores.append(score)
        return scores


def _rng(text: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
