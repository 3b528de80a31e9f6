"""The answers of the model, kept by the hundred thousand: by columns, some 100 bytes each."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from typing import Any, overload


class CallLog(Sequence[dict[str, Any]]):
    """One record an LLM call: ``at key purpose model tokens_in tokens_out cost_usd latency_s cached``.

    A record that is read is a copy.
    """

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._kinds: list[tuple[str, str]] = []
        self._tokens_in = array("q")
        self._tokens_out = array("q")
        self._latency = array("d")
        self._at = array("d")
        self._cost = array("d")  # not a number: unknown
        self._cached = bytearray()

    def append(self, call: Mapping[str, Any]) -> None:
        """Take in one record."""
        kind = (call["purpose"], call["model"])
        self._keys.append(call["key"])
        self._kinds.append(self._names.setdefault(kind, kind))
        self._tokens_in.append(call["tokens_in"])
        self._tokens_out.append(call["tokens_out"])
        self._latency.append(call["latency_s"])
        self._at.append(call["at"])
        self._cost.append(math.nan if call["cost_usd"] is None else call["cost_usd"])
        self._cached.append(bool(call["cached"]))

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        purpose, model = self._kinds[index]
        cost = self._cost[index]
        return {
            "at": self._at[index],
            "key": self._keys[index],
            "purpose": purpose,
            "model": model,
            "tokens_in": self._tokens_in[index],
            "tokens_out": self._tokens_out[index],
            "cost_usd": None if math.isnan(cost) else cost,
            "latency_s": self._latency[index],
            "cached": bool(self._cached[index]),
        }
