"""``export run=… target=… out=…``: production code of a policy, with a proof that it decides the same."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from metamuse import config, rundir
from metamuse.cli import Invocation
from metamuse.errors import UsageError


def run(invocation: Invocation) -> int:
    """Export a policy; 1 if that cannot be done, or if the export does not decide as the policy."""
    settings = config.compose(invocation.overrides)
    if (settings["run"] is None) == (settings["policy"] is None):
        raise UsageError(
            "export needs run=<path or name of a run, or latest>, or policy=<baseline or file>; target=<one of "
            f"{_targets(settings)}>; and out=<folder>."
        )
    if settings["out"] is None:
        raise UsageError("export needs out=<folder>.")
    from metamuse.export.base import exporter_for
    from metamuse.export.package import ExportFailedError, check_out, export
    from metamuse.export.subject import of_file, of_run

    out = Path(str(settings["out"])).absolute()
    check_out(out, config.switch(settings, "overwrite"))
    if settings["run"] is None:
        exporter = exporter_for(settings["target"], str(settings["problem"]["name"]))
        subject = of_file(settings)
    else:
        folder = rundir.find(Path(settings["root"]), str(settings["run"]), invocation.problem)
        name = str(rundir.recorded_config(folder)["problem"]["name"])
        exporter = exporter_for(settings["target"], name)
        subject = of_run(folder, str(settings["solution"] or "best"))
    try:
        made = export(settings, subject, exporter, out)
    except ExportFailedError as error:
        print(f"metamuse: {subject.id} was not exported: {error}", file=sys.stderr)
        return 1
    if invocation.json:
        print(
            json.dumps(
                {
                    "problem": subject.problem.version,
                    "solution": subject.id,
                    "target": exporter.name,
                    "out": str(made.out),
                    "package": made.package,
                    "decisions": made.decisions,
                    "us_per_decision": round(made.us, 3),
                    "files": made.files,
                    "refused": made.refused,
                }
            )
        )
        return 0
    print(f"{subject.title}: target={exporter.name} in {made.out}")
    print(
        f"{made.decisions:,} golden decisions are equal, {made.us:.2f} µs each; read {made.out / 'README.md'}"
    )
    return 0


def _targets(settings: dict[str, Any]) -> str:
    """All targets that there are for the problem, as a sentence has them."""
    from metamuse.export.base import exporters, fits

    problem = str(settings["problem"]["name"])
    return f"{', '.join(n for n, e in exporters().items() if fits(e, problem)) or 'none yet'} for problem={problem}"
