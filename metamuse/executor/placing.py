"""What a scoring process loads, as bytes: loaded once by the hub's side, handed to the nodes of a cluster.

The bytes are a pickle of the hub's own objects. They travel inside the cluster only and hold nothing that a
candidate wrote.
"""

from __future__ import annotations

import importlib
import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np


def load(entry: str, config: dict[str, Any]) -> bytes | None:
    """What the module of an entry loads from files or generates; None if the nodes have to do that.

    That is so where the module has no function ``place``, or that returns None.

    Args:
        entry: ``module:function``, see :class:`metamuse.executor.local.LocalExecutor`.
        config: The function's argument.
    """
    place = getattr(importlib.import_module(entry.partition(":")[0]), "place", None)
    data = None if place is None else place(config)
    return None if data is None else pack(data)


def pack(data: Any) -> bytes:
    """Objects as bytes; arrays that may not be written to stay so."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(data)
    return buffer.getvalue()


def unpack(path: Path) -> Any:
    """What was packed into a file."""
    with path.open("rb") as file:
        return pickle.load(file)


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is np.ndarray and not obj.flags.writeable and not obj.dtype.hasobject:
            return _read_only, (obj.copy(),)
        return NotImplemented


def _read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Pickling forgets it, and compiled simulators are compiled for arrays that are read only."""
    array.flags.writeable = False
    return array
