"""Checks of how baselines and bounds score: the same whatever should not matter, legal, and in the right order."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metamuse.checking.finding import Finding, found, not_applicable
from metamuse.checking.texts import examples
from metamuse.executor.base import Executor, Limits, Outcome, Task
from problems.base import Problem

#: Relative slack of a bound, for its floating-point arithmetic.
_SLACK = 1e-9
#: A policy in this file is bad on purpose; names with an underscore are no baselines.
DEGRADED = "baselines/_degraded.py"

Result = Mapping[str, Any]
Visit = tuple[str, int]


@dataclass(frozen=True)
class Record:
    """What one baseline did in two processes.

    Attributes:
        failure: Class and message, if it could not be run at all.
        scores: All workloads of all sets, in order, scored as the search does it.
        backward: The feedback workloads from the last to the first (indexed from the first), each twice in a row.
        decisions: The decisions on those, or None where the simulator keeps none.
    """

    failure: tuple[str, str] | None
    scores: dict[Visit, Result]
    backward: list[tuple[Result, Result]]
    decisions: list[tuple[Any, Any]]


class Bench:
    """Runs policies and bounds for the checks.

    Args:
        problem: The problem.
        executor: Runs :class:`metamuse.checking.jailed.Bench` with all sets.
        sizes: How many workloads each set has.
        limits: Of one policy.
    """

    def __init__(
        self, problem: Problem, executor: Executor, sizes: Mapping[str, int], limits: Limits
    ) -> None:
        self.problem = problem
        self.executor = executor
        self.sizes = sizes
        self.limits = limits

    async def check(self) -> list[Finding]:
        """All checks of this module, in order."""
        sources = self.problem.rivals
        tried = await asyncio.gather(*(self._record(source) for source in sources.values()))
        records = dict(zip(sources, tried, strict=True))
        bounds = {b: await self._bound(b) for b in self.problem.bounds}
        return [
            _legal(records),
            _modes(records),
            *_same(records),
            _decisions(records),
            self._ideal(records, bounds),
            self._above_bounds(records, bounds),
            await self._degraded(records),
            await self._examples(),
        ]

    async def _record(self, source: str) -> Record:
        n = self.sizes["feedback"]
        everything = {"op": "evaluate", "source": source, "sets": list(self.sizes), "tolerant": True}
        scored, backward = await asyncio.gather(
            self._run(everything),
            self._visit(source, [("feedback", i) for i in reversed(range(n)) for _ in range(2)]),
        )
        if scored.result is None or backward.result is None:
            return Record(scored.failure or backward.failure, {}, [], [])
        scores = {(s, i): row for s, rows in scored.result["scores"].items() for i, row in enumerate(rows)}
        results = backward.result["results"][::-1]
        made = [row.get("decisions") for row in results]
        results = [_plain(row) for row in results]
        return Record(
            None,
            {visit: _plain(row) for visit, row in scores.items()},
            list(zip(results[::2], results[1::2], strict=True)),
            list(zip(made[::2], made[1::2], strict=True)),
        )

    async def _visit(self, source: str, visits: Sequence[Visit]) -> Outcome:
        return await self._run({"op": "visit", "source": source, "visits": [list(v) for v in visits]})

    async def _run(self, payload: dict[str, Any]) -> Outcome:
        return await self.executor.run(Task(payload["op"], payload, self.limits))

    async def _bound(self, bound: str) -> dict[Visit, float] | str:
        outcome = await self._run({"op": "bound", "bound": bound, "sets": list(self.sizes)})
        if outcome.result is None:
            return ": ".join(outcome.failure or ())
        scores = outcome.result["scores"]
        return {(s, i): float(row["value"]) for s, rows in scores.items() for i, row in enumerate(rows)}

    def _ideal(self, records: Mapping[str, Record], bounds: Mapping[str, Any]) -> Finding:
        ideal = self.problem.metric.ideal
        rows = _values(records) | {b: values for b, values in bounds.items() if not isinstance(values, str)}
        faults = [
            f"{name} on {_at(visit)} is {value:g}"
            for name, values in rows.items()
            for visit, value in values.items()
            if self._better(value, ideal)
        ]
        text = f"Nothing is better than the metric's ideal, {ideal:g}, and every value is a number."
        faults += [
            f"{name} on {_at(visit)} is {value}"
            for name, values in rows.items()
            for visit, value in values.items()
            if not math.isfinite(value)
        ]
        return found("metric.ideal", text, faults)

    def _above_bounds(self, records: Mapping[str, Record], bounds: Mapping[str, Any]) -> Finding:
        id, text = "metric.bound", "No baseline is better than the bound (the first one), on any workload."
        if not bounds:
            return not_applicable(id, text, "the problem has no bounds")
        faults = [f"{b} cannot be had: {values}" for b, values in bounds.items() if isinstance(values, str)]
        bound, values = next(iter(bounds.items()))
        if not isinstance(values, str):
            faults += [
                f"{name} is {value:g} on {_at(visit)}, {bound} {values[visit]:g}"
                for name, own in _values(records).items()
                for visit, value in own.items()
                if self._better(value, values[visit])
            ]
        return found(id, text, faults)

    def _better(self, value: float, limit: float) -> bool:
        distance = value - limit if self.problem.metric.maximise else limit - value
        return distance > _SLACK * max(1.0, abs(limit))

    async def _degraded(self, records: Mapping[str, Record]) -> Finding:
        id, text = (
            "metric.degraded",
            "A policy that is bad on purpose scores worse than the reference on feedback.",
        )
        path = self.problem.folder / DEGRADED
        if not path.is_file():
            return not_applicable(id, text, f"the problem has no {DEGRADED}")
        n = self.sizes["feedback"]
        visits: list[Visit] = [("feedback", i) for i in range(n)]
        outcome = await self._visit(path.read_text(encoding="utf-8"), visits)
        if outcome.result is None:
            return found(id, text, [": ".join(outcome.failure or ())])
        results = outcome.result["results"]
        failures = [r["failure"] for r in results if "failure" in r]
        reference = _values(records).get(self.problem.reference, {})
        if failures or any(visit not in reference for visit in visits):
            return found(id, text, [": ".join(f) for f in failures] or ["the reference fails"])
        gains = [
            self.problem.gain(float(r["value"]), reference[v]) for r, v in zip(results, visits, strict=True)
        ]
        gain = sum(gains) / n
        return found(id, text, [f"it gains {gain:.2f} %"] if gain >= 0 else [], gain_percent=round(gain, 2))

    async def _examples(self) -> Finding:
        text = "The examples of the prompt run on every feedback workload."
        sources = examples(self.problem)
        payloads = [{"op": "evaluate", "source": source, "sets": ["feedback"]} for source in sources]
        outcomes = await asyncio.gather(*(self._run(payload) for payload in payloads))
        faults = [": ".join(o.failure) for o in outcomes if o.failure is not None]
        return found("prompt.runs", text, faults, examples=len(sources))


def _plain(row: Mapping[str, Any]) -> Result:
    """What of a score may not depend on the machine."""
    return {key: row[key] for key in ("failure", "value", "details") if key in row}


def _legal(records: Mapping[str, Record]) -> Finding:
    faults = []
    for name, record in records.items():
        if record.failure is not None:
            faults.append(f"{name}: {': '.join(record.failure)}")
            continue
        bad = {v: r["failure"] for v, r in record.scores.items() if "failure" in r}
        if bad:
            visit, (kind, message) = next(iter(bad.items()))
            faults.append(f"{name} fails on {len(bad)} workloads, first {_at(visit)}: {kind}: {message}")
    return found("legal", "Every baseline is legal on every workload of every set.", faults)


def _modes(records: Mapping[str, Record]) -> Finding:
    # Scoring compares both modes on the probes before anything else.
    faults = [
        f"{name}: {record.failure[1]}"
        for name, record in records.items()
        if record.failure is not None and record.failure[0] == "nondeterministic"
    ]
    return found("modes", "Every baseline decides the same compiled and interpreted, on every probe.", faults)


def _same(records: Mapping[str, Record]) -> list[Finding]:
    repeat, reset, order = [], [], []
    for name, record in records.items():
        if record.failure is not None:
            continue  # said by the check `legal`
        forward = [record.scores["feedback", i] for i in range(len(record.backward))]
        backward = [first for first, _ in record.backward]
        repeat += [f"{name} on {_at(('feedback', i))}" for i, (a, b) in enumerate(record.backward) if a != b]
        reset += [name] if backward[-1] != forward[-1] else []
        order += [name] if backward != forward else []
    return [
        found("repeat", "Every baseline scores the same twice in a row on every feedback workload.", repeat),
        found(
            "reset", "A workload scores the same after all others and as the first of another process.", reset
        ),
        found("order", "The feedback workloads score the same from the last to the first.", order),
    ]


def _decisions(records: Mapping[str, Record]) -> Finding:
    """Whether the digests by which simplified policies are proved equal can be relied on."""
    id, text = "decisions", "Scores hold a digest of all decisions; equal decisions mean equal scores."
    faults = []
    seen: dict[tuple[int, str], tuple[str, Result]] = {}
    for name, record in records.items():
        for i, (pair, made) in enumerate(zip(record.backward, record.decisions, strict=True)):
            if "failure" in pair[0]:
                continue  # said by the check `legal`
            at = _at(("feedback", i))
            if made[0] is None:
                faults.append(f"the score of {name} on {at} has no decisions")
            elif made[0] != made[1]:
                faults.append(f"{name} decides otherwise the second time on {at}")
            else:
                other, result = seen.setdefault((i, str(made[0])), (name, pair[0]))
                if result != pair[0]:
                    faults.append(f"{name} and {other} have the same digest on {at} and score differently")
    return found(id, text, faults)


def _values(records: Mapping[str, Record]) -> dict[str, dict[Visit, float]]:
    return {
        name: {visit: float(r["value"]) for visit, r in record.scores.items() if "value" in r}
        for name, record in records.items()
    }


def _at(visit: Visit) -> str:
    return f"{visit[0]} workload {visit[1]}"
