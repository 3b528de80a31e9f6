"""A run from its configuration to its results: everything around the loop of :mod:`metamuse.discover`."""

from __future__ import annotations

import asyncio
import functools
import importlib
import shutil
import threading
import warnings
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import yaml

from metamuse import __version__, derived, proposers, racing, rejection, rundir, tracking
from metamuse import config as settings_of
from metamuse.build import limits, make_executor, make_problem, read_incumbent
from metamuse.discover import BudgetExhausted, Discovery, Settings, first
from metamuse.errors import StorageError, UsageError, tell
from metamuse.executor.base import Executor, ExecutorBroken, Limits
from metamuse.executor.statement import in_force
from metamuse.interrupts import EXIT_CODE, ending_in_order
from metamuse.journal import FORMAT, Journal, read
from metamuse.llm import (
    Budget,
    CompletionStore,
    LLMClient,
    LLMConfig,
    Memory,
    check_names,
    preflight,
    price_table,
    register_composer,
)
from metamuse.progress import Progress
from metamuse.proposers import Program, Proposer
from metamuse.recorder import Recorder
from metamuse.scorer import RunStopped, Scorer
from metamuse.state import RunState
from metamuse.steering import make_dictionary, make_strategy
from metamuse.study import Study
from metamuse.waypoints import Waypoints
from problems.base import SHIFTS

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
        self.simplify_trials = settings_of.whole(config, "search.simplify_trials", 0)
        tracking.check(config)
        self.dictionary = make_dictionary(config, self.problem, self.root)
        make_strategy(config, self.dictionary, self.problem, 1)  # mistakes are told before anything starts
        proposers.check(config)
        if self.llm.provider == "replay":
            self.recorded = rundir.find(self.root, str(config["run"] or "latest")) / "completions.jsonl"
        if self.llm.provider == "offline":
            from metamuse.llm.composer import answer

            register_composer(answer)
        (check_names if config["dry_run"] else preflight)(self.llm)
        self.budget().check_prices(dict(price_table(self.llm.models(), self.llm)))

    def _settings(self) -> Settings:
        config = self.config
        return Settings(
            solutions=settings_of.whole(config, "solutions", 1),
            seed=settings_of.whole(config, "seed", 0),
            lag=settings_of.whole(config, "search.lag", 1),
            repairs=settings_of.whole(config, "search.repairs", 0),
            duplicates=rejection.choice(config),
            race=racing.racers(config),
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
            Scorer(searching, self.candidate_limits),
            Scorer(holdout, self.trusted_limits),
            trials=self.trials,
            simplify_trials=self.simplify_trials,
            finalists=self.finalists,
            racing=bool(self.settings.race),
            seed=self.settings.seed,
            limits=self.trusted_limits,
            workers=searching.workers,
        )

    def budget(self) -> Budget:
        """The caps of the configuration."""
        caps = self.config["budget"]
        return Budget(
            caps["usd"],
            caps["tokens"],
            caps["minutes"],
            caps["calls"],
            allow_unknown_price=bool(caps["allow_unknown_price"]),
        )

    def __call__(self) -> int:
        """Work on the run until it is done; returns the exit code."""
        # A call that is cancelled before it began leaves litellm a coroutine nobody awaits.
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited", category=RuntimeWarning)
        try:
            return asyncio.run(ending_in_order(self.work(), self._last_words))
        except (KeyboardInterrupt, asyncio.CancelledError):
            self._last_words()
            return EXIT_CODE

    def _last_words(self) -> None:
        going_on = f"; go on with: python -m metamuse resume run={self.folder}" if self.folder else ""
        tell(f"interrupted{going_on}")

    def executors(self) -> tuple[Executor, Executor]:
        """What scores candidates, and what scores on the hold-out set; whoever asks starts and closes them."""
        searching = {"sets": {"feedback": None, "validation": None}, "warm": True}
        holdout = {"sets": {"holdout": None, SHIFTS: None}, "warm": True}
        return make_executor(self.config, searching), make_executor(self.config, holdout)

    async def work(
        self,
        started: tuple[Executor, Executor] | None = None,
        known: Sequence[dict[str, Any]] = (),
    ) -> int:
        """Work on the run until it is done; returns the exit code.

        Args:
            started: Executors of a run on the same problem (:meth:`executors`), left open; None: its own.
            known: Fields of events with which a new journal begins: baselines that were scored already.
        """
        # A run that another process works on is refused before anything is loaded.
        journal = None if self.folder is None else Journal(self.folder / "journal.jsonl")
        executor, holdout = started or self.executors()
        progress = Progress(self.problem, self.settings.solutions, quiet=self.quiet)
        try:
            progress.stage("starting the compiler and loading the workloads")
            if self.llm.provider not in ("replay", "inbox"):
                # Importing litellm takes seconds, and the first call would wait for it. A daemon: a mistake
                # in the workloads is told at once.
                threading.Thread(target=importlib.import_module, args=("litellm",), daemon=True).start()
            if started is None:
                await asyncio.gather(executor.start(), holdout.start())
            with progress:
                return await self._search(
                    journal or self._begin(executor, known), executor, holdout, progress
                )
        finally:
            if started is None:
                await executor.close()
                await holdout.close()

    def _begin(self, executor: Executor, known: Sequence[dict[str, Any]]) -> Journal:
        """Make the run directory of a new run."""
        folder = self.folder = rundir.create(self.root, self.problem.name)
        try:
            self._write_config(folder, executor)
            journal = Journal(folder / "journal.jsonl")
            versions = {"format": FORMAT, "metamuse": __version__, "problem": self.problem.version}
            journal.append("run", **versions, config=self.config)
            for fields in known:
                journal.append(**fields)
        except UsageError:
            shutil.rmtree(folder, ignore_errors=True)  # nothing has begun: leave nothing half-written
            raise
        return journal

    async def _search(
        self, journal: Journal, executor: Executor, holdout: Executor, progress: Progress
    ) -> int:
        folder = journal.path.parent
        state = RunState.fold(read(journal.path))
        derived.write_solutions(state, folder)
        session = {"layers": executor.layers(), "solutions": self.settings.solutions}
        state.apply(journal.append("session", **session))
        progress.say(in_force(executor.layers()))
        tracker = tracking.make_tracker(self.config, self.root)
        tracker.start(self.problem, state, folder)
        store, client = self._model(folder, state, progress)
        watchers = [derived.solution_files(folder), lambda s, event: progress.update(s), tracker.event]
        watchers.append(derived.settling())
        recorder = Recorder(journal, state, [derived.guarded(folder, watcher) for watcher in watchers])
        study = self._study(recorder, executor, holdout)
        discovery = Discovery(
            self.problem, self.settings, recorder, client, self.proposer(state), study.searching
        )
        code, reason = 0, ""
        try:
            progress.stage("scoring the reference while the first ideas form")
            await study.describe(study.searching)
            exhausted = await self._explore(discovery, study, progress)
            code, reason = (0, "done") if exhausted is None else (3, f"budget: {exhausted}")
            state.apply(journal.append("end", reason=reason))
        except (RunStopped, ExecutorBroken, StorageError) as error:
            code, reason = 1, f"stopped: {error}"
        finally:
            await discovery.waypoints.close()
            await client.aclose()
            if self.llm.provider != "replay":
                state.spent = store.totals
            store.close()
            progress.close()
            written = derived.write_results(self.problem, state, folder)
            tracker.finish(state)
            journal.close()
        if not code and not (written and state.executable()):
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
            await study.watch()
        except BaseExceptionGroup as errors:
            raise first(errors) from None
        if lost := study.searching.lost | study.holdout.lost:
            id, cause = next(iter(lost.items()))
            if len(lost) == 1:
                raise RunStopped(
                    f"the evaluation {id} came to nothing for no fault of its own ({cause}); a resumed run tries it again"
                )
            raise RunStopped(
                f"{len(lost)} evaluations came to nothing for no fault of theirs, first {id} ({cause}); "
                "a resumed run tries them again"
            )
        return exhausted

    async def _reference(self, study: Study, progress: Progress) -> None:
        await study.reference()
        if self.config["executor"]["wall_s"] is None:
            study.searching.limits = study.patience(PATIENCE, CANDIDATE_SECONDS)
        progress.stage("searching")

    def _model(self, folder: Path, state: RunState, progress: Progress) -> tuple[CompletionStore, LLMClient]:
        replaying = self.llm.provider == "replay"
        path = self.recorded if replaying else folder / "completions.jsonl"
        store = CompletionStore(path, read_only=replaying)
        budget = self.budget()
        if not replaying:
            totals = store.totals
            progress.say(totals.at_a_kill)
            budget.restore(
                usd=totals.cost_usd,
                tokens=totals.tokens_in + totals.tokens_out,
                minutes=state.seconds / 60,
                calls=totals.calls,
            )
        transport = None
        if self.llm.provider == "inbox":
            from metamuse.llm.inbox import InboxTransport

            transport = InboxTransport(folder, functools.partial(progress.waits, folder))
        return store, LLMClient(self.llm, store, budget, transport=transport, memory=self._memory())

    def _memory(self) -> Memory | None:
        """Observations of earlier runs, where asking costs somebody something."""
        asks = self.llm.provider not in ("offline", "replay")
        return Memory(self.root / "observations.jsonl") if asks and self.config["stimuli"]["reuse"] else None

    def proposer(self, state: RunState) -> Callable[[Waypoints], Proposer]:
        """What makes the configured proposer, once the state knows the feedback workloads and the reference."""

        def make(waypoints: Waypoints) -> Proposer:
            reference = self.problem.reference
            founder = Program(reference, self.problem.baselines[reference], 0.0)
            if self.incumbent is not None:
                founder = Program("incumbent", self.incumbent, None)
            n = len(state.workloads["feedback"])
            strategy = functools.partial(make_strategy, self.config, self.dictionary, self.problem, n)
            return proposers.make_proposer(self.config, waypoints, state, self.dictionary, strategy, founder)

        return make

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


async def _after(first: asyncio.Task[None], then: Coroutine[Any, Any, None]) -> None:
    try:
        await asyncio.shield(first)
    except BaseException:
        then.close()  # it never began
        raise
    await then
