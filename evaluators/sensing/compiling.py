"""Numba's cache on disk, made aware of constants.

Numba keeps a compiled function as long as the file it stands in is unchanged; constants and functions that the file
imports are compiled in, and a change of those goes unnoticed. So the name a function is kept under depends on the text
of all modules that are compiled or hold constants of those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

_FILES = (
    "../addresses",
    "compiling",
    "field",
    "fixed",
    "kernel",
    "layout",
    "network",
    "noise",
    "oracle",
    "readings",
    "recovery",
    "scenario",
)


def _stamp() -> str:
    folder = Path(__file__).parent
    sha = hashlib.sha256()
    for name in _FILES:
        sha.update((folder / f"{name}.py").read_bytes())
    return sha.hexdigest()[:16]


#: Of all that is compiled here.
STAMP = _stamp()

#: For what is called within the kernel's loop: arrays are many words, and passing them, or counting references to them,
#: costs more than the functions (a factor of four in all).
inlined = njit(forceinline=True, _nrt=False, error_model="numpy")


def cached(function: Callable[..., Any]) -> Any:
    """The function, compiled when first called, once a machine."""
    function.__qualname__ = f"{function.__qualname__}_{STAMP}"
    return njit(cache=True, error_model="numpy")(function)
