"""``target=dex``: a header for DEX and other buffer managers of trees in remote memory."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from evaluators.dex import layout as k
from evaluators.dex.cell import Cell
from metamuse.export.base import Material, runtime_text
from metamuse.export.c_module import named, translated
from metamuse.export.form import array_bytes
from metamuse.export.runtime.hashing import hash64
from metamuse.export.texts import FALLBACK, SHOWN
from metamuse.policykit import Rng

#: A system whose arrays are to fit into a thread's state, and a small one: ``thread``, ``threads``, ``cpus``, ``height``.
_SYSTEMS = ((1023, 1024, 64, 16), (0, 1, 0, 2), (1, 144, 4, 6))
_SEEDS = (0, 1, 2, 143, 1023, 2**31, 2**53 + 1, 2**63 - 1)


class DexExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "dex"
    summary = "a header in C++17 for DEX-like trees, with a C interface"
    problems = ("dex",)
    requires: tuple[str, ...] = ()
    inits = _SYSTEMS

    def usage(self, problem: str) -> str:
        return """    #include "policy.hpp"
    namespace policy = {package}_ns;

    policy::ThreadState state;                               // one for each compute thread, where it stays
    policy::init(state, thread, 144, 4, 6);
    policy::Action action = policy::on_miss(miss, state, word);

Where DEX (its released code, `leanstore_cache.h`) asks itself the same questions:

- admission of leaves, the coin in `cold_to_hot_with_admission` and `cold_to_hot_with_admission_for_scan`: `on_miss`, level 0;
- offloading, `caching_or_push` of `latency_collector.h`: `on_miss`, level 1 and above; afterwards `on_done` and `publish`;
- `sample_page`: look at `looks` frames and cool the two with the lowest `score`;
- words: `NodeWords<Frames>` for a server, or any 32 bits that belong to a node or its frame.

The same header fits other buffer managers that sample and cool (with `may_offload` false where nothing can be offloaded).
Every function is `noexcept` and allots nothing. `{package}.h` and `{package}_abi.cpp` are the same with a C interface.
`policy.json` holds constants, units, the calibration of the simulator, costs and ranges. `Shadow` only counts what the policy
would have done at misses that another one decides: start with that.

Compile with `-std=c++17 -ffp-contract=off` and without `-ffast-math`.

""" + SHOWN["dex"]

    def assumptions(self, problem: str) -> list[str]:
        return [
            "Numbers are those of IEEE 754 (no `-ffast-math`, no contraction), integers are two's complement of 64 bits.",
            "One thread at a time for one `ThreadState`, which stays where it was initialised. Words and central numbers are "
            "shared without locks: an update can be lost where two threads meet, which the simulator does not show.",
            "Times are µs of a system like the one that the simulator was calibrated on (policy.json). It knows no NUMA, no "
            "caches of NICs, no restarts of lock coupling: measure remote verbs an operation first, throughput then. No "
            "hardware has been tried.",
            "The simulated trees and caches are a part of the full size; frames and `now` of a long run go beyond what was tried.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy fails (an index out of range, a division by zero) or answers what none can, {FALLBACK['dex']} takes over "
            "in that thread for good and `fault` returns the line of the policy (in policy.original.txt): watch it. For single "
            "misses it decides, too, where a number that the policy looks at is out of the range for which it was tried "
            "(`least` and `largest` in policy.hpp, from the golden decisions and half as much again); `out_of_range` counts "
            "them, `check_range = false` switches that off."
        )

    def files(self, material: Material) -> dict[str, str]:
        name = material.package
        test = runtime_text("equivalence_cpp.py").replace("from .golden", "from golden")
        checking = runtime_text("equivalence_c.py").replace("from .golden", "from golden")
        harness = runtime_text("equivalence_words.c") + runtime_text("equivalence_dex.c")
        return {
            "policy.hpp": _header(material),
            "policy.json": json.dumps(_described(material), indent=2) + "\n",
            f"{name}.h": named(runtime_text("dex_engine.h"), material),
            f"{name}_abi.cpp": named(runtime_text("dex_abi.cpp"), material),
            "conformance.cpp": _conformance(material),
            "equivalence.c": named(harness, material),
            "golden.py": runtime_text("golden.py"),
            "words.py": runtime_text("words_dex.py"),
            "checking.py": named(checking.replace("from .words_cache", "from words"), material),
            "test_equivalence.py": test.replace("from .equivalence_c", "from checking"),
            "policy.original.txt": material.program.source,
        }


def _header(material: Material) -> str:
    core = runtime_text("dex_core.c")
    made = translated(material, core, "arena_allot.c")
    macros = [line.split()[1] for line in [*made.switches, *core.splitlines()] if line.startswith("#define ")]
    body = "\n".join(
        [
            *made.switches,
            "",
            runtime_text("arena.c"),
            "/* The C library's functions, by addresses that the compiler does not look through: it would replace some. */",
            *made.libm,
            "",
            made.used,
            "\n/* -- the policy */\n",
            made.policy,
            core,
            *[f"#undef {macro}" for macro in macros],
        ]
    )
    body = re.sub(r"^static (?:inline )?", "inline ", body, flags=re.M)
    low, high = _ranges(material)
    text = named(runtime_text("dex_policy.hpp"), material)
    for mark, value in (
        ("@BODY@", body),
        ("@ARENA@", str(_arena(material))),
        ("@LEAST@", ", ".join(_bound(x) for x in low)),
        ("@LARGEST@", ", ".join(_bound(x) for x in high)),
    ):
        text = text.replace(mark, value)
    return text


def _bound(value: float) -> str:
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return repr(float(value))


def _arena(material: Material) -> int:
    """Bytes that the arrays of a thread's state need, or a few more: the simulator keeps scalars in arrays, too."""
    needs = [
        sum((size + 15) // 16 * 16 + 16 * (size == 0) for size in array_bytes(material.compiled, system))
        for system in _SYSTEMS
    ]
    return max(16, *needs)


def _ranges(material: Material) -> tuple[list[float], list[float]]:
    """For each of the numbers that a policy is shown the least and the largest for which it counts as tried."""
    low, high = [-np.inf] * k.FEATURE_SIZE, [np.inf] * k.FEATURE_SIZE
    for column, place in enumerate(material.facts["shown"]):
        if place == 0:  # the clock
            continue
        seen = [
            case.columns["seen"].reshape(len(case.columns["action"]), -1)[:, column]
            for case in material.golden
        ]
        values = np.concatenate([*seen]) if seen else np.zeros(0)
        if len(values):
            margin = (values.max() - values.min()) / 2
            low[place], high[place] = float(values.min() - margin), float(values.max() + margin)
    return low, high


def _described(material: Material) -> dict[str, Any]:
    """``policy.json``."""
    low, high = _ranges(material)
    cell = Cell("the paper's system")
    constants = material.program.constants
    return {
        "policy": material.title,
        "provenance": list(material.provenance),
        "scores": list(material.scores),
        "constants": {name: constant.value for name, constant in constants.items()},
        "units": {"times": "microseconds", "words": "32 bits a node", "sizes": "nodes of 1024 bytes"},
        "calibration": {
            "costs_us": vars(cell.costs),
            "levels_that_may_be_offloaded": cell.levels,
            "memory_server_threads": cell.cpus,
            "compute_servers": cell.servers,
            "threads_a_server": cell.threads,
        },
        "tried": {str(p): [low[p], high[p]] for p in material.facts["shown"] if np.isfinite(low[p])},
        "cost": _cost(material),
    }


def _cost(material: Material) -> dict[str, Any]:
    """What a decision takes of memory that threads share, from the golden decisions."""
    words = {"note", "on_hit"} & material.program.defined
    misses = hits = changed_misses = changed_hits = central = 0
    for case in material.golden:
        columns = case.columns
        kind = columns["kind"]
        asked = columns["word"][np.isin(kind[kind != k.ASK_DONE], (k.ASK_MISS, k.ASK_HIT))]
        of_miss = kind[np.isin(kind, (k.ASK_MISS, k.ASK_HIT))] == k.ASK_MISS
        changed = asked != columns["new"]
        misses, hits = misses + int(of_miss.sum()), hits + int((~of_miss).sum())
        changed_misses += int(changed[of_miss].sum())
        changed_hits += int(changed[~of_miss].sum())
        central += int((columns["central"] != columns["published"]).sum())
    return {
        "bytes_a_frame": 8 if words else 0,
        "bytes_of_arrays_a_thread": _arena(material),
        "shared_words_written_a_miss": round(changed_misses / misses, 4) if misses else None,
        "shared_words_written_a_hit": round(changed_hits / hits, 4) if hits else 0.0,
        "central_numbers_written_a_miss": round(central / misses, 4) if misses else None,
    }


def _conformance(material: Material) -> str:
    rows = []
    for seed in _SEEDS:
        rng = Rng(seed)
        following = [rng.next() for _ in range(4)]
        below = [rng.below(1000) for _ in range(4)]
        bits = [int(np.float64(rng.uniform()).view(np.int64)) for _ in range(4)]
        numbers = (", ".join(f"INT64_C({x})" for x in row) for row in (following, below, bits))
        rows.append(f"    {{INT64_C({seed}), " + ", ".join(f"{{{row}}}" for row in numbers) + "},")
    places = ", ".join(str(hash64(node, 0) & 1023) for node in (0, 1, 2, 123456789))
    text = named(runtime_text("dex_conformance.cpp"), material)
    return text.replace("@DRAWS@", "\n".join(rows)).replace("@PLACES@", places)


EXPORTER = DexExporter()
