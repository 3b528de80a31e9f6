"""Numba's cache on disk, made aware of what is compiled in.

Numba looks at the file of a function alone to see whether what it cached is outdated, not at what that file imports; so the
name that an entry point is cached under depends on the text of every module with compiled functions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from evaluators.dex.memory import OPTIONS


def _stamp() -> str:
    folder = Path(__file__).parent
    texts = [
        (folder / "../digest.py").read_bytes(),
        *(path.read_bytes() for path in sorted(folder.glob("*.py"))),
    ]
    return hashlib.sha256(b"|".join(texts)).hexdigest()[:16]


_STAMP = _stamp()


def cached(function: Callable[..., Any]) -> Any:
    """An entry point, compiled when it is first called and then kept on disk."""
    function.__qualname__ = f"{function.__name__.strip('_')}_{_STAMP}"
    return njit(cache=True, **OPTIONS)(function)
