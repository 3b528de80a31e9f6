"""What READMEs of several targets say alike."""

from __future__ import annotations

#: What a policy is shown, by problem.
SHOWN = {
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
}

#: What takes over where a policy fails, by problem.
FALLBACK = {
    "autothrottle": "Captain (the local law of Autothrottle, from the full limit on), and 0.1 for all targets,",
    "binpacking": "First Fit",
    "cache": "FIFO",
    "opscale": "a rule that keeps in every group the most replicas that it was ever given",
}
