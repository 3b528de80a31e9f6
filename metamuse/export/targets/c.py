"""``target=c``: one header and one source."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_text
from metamuse.export.c_module import c_files, named


class CExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "c"
    summary = "one header and one source, C99 and C++17"
    problems: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()

    def usage(self, problem: str) -> str:
        said = {
            "cache": """    #include "{package}.h"

    {package} *cache = {package}_new(1000, 1000, forget, values);   /* room for 1000 objects */
    switch ({package}_request(cache, key, 1)) ...

`{package}_request` serves one lookup and, on a miss, the insertion that follows it; `forget(values, key)` hears every
object that leaves. Keys are 64-bit numbers that name objects (hash longer ones). This is the way into any cache in C++,
too: include the header, call `_request` where the cache looks up, and erase what the callback names.
""",
            "binpacking": """    #include "{package}.h"

    {package} *packer = {package}_new(100, 10000);     /* bins of 100, at most 10,000 of them */
    int64_t bin = {package}_pack(packer, 37);          /* its bin, for good */

As the placement hook of a virtual machine scheduler: hosts are bins, machines are items, sizes are whole units of what
runs out first; start a host when `_pack` names one that does not run yet.
""",
        }
        return (
            said[problem]
            + "\nCompile with `-std=c99` (or `-std=c++17`) `-ffp-contract=off` and without `-ffast-math`.\n"
        )

    def assumptions(self, problem: str) -> list[str]:
        counted = {"cache": "`max_objects`", "binpacking": "`max_bins`"}[problem]
        return [
            "Numbers are those of IEEE 754 (no `-ffast-math`, no contraction), integers are two's complement of 64 bits.",
            f"All memory is allotted by `_new`, for {counted}; nothing is allotted later.",
            "One thread at a time for one state; different states are independent.",
            "Capacities stay below 2^53.",
        ]

    def fallback(self, problem: str) -> str:
        rule = {"cache": "FIFO", "binpacking": "First Fit"}[problem]
        return (
            f"If the policy fails (an index out of range, a division by zero) or names what it may not, {rule} takes over "
            "for good and `_fault` returns the line of the policy (in policy.original.txt, its text as it was found): watch it. Memory is never touched out of bounds."
        )

    def files(self, material: Material) -> dict[str, str]:
        harness = runtime_text("equivalence_words.c") + runtime_text(f"equivalence_{material.problem}.c")
        test = runtime_text("equivalence_c.py").replace("from .golden", "from golden")
        return {
            **c_files(material),
            "equivalence.c": named(harness, material),
            "golden.py": runtime_text("golden.py"),
            "test_equivalence.py": named(test, material),
            "policy.original.txt": material.program.source,
        }


EXPORTER = CExporter()
