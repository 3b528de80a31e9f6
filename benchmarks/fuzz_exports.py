"""Fuzzes exports to C: whatever comes in, memory is not touched out of bounds and what comes out is legal.

python -m benchmarks.fuzz_exports [problem ...] [seconds=20]

With clang this is libFuzzer, guided by coverage; without it bytes are drawn at random. The address and undefined-behaviour
sanitizers are on. One line a baseline: how many inputs, and how many of them made the policy fail (then the fallback rule
was fuzzed on). Ends with 1 if one ended otherwise than it should.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from metamuse import config
from metamuse.build import make_problem
from metamuse.export.base import Material, read_all, system_of, systems_known
from metamuse.export.c_module import c_files
from metamuse.export.kinds import UntranslatableError
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load

_HEAD = """
#include "fuzzed.h"
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *at, *end;
static long faults, inputs;

static uint64_t draw(int bytes)
{
    uint64_t x = 0;
    for (; bytes > 0 && at < end; bytes--) {
        x = x << 8 | *at++;
    }
    return x;
}

static double real(void)
{
    /* Most of them plain numbers, some any bits at all: infinities, NaN, negative and subnormal ones. */
    uint64_t bits;
    double x;
    if (draw(1) & 7) {
        return (double)draw(2) / 256.0;
    }
    bits = draw(8);
    memcpy(&x, &bits, sizeof x);
    return x - x == 0.0 ? fmod(x, 1e6) : x;
}

static void demand(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "not so: %s\\n", what);
        abort();
    }
}

static void told(void)
{
    fprintf(stderr, "inputs %ld faults %ld\\n", inputs, faults);
}

static void run(void);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (inputs++ == 0) {
        atexit(told);
    }
    at = data;
    end = data + size;
    run();
    return 0;
}
"""

#: What stands in for libFuzzer.
_RANDOM = """
#include <time.h>

int main(int argc, char **argv)
{
    static uint8_t data[4096];
    time_t stop = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
    uint64_t x = 88172645463325252u;
    while (time(NULL) < stop) {
        size_t i, n = 1 + x % sizeof data;
        for (i = 0; i < n; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            data[i] = (uint8_t)x;
        }
        LLVMFuzzerTestOneInput(data, n);
    }
    return 0;
}
"""

_RUN = {
    "cache": """
static int64_t left;
static void note(void *context, uint64_t key) { (void)context; (void)key; left++; }

static void run(void)
{
    int64_t capacity = 1 + (int64_t)draw(1), most = 1 + (int64_t)draw(1), stored = 0;
    fuzzed *c = fuzzed_new(capacity, most, note, NULL);
    demand(c != NULL, "it is made");
    left = 0;
    while (at < end) {
        uint64_t op = draw(1), key = draw(1 + (op & 1));
        if (op >= 250) {
            fuzzed_remove(c, key);
            demand(!fuzzed_holds(c, key), "what was removed is not held");
        } else {
            int64_t size = op & 2 ? (int64_t)draw(1) : 1;
            int held = fuzzed_holds(c, key), outcome = fuzzed_request(c, key, size);
            demand((outcome == FUZZED_HIT) == held, "a hit is what was held");
            stored += outcome == FUZZED_STORED;
        }
        demand(fuzzed_used(c) >= 0 && fuzzed_used(c) <= capacity, "it fits");
        demand(left <= stored, "no more leaves than was stored");
    }
    faults += fuzzed_fault(c) != 0;
    fuzzed_free(c);
}
""",
    "binpacking": """
static void run(void)
{
    int64_t capacity = 1 + (int64_t)draw(2), most = 1 + (int64_t)draw(1);
    fuzzed *p = fuzzed_new(capacity, most);
    demand(p != NULL, "it is made");
    while (at < end) {
        int64_t size = (int64_t)draw(2) % (capacity + 2), open = fuzzed_open(p), bin = fuzzed_pack(p, size);
        demand(bin >= -1 && bin <= open && bin < most, "the bin is an open one, or the next");
        demand(bin == -1 || (size >= 1 && size <= capacity && fuzzed_remaining(p, bin) >= 0), "it fits");
    }
    faults += fuzzed_fault(p) != 0;
    fuzzed_free(p);
}
""",
    "autothrottle": """
static void run(void)
{
    int64_t n = 1 + (int64_t)draw(1) % 20, i, cluster[20];
    double cores = 0.01 + (double)draw(1), slo = 1.0 + (double)draw(2), app[8], services[140];
    const double *targets = NULL;
    fuzzed_service *s = fuzzed_service_new(cores, slo, n);
    fuzzed_application *a;
    for (i = 0; i < n; i++) {
        cluster[i] = (int64_t)draw(1) & 1;
    }
    a = fuzzed_application_new(cores, slo, n, cluster);
    demand(s != NULL && a != NULL, "they are made");
    while (at < end) {
        if (targets == NULL || draw(1) > 200) {
            for (i = 0; i < 8; i++) {
                app[i] = real();
            }
            for (i = 0; i < 7 * n; i++) {
                services[i] = real();
            }
            targets = fuzzed_application_decide(a, app, services);
            for (i = 0; i < n; i++) {
                demand(targets[i] >= 0.0 && targets[i] <= 1.0, "a target is in 0..1");
            }
        } else {
            fuzzed_sample sample;
            double limit;
            sample.cores = real();
            sample.throttled = real();
            sample.periods = real();
            sample.throttled_ms = real();
            sample.unchanged_ms = real();
            sample.bursts = real();
            limit = fuzzed_service_decide(s, &sample, targets[0]);
            demand(limit >= 0.01 && limit <= cores, "a limit is within the node");
        }
    }
    faults += fuzzed_service_fault(s) != 0 || fuzzed_application_fault(a) != 0;
    fuzzed_service_free(s);
    fuzzed_application_free(a);
}
""",
    "dex": """
static void run(void)
{
    int64_t threads = 1 + (int64_t)draw(1), i;
    fuzzed *t = fuzzed_new((int64_t)draw(1) % threads, threads, (int64_t)draw(1) % 9, 2 + (int64_t)draw(1) % 9);
    double central[4] = {0.0, 0.0, 0.0, 0.0};
    uint32_t words[16] = {0};
    demand(t != NULL, "it is made");
    demand(fuzzed_looks(t) >= 2 && fuzzed_looks(t) <= 8, "looks");
    while (at < end) {
        uint64_t op = draw(1);
        int64_t level = (int64_t)draw(1) % 10, what = (int64_t)(op >> 3) % 4, now = (int64_t)draw(4);
        uint32_t *word = &words[draw(1) % 16];
        if (op % 5 == 0) {
            fuzzed_miss miss;
            int action;
            miss.level = level;
            miss.op = what;
            miss.now = now;
            miss.full = (op & 64) != 0;
            miss.may_offload = (op & 128) != 0;
            for (i = 0; i < 16; i++) {
                miss.seen[i] = real();
            }
            action = fuzzed_on_miss(t, &miss, word);
            demand(action >= (level > 0) && action <= 2 && (action < 2 || miss.may_offload), "an action");
        } else if (op % 5 == 1) {
            fuzzed_on_hit(t, level, what, now, word);
        } else if (op % 5 == 2) {
            double score = fuzzed_score(t, level, (int)(op >> 7), *word, now);
            demand(score - score == 0.0, "a score is a number");
        } else if (op % 5 == 3) {
            fuzzed_on_done(t, level, what % 3, real());
        } else {
            fuzzed_publish(t, central, now);
            for (i = 0; i < 4; i++) {
                demand(central[i] - central[i] == 0.0, "a central number is one");
            }
        }
    }
    faults += fuzzed_fault(t) != 0;
    fuzzed_free(t);
}
""",
    "opscale": """
static void run(void)
{
    int64_t n = draw(1) & 1 ? 5 : 10, i;
    double prof[120], glob[16], obs[120], t = 0.0;
    fuzzed *p;
    for (i = 0; i < 12 * n; i++) {
        /* Seconds are small; columns 8 to 10 count GPUs and tokens. Loops of policies are as long as these say. */
        prof[i] = i % 12 >= 8 && i % 12 <= 10 ? (double)draw(1) : (double)draw(1) / 65536.0;
    }
    p = fuzzed_new(n, 2.0, 1.5, 0.05, prof);
    demand(p != NULL, "it is made");
    while (at < end) {
        const fuzzed_wanted *wanted;
        for (i = 0; i < 16; i++) {
            glob[i] = real();
        }
        for (i = 0; i < 12 * n; i++) {
            obs[i] = real();
        }
        glob[12] = (double)(1 + draw(1)); /* GPUs of the cluster: policies count up to them */
        wanted = fuzzed_decide(p, t, glob, obs);
        for (i = 0; i < n; i++) {
            int64_t share = wanted[i].share;
            demand(wanted[i].replicas >= 0 && wanted[i].replicas <= 4096, "replicas");
            demand((share >= 1 && share <= 8) || share == 16 || share == 32 || share == 64, "share");
        }
        t += 2.0;
    }
    faults += fuzzed_fault(p) != 0;
    fuzzed_free(p);
}
""",
    "sensing": """
static void run(void)
{
    fuzzed_board board;
    fuzzed *node, *gateway;
    double obs[20], net[160], orders[20];
    bool forwards[20];
    int64_t tick = 0, day = 0, i;
    board.season_days = 1.0 + (double)draw(1);
    board.store_j = 1.0 + (double)draw(2);
    board.sleep_w = (double)draw(1) / 1e6;
    board.probe_j = (double)(1 + draw(1)) / 1e4;
    board.co2_j = (double)draw(1) / 256.0;
    board.session_j = (double)(1 + draw(1)) / 1e3;
    board.packet_j = (double)(1 + draw(1)) / 1e4;
    board.panel_w = (double)draw(1) / 256.0;
    node = fuzzed_new(&board);
    gateway = fuzzed_new(&board);
    demand(node != NULL && gateway != NULL, "they are made");
    while (at < end) {
        if (draw(1) > 230) {
            int64_t n = 1 + (int64_t)draw(1) % 20;
            for (i = 0; i < 8 * n; i++) {
                net[i] = real();
            }
            fuzzed_gateway(gateway, day++, n, net, orders, forwards);
            for (i = 0; i < n; i++) {
                demand(orders[i] - orders[i] == 0.0, "an order is a number");
            }
        } else {
            fuzzed_action action;
            for (i = 0; i < 20; i++) {
                obs[i] = real();
            }
            action = fuzzed_decide(node, tick, obs);
            demand(action.sleep >= 1 && action.sleep <= 1008, "a sleep is one to 1008 ticks");
            tick += action.sleep;
        }
    }
    faults += (fuzzed_fault(node) != 0) + (fuzzed_fault(gateway) != 0);
    fuzzed_free(node);
    fuzzed_free(gateway);
}
""",
}


def fuzz(problem, name: str, seconds: int) -> tuple[bool, str]:  # type: ignore[no-untyped-def]
    """Whether all went well, and what to say."""
    program = load(problem.baselines[name], problem.contract)
    policy = CompiledPolicy(program, problem.init_example())
    facts = system_of(problem).facts(policy)
    try:
        files = c_files(
            Material("fuzzed", name, problem.name, program, policy, problem.init_example(), facts, [], "")
        )
    except UntranslatableError as error:
        return True, f"not translated: {error}"
    guided = shutil.which("clang") is not None
    with tempfile.TemporaryDirectory() as folder:
        for file, text in files.items():
            (Path(folder) / file).write_text(text)
        (Path(folder) / "fuzz.c").write_text(_HEAD + _RUN[problem.name] + ("" if guided else _RANDOM))
        sanitizers = "address,undefined" + (",fuzzer" if guided else "")
        compiler = "clang" if guided else "cc"
        command = [compiler, "-std=c99", "-O1", "-g", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
        subprocess.run(
            [*command, "fuzzed.c", "fuzz.c", "-lm", "-o", "fuzz"], cwd=folder, check=True, capture_output=True
        )
        limits = [f"-max_total_time={seconds}", "-max_len=4096", "-timeout=60"] if guided else [str(seconds)]
        ended = subprocess.run(
            ["./fuzz", *limits], cwd=folder, capture_output=True, text=True, check=False, errors="replace"
        )
        counts = re.findall(r"inputs (\d+) faults (\d+)", ended.stderr)
        coverage = re.findall(r"cov: (\d+)", ended.stderr)
        if ended.returncode != 0:
            return False, f"FAILS: {ended.stderr[-1500:]}"
    said = f"{int(counts[-1][0]):10,} inputs, {int(counts[-1][1]):8,} in which the policy failed"
    return True, said + (f", {coverage[-1]} edges" if coverage else "")


def main(words: list[str]) -> int:
    """Print one line a baseline; 1 if one fails."""
    read_all()
    seconds = next((int(w.partition("=")[2]) for w in words if w.startswith("seconds=")), 20)
    names = [w for w in words if "=" not in w] or systems_known()
    failed = False
    for name in names:
        problem = make_problem(config.compose([f"problem={name}"]))
        for baseline in problem.baselines:
            well, said = fuzz(problem, baseline, seconds)
            failed = failed or not well
            print(f"{name:12} {baseline:20} {said}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
