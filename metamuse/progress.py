"""What a person sees of a run while it goes on, and at its end.

In a terminal a live view; elsewhere (a pipe, a log, ``NO_COLOR``, ``TERM=dumb``) a line now and then. With
``quiet`` nothing is written to standard output.
"""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from metamuse import ranking, rundir
from metamuse.cli.tables import table
from metamuse.errors import tell
from metamuse.llm.inbox_ledger import label
from metamuse.report.verdict import decisive_set, gain_label, verdict
from metamuse.state import RunState
from metamuse.tally import Tally
from problems.base import Problem

#: A plain line is due after this share of the solutions, or after this many seconds if anything changed.
LINE_SHARE = 0.05
LINE_SECONDS = 10.0
TOP = 5
#: Prompts that wait are told by number up to this many.
SHOWN_NUMBERS = 4
#: Sentences are broken at this many characters, or at the terminal's width.
WIDTH = 100


class Progress:
    """Shows how far a search is.

    :meth:`update` is called by the loop after every event and only takes notes; the live view draws itself in a
    thread of its own, from these notes.

    Args:
        problem: What is searched for.
        total: Solutions asked for.
        quiet: Show nothing.
        console: Where to; standard output if None.
    """

    def __init__(
        self, problem: Problem, total: int, quiet: bool = False, console: Console | None = None
    ) -> None:
        self.problem = problem
        self.total = total
        self.quiet = quiet
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.live = not quiet and self.console.is_terminal and not _plain_terminal()
        self.tally = Tally(problem)
        self._stage = ""
        self._began = time.monotonic()
        self._calls = 0
        self._provider = ""
        self._waiting = ""
        self._rival: tuple[str, float] | None = None
        self._entries = 0
        self._searching: tuple[float, int] | None = None
        self._last_line = (self._began, 0)
        self._view: Live | None = None
        self._told = False

    # -- told by the run

    def stage(self, text: str) -> None:
        """Say what happens now."""
        if text == self._stage:
            return
        self._stage = text
        if self.quiet or self._view is not None:
            return
        if self.live:
            self.console.print(Text(f"{text} …", style="dim"))
        else:
            self._print(f"[{_clock(time.monotonic() - self._began)}] {text}")

    def say(self, sentence: str) -> None:
        """Say something that stays on the screen, if there is anything to say."""
        if sentence and not self.quiet:
            self._print(sentence)

    def __enter__(self) -> Progress:
        if self.live:
            self._view = Live(
                get_renderable=self._render, console=self.console, refresh_per_second=4, transient=False
            )
            self._view.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the live view; its last state stays on the screen."""
        if self._view is not None:
            self._view.stop()
            self._view = None

    def update(self, state: RunState) -> None:
        """Take notes of what is new in the state."""
        if self.quiet:
            return
        if len(state.entries) + len(state.tuned) != self._entries:
            self._note_rivals(state)
        for call in state.calls[self._calls :]:
            self.tally.add_call(call)
        self._calls = len(state.calls)
        # Solutions are counted as they finish; the count of record takes them in their logical order.
        news = len(state.solutions) - self.tally.done
        for entry in reversed(list(islice(reversed(state.solutions.values()), news))):
            self.tally.add(state, entry)
        if self._searching is None and self._calls:
            self._searching = (time.monotonic(), self.tally.done)
        if not self.live:
            self._maybe_line()

    def _note_rivals(self, state: RunState) -> None:
        self._entries = len(state.entries) + len(state.tuned)
        self._provider = state.config.get("llm", {}).get("provider", "")
        rival = ranking.best_baseline(self.problem, state)
        gain = None if rival is None else ranking.mean_gain(self.problem, state, rival, "validation")
        if rival is not None and gain is not None:
            self._rival = (rival.id, gain)

    def waits(self, folder: Path, numbers: Sequence[int]) -> None:
        """Say which prompts of a run wait for a person (``llm=inbox``); also to one who asked for quiet, once."""
        before, self._waiting = self._waiting, waiting(folder, numbers)
        if self.quiet:
            if numbers and not self._told:
                self._told = True
                tell(f"{self._waiting}.")
        elif not self.live and self._waiting != before:
            clock = _clock(time.monotonic() - self._began)
            self._print(f"[{clock}] {self._waiting or 'no prompt waits for an answer'}")

    # -- what is shown

    def _render(self) -> Group:
        head = Text.assemble(("metamuse ", "bold"), (self.problem.version, "bold cyan"))
        if self._provider == "offline":
            head.append("  offline composer, not an LLM", "dim")
        head.append(f"\n{self._stage}", "dim")
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            ProgressBar(total=self.total, completed=self.tally.done, width=36),
            f"{self.tally.done}/{self.total}",
            Text(self._time(), "dim"),
        )
        facts = Table.grid(padding=(0, 2))
        facts.add_column(style="dim", no_wrap=True)
        facts.add_column()
        facts.add_row("solutions", self._counts())
        facts.add_row("best", Text(self._best(), "bold" if self.tally.best else ""))
        facts.add_row("to beat", self._to_beat())
        facts.add_row("cost", self._cost())
        if self._waiting:
            facts.add_row("your turn", Text(self._waiting, "bold yellow"))
        return Group(head, bar, facts)

    def _maybe_line(self) -> None:
        at, done = self._last_line
        now = time.monotonic()
        news = self.tally.done - done
        last = self.tally.done == self.total
        if not news or (news < LINE_SHARE * self.total and now - at < LINE_SECONDS and not last):
            return
        self._last_line = (now, self.tally.done)
        rival = f" (best baseline {self._rival[0]} {self._rival[1]:+.2f} %)" if self._rival else ""
        self._print(
            f"[{_clock(now - self._began)}] {self.tally.done:>{len(str(self.total))}}/{self.total} done: {self._counts()};"
            f" best {self._best()}{rival}; {self._dollars()}{self._eta()}"
        )

    def _counts(self) -> str:
        tally = self.tally
        failed = ", ".join(f"{kind} {n}" for kind, n in sorted(tally.failed.items()))
        return f"{tally.executable} executable, {tally.distinct} distinct" + (
            f", failed: {failed}" if failed else ""
        )

    def _best(self) -> str:
        best, gain = self.tally.best, self.tally.best_gain
        if best is None or gain is None:
            return "none yet"
        return f"{best.id} {_cut(best.name, 40)} {gain:+.2f} %"

    def _to_beat(self) -> str:
        if self._rival is None:
            return "not known yet"
        return f"{self._rival[0]} {self._rival[1]:+.2f} % ({gain_label(self.problem)}, validation)"

    def _cost(self) -> str:
        return f"{self._dollars()}, {self.tally.calls:,} calls, {_thousands(self.tally.tokens)} tokens"

    def _dollars(self) -> str:
        if self._provider == "offline":
            return "free"
        if self.tally.cost_usd is None:
            return "not metered" if self._provider == "inbox" else "cost unknown"
        return f"${self.tally.cost_usd:.2f}"

    def _time(self) -> str:
        return f"{_clock(time.monotonic() - self._began)}{self._eta()}"

    def _eta(self) -> str:
        if self._searching is None:
            return ""
        began, before = self._searching
        made, left = self.tally.done - before, self.total - self.tally.done
        if made < 3 or left <= 0:
            return ""
        return f", about {_clock(left * (time.monotonic() - began) / made)} left"

    # -- the end

    def summary(self, state: RunState, folder: Path, reason: str) -> None:
        """Print what was found and where to look. Quiet runs only hear, on standard error, of an early end."""
        if self.quiet:
            if reason and reason != "done":
                print(f"metamuse: The run ended early: {reason}", file=sys.stderr)
            return
        for line in summary_lines(self.problem, state, folder, reason, min(self.console.width, WIDTH)):
            self._print(line)

    def _print(self, line: str) -> None:
        # No markup: names come from models. Long lines are the terminal's to break.
        self.console.print(line, markup=False, emoji=False, soft_wrap=True)


def summary_lines(
    problem: Problem, state: RunState, folder: Path, reason: str, width: int = WIDTH
) -> list[str]:
    """The final block: outcome, answer, small leaderboard, where to look."""
    done = state.executable()
    failed = ", ".join(f"{kind} {n}" for kind, n in state.failures().items())
    lines = [
        "",
        f"{len(state.solutions)} solutions, {len(done)} executable, {len(rundir.distinct_ids(state))} distinct"
        + (f" (failed: {failed})" if failed else ""),
    ]
    if reason and reason != "done":
        lines.append(f"The run ended early: {reason}")
    if state.spent is not None and state.spent.at_a_kill:
        lines.append(state.spent.at_a_kill)
    sentences = (
        textwrap.wrap(s, width, break_long_words=False, break_on_hyphens=False)
        for s in verdict(problem, state)
    )
    lines += ["", *chain.from_iterable(sentences), ""]
    rows = list(_rows(problem, state))
    if rows:
        lines.append(f"{gain_label(problem)}, % (mean over the workloads)")
        lines += table(["id", "name", "validation", "hold-out", "gap closed"], rows, {2, 3, 4}).splitlines()
        lines.append("")
    lines += [f"{what:<12} {where}" for what, where in _places(problem, state, folder).items()]
    return lines


def _rows(problem: Problem, state: RunState) -> list[list[str]]:
    baselines, bounds = state.rivals(), state.bounds()
    solutions = ranking.ranked(problem, state, state.contenders())[:TOP]
    which = decisive_set(problem, state, solutions[0]) if solutions else "validation"
    shown = [*solutions, *ranking.ranked(problem, state, baselines)[:TOP], *bounds]
    rows = []
    for entry in ranking.ranked(problem, state, shown):
        gains = [ranking.mean_gain(problem, state, entry, s) for s in ("validation", "holdout")]
        closed = ranking.gap_closed(problem, state, entry, which)
        name = _cut(entry.name, 40) if entry.discovered else f"({entry.kind})"
        rows.append(
            [
                entry.id,
                name,
                *("" if g is None else f"{g:+.2f}" for g in gains),
                "" if closed is None else f"{closed:.0f} %",
            ]
        )
    return rows


def _places(problem: Problem, state: RunState, folder: Path) -> dict[str, str]:
    best = ranking.best(problem, state)
    places = {"report": f"{folder / 'report.html'}", "leaderboard": f"{folder / 'leaderboard.csv'}"}
    if best is not None:
        places["policy"] = f"{folder / 'solutions' / best.id / 'policy.py'}"
    if state.config.get("tracking", {}).get("name") == "mlflow":
        places["MLflow"] = "python -m metamuse ui"
    if state.ended != "done":
        places["go on"] = f"python -m metamuse resume run={folder}"
    return places


def waiting(folder: Path, numbers: Sequence[int]) -> str:
    """What waits in a run's inbox, "" if nothing does."""
    if not numbers:
        return ""
    which = ", ".join(label(n) for n in numbers[:SHOWN_NUMBERS])
    which += ", …" if len(numbers) > SHOWN_NUMBERS else ""
    what = "1 prompt waits" if len(numbers) == 1 else f"{len(numbers)} prompts wait"
    return f"{what} in {folder / 'inbox'} ({which})"


def _plain_terminal() -> bool:
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "") in ("dumb", "")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _thousands(n: int) -> str:
    return f"{n:,}" if n < 10_000 else f"{n / 1000:,.0f}k"


def _cut(text: str, length: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
