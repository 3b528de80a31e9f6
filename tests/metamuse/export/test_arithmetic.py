"""Numbers of an exported policy are the machine's: at the edges of 64 bits, with floats, negative and at random."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from metamuse.export.c_module import c_files
from metamuse.policy.compiled import CompiledPolicy
from tests.metamuse.export import making

TEXT = """
import math
import numpy as np
from metamuse.policykit import Rng, hash64

SCALE = 0.75  # tune: 0.1..1.0
STEP = 3  # tune: 1..9
PAIR = (2, 5)


def mixed(a, b):
    return max(a, b) - 0.5


class Policy:
    def __init__(self, capacity, n_slots):
        self.x = 1
        self.f = 0.5
        self.b = False
        self.ints = np.zeros(8, dtype=np.int64)
        self.small = np.zeros(8, dtype=np.int16)
        self.floats = np.full(8, 2.5)
        self.flags = np.zeros(8, dtype=np.bool_)
        self.grid = np.zeros((3, 4))
        self.rng = Rng(7)

    def bump(self, by):
        self.x = self.x % 1000 + by
        return self.x

    def victim(self, slot, key, size, now):
        {body}
"""

BODIES = {
    "sum": "return key + key",
    "product": "return key * now",
    "ring": "return (key * 31 + size) * 17 - now",
    "difference": "return -key - size",
    "absolute": "return abs(key) - abs(now)",
    "cut before a division": "return (key + key) // 7",
    "cut before a comparison": "return int(key + key > key)",
    "floor division": "return key // (size % 11 + 1) + now // -3",
    "remainder": "return key % 7 + now % -5 + size % 97",
    "bits": "return (key & 255) | (now ^ 7) | ~size & 1023",
    "shifts": "return (key << 3) + (now >> 2) + (size << (now & 31)) + (key >> (now & 63))",
    "power": "return key ** 3 + (now % 5) ** (size % 4)",
    "hash": "return hash64(key, now) + hash64(size)",
    "division": "return int(float(key) / 3.0) + int(now / (size * size + 1.0))",
    "division of ints": "return int(1e6 * (key / (abs(now) % 5 + 1)) / 9.3e18)",
    "int against float": "return int(key > now * 1.5) + 2 * int(now < 0.5 * size) + 4 * int(float(key) == key)",
    "floats": "return int((now * 0.37 - size) // 1.5) + int(1000.0 * ((now * 0.11) % 3.0)) + int((now * -0.7) % -2.5)",
    "rounding": "return round(now * 0.25) + math.floor(size * -0.3) + math.ceil(now * 0.7) + math.trunc(size * -1.7)",
    "functions": "return int(1e5 * (math.exp(-abs(now) % 7) + math.log(abs(size) + 1.0) + math.sin(now) + math.atan2(now, size + 0.5)))",
    "powers of floats": "return int((abs(now) % 13 + 0.5) ** 1.7) + int(2.0 ** (size % 11 - 5) * 1e6)",
    "choice": "return (key if now > size else now) + (1 if self.b else 2)",
    "and, or": "return int((now or size) + (now and 3) + (size > 3 and now > 4 or key > 5))",
    "ints and floats meet": "return int(mixed(now, size * 0.5) + min(now, 2.5, size) + mixed(1.5, 2))",
    "a chain": "return int(-5 < now <= size) + int(0 < now < 10.5) * 2",
    "arrays": """self.ints[now & 7] += key
        self.floats[size & 7] *= 0.5
        self.floats[now & 7] += now
        self.small[size & 7] = now % 100
        self.flags[now & 7] = not self.flags[now & 7]
        self.grid[now % 3][size % 4] += 0.5
        self.grid[size % 3, now % 4] -= 1
        total = 0
        for i in range(8):
            total += self.ints[i] + self.small[i] * int(self.flags[-1 - i])
        for value in self.floats:
            total += int(value)
        return total + int(self.grid[now % 3, 1])""",
    "loops": """total = 0
        for i in range(now & 15, -3, -2):
            if i == 5:
                continue
            total = total * 3 + i
        for a in PAIR:
            total += a * size
        n = size & 31
        while n > 0 and total < 10 ** 9:
            n -= STEP
            total += n
        return total""",
    "order": """first = self.x + self.bump(now & 7)
        second = self.bump(2) * 10 + self.bump(3) * 100 + self.x
        self.ints[self.bump(1) & 7] += self.bump(5)
        third = self.bump(1) if now > size and self.bump(9) > 400 else self.bump(2)
        return first + second * 7 + third + self.ints[2]""",
    "random numbers": "return self.rng.below(100) + int(self.rng.uniform() * 1000) * 100 + (self.rng.next() & 1)",
    "constants": "return int(SCALE * size) + STEP * now",
    "fills": """self.ints[:] = now
        self.f = self.f * SCALE + 1
        a, b = size, now
        a, b = b, a + 1
        return self.ints[3] + a * 2 - b + int(self.f * 1000)""",
}


def _draws() -> tuple[np.ndarray, ...]:
    """Slots, keys, sizes and times, with edges: keys take all of 64 bits, the others stay within 2**53."""
    rng = np.random.default_rng(3)
    n = 400
    keys = rng.integers(-(2**63), 2**63 - 1, n)
    keys[:6] = [-(2**63), 2**63 - 1, 0, -1, 2**53 + 1, 1]
    small = rng.integers(-50, 50, (2, n))
    wide = rng.integers(-(2**53) + 1, 2**53, (2, n))
    mixed = np.where(rng.random((2, n)) < 0.7, small, wide)
    return np.zeros(n, np.int64), keys, mixed[0], mixed[1]


def _by_machine(policy: CompiledPolicy, draws: tuple[np.ndarray, ...]) -> list[int]:
    def factory(view: Any, victim: Any, **others: Any) -> Callable[..., None]:
        def drive(state, out, slots, keys, sizes, times):  # type: ignore[no-untyped-def]
            state = view(state)
            for i in range(len(keys)):
                out[i] = victim(state, slots[i], keys[i], sizes[i], times[i])

        return drive

    @numba.njit
    def nothing(*args):  # type: ignore[no-untyped-def]
        return 0

    names = ("on_hit", "admit", "on_evict", "on_insert", "shed", "keeps", "on_forget")
    out = np.zeros(len(draws[1]), dtype=np.int64)
    policy.bind(factory, dict.fromkeys(names, nothing))(policy.state(16, 49), out, *draws)
    return out.tolist()


def _by_c(source: str, draws: tuple[np.ndarray, ...], folder: Path) -> list[int]:
    files = c_files(making.material("cache", source, []))
    wrapper = """
int64_t tried(int64_t slot, int64_t key, int64_t size, int64_t now, int first);
int64_t tried(int64_t slot, int64_t key, int64_t size, int64_t now, int first)
{
    static mm_heap heap;
    static mm_Policy policy;
    int64_t answer;
    if (first) {
        Policy_init(&heap, &policy, 16, 49);
    }
    answer = Policy_victim(&heap, &policy, slot, key, size, now);
    return heap.fault ? -heap.fault - 1000000 : answer;
}
"""
    for name, text in files.items():
        (folder / name).write_text(text + (wrapper if name.endswith(".c") else ""))
    flags = [
        "-std=c99",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-O2",
        "-fsanitize=undefined",
        "-fno-sanitize-recover=all",
    ]
    library = folder / "tried.so"
    command = ["cc", *flags, "-shared", "-fPIC", str(folder / "cache_tried.c"), "-lm", "-o", str(library)]
    subprocess.run(command, check=True)
    tried = ctypes.CDLL(str(library)).tried
    tried.restype = ctypes.c_int64
    tried.argtypes = [ctypes.c_int64] * 4 + [ctypes.c_int]
    rows = zip(*(d.tolist() for d in draws), strict=True)
    return [tried(*row, i == 0) for i, row in enumerate(rows)]


@pytest.mark.parametrize("name", list(BODIES))
def test_numbers(name: str, tmp_path: Path) -> None:
    source = TEXT.format(body=BODIES[name])
    draws = _draws()
    want = _by_machine(making.compiled("cache", source), draws)
    assert len(set(want)) > 1
    policy = making.module(source).Policy(16, 49)
    rows = zip(*(d.tolist() for d in draws), strict=True)
    assert [int(policy.victim(*row)) for row in rows] == want
    if shutil.which("cc"):
        assert _by_c(source, draws, tmp_path) == want


def test_errors_are_errors() -> None:
    """What ends a candidate raises in Python, too."""
    for body, error in (
        ("return key // (size - size)", ZeroDivisionError),
        ("return int(1.0 / (size - size))", ZeroDivisionError),
        ("return self.ints[8 + (now & 1)]", IndexError),
        ("return int(math.log(size - size))", ValueError),
        ("return int(math.exp(size - size + 1e4))", OverflowError),
        ("self.small[0] = 40000 + now % 2\n        return 1", OverflowError),
        ("return 1 << (64 + now % 3)", ValueError),
    ):
        policy = making.module(TEXT.format(body=body)).Policy(16, 49)
        with pytest.raises(error):
            policy.victim(0, 5, 6, 7)


def test_the_text_stays_readable() -> None:
    """Where bounds show that 64 bits suffice, nothing is put in."""
    source = making.problem("cache").baselines["sieve"]
    made = making.compiled("cache", source)
    from metamuse.export.python_module import python_module, translate

    text = python_module(
        made.program, *translate(made.program, made, making.problem("cache").init_example()), "a test"
    )
    body = source[source.index("    def on_hit") :]
    assert body in text
