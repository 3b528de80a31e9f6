"""Settings that single commands read: given to another one they would do nothing, so they are refused there."""

from __future__ import annotations

from collections.abc import Sequence

from metamuse.config import near
from metamuse.errors import UsageError

#: Commands that read a setting; ``conf/config.yaml`` says the same in its comments.
OWN = {
    "policy": ("score", "export"),
    "workloads": ("score",),
    "solution": ("show", "export"),
    "target": ("export",),
    "overwrite": ("export", "score"),
    "port": ("ui",),
    "table": ("reproduce",),
    "traces": ("reproduce",),
    "arms": ("compare",),
    "seeds": ("compare",),
    "equal": ("compare",),
    "claims": ("validate",),
    "quick": ("validate",),
    "run": ("resume", "report", "compare", "export", "inbox", "show"),
    "prompt": ("inbox",),
    "answer": ("inbox",),
    "file": ("inbox",),
    "out": ("export", "new", "score"),
}


def check(command: str, overrides: Sequence[str]) -> None:
    """Refuse settings of other commands.

    Raises:
        UsageError: There is one.
    """
    for override in overrides:
        key = override.partition("=")[0].lstrip("+~")
        if key not in OWN or command in OWN[key]:
            continue
        if key == "run" and "llm=replay" in overrides:
            continue
        owners = OWN[key]
        others = owners[0] if len(owners) == 1 else f"{', '.join(owners[:-1])} and {owners[-1]}"
        meant = near(key, ("solutions", "seed", "budget")) if command == "discover" else ""
        raise UsageError(f"{key}= is a setting of {others}; {command} does not read it.{meant}")
