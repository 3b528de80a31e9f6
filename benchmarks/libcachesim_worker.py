"""Asks libcachesim for miss counts: ``libcachesim_worker.py <oracleGeneral file> unit|bytes <question> …``.

A question is ``<algorithm>:<capacity>`` or ``<algorithm>:<capacity>:<option>=<value>``. Prints ``misses <count>`` for
each; -1 if libcachesim ended the process or did not end in time, which happens at some capacities: each question
is answered by a fork.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

#: Time for a question: so many seconds, and this many requests more for each further one. It serves a million a second.
_SECONDS = 10
_REQUESTS_A_SECOND = 50_000


def cache(name: str, capacity: int, options: list[str]) -> Any:
    import libcachesim
    from libcachesim import libcachesim_python as native

    # Its hash table has 2**hashpower buckets; the default of 24 costs more time than most runs.
    hashpower = min(20, max(8, capacity.bit_length() + 1))
    if hasattr(libcachesim, name):
        given = {key: float(value) if "." in value else int(value) for key, value in map(_split, options)}
        return getattr(libcachesim, name)(capacity, hashpower=hashpower, **given)
    common = native.CommonCacheParams(
        cache_size=capacity, default_ttl=25920000, hashpower=hashpower, consider_obj_metadata=False
    )
    return libcachesim.CacheBase(getattr(native, f"{name}_init")(common, ",".join(options)))


def _split(option: str) -> tuple[str, str]:
    key, _, value = option.partition("=")
    return key, value


def main(path: str, sizes: str, questions: list[str]) -> None:
    import libcachesim

    kind = libcachesim.TraceType.ORACLE_GENERAL_TRACE
    reader = libcachesim.TraceReader(path, kind, libcachesim.ReaderInitParam(ignore_obj_size=sizes == "unit"))
    requests = reader.get_num_of_req()
    for question in questions:
        name, capacity, *options = question.split(":")
        child = os.fork()
        if child == 0:
            signal.alarm(_SECONDS + requests // _REQUESTS_A_SECOND)
            ratio = cache(name, int(capacity), options).process_trace(reader)[0]
            print("misses", round(ratio * requests), flush=True)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            print("misses -1", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
