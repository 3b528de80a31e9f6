"""Compiles what every candidate may use, once, before any candidate is forked off."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterable
from typing import Any

import numba
from numba.core import types

import metamuse.policykit
from metamuse.policy import intrinsics
from metamuse.policy.compiled import kit_functions
from metamuse.policy.lower import lower_kit
from metamuse.policy.slab import slab_type

_KINDS = {"int": types.int64, "float": types.float64}


def warm_kits(sources: Iterable[str]) -> None:
    """Compile the policykit structures that likely candidates use, for the annotated argument types.

    Args:
        sources: Policies of the problem: what none of them uses is left to the candidate that does.

    Their machine code is kept between runs where a folder is named for it (``NUMBA_CACHE_DIR``): beside the sources Numba
    would go on with it when the lowering has changed (:func:`metamuse.build.cache_folder` has one for each state).
    """
    keep = "NUMBA_CACHE_DIR" in os.environ
    used = set(re.findall(r"\w+", "\n".join(sources)))
    for name in metamuse.policykit.__all__:
        cls = getattr(metamuse.policykit, name)
        if name not in used or not inspect.isclass(cls):
            continue
        lowered, layout = lower_kit(name)
        instance = cls(*([4] * _required(cls)))
        state: Any = slab_type(numba.typeof(layout.pack(instance, {})))
        functions = kit_functions(name)
        if keep:
            for method in lowered.functions:
                functions[method].enable_caching()
        for method in lowered.functions:
            parameters = inspect.signature(getattr(cls, method.removeprefix(f"{name}__"))).parameters
            kinds = [_KINDS[str(p.annotation)] for p in list(parameters.values())[1:]]
            functions[method].compile((state, *kinds))
            functions[method].disable_compile()
    intrinsics.hash64.compile((types.int64, types.int64))
    intrinsics.np_sum.compile((types.Array(types.float64, 1, "C"),))


def _required(cls: type) -> int:
    parameters = inspect.signature(cls).parameters.values()
    return sum(p.default is p.empty for p in parameters)
