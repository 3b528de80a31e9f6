"""``check problem=…``: put a problem through the contract suite."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any

from metamuse import config
from metamuse.cli import Invocation
from metamuse.errors import UsageError


def run(invocation: Invocation) -> int:
    """Print every finding, and say by the exit code whether all checks hold."""
    settings = config.compose(invocation.overrides)
    return asyncio.run(_check(settings, plain=not invocation.json))


async def _check(settings: dict[str, Any], plain: bool) -> int:
    from metamuse.build import make_problem
    from metamuse.checking.finding import Finding, found
    from metamuse.checking.suite import check

    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        if plain:
            _print(finding)

    version = str(settings["problem"]["name"])
    text = "The problem and everything it is made of can be loaded and tried."
    try:
        problem = make_problem(settings)
        version = problem.version
        tell(found("loads", text, []))
        async for finding in check(problem, settings):
            tell(finding)
    except UsageError:
        raise
    except Exception as error:  # whatever a problem's own code raises is what the command is there to find
        where = traceback.extract_tb(error.__traceback__)[-1]
        fault = f"{type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
        tell(found("loads" if not findings else "completes", text, [fault]))
    failed = [finding.id for finding in findings if not finding.holds]
    if plain:
        verdict = (
            f"{len(failed)} of {len(findings)} checks fail: {', '.join(failed)}"
            if failed
            else (f"all {len(findings)} checks hold")
        )
        print(f"\n{version}: {verdict}")
    else:
        print(json.dumps({"problem": version, "checks": [finding.as_json() for finding in findings]}))
    return 1 if failed else 0


def _print(finding: Any) -> None:
    skipped = finding.message.startswith("not applicable")
    mark = ("-" if skipped else "ok") if finding.holds else "FAILS"
    print(f"{mark:<6}{finding.id:<18}{finding.text}", flush=True)
    if finding.message:
        print(f"{'':<24}{finding.message}")
    if finding.id == "speed":
        for name, value in finding.figures.items():
            print(f"{'':<24}{name}: {value}")
