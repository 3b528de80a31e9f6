"""Keeps the text of loaded modules in memory, for code that is looked at where no file can be opened."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Collection


def keep(packages: Collection[str]) -> None:
    """Have ``inspect`` and tracebacks find the sources of these top-level packages without reading files.

    Classes of the policy kit are translated from their source; without this, only those that happened to be
    translated before the fork could be used. An entry without a modification time is never checked again.
    """
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] not in packages or not file:
            continue
        lines = linecache.getlines(file)
        if lines:
            linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
