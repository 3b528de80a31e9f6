"""``new problem=<name>``: the files of a new problem, ready to run."""

from __future__ import annotations

import json
from pathlib import Path

import problems
from metamuse import config, scaffold
from metamuse.cli import Invocation
from metamuse.errors import UsageError


def run(invocation: Invocation) -> int:
    """Write the files and say what to do with them."""
    names = [o.partition("=")[2] for o in invocation.overrides if o.startswith("problem=")]
    # The problem does not exist yet, so Hydra may not see its name.
    settings = config.compose([o for o in invocation.overrides if not o.startswith("problem=")])
    if len(names) != 1:
        raise UsageError("new needs problem=<name>, the name of the problem that it is to make.")
    name = scaffold.checked(names[0])
    root = Path(problems.__file__ or "").parents[1] if settings["out"] is None else Path(str(settings["out"]))
    written = scaffold.write(name, root)
    if invocation.json:
        print(json.dumps({"problem": name, "files": [str(path) for path in written]}))
        return 0
    for path in written:
        print(f"  {path}")
    print(
        f"\nThe problem {name} is there and runs:\n"
        f"  python -m metamuse check problem={name}\n"
        f"  python -m metamuse problem={name} solutions=8\n"
        "Now make it yours: docs/add-a-problem.md."
    )
    return 0
