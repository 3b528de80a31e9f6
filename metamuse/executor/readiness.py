"""Readies a loaded process for children that can open no file."""

from __future__ import annotations

import gc
import importlib
import linecache
import sys
from collections.abc import Collection

#: Submodules that numpy imports only when they are first used.
_LATE_NUMPY = ("numpy.fft", "numpy.linalg", "numpy.ma", "numpy.polynomial", "numpy.random")


def make_ready(packages: Collection[str]) -> None:
    """Do now what libraries would do later through files.

    Args:
        packages: Top-level packages whose source code is looked at in children.
    """
    if "numpy" in sys.modules:
        for name in _LATE_NUMPY:
            importlib.import_module(name)
    if "numba" in sys.modules:
        _ready_numba()
    _keep_sources(packages)


def _keep_sources(packages: Collection[str]) -> None:
    """Have ``inspect`` and tracebacks find sources in memory.

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


def _ready_numba() -> None:
    """Compile something, which imports the rest of Numba; detach kernels from their caches on disk.

    A kernel that is first compiled in a child would look for such a cache and try to write it.
    """
    import numba
    from numba.core.dispatcher import Dispatcher

    numba.njit("int64(int64)")(_nothing)
    for thing in gc.get_objects():
        if issubclass(type(thing), Dispatcher):  # isinstance would ask dead weak references
            thing._cache.disable()


def _nothing(x: int) -> int:
    return x
