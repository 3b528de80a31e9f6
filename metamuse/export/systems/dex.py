"""The tree on disaggregated memory: golden decisions are the answers of some threads of each cell, in their order."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba.extending import register_jitable

from evaluators.dex import layout as k
from evaluators.dex import simulator
from evaluators.dex.memory import addresses, f1, f2, i1, i2
from metamuse.export.form import Known
from metamuse.export.golden import ENOUGH, Case
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import Program
from problems.base import Problem

#: Events of one cell that are recorded at most, so that decisions come from several; threads that they are of, about.
_EACH, _THREADS = 16_000, 6
#: Parts of a cell after which it is looked whether the record is full.
_SLICES = 25

# The record: two more arrays behind those of a run, an event a row. Row 0 of the first holds the number of rows, the event
# that waits for its answer (0: none), and that every how many-th thread is recorded.
_INTS, _FLOATS = len(k.KINDS), len(k.KINDS) + 1
(_KIND, _THREAD, _LEVEL, _WHAT, _WORD, _NOW, _FULL, _MAY, _NEW, _ACTION, _WIDTH) = range(11)
_N, _WAITS, _STRIDE = range(3)


@register_jitable
def _step(advance, table):  # type: ignore[no-untyped-def]
    """Go on to the next question; what was asked last, and now, is written down."""
    rows = i2(table, _INTS)
    if rows[0, _WAITS] > 0:
        _answered(table)
    asked = advance(table)
    ints = i1(table, k.INTS)
    n = ints[k.FOUND] if asked == k.ASK_SCORE else 1
    if asked != k.FINISHED_ALL and ints[k.THREAD] % rows[0, _STRIDE] == 0 and rows[0, _N] + n < len(rows):
        for i in range(n):
            _asked(table, asked, i)
        rows[0, _WAITS] = n
    return asked


@register_jitable
def _asked(table, asked, i):  # type: ignore[no-untyped-def]
    ints = i1(table, k.INTS)
    rows = i2(table, _INTS)
    reals = f2(table, _FLOATS)
    rows[0, _N] += 1
    n = rows[0, _N]
    rows[n, _KIND] = asked
    rows[n, _THREAD] = ints[k.THREAD]
    rows[n, _LEVEL] = ints[k.LEVEL]
    rows[n, _WHAT] = ints[k.KIND]
    rows[n, _WORD] = ints[k.WORD]
    rows[n, _NOW] = ints[k.NOW]
    if asked == k.ASK_MISS:
        rows[n, _FULL] = ints[k.FULL]
        rows[n, _MAY] = ints[k.MAY]
        seen = f1(table, k.FEATURES)
        for place in range(k.FEATURE_SIZE):
            reals[n, place] = seen[place]
    elif asked == k.ASK_SCORE:
        looked = i2(table, k.LOOKED)
        rows[n, _LEVEL] = looked[i, k.LOOKED_LEVEL]
        rows[n, _WHAT] = looked[i, k.LOOKED_DIRTY]
        rows[n, _WORD] = looked[i, k.LOOKED_WORD]
    elif asked == k.ASK_DONE:
        rows[n, _WHAT] = ints[k.ACTION]
        reals[n, 0] = f1(table, k.FLOATS)[k.LATENCY]
    elif asked == k.ASK_PUBLISH:
        central = f2(table, k.CENTRAL)
        for slot in range(k.CENTRAL_WORDS):
            reals[n, slot] = central[ints[k.SERVER], slot]


@register_jitable
def _answered(table):  # type: ignore[no-untyped-def]
    ints = i1(table, k.INTS)
    rows = i2(table, _INTS)
    reals = f2(table, _FLOATS)
    n = rows[0, _N]
    asked = rows[n, _KIND]
    if asked == k.ASK_MISS:
        rows[n, _NEW] = ints[k.WORD]
        rows[n, _ACTION] = ints[k.ANSWER]
    elif asked == k.ASK_HIT:
        rows[n, _NEW] = ints[k.WORD]
    elif asked == k.ASK_SCORE:
        scores = f1(table, k.SCORES)
        for i in range(rows[0, _WAITS]):
            reals[n - rows[0, _WAITS] + 1 + i, 0] = scores[i]
    elif asked == k.ASK_PUBLISH:
        central = f2(table, k.CENTRAL)
        for slot in range(k.CENTRAL_WORDS):
            reals[n, k.CENTRAL_WORDS + slot] = central[ints[k.SERVER], slot]
    rows[0, _WAITS] = 0


class _FullError(Exception):
    """The record is full; the rest of the cell is not needed."""


class _Log:
    """The simulator's loop, with a record of what some threads were asked and answered.

    Args:
        loop: That of the policy, bound with :func:`_step`.
        threads: Threads of the cell.
    """

    def __init__(self, loop: Any, threads: int) -> None:
        self._loop = loop
        self.rows = np.zeros((_EACH + 1, _WIDTH), dtype=np.int64)
        self.reals = np.zeros((_EACH + 1, k.FEATURE_SIZE))
        self.rows[0, _STRIDE] = max(1, threads // _THREADS)
        more = addresses([self.rows, self.reals], ["i2", "f2"])
        self._more = more

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)  # the simulator compiles it

    def __call__(self, states: Any, advance: Any, answered: Any, table: np.ndarray, *arrays: Any) -> int:
        return int(self._loop(states, advance, answered, np.concatenate([table, self._more]), *arrays))

    def stop_if_full(self, world: Any) -> None:
        """Raise if there is hardly room for another question."""
        if self.rows[0, _N] >= _EACH - k.MOST_LOOKS:
            raise _FullError


class DexSystem:
    """See :class:`metamuse.export.base.System`."""

    runtime = ("dex_engine", "hashing", "shadow", "dex_shadow", "golden")

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def facts(self, policy: Known) -> dict[str, Any]:
        """``shown`` (places of ``seen`` that the policy looks at)."""
        return {"shown": places_read(policy.program)}

    def golden(self, policy: CompiledPolicy, workloads: Sequence[Any]) -> list[Case]:
        """At least ENOUGH answers of some threads of the cells, each with what was asked."""
        loop = simulator.bind(policy, _step)
        cases: list[Case] = []
        for cell in workloads:
            if sum(case.decisions for case in cases) >= ENOUGH:
                break
            cases.append(self._record(policy, loop, cell))
        return cases

    def other(self, policy: CompiledPolicy) -> tuple[list[Case], str]:
        """There is no other mode."""
        return [], ""

    def _record(self, policy: CompiledPolicy, loop: Any, cell: Any) -> Case:
        threads = cell.servers * cell.threads
        log = _Log(loop, threads)
        with contextlib.suppress(_FullError):
            simulator.simulate(policy, log, cell, watch=log.stop_if_full, slices=_SLICES)
        n = int(log.rows[0, _N])
        rows, reals = log.rows[1 : n + 1], log.reals[1 : n + 1]
        kinds = rows[:, _KIND]
        miss, hit, score, done, publish = (
            kinds == one for one in (k.ASK_MISS, k.ASK_HIT, k.ASK_SCORE, k.ASK_DONE, k.ASK_PUBLISH)
        )
        recorded, thread = np.unique(rows[:, _THREAD], return_inverse=True)
        shown = places_read(policy.program)
        answers = int(miss.sum()) * (1 + ("note" in policy.methods)) + int(hit.sum()) + int(score.sum())
        fields = {
            "name": cell.name,
            "decisions": answers + k.CENTRAL_WORDS * int(publish.sum()),
            "threads": threads,
            "cpus": cell.cpus,
            "height": cell.height,
            "recorded": [int(number) for number in recorded],
            "shown": shown,
        }
        words = k.CENTRAL_WORDS
        columns = {
            "kind": kinds.astype(np.uint8),
            "thread": thread.astype(np.uint8),
            "level": rows[:, _LEVEL].astype(np.uint8),
            "what": rows[:, _WHAT].astype(np.uint8),
            "word": rows[~done, _WORD],
            "now": rows[~done, _NOW],
            "full": rows[miss, _FULL].astype(np.uint8),
            "may": rows[miss, _MAY].astype(np.uint8),
            "seen": reals[miss][:, shown].reshape(-1),
            "action": _effective(rows[miss]).astype(np.uint8),
            "new": rows[miss | hit, _NEW],
            "score": reals[score, 0],
            "us": reals[done, 0],
            "central": reals[publish, :words].reshape(-1),
            "published": reals[publish, words : 2 * words].reshape(-1),
        }
        return Case(fields, columns)


def _effective(misses: np.ndarray) -> np.ndarray:
    """What is done: where nothing may be offloaded, that is another answer."""
    otherwise = np.where(misses[:, _LEVEL] > 0, k.ADMIT, k.BYPASS)
    refused = (misses[:, _ACTION] == k.OFFLOAD) & (misses[:, _MAY] == 0)
    return np.where(refused, otherwise, misses[:, _ACTION])


def places_read(program: Program) -> list[int]:
    """Places of ``seen`` that ``on_miss`` looks at: all of them if that cannot be told from its text."""
    method = program.methods["on_miss"]
    name = method.args.args[6].arg
    known: set[int] = set()
    inside: set[int] = set()
    for node in ast.walk(method):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == name:
            place = node.slice.value if isinstance(node.slice, ast.Constant) else None
            if isinstance(place, int) and 0 <= place < k.FEATURE_SIZE:
                known.add(place)
                inside.add(id(node.value))
    uses = [n for n in ast.walk(method) if isinstance(n, ast.Name) and n.id == name]
    return sorted(known) if all(id(n) in inside for n in uses) else list(range(k.FEATURE_SIZE))


SYSTEM = DexSystem
