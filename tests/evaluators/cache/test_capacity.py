"""Capacities: what is read, what it means for a trace, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.cache.capacity import CapacityError, parse_capacity
from evaluators.cache.trace import Trace

SIZED = Trace.from_keys("t", np.arange(1000), np.arange(1, 1001))
PLAIN = Trace.from_keys("t", np.arange(1000))


@pytest.mark.parametrize(
    ("spec", "objects"),
    [
        (0.1, 100),
        ("0.1", 100),
        ("10%", 100),
        (" 10 % ", 100),
        ("0.29", 290),
        (1.0, 1000),
        ("100%", 1000),
        ("1e-3", 1),
        ("0.0001", 1),  # floors to 0, so at least 1
        (1, 1),
        ("25", 25),
        ("1_000", 1000),
        (".5", 500),
    ],
)
def test_shares_and_counts_in_objects(spec: str | int | float, objects: int) -> None:
    assert PLAIN.capacity(spec, "unit") == objects


@pytest.mark.parametrize(
    ("spec", "n_bytes"),
    [
        ("512MiB", 512 * 2**20),
        ("2gb", 2 * 10**9),
        ("1.5 KiB", 1536),
        ("77B", 77),
        ("10%", 50050),
        (0.5, 250250),
    ],
)
def test_shares_and_bytes_in_bytes(spec: str | float, n_bytes: int) -> None:
    assert SIZED.capacity(spec, "bytes") == n_bytes


@given(st.integers(1, 100), st.integers(1, 10**6))
def test_percentages_are_exact(percent: int, n_objects: int) -> None:
    capacity = parse_capacity(f"{percent}%").resolve("unit", n_objects=n_objects, footprint=0)
    assert capacity == max(1, percent * n_objects // 100)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("", "not a positive number"),
        ("-5", "not a positive number"),
        (-0.1, "not a positive number"),
        ("nan", "not a positive number"),
        ("many", "not a positive number"),
        ("0", "above zero"),
        (0.0, "above zero"),
        ("2.5", "above 100%"),
        ("101%", "above 100%"),
        ("10 apples", "unknown unit 'apples'"),
        ("1,000", "unknown unit ',000'"),
        ("0.1B", "less than one byte"),
        (True, "not a number or text"),
        (None, "not a number or text"),
    ],
)
def test_malformed_capacities(spec: object, why: str) -> None:
    with pytest.raises(CapacityError, match=why):
        parse_capacity(spec)  # type: ignore[arg-type]


def test_capacity_must_fit_the_size_mode() -> None:
    with pytest.raises(CapacityError, match="in bytes, but sizes are ignored"):
        SIZED.capacity("512MiB", "unit")
    with pytest.raises(CapacityError, match="number of objects, but sizes count"):
        SIZED.capacity(100, "bytes")
    with pytest.raises(CapacityError, match="needs a trace with sizes"):
        PLAIN.capacity("10%", "bytes")
    with pytest.raises(CapacityError, match="unknown size mode"):
        PLAIN.capacity("10%", "pages")  # type: ignore[arg-type]
