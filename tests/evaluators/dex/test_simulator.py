"""The kernel against a reference in plain Python, exactly; and what must be true of every run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evaluators.base import PolicyError
from evaluators.dex import layout as k
from evaluators.dex import simulator
from evaluators.dex.cell import Cell
from evaluators.dex.costs import Costs
from evaluators.dex.world import World
from metamuse.policy.compiled import InterpretedPolicy
from metamuse.policy.program import load
from tests.evaluators.dex.naive import Naive

CELL = Cell(
    "small",
    keys=40_000,
    cache_mb=0.1,
    servers=2,
    memory=2,
    threads=3,
    ops=900,
    warm=400,
    cpus=1,
    seed=3,
    levels=2,
)
CELLS = {
    "read": CELL,
    "cold": replace(CELL, cold=True, memory=3, mix="write-intensive", cpus=2),
    "write": replace(CELL, mix="write-intensive", costs=Costs(bandwidth=400.0), theta=1.2),
    "insert": replace(CELL, mix="insert-intensive", fill=57, cpus=0, servers=3, memory=1),
    "scan": replace(CELL, mix="scan-intensive", fanout=12, flood=0.3, ops=300, warm=0),
    "crowd": replace(CELL, threads=24, cpus=1, levels=3, servers=1),
    "shift": replace(CELL, shifts=2, theta=0.0, fanout=40, keys=300_000, cache_mb=0.2),
}
COIN = '''
from metamuse.policykit import Rng


class Policy:
    """By a coin."""

    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)

    def on_miss(self, level, op, word, full, may_offload, seen):
        x = self.rng.uniform()
        if level > 0:
            return 2 if x < 0.4 else 1
        return 1 if x < 0.3 else (2 if x < 0.4 else 0)
'''
KEEN = '''
import numpy as np


class Policy:
    """Uses everything there is."""

    def __init__(self, thread, threads, cpus, height):
        self.last = 0.0
        self.calls = 0

    def note(self, level, op, word, now):
        return word + 65536

    def on_hit(self, level, op, word, now):
        return word + 1 if (word & 65535) < 60000 and now % 3 > 0 else word

    def on_miss(self, level, op, word, full, may_offload, seen):
        self.calls += 1
        if may_offload and self.calls % 3 == 0 and seen[2] < 2.0 * seen[1]:
            return 2
        if level > 0 or not full:
            return 1
        return 1 if (word >> 16) > seen[7] % 3 or seen[8] > 7.0 else 0

    def looks(self):
        return 4

    def score(self, level, dirty, word, now):
        return 3.0 * level + float(word & 65535) + (0.5 if dirty else 0.0)

    def on_done(self, level, action, us):
        self.last = us

    def publish(self, slot, central, now):
        return self.last if slot == 1 and now % 2 == 0 else central[slot]
'''


def objects(text: str, cell: Cell) -> list[Any]:
    space: dict[str, Any] = {}
    exec(text, space)
    threads = cell.servers * cell.threads
    return [space["Policy"](thread, threads, cell.cpus, cell.height) for thread in range(threads)]


def run(text: str, cell: Cell, **more: Any) -> simulator.Score:
    policy = InterpretedPolicy(load(text, simulator.CONTRACT))
    return simulator.simulate(policy, simulator.bind(policy), cell, **more)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("text", [COIN, KEEN], ids=["coin", "keen"])
def test_equals_the_naive_reference(name: str, text: str) -> None:
    cell = CELLS[name]
    worlds: list[World] = []
    score = run(text, cell, watch=worlds.append)
    naive = Naive(cell, objects(text, cell))
    naive.run()
    servers = worlds[0].servers
    operations = (cell.ops - cell.warm) * cell.servers
    assert score.value == pytest.approx(naive.mops, rel=1e-12)
    for counted, place in (
        ("reads", k.READS),
        ("writes", k.WRITES),
        ("rpcs", k.RPCS),
        ("bytes", k.BYTES),
        ("write_backs", k.WRITE_BACKS),
        ("leaf_hits", k.LEAF_HITS),
        ("splits", k.SPLITS),
        ("new", k.NEW_KEYS),
    ):
        assert int(servers[:, place].sum()) == naive.total(counted), counted
    assert worlds[0].misses.tolist() == naive.misses
    assert score.details["verbs"] == pytest.approx(
        (naive.total("reads") + naive.total("writes") + naive.total("rpcs")) / operations
    )


def test_the_cells_reach_what_they_are_for() -> None:
    def detail(name: str, what: str, text: str = KEEN) -> float:
        return run(text, CELLS[name]).details[what]

    assert detail("insert", "splits") > 5
    assert detail("write", "write_backs", COIN) > 0
    assert detail("crowd", "rpcs") > 0.05
    assert detail("read", "admitted") > 0.05
    assert detail("read", "rejected", COIN) > 0.05


def held(world: World) -> None:
    """What is true of every cache: paths, bitmaps, the cooling map, frames."""
    frames, frame_of = world.arrays[k.FRAMES], world.arrays[k.FRAME_OF]
    swizzled, levels = world.arrays[k.SWIZZLED], world.arrays[k.LEVELS]
    cooling, ints = world.arrays[k.COOLING], world.ints
    used = frames[frames[:, k.STATE] != k.EMPTY]
    assert len(set(used[:, k.HOLDS].tolist())) == len(used)
    assert (frames[frame_of[frame_of >= 0], k.HOLDS] == np.flatnonzero(frame_of >= 0)).all()
    assert int((frames[:, k.STATE] == k.COOL).sum()) == int(cooling[:, 0].sum())
    bits = 0
    for server in range(int(ints[k.N_SERVERS])):
        for row in frames[server * ints[k.N_FRAMES] : (server + 1) * ints[k.N_FRAMES]]:
            if row[k.STATE] == k.HOT and row[k.AT] + 1 < ints[k.HEIGHT]:
                level = int(row[k.AT])
                index = levels[server, level, k.FIRST] + row[k.HOLDS] - levels[server, level, k.BASE]
                up = index // ints[k.FANOUT] - levels[server, level + 1, k.FIRST]
                parent = int(levels[server, level + 1, k.BASE] + up)
                assert swizzled[parent] >> int(index % ints[k.FANOUT]) & 1
                assert frames[frame_of[parent], k.STATE] == k.HOT
                bits += 1
    assert bits == sum(int(x).bit_count() for x in swizzled)
    assert (cooling[:, 0] <= k.SLOTS).all()
    for row in cooling:
        n = int(row[0])
        assert frames[row[1 : n + 1], k.HOLDS].tolist() == row[k.COOL_NODE + 1 : k.COOL_NODE + n + 1].tolist()
    free = world.arrays[k.FREE][:, 0].sum() + world.servers[:, k.UNTOUCHED].sum()
    assert len(used) + free == len(frames)


@pytest.mark.parametrize("name", ["read", "cold", "write", "scan", "crowd", "shift"])
def test_the_cache_stays_in_order(name: str) -> None:
    run(KEEN, CELLS[name], watch=held, slices=7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("return 1 if (word", "return 3 if (word"), "on_miss returned 3 for a node of level 0"),
        (
            ("if level > 0 or not full:\n            return 1", "if level > 0:\n            return 0"),
            "of level [1-9]",
        ),
        (("return word + 65536", "return -1"), "note or on_hit returned -1"),
        (("return 4\n", "return 9\n"), "looks returned 9, it must be 2 to 8"),
        (("return 3.0 * level", "return float(np.inf) + level"), "score returned inf"),
        (("return self.last if", "return float(np.inf) if"), "publish returned inf"),
    ],
)
def test_what_cannot_be_is_refused(change: tuple[str, str], message: str) -> None:
    text = KEEN.replace(*change)
    assert text != KEEN
    with pytest.raises(PolicyError, match=message) as caught:
        run(text, CELL)
    assert caught.value.kind == "illegal"
    assert caught.value.event is not None


def test_slices_change_nothing() -> None:
    assert run(KEEN, CELL).decisions == run(KEEN, CELL, slices=9).decisions


def test_a_memory_server_serves_no_more_calls_than_its_cores_can() -> None:
    cell = replace(CELLS["crowd"], threads=64, ops=4000, warm=1000)
    score = run(COIN.replace("x < 0.4 else 1", "x < 2.0 else 1"), cell)
    assert score.details["rpcs"] * score.value <= 1.02 * cell.memory * cell.cpus / cell.costs.service


def test_central_words_are_dear() -> None:
    plain, chatty = (
        run(KEEN.replace("now % 2 == 0", when), CELLS["crowd"]).value for when in ("False", "True")
    )
    assert chatty < 0.98 * plain


def test_the_parents_lock_holds_misses_up() -> None:
    cell = CELLS["crowd"]
    assert run(COIN, replace(cell, parent_lock=False)).value > 1.05 * run(COIN, cell).value


def test_a_central_queue_bounds_replacements() -> None:
    cell = replace(CELLS["crowd"], central_queue=True, cpus=0)
    score = run(COIN, cell)
    rounds = score.details["samples"] / 2
    assert rounds * score.value / cell.servers <= 1.02 / cell.costs.fifo
    assert score.value < 0.8 * run(COIN, replace(cell, central_queue=False)).value


def test_draws_are_even_and_the_same_in_python() -> None:
    from evaluators.dex.mixing import UNIT, mix
    from tests.evaluators.dex import naive

    drawn = [mix(x) for x in range(20_000)]
    assert drawn[:500] == [naive.mix(x) for x in range(500)]
    counts = np.histogram(np.array(drawn) * UNIT, 20, (0.0, 1.0))[0]
    assert counts.sum() == len(drawn)
    assert abs(counts / 1000 - 1).max() < 0.12
