"""``discover``: search for a policy."""

from __future__ import annotations

import json
import sys

from metamuse import config
from metamuse.cli import Invocation


def run(invocation: Invocation) -> int:
    """Begin a run and carry it through."""
    settings = config.compose(invocation.overrides)
    from metamuse.run import Run

    work = Run(settings, quiet=invocation.quiet or invocation.json or bool(settings["quiet"]))
    if settings["dry_run"]:
        from metamuse.estimate import dry_run, sentences

        figures = dry_run(work)
        print(json.dumps(figures) if invocation.json else sentences(figures))
        return 0
    code = work()
    if invocation.json and work.folder is not None:
        sys.stdout.write((work.folder / "summary.json").read_text(encoding="utf-8"))
    return code
