"""Numba's cache on disk, made aware of constants.

Numba keeps a compiled function as long as the file it stands in is unchanged; constants and functions that the file
imports are compiled in, and a change of those goes unnoticed. So only entry points are cached, and each closes over
:data:`STAMP`: what a function closes over belongs to the key of its cache.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from numba import njit

_FILES = (
    "calendar",
    "captain",
    "contract",
    "histogram",
    "kernel",
    "layout",
    "quota",
    "sampling",
    "simulator",
)


def _stamp() -> int:
    folder = Path(__file__).parent
    sha = hashlib.sha256()
    for name in _FILES:
        sha.update((folder / f"{name}.py").read_bytes())
    return int.from_bytes(sha.digest()[:7], "big") | 1


#: Of all that is compiled here.
STAMP = _stamp()

#: Numba counts references to arrays at every call, hundreds of atomic operations an event, though none of the arrays here
#: is made or dropped in compiled code; without its runtime there is nothing to count. Worth a factor of two.
_UNCOUNTED = {"_nrt": False, "error_model": "numpy"}

#: For an event loop.
uncounted = njit(**_UNCOUNTED)

#: For what is called at every event: arrays are many words, and passing them would cost more than the function.
inlined = njit(forceinline=True, **_UNCOUNTED)
