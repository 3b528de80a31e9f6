"""``validate problem=…``: measure the acceptance claims of a problem's simulator against its sources."""

from __future__ import annotations

import json
import math
import sys
import textwrap
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metamuse import config
from metamuse.cli import Invocation
from metamuse.cli.tables import table
from metamuse.errors import UsageError

if TYPE_CHECKING:
    from problems.claims import Bench, Claim, Measured

#: Seconds between two lines of progress where they cannot be written over one another.
_LINE_SECONDS = 10.0


def run(invocation: Invocation) -> int:
    """Measure the claims and print them; 1 if one does not hold."""
    settings = config.compose(invocation.overrides)
    from metamuse.bench import WorkerBench
    from metamuse.build import cache_folder, make_problem
    from problems.claims import claims_of

    problem = make_problem(settings)
    quick = config.switch(settings, "quick")
    claims = chosen(claims_of(problem, quick), settings["claims"], problem.name)
    progress = _Progress(quiet=invocation.quiet or bool(settings["quiet"]))
    workers = config.workers(settings)
    findings = []
    with WorkerBench(problem, settings["problem"], workers, progress.calls, cache_folder()) as bench:
        for number, claim in enumerate(claims, 1):
            progress.claim(f"{claim.id} ({number} of {len(claims)})")
            findings.append(measure(claim, bench))
            progress.say(findings[-1].verdict)
    if invocation.json:
        head = {"problem": problem.version, "quick": quick}
        print(json.dumps(head | {"claims": [finding.as_json() for finding in findings]}))
    else:
        print(text(problem.version, findings, quick))
    return 0 if all(finding.holds for finding in findings) else 1


@dataclass(frozen=True)
class Finding:
    """A claim, and what came of measuring it.

    Attributes:
        claim: The claim.
        measured: What came out; None if the measurement failed.
        fault: Why it failed.
    """

    claim: Claim
    measured: Measured | None
    fault: str = ""

    @property
    def holds(self) -> bool:
        """Whether the claim was measured and holds."""
        return self.measured is not None and self.claim.holds(self.measured)

    @property
    def verdict(self) -> str:
        """One line for the progress."""
        value = _number(None if self.measured is None else self.measured.value)
        return f"{self.claim.id} {'holds' if self.holds else 'FAILS'}: {value or self.fault}"

    @property
    def analysis(self) -> str:
        """What the claim or its measurement says of the outcome."""
        return (self.measured.analysis if self.measured else "") or self.claim.analysis

    def as_json(self) -> dict[str, Any]:
        """Plain values; numbers that are not finite become null, as JSON has none."""
        claim = self.claim
        out: dict[str, Any] = {"id": claim.id, "text": claim.text, "value": None}
        out |= {"low": claim.low, "high": claim.high, "holds": self.holds, "source": claim.source}
        out |= {"kind": claim.kind, "analysis": self.analysis}
        if self.measured is None:
            return out | {"fault": self.fault}
        out["value"] = _finite(self.measured.value)
        out["demands"] = [
            {"text": d.text, "value": _finite(d.value), "low": d.low, "high": d.high, "holds": d.holds}
            for d in self.measured.demands
        ]
        return out | {"figures": {name: _finite(value) for name, value in self.measured.figures.items()}}


def chosen(claims: Sequence[Claim], wanted: Any, problem: str) -> list[Claim]:
    """The claims that ``claims=`` names, all of them if it names none.

    Raises:
        UsageError: There are no claims, or none of a name.
    """
    if not claims:
        raise UsageError(
            f"problem={problem} offers no claims to validate; docs/validate.md says how to add some."
        )
    if wanted is None:
        return list(claims)
    names = wanted if isinstance(wanted, list) else [name.strip() for name in str(wanted).split(",")]
    known = {claim.id: claim for claim in claims}
    for name in names:
        if str(name) not in known:
            raise UsageError(f"claims={name}: there is no such claim; there are {', '.join(known)}.")
    return [claim for claim in claims if claim.id in map(str, names)]


def measure(claim: Claim, bench: Bench) -> Finding:
    """Measure one claim; a measurement that fails is a finding, so that the others are measured too."""
    try:
        return Finding(claim, claim.measure(bench))
    except Exception as error:  # whatever the simulator raises is what the command is there to find
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Finding(
            claim, None, f"{type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
        )


def text(version: str, findings: Sequence[Finding], quick: bool) -> str:
    """The table for a person, what lies behind each claim, and the verdict."""
    body = []
    for finding in findings:
        claim = finding.claim
        value = None if finding.measured is None else finding.measured.value
        mark = "holds" if finding.holds else "FAILS"
        body.append([claim.id, mark, claim.kind, _number(value), _bounds(claim.low, claim.high)])
        body[-1].append(textwrap.shorten(claim.text, 72, placeholder=" …"))
    parts = [table(["claim", "", "kind", "value", "holds within", ""], body, {3})]
    parts += ["\n".join(_behind(finding)) for finding in findings]
    failed = [finding.claim for finding in findings if not finding.holds]
    verdict = f"{version}: all {len(findings)} claims hold"
    if failed:
        names = ", ".join(f"{claim.id} ({claim.kind})" for claim in failed)
        verdict = f"{version}: {len(failed)} of {len(findings)} claims fail: {names}"
    if quick:
        verdict += "\nThis was the short form (quick=true); the simulator is accepted by the long one only."
    return "\n\n".join([*parts, verdict])


def _behind(finding: Finding) -> list[str]:
    claim = finding.claim
    lines = _filled(f"{claim.id}  {claim.text}", "    ") + _filled(f"    source: {claim.source}")
    if finding.measured is None:
        return lines + _filled(f"    could not be measured: {finding.fault}")
    for demand in finding.measured.demands:
        mark = "holds" if demand.holds else "FAILS"
        bounds = _bounds(demand.low, demand.high)
        lines += _filled(f"    {mark}: {demand.text}: {_number(demand.value)} (within {bounds})")
    if finding.measured.figures:
        figures = "; ".join(f"{name} {_number(value)}" for name, value in finding.measured.figures.items())
        lines += _filled(f"    {figures}")
    if finding.analysis:
        lines += _filled(f"    {finding.analysis}")
    return lines


def _filled(line: str, indent: str = "      ") -> list[str]:
    return textwrap.wrap(line, 110, subsequent_indent=indent, drop_whitespace=True)


def _bounds(low: float | None, high: float | None) -> str:
    if low is not None and low == high:
        return f"= {_number(low)}"
    if low is None or high is None:
        return f"<= {_number(high)}" if low is None else f">= {_number(low)}"
    return f"{_number(low)} .. {_number(high)}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


class _Progress:
    """Says on standard error how far the measurement is: one line that changes in a terminal, else a line now and then."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.live = sys.stderr.isatty()
        self.began = time.monotonic()
        self._claim = ""
        self._last = self.began

    def claim(self, text: str) -> None:
        """A claim is measured now."""
        self._claim = text
        self.say(f"measuring {text}", passing=True)

    def calls(self, done: int, total: int) -> None:
        """So many of the calls of the claim's current step are done."""
        now = time.monotonic()
        if self.live or now - self._last >= _LINE_SECONDS:
            self._last = now
            self.say(f"measuring {self._claim}: {done} of {total} runs", passing=True)

    def say(self, what: str, passing: bool = False) -> None:
        """Print a line; a passing one is written over in a terminal."""
        if self.quiet:
            return
        start, end = ("\r\x1b[K", "" if passing else "\n") if self.live else ("", "\n")
        print(f"{start}{time.monotonic() - self.began:6.1f} s  {what}", end=end, file=sys.stderr, flush=True)
