"""Machine code of policykit's structures is compiled once a machine, not once a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SCRIPT = """
from metamuse.policy.compiled import CompiledPolicy, kit_functions
from metamuse.policy.program import load
from metamuse.policy.warm import warm_kits
from evaluators.cache.simulator import CONTRACT

SOURCE = '''
from metamuse.policykit import Ring

class Policy:
    def __init__(self, capacity, n_slots):
        self.ring = Ring(n_slots)

    def on_insert(self, slot, key, size, now, remembered):
        self.ring.push(slot)

    def victim(self, slot, key, size, now):
        return self.ring.pop()
'''
warm_kits([SOURCE])
CompiledPolicy(load(SOURCE, CONTRACT), (4, 5))
kits = kit_functions("Ring").values()
print(sum(sum(k.stats.cache_hits.values()) for k in kits), sum(sum(k.stats.cache_misses.values()) for k in kits))
"""


def counts(**environment: str) -> list[int]:
    """Hits and misses of a fresh process."""
    inherited = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT],
        env={**inherited, **environment},
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    return [int(word) for word in done.stdout.split()]


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    hits, misses = counts(NUMBA_CACHE_DIR=str(tmp_path))
    assert hits == 0 < misses
    assert counts(NUMBA_CACHE_DIR=str(tmp_path)) == [misses, 0]


def test_nothing_is_kept_where_no_folder_is_named() -> None:
    assert [counts()[0] for _ in range(2)] == [0, 0]
