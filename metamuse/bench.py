"""Where a problem's claims are measured: trusted baselines on workloads, on all workers at once.

Nothing here is jailed: what runs is the project's own code, the policies of ``problems/<name>/baselines`` and the
claims' measuring functions.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Any

import problems.base
from evaluators.base import Score
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from problems.base import Problem
from problems.claims import Run


class WorkerBench:
    """The bench of ``validate``; a context manager that ends its processes.

    Args:
        problem: The problem.
        config: Its configuration, from which every process makes its own.
        workers: Calls at once; with 1 they run in this process.
        progress: Called before the first and after every call with how many of how many are done.
        cache_dir: Where machine code of simulators is kept, None for Numba's own place.
    """

    def __init__(
        self,
        problem: Problem,
        config: Mapping[str, Any],
        workers: int,
        progress: Callable[[int, int], None],
        cache_dir: Path | None = None,
    ) -> None:
        self.problem = problem
        self._progress = progress
        self._pool: ProcessPoolExecutor | None = None
        self._runner = Runner(problem)
        self._known: dict[tuple[Any, ...], Score] = {}
        if workers > 1:
            # Spawned, not forked: Numba and its threads may already run in this process.
            self._pool = ProcessPoolExecutor(
                workers, get_context("spawn"), initializer=_set_up, initargs=(dict(config), cache_dir)
            )

    def __enter__(self) -> WorkerBench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def scores(self, runs: Sequence[Run]) -> list[Score]:
        """See :class:`problems.claims.Bench`."""
        keys = [self._key(run) for run in runs]
        missing = {
            key: run for key, run in zip(keys, runs, strict=True) if key not in self._known
        }  # equal runs have equal keys
        made = self.each(
            _score if self._pool is not None else self._runner.score, [(r,) for r in missing.values()]
        )
        self._known.update(zip(missing, made, strict=True))
        return [self._known[key] for key in keys]

    def each(self, function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
        """See :class:`problems.claims.Bench`."""
        total = len(arguments)
        self._progress(0, total)
        if self._pool is None:
            results = []
            for given in arguments:
                results.append(function(*given))
                self._progress(len(results), total)
            return results
        futures: list[Future[Any]] = [self._pool.submit(function, *given) for given in arguments]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                future.result()
                self._progress(done, total)
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]

    def _key(self, run: Run) -> tuple[Any, ...]:
        name = problems.base.workload_name(run.workload)
        return (run.source, tuple(sorted(run.values.items())), name, self.problem.digest(run.workload))


class Runner:
    """Scores runs in one process; every policy is compiled once.

    Args:
        problem: The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._compiled = cache(self._compile)

    def _compile(self, source: str) -> tuple[CompiledPolicy, Any]:
        policy = CompiledPolicy(load(source, self.problem.contract), self.problem.init_example())
        return policy, self.problem.bind(policy)

    def score(self, run: Run) -> Score:
        """The score of one run."""
        policy, loop = self._compiled(run.source)
        return self.problem.simulate(policy.with_values(run.values), loop, run.workload)


_runner: Runner | None = None


def _set_up(config: Mapping[str, Any], cache_dir: Path | None) -> None:
    global _runner
    if cache_dir is not None:
        os.environ["NUMBA_CACHE_DIR"] = str(cache_dir.absolute())
        import numba

        numba.config.reload_config()
    _runner = Runner(problems.base.make(config))


def _score(run: Run) -> Score:
    assert _runner is not None
    return _runner.score(run)
