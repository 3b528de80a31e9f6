"""``target=c``: one header and one source."""

from __future__ import annotations

from metamuse.export.base import Material, runtime_text
from metamuse.export.c_module import c_files, named
from metamuse.export.texts import FALLBACK, SHOWN

_SCHEDULER = """/* An example: the packing policy as the placement hook of a virtual machine scheduler.
 *
 * Hosts are bins and machines are items, in whole units of the resource that runs out first. A placement is for good, as in
 * the workloads on which the policy was found. cc vm_scheduler.c @P@.c -lm && ./a.out
 */
#include "@P@.h"

#include <stdio.h>

enum { HOST_GIB = 256, MOST_HOSTS = 1000 };

int main(void)
{
    static const int64_t demands[] = {96, 64, 128, 32, 160, 96, 48, 200};
    @P@ *packer = @P@_new(HOST_GIB, MOST_HOSTS);
    size_t i;
    if (packer == NULL) {
        return 1;
    }
    for (i = 0; i < sizeof demands / sizeof demands[0]; i++) {
        int64_t running = @P@_open(packer);
        int64_t host = @P@_pack(packer, demands[i]);
        if (host < 0) {
            return 1; /* no host is left */
        }
        printf("%4d GiB -> host %d%s\\n", (int)demands[i], (int)host + 1, host == running ? " (started)" : "");
    }
    @P@_free(packer);
    return 0;
}
"""


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
            "autothrottle": """    #include "{package}.h"

    {package}_service *law = {package}_service_new(32.0, 200.0, 28);   /* one for each control group */
    double cores = {package}_service_decide(law, &sample, target);     /* every 100 ms, to cpu.max */

    {package}_application *all = {package}_application_new(32.0, 200.0, 28, cluster);   /* one for the application */
    const double *targets = {package}_application_decide(all, app, services);           /* every minute */
""",
            "opscale": """    #include "{package}.h"

    {package} *scaler = {package}_new(10, 2.0, 1.5, 0.05, prof);            /* prefill and decode, every 2 s */
    const {package}_wanted *wanted = {package}_decide(scaler, t, glob, obs);
    scale("prefill", wanted[0].replicas);
    scale("decode", wanted[5].replicas);

"""
            + SHOWN["opscale"],
            "dex": """    #include "{package}.h"

    {package} *thread = {package}_new(0, 144, 4, 6);       /* one for each compute thread */
    int action = {package}_on_miss(thread, &miss, &word);  /* bypass, admit or offload; the node's word */
    double worth = {package}_score(thread, level, dirty, word, now);

"""
            + SHOWN["dex"],
            "sensing": """    #include "{package}.h"

    {package}_board board = {{60.0, 240.0, 3e-5, 0.0009, 0.243, 0.06, 0.012, 0.0}};
    {package} *node = {package}_new(&board);
    {package}_action action = {package}_decide(node, tick, obs);     /* at each wake-up */

For a board take `target=node`, which needs no heap.

"""
            + SHOWN["sensing"],
        }
        return (
            said[problem]
            + "\nCompile with `-std=c99` (or `-std=c++17`) `-ffp-contract=off` and without `-ffast-math`.\n"
        )

    def assumptions(self, problem: str) -> list[str]:
        counted = {
            "autothrottle": "all services",
            "binpacking": "`max_bins`",
            "cache": "`max_objects`",
            "dex": "one compute thread",
            "opscale": "all groups",
            "sensing": "one node",
        }[problem]
        return [
            "Numbers are those of IEEE 754 (no `-ffast-math`, no contraction), integers are two's complement of 64 bits.",
            f"All memory is allotted by `_new`, for {counted}; nothing is allotted later.",
            "One thread at a time for one state; different states are independent.",
            "Whole numbers that are handed over (capacities, sizes, counts) stay below 2^53.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy fails (an index out of range, a division by zero) or names what it may not, {FALLBACK[problem]} takes over "
            "for good and `_fault` returns the line of the policy (in policy.original.txt, its text as it was found): watch it. Memory is never touched out of bounds."
        )

    def files(self, material: Material) -> dict[str, str]:
        example = {"vm_scheduler.c": named(_SCHEDULER, material)} if material.problem == "binpacking" else {}
        harness = runtime_text("equivalence_words.c") + runtime_text(f"equivalence_{material.problem}.c")
        test = runtime_text("equivalence_c.py").replace("from .golden", "from golden")
        test = test.replace("from .words_cache", "from words")
        return {
            **c_files(material),
            "equivalence.c": named(harness, material),
            "golden.py": runtime_text("golden.py"),
            "words.py": runtime_text(f"words_{material.problem}.py"),
            "test_equivalence.py": named(test, material),
            "policy.original.txt": material.program.source,
            **example,
        }


EXPORTER = CExporter()
