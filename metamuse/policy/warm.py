"""Compiles what every candidate may use, once, before any candidate is forked off."""

from __future__ import annotations

import inspect
from typing import Any

import numba
from numba.core import types

import metamuse.policykit
from metamuse.policy import intrinsics
from metamuse.policy.compiled import kit_functions
from metamuse.policy.lower import lower_kit
from metamuse.policy.slab import slab_type

_KINDS = {"int": types.int64, "float": types.float64}


def warm_kits() -> None:
    """Compile every public method of the policykit structures for its annotated argument types."""
    for name in metamuse.policykit.__all__:
        cls = getattr(metamuse.policykit, name)
        if not inspect.isclass(cls):
            continue
        _, layout = lower_kit(name)
        instance = cls(*([4] * _required(cls)))
        state: Any = slab_type(numba.typeof(layout.pack(instance, {})))
        functions = kit_functions(name)
        for method, function in vars(cls).items():
            if not inspect.isfunction(function) or method == "__init__":
                continue
            parameters = list(inspect.signature(function).parameters.values())[1:]
            signature = (state, *(_KINDS[str(p.annotation)] for p in parameters))
            functions[f"{name}__{method}"].compile(signature)
            functions[f"{name}__{method}"].disable_compile()
    intrinsics.hash64.compile((types.int64, types.int64))
    intrinsics.np_sum.compile((types.Array(types.float64, 1, "C"),))


def _required(cls: type) -> int:
    parameters = inspect.signature(cls).parameters.values()
    return sum(p.default is p.empty for p in parameters)
