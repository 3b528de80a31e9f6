"""What READMEs of several targets say alike."""

from __future__ import annotations

#: What a policy is shown, by problem.
SHOWN = {
    "dex": """`seen` (16 numbers): 0 now in µs, 1 mean µs of this thread's reads, 2 of its calls to memory servers, 3 share of leaf
hits, 4 share of walks with a miss, 5 share of misses offloaded, 6 share of leaf misses bypassed (3 to 6 and the two means:
moving averages, each new value has the weight 0.02; the means begin with 4.2 and 3.35), 7 cached children of the parent,
8 the parent's word, 9 free frames of the thread, 10 frames of the server, 11 height, 12 fan-out, 13 highest level that may be
offloaded, 14 cores of a memory server, 15 threads a server.

For each missing node on the way down call `on_miss`, for the deepest cached node of a walk `on_hit`, after a miss `on_done`
(with the whole time of the read or call) and `publish`. When a frame is needed, look at `looks` random frames, replace one
with cached children by one of these, and cool the two of the lowest `score`, the first of equal ones. A node's word is 0 at
first and is shared by the server's threads; a table of twice as many words as there are frames, addressed by a hash, is what
the simulator keeps.
""",
    "opscale": """Five groups a phase (prefill, decode): whole-model replicas, QKV, attention, output projection, FFN; `group // 5` is
the number of the phase.

- `glob` (16 numbers): 0 interval, 1 requests/s in the last interval, 2 moving average of it, 3 mean prompt tokens,
  4 squared coefficient of variation of prompts, 5 mean output tokens, 6 active decode sequences, 7 their mean context,
  8 p95 time to first token / SLO and 9 p95 time between tokens / SLO of the last minute, 10 part within the SLOs of the
  last minute, 11 GPUs in use, 12 GPUs of the cluster, 13 load delay of a whole replica in s, 14 peak and 15 95th
  percentile of the request rate in the past.
- `obs` (12 numbers a group): 0 arrivals/s, 1 requests waiting, 2 tokens waiting, 3 oldest wait s, 4 mean batch, 5 busy
  fraction, 6 replicas ready, 7 replicas loading, 8 mean service s, 9 mean wait s, 10 share of the latency, 11 KV cache
  used (a fraction).
- `prof` (12 numbers a group, constant): 0 s a token (decode: a sequence), 1 least s of a batch, 2 s for the square of a
  prompt (decode: for a token of context), 3 s of latency a token, 4 weights GB, 5 KV bytes a token, 6 load delay s,
  7 bytes a token handed on, 8 GPUs of a replica, 9 usual batch cap, 10 tokens of KV cache of a decode replica (0 in
  prefill), 11 smallest share in eighths with 95 % of the speed.
""",
    "sensing": """`obs` (20 numbers): 0 moisture at 10 cm (m3 m-3), 1 at 20 cm, 2 soil temperature (degC), 3 last CO2 efflux (umol m-2 s-1; that
of a reading decided now shows at the next wake-up), 4 ticks since CO2 was read (100000 before the first), 5 ticks since a
session got through, 6 readings unsent, 7 time of day 0..1, 8 store 0..1, 9 moving average of the harvest (J a day, three
days), 10 whether the last session got through, 11 whether a rain alert woke it, 12 time of year 0..1, 13 humidity in the box
0..1, 14 whether the reading is stuck or impossible, 15 ticks since the last wake-up, 16 what the gateway told it, 17 moisture
at the last wake-up, 18 days left in the season, 19 joules in the store. A tick is ten minutes.

`net` (8 numbers a node): days since it was heard, its store then 0..1, its moisture, its flux, age of its newest reading in
days, readings received, whether a fault is seen, packets it relayed.
""",
}

#: What takes over where a policy fails, by problem.
FALLBACK = {
    "autothrottle": "Captain (the local law of Autothrottle, from the full limit on), and 0.1 for all targets,",
    "binpacking": "First Fit",
    "cache": "FIFO",
    "dex": "DEX's own rule (one missing leaf in ten cached, inner nodes offloaded by cost)",
    "opscale": "a rule that keeps in every group the most replicas that it was ever given",
    "sensing": "even spacing (probes every 20 minutes, CO2 every three hours, the radio once a day, or each as much less often as the store for the season asks for)",
}
