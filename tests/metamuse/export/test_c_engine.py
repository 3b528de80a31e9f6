"""The books in C are those in Python, also where no golden decision looks: removals, growth, failing policies."""

from __future__ import annotations

import random
import subprocess
from array import array
from pathlib import Path

import pytest

from metamuse.export.runtime.cache_engine import Engine
from metamuse.export.runtime.equivalence_c import SANITIZERS, has_sanitizers
from metamuse.export.runtime.hashing import hash64
from metamuse.export.targets.c import EXPORTER
from tests.metamuse.export import making
from tests.support.capabilities import needs

MAIN = """
#include "cache_tried.h"
#include <stdio.h>

static int64_t last;
static void note(void *context, uint64_t key) { (void)context; last = last * 31 + (int64_t)key + 1; last &= 0xFFFFFF; }

int main(void)
{
    int64_t row[3], out[4];
    cache_tried *c;
    if (fread(row, 8, 3, stdin) != 3 || (c = cache_tried_new(row[0], row[1], note, NULL)) == NULL) {
        return 3;
    }
    while (fread(row, 8, 3, stdin) == 3) {
        out[0] = row[0] ? cache_tried_remove(c, (uint64_t)row[1]) : cache_tried_request(c, (uint64_t)row[1], row[2]);
        out[1] = cache_tried_used(c);
        out[2] = last;
        out[3] = cache_tried_fault(c) != 0;
        fwrite(out, 8, 4, stdout);
    }
    cache_tried_free(c);
    return 0;
}
"""

#: Fails at one of its methods when it was called a few hundred times.
FAILING = """
import numpy as np

class Policy:
    def __init__(self, capacity, n_slots):
        self.hand = 0
        self.n = n_slots
        self.calls = 0
        self.here = np.zeros(n_slots, dtype=np.bool_)
        self.table = np.zeros(300)

    def tick(self, method):
        if method == {failing}:
            self.calls += 1
            self.table[self.calls] = 1.0

    def on_hit(self, slot, key, size, now):
        self.tick(0)

    def admit(self, slot, key, size, now):
        self.tick(1)
        return key % 5 != 0

    def victim(self, slot, key, size, now):
        self.tick(2)
        while not self.here[self.hand % self.n] or self.hand % self.n == slot:
            self.hand += 1
        return self.hand % self.n

    def on_evict(self, slot, key, size, now):
        self.tick(3)
        self.here[slot] = False

    def on_insert(self, slot, key, size, now, remembered):
        self.tick(4)
        self.here[slot] = True

    def keeps(self, slot):
        self.tick(5)
        return slot % 3 == 0

    def on_forget(self, slot):
        self.tick(6)
"""


def _in_python(
    source: str, ops: list[tuple[int, int, int]], capacity: int, most: int, ghosts: float
) -> list[int]:
    last = 0

    def note(key: int) -> None:
        nonlocal last
        last = (last * 31 + key + 1) & 0xFFFFFF

    engine = Engine(making.module(source).Policy, capacity, most, ghosts, note)
    out = []
    for remove, key, size in ops:
        if remove:
            held = engine.holds(key)
            if held:
                engine.remove(key)
            out.append(int(held))
        else:
            out.append(engine.request(key, hash64(key, 0x51ED), size))
        out += [engine.used, last, int(engine.fallback is not None)]
    return out


CASES = ["lru", "gdsf", "lirs", *(f"failing {i}" for i in range(7))]


@needs("compiler")
@pytest.mark.parametrize("name", CASES)
def test_books(name: str, tmp_path: Path) -> None:
    failing = name.startswith("failing")
    source = FAILING.format(failing=name[-1]) if failing else making.problem("cache").baselines[name]
    made = making.material("cache", source, [])
    for file, text in EXPORTER.files(made).items():
        (tmp_path / file).write_text(text)
    (tmp_path / "main.c").write_text(MAIN)
    checked = SANITIZERS if has_sanitizers(str(tmp_path), "cc") else []
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O1", *checked]
    program = str(tmp_path / "books")
    sources = [str(tmp_path / "cache_tried.c"), str(tmp_path / "main.c")]
    subprocess.run(["cc", *flags, *sources, "-lm", "-o", program], check=True)
    draws = random.Random(name)
    ops = []
    for _ in range(6000):
        key = int(draws.paretovariate(0.6)) % 400
        ops.append((int(draws.random() < 0.05), key, draws.choice([1, 2, 3, 5, 8, 13, 40])))
    capacity, most = 60, 25
    row = array("q", [capacity, most, 0, *(x for op in ops for x in op)])
    ended = subprocess.run([program], input=row.tobytes(), capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-500:]
    got = array("q")
    got.frombytes(ended.stdout)
    want = _in_python(source, ops, capacity, most, made.facts["ghosts"])
    assert got.tolist() == want
    assert bool(want[-1]) == failing


@needs("compiler")
def test_the_scheduler_of_the_example_places_all_machines(tmp_path: Path) -> None:
    made = making.material("binpacking", making.problem("binpacking").baselines["best_fit"], [])
    for file, text in EXPORTER.files(made).items():
        (tmp_path / file).write_text(text)
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
    command = ["cc", *flags, "vm_scheduler.c", "binpacking_tried.c", "-lm", "-o", "scheduler"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run(["./scheduler"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = said.splitlines()
    assert lines[0] == "  96 GiB -> host 1 (started)" and lines[1] == "  64 GiB -> host 1"
    assert len(lines) == 8 and lines[-1].startswith(" 200 GiB -> host ")
