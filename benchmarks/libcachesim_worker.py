"""Asks libcachesim for miss counts: ``libcachesim_worker.py <oracleGeneral file> <algorithm>:<capacity> …``.

Prints ``misses <count>`` for each question, with unit sizes; -1 if libcachesim ended the process, which it does
at some capacities: each question is answered by a fork.
"""

from __future__ import annotations

import os
import sys


def answer(reader: object, requests: int, name: str, capacity: int) -> int:
    import libcachesim

    # Its hash table has 2**hashpower buckets; the default of 24 costs more time than most runs.
    cache = getattr(libcachesim, name)(capacity, hashpower=min(20, max(8, capacity.bit_length() + 1)))
    return round(cache.process_trace(reader)[0] * requests)


def main(path: str, questions: list[str]) -> None:
    import libcachesim

    kind = libcachesim.TraceType.ORACLE_GENERAL_TRACE
    reader = libcachesim.TraceReader(path, kind, libcachesim.ReaderInitParam(ignore_obj_size=True))
    requests = reader.get_num_of_req()
    for question in questions:
        name, capacity = question.split(":")
        child = os.fork()
        if child == 0:
            print("misses", answer(reader, requests, name, int(capacity)), flush=True)
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            print("misses -1", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
