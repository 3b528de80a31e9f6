"""Finds the key, size and time columns of a table by name, by alias or by position."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluators.base import WorkloadError

ROLES = ("key", "size", "time")

# Names in use by libCacheSim, block traces, CDN and key-value logs; compared in lower case.
ALIASES: dict[str, frozenset[str]] = {
    "key": frozenset(
        "key obj_id objid object_id objectid object obj id item item_id lbn lba block block_id blockid page "
        "page_id address addr offset url uri path cache_key cachekey hash".split()
    ),
    "size": frozenset("size obj_size objsize object_size objectsize bytes nbytes length len".split()),
    "time": frozenset("time timestamp ts clock_time clock".split()),
}


def check_columns(columns: Mapping[str, str | int] | None) -> dict[str, str | int]:
    """Returns the user's choice of columns as a dict.

    Raises:
        WorkloadError: A role other than key, size or time, or a column that is neither name nor position.
    """
    chosen = dict(columns or {})
    for role, column in chosen.items():
        if role not in ROLES:
            raise WorkloadError(f"columns: unknown role {role!r}; the roles are {', '.join(ROLES)}")
        if isinstance(column, bool) or not isinstance(column, (str, int)):
            raise WorkloadError(f"columns: {role} is {column!r}; give a column's name or its position from 1")
    return chosen


def find_column(
    path: str, role: str, names: Sequence[str] | None, n_columns: int, chosen: Mapping[str, str | int]
) -> int:
    """Returns the 0-based position of the column that plays `role`.

    Args:
        path: The file, for messages.
        role: `key`, `size` or `time`.
        names: The column names, or None if the file has no header row.
        n_columns: Number of columns.
        chosen: The user's choice by role: a name, or a position counted from 1. It wins over the aliases.

    Raises:
        WorkloadError: No column plays the role, or several could.
    """
    present = f"{n_columns} columns without names" if names is None else f"the columns {_shown(names)}"
    if role in chosen:
        column = chosen[role]
        if isinstance(column, int):
            if not 1 <= column <= n_columns:
                raise WorkloadError(f"{path}: there is no column {column} for the {role}: it has {present}")
            return column - 1
        hits = [i for i, name in enumerate(names or ()) if name == column]
        hits = hits or [i for i, name in enumerate(names or ()) if name.lower() == column.lower()]
        if len(hits) == 1:
            return hits[0]
        what = "several columns are" if hits else "no column is"
        raise WorkloadError(f"{path}: {what} called {column!r} (for the {role}): it has {present}")
    if names is None:
        raise WorkloadError(
            f"{path}: the file has no header row; say which column is the {role} by its position from 1, "
            f"for example columns {{{role}: 1}}"
        )
    lowered = [name.lower() for name in names]
    hits = [i for i, name in enumerate(lowered) if name == role] or [
        i for i, name in enumerate(lowered) if name in ALIASES[role]
    ]
    if len(hits) == 1:
        return hits[0]
    if hits:
        several = ", ".join(names[i] for i in hits)
        raise WorkloadError(
            f"{path}: several columns could be the {role} ({several}); set columns {role}=NAME"
        )
    raise WorkloadError(f"{path}: no column is known as a {role}; set columns {role}=NAME: it has {present}")


def _shown(names: Sequence[str]) -> str:
    """The names for a message: short, and without control characters if the file is not text at all."""
    text = ", ".join(names)
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= 300 else text[:300] + " …"
