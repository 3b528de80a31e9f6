"""A run from its configuration to its results: everything around the loop of :mod:`metamuse.discover`."""

from __future__ import annotations

import asyncio
import importlib
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from metamuse import config as settings_of
from metamuse import rundir
from metamuse.build import limits, make_executor, make_problem, read_incumbent
from metamuse.discover import BudgetExhausted, Discovery, Settings, first
from metamuse.errors import UsageError
from metamuse.executor.base import Executor, ExecutorBroken, Limits
from metamuse.journal import Journal, read
from metamuse.llm import (
    Budget,
    CompletionStore,
    LLMClient,
    LLMConfig,
    preflight,
    price_table,
    register_composer,
)
from metamuse.progress import Progress
from metamuse.recorder import Recorder
from metamuse.report.html import write_report
from metamuse.scorer import RunStopped, Scorer
from metamuse.state import Entry, RunState
from metamuse.study import Study
from metamuse.tracking import make_tracker
from problems.base import SHIFTS
from stimuli import Lexicon, RSDict, RSDictSF, StimulusStrategy, TextEmbedder

#: Candidates may take this many times as long as the reference, at least CANDIDATE_SECONDS.
PATIENCE = 100
CANDIDATE_SECONDS = 30.0


class Run:
    """One run directory and the process that works on it.

    Args:
        config: The resolved configuration.
        folder: The run directory of a run to go on with; None begins a new one.
        quiet: No progress on the terminal.
    """

    def __init__(self, config: dict[str, Any], folder: Path | None = None, quiet: bool = False) -> None:
        self.config = config
        self.problem = make_problem(config)
        self.llm = LLMConfig.from_mapping(config["llm"])
        self.root = Path(config["root"])
        self.incumbent = read_incumbent(config)
        self.quiet = quiet
        self.folder = folder
        self.settings = self._settings()
        self.candidate_limits = self._patience()
        self.trusted_limits = limits(config, settings_of.number(config, "executor.trusted_wall_s", 1))
        self.finalists = settings_of.whole(config, "search.finalists", 1)
        self.trials = settings_of.whole(config, "search.tune_trials", 0)
        self.max_failures = settings_of.whole(config, "search.max_failures", 1)
        _check_stimuli(config)
        if self.llm.provider == "replay":
            self.recorded = rundir.find(self.root, str(config["run"] or "latest")) / "completions.jsonl"
        if self.llm.provider == "offline":
            from metamuse.llm.composer import answer

            register_composer(answer)
        preflight(self.llm)
        self.budget().check_prices(dict(price_table(self.llm.models(), self.llm)))

    def _settings(self) -> Settings:
        config = self.config
        return Settings(
            solutions=settings_of.whole(config, "solutions", 1),
            seed=settings_of.whole(config, "seed", 0),
            lag=settings_of.whole(config, "search.lag", 1),
            repairs=settings_of.whole(config, "search.repairs", 0),
        )

    def _patience(self) -> Limits:
        """Limits of a candidate before the reference is scored."""
        given = self.config["executor"]["wall_s"]
        wall = CANDIDATE_SECONDS if given is None else settings_of.number(self.config, "executor.wall_s", 0.1)
        return limits(self.config, wall)

    def _study(self, recorder: Recorder, searching: Executor, holdout: Executor) -> Study:
        return Study(
            self.problem,
            recorder,
            Scorer(searching, self.candidate_limits, self.max_failures),
            Scorer(holdout, self.trusted_limits, self.max_failures),
            trials=self.trials,
            finalists=self.finalists,
            seed=self.settings.seed,
            limits=self.trusted_limits,
            workers=settings_of.workers(self.config),
        )

    def budget(self) -> Budget:
        """The caps of the configuration."""
        caps = self.config["budget"]
        return Budget(
            caps["usd"],
            caps["tokens"],
            caps["minutes"],
            allow_unknown_price=bool(caps["allow_unknown_price"]),
        )

    def __call__(self) -> int:
        """Work on the run until it is done; returns the exit code."""
        # A call that is cancelled before it began leaves litellm a coroutine nobody awaits.
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
        try:
            return asyncio.run(self._work())
        except KeyboardInterrupt:
            if self.folder is None:
                raise
            print(f"interrupted; go on with: python -m metamuse resume run={self.folder}", file=sys.stderr)
            return 130

    async def _work(self) -> int:
        executor = make_executor(self.config, {"sets": {"feedback": None, "validation": None}, "warm": True})
        holdout = make_executor(self.config, {"sets": {"holdout": None, SHIFTS: None}, "warm": True})
        progress = Progress(self.problem, self.settings.solutions, quiet=self.quiet)
        try:
            progress.stage("starting the compiler and loading the workloads")
            if self.llm.provider != "replay":
                # Importing litellm takes seconds, and the first call would wait for it. A daemon: a mistake
                # in the workloads is told at once.
                threading.Thread(target=importlib.import_module, args=("litellm",), daemon=True).start()
            await asyncio.gather(executor.start(), holdout.start())
            with progress:
                return await self._search(executor, holdout, progress)
        finally:
            await executor.close()
            await holdout.close()

    async def _search(self, executor: Executor, holdout: Executor, progress: Progress) -> int:
        resumed = self.folder is not None
        folder = self.folder = self.folder or rundir.create(self.root, self.problem.name)
        journal = Journal(folder / "journal.jsonl")
        state = RunState.fold(read(folder / "journal.jsonl"))
        if not resumed:
            try:
                self._write_config(folder, executor)
                state.apply(journal.append("run", config=self.config))
            except UsageError:
                shutil.rmtree(folder, ignore_errors=True)  # nothing has begun: leave nothing half-written
                raise
        for entry in [*state.ordered(), *state.tuned.values()]:
            if entry.discovered:  # a killed process may have recorded it without writing its files
                rundir.write_solution(folder, entry)
        state.apply(journal.append("session", layers=executor.layers()))
        tracker = make_tracker(self.config, self.root)
        tracker.start(self.problem, state, folder)
        store, client = self._model(folder, state)
        recorder = Recorder(
            journal,
            state,
            [_solution_files(folder), lambda s, event: progress.update(s), tracker.event],
        )
        study = self._study(recorder, executor, holdout)
        discovery = Discovery(self.problem, self.settings, recorder, client, self._strategy, study.searching)
        code, reason = 0, ""
        try:
            progress.stage("scoring the reference while the first ideas form")
            await study.describe(study.searching)
            exhausted = await self._explore(discovery, study, progress)
            code, reason = (0, "done") if exhausted is None else (3, f"budget: {exhausted}")
            state.apply(journal.append("end", reason=reason))
        except (RunStopped, ExecutorBroken) as error:
            code, reason = 1, f"stopped: {error}"
        finally:
            await discovery.waypoints.close()
            await client.aclose()
            store.close()
            progress.close()
            try:
                rundir.write_results(self.problem, state, folder)
                write_report(self.problem, state, folder)
            except (OSError, UsageError) as error:
                print(f"metamuse: {error} The journal has everything: report run={folder}", file=sys.stderr)
            tracker.finish(state)
            journal.close()
        if not code and not state.executable():
            code = 1
        progress.summary(state, folder, reason)
        return code

    async def _explore(
        self, discovery: Discovery, study: Study, progress: Progress
    ) -> BudgetExhausted | None:
        """Search, and study everything that is compared; returns the budget that ended the search, if one did."""
        exhausted = None
        try:
            async with asyncio.TaskGroup() as group:
                reference = group.create_task(self._reference(study, progress))
                group.create_task(_after(reference, study.rivals(self.incumbent)))
                try:
                    await discovery.search(after=reference)
                except BudgetExhausted as error:
                    exhausted = error
                progress.stage("tuning the finalists and scoring them on the hold-out workloads")
                study.hurry()
                await study.finalists()
        except BaseExceptionGroup as errors:
            raise first(errors) from None
        return exhausted

    async def _reference(self, study: Study, progress: Progress) -> None:
        await study.reference()
        if self.config["executor"]["wall_s"] is None:
            study.searching.limits = study.patience(PATIENCE, CANDIDATE_SECONDS)
        progress.stage("searching")

    def _model(self, folder: Path, state: RunState) -> tuple[CompletionStore, LLMClient]:
        replaying = self.llm.provider == "replay"
        path = self.recorded if replaying else folder / "completions.jsonl"
        store = CompletionStore(path, read_only=replaying)
        budget = self.budget()
        if not replaying:
            totals = store.totals
            budget.restore(
                usd=totals.cost_usd, tokens=totals.tokens_in + totals.tokens_out, minutes=state.seconds / 60
            )
        return store, LLMClient(self.llm, store, budget)

    def _strategy(self, n: int) -> StimulusStrategy:
        stimuli = self.config["stimuli"]
        words = Lexicon().words()
        if stimuli["strategy"] == "rsdict":
            return RSDict(words, s=stimuli["s"])
        warmup = stimuli["warmup"]
        return RSDictSF(
            words,
            TextEmbedder(),
            np.full(n, self.problem.metric.ideal),
            self.settings.solutions // 3 if warmup is None else warmup,
            s=stimuli["s"],
            k=stimuli["k"],
            schedule=stimuli["schedule"],
        )

    def _write_config(self, folder: Path, executor: Executor) -> None:
        text = yaml.safe_dump(
            {
                **self.config,
                "provenance": settings_of.provenance(),
                "prices": dict(price_table(self.llm.models(), self.llm)),
                "containment": executor.layers(),
            },
            sort_keys=False,
            allow_unicode=True,
        )
        rundir.write_atomically(folder / "config.yaml", text)


def _check_stimuli(config: dict[str, Any]) -> None:
    if config["stimuli"]["strategy"] not in ("rsdict", "rsdict_sf"):
        raise UsageError(
            f"stimuli.strategy={config['stimuli']['strategy']} is unknown; use rsdict or rsdict_sf."
        )
    settings_of.whole(config, "stimuli.s", 1)


async def _after(first: asyncio.Task[None], then: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.shield(first)
    except BaseException:
        then.close()  # it never began
        raise
    await then


def _solution_files(folder: Path) -> Callable[[RunState, dict[str, Any]], None]:
    def write(state: RunState, event: dict[str, Any]) -> None:
        entry: Entry | None = None
        if event["event"] == "solution":
            entry = state.solutions[event["number"]]
        elif event["event"] == "tuned":
            entry = state.tuned[event["of"]]
        elif event["event"] == "holdout":
            entry = state.entry(event["id"])
        if entry is not None and entry.discovered:
            rundir.write_solution(folder, entry)

    return write
