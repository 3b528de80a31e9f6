"""Exports of caching and offloading policies: what is recorded, what takes over when a policy fails, the shadow."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metamuse.export.golden import Case
from metamuse.export.package import ExportFailedError, run_test
from metamuse.export.runtime.dex_engine import ADMIT, BYPASS, OFFLOAD, SCAN, Rule, Thread
from metamuse.export.runtime.dex_shadow import DexShadow
from metamuse.export.systems.dex import places_read
from metamuse.export.targets.dex import EXPORTER
from metamuse.policy.program import load
from tests.metamuse.export import making
from tests.support.capabilities import needs

#: All methods of the contract; fails at some call, each form in its own way.
EVERY = """
import numpy as np

from metamuse.policykit import Rng


class Policy:
    def __init__(self, thread, threads, cpus, height):
        self.rng = Rng(thread)
        self.lately = np.zeros(height + threads)
        self.calls = 0

    def note(self, level, op, word, now):
        return (word * 5 + now + op) % 4294967296

    def on_hit(self, level, op, word, now):
        return word // 2 + level{hit}

    def on_miss(self, level, op, word, full, may_offload, seen):
        self.calls += 1
        share = 3e8 / ({limit} - self.calls)
        if level > 0:
            return 2 if seen[2] < seen[1] * (1.0 + self.lately[level]) else 1
        return 1 if not full or self.rng.uniform() < share else {leaf}

    def looks(self):
        return 4

    def score(self, level, dirty, word, now):
        return word * 0.5 + (3.0 if dirty else 0.0) - level{score}

    def on_done(self, level, action, us):
        self.lately[level] += 0.1 * (us - self.lately[level])

    def publish(self, slot, central, now):
        return central[slot] * 0.5 + self.calls * 0.25 + central[3 - slot]{central} * 0.25
"""
WHOLE = {"limit": "1e9", "hit": "", "leaf": "0", "score": "", "central": ""}
FAILING = {
    "division": {"limit": "150"},
    "word": {"hit": " - 5000000000 * (self.calls // 90)"},
    "action": {"leaf": "self.calls // 60"},
    "score": {"score": " + 1e308 * 10.0 * (self.calls // 80)"},
    "central": {"central": " * (1.0 + 1e300 * self.calls)"},
}


def source(**parts: str) -> str:
    return EVERY.format(**(WHOLE | parts))


def drawn(policy: Any) -> Case:
    """What Python's threads answer to random questions, with their fallback."""
    draws = random.Random(3)
    threads = [Thread(policy, number, 9, 2, 4) for number in (0, 7)]
    columns: dict[str, list[Any]] = {
        name: []
        for name in "kind thread level what word now full may seen action new score us central published".split()
    }

    def keep(**values: Any) -> None:
        for name, value in values.items():
            columns[name] += value if isinstance(value, list) else [value]

    answers = 0
    for now in range(0, 4000, 2):
        which, kind, level = draws.randrange(2), draws.randrange(1, 6), draws.randrange(4)
        thread, what, word = threads[which], draws.randrange(4), draws.randrange(2**32)
        keep(kind=kind, thread=which, level=level)
        if kind == 4:
            what, us = draws.randrange(3), 9.0 * draws.random()
            thread.on_done(level, what, us)
            keep(what=what, us=us)
            continue
        what = what % 2 if kind == 3 else what
        keep(what=what, word=word, now=now)
        answers += (0, 2, 1, 1, 0, 4)[kind]
        if kind == 1:
            full, may = draws.randrange(2), draws.randrange(2)
            seen = [9.0 * draws.random() for _ in range(16)]
            action, new = thread.on_miss(level, what, word, now, bool(full), bool(may), seen)
            keep(full=full, may=may, seen=seen, action=action, new=new)
        elif kind == 2:
            keep(new=thread.on_hit(level, what, word, now))
        elif kind == 3:
            keep(score=thread.score(level, bool(what), word, now))
        else:
            central = [draws.random() for _ in range(4)]
            keep(central=central[:])
            thread.publish(central, now)
            keep(published=central)
    assert all(thread.fallback is not None for thread in threads)
    small = ("kind", "thread", "level", "what", "full", "may", "action")
    floats = ("seen", "score", "us", "central", "published")
    arrays = {
        name: np.array(c, np.uint8 if name in small else np.float64 if name in floats else np.int64)
        for name, c in columns.items()
    }
    fields = {"name": "drawn", "decisions": answers, "threads": 9, "cpus": 2, "height": 4}
    return Case(fields | {"recorded": [0, 7], "shown": list(range(16))}, arrays)


@needs("compiler")
@pytest.mark.parametrize("target", ["c", "dex"])
@pytest.mark.parametrize("how", FAILING)
def test_the_same_rule_takes_over_at_the_same_moment(how: str, target: str, tmp_path: Path) -> None:
    if target == "dex" and how != "division":
        pytest.skip("the same core")
    text = source(**FAILING[how])
    case = drawn(making.module(text, "dex", f"failing_{how}").Policy)
    made = making.material("dex", text, [case])
    made.facts["shown"][:] = range(16)  # type: ignore[index]  # as many as were drawn
    with pytest.raises(ExportFailedError, match=r"not equivalent: drawn: the policy fails at its line \d+$"):
        run_test(making.write(tmp_path, target, made))


@needs("compiler")
@pytest.mark.parametrize("target", ["python", "c", "dex"])
def test_all_methods(target: str, tmp_path: Path) -> None:
    text = source()
    made = making.material("dex", text)
    asked = np.concatenate([case.columns["kind"] for case in made.golden])
    assert set(asked) == {1, 2, 3, 4, 5}
    folder = making.write(tmp_path, target, made)
    decisions, _ = run_test(folder)
    assert decisions == sum(case.decisions for case in made.golden)
    if target == "dex":
        described = json.loads((folder / "policy.json").read_text())
        assert (
            described["cost"]["bytes_a_frame"] == 8 and described["cost"]["shared_words_written_a_miss"] > 0.9
        )
        assert set(described["tried"]) == {"1", "2"}
        # Arrays for the largest system that fits: 1024 threads and 16 levels of 8 bytes each.
        assert 8 * 1040 <= described["cost"]["bytes_of_arrays_a_thread"] <= 8 * 1040 + 64


def test_what_a_policy_looks_at() -> None:
    def places(body: str) -> list[int]:
        text = f"class Policy:\n    def __init__(self, thread, threads, cpus, height):\n        self.k = 1\n\n    def on_miss(self, level, op, word, full, may_offload, shown):\n        {body}\n"
        return places_read(load(text, making.problem("dex").contract))

    assert places("return 1") == []
    assert places("return 1 if shown[8] + shown[2] > 3.0 else 2") == [2, 8]
    for unknown in ("shown[self.k]", "float(len(shown))", "sum(shown)", "shown[-1]"):
        assert places(f"return 1 if {unknown} > 3.0 else 2") == list(range(16))


def test_the_rule() -> None:
    rule, seen = Rule(5), [0.0, 4.2, 3.0] + [0.0] * 13
    assert rule.on_miss(0, 0, False, False, seen) == ADMIT
    leaves = [rule.on_miss(0, op, True, True, seen) for op in (0, 1, SCAN) for _ in range(3000)]
    assert set(leaves) == {BYPASS, ADMIT} and 0.08 < leaves.count(ADMIT) / 9000 < 0.12
    assert [
        rule.on_miss(1, 0, full, may, seen) for full, may in ((True, True), (False, True), (True, False))
    ] == [
        OFFLOAD,
        ADMIT,
        ADMIT,
    ]
    assert (
        rule.on_miss(1, 0, True, True, [0.0, 4.2, 10.2] + [0.0] * 13) == ADMIT
    )  # 2 * (4.2 + 0.04) * 1.2 = 10.176


def test_numbers_that_are_none() -> None:
    policy = making.module(making.problem("dex").baselines["always_admit"], "dex", "admitting").Policy
    thread = Thread(policy, 0, 4, 1, 4)
    assert thread.on_miss(0, 0, 7, 0, True, True, [math.nan] * 16)[1] == 7
    assert thread.fallback == "ValueError: a number that is shown is not finite"


def test_a_shadow() -> None:
    policy = making.module(making.problem("dex").baselines["dex_offload_only"], "dex", "offloading").Policy
    shadow = DexShadow(policy, frames=40, threads=8, cpus=4, height=4, window=10)
    seen = [0.0, 4.0, 3.0] + [0.0] * 13
    for i in range(400):
        level = i % 2
        ours = shadow.miss(i % 3, i, level, 0, i, True, level > 0, seen, action=1, parent=i // 29)
        assert ours == (OFFLOAD if level else BYPASS)
        shadow.hit(i % 3, i, level, 0, i)
        shadow.done(i % 3, level, 1, 4.0)
    report = shadow.report()
    assert shadow.counts == {(False, 1, 0): 200, (True, 1, 2): 200} and shadow.fallback is None
    # Reads of one level and of two, four microseconds each, against a read and a call.
    assert (report.windows, report.incumbent, report.shadow) == (40, pytest.approx(6.0), pytest.approx(3.5))


def test_the_header_is_the_policys() -> None:
    made = making.material("dex", making.problem("dex").baselines["dex"])
    files = EXPORTER.files(made)
    assert (
        files["policy.hpp"].count("#undef") == files["policy.hpp"].count("\n#define ") - 1
    )  # but for the guard
    assert (
        "static "
        not in files["policy.hpp"].partition("namespace detail {")[2].partition("} // namespace detail")[0]
    )
    assert json.loads(files["policy.json"])["constants"] == {"ADMIT": 0.1, "WEIGHT": 1.2, "EXPLORE": 0.01}
