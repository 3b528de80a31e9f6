"""Whether this package decides as the policy did in the simulator: run me, or let pytest do it."""

import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from sensing_s0031.equivalence import differences, made  # noqa: E402
from sensing_s0031.golden import read  # noqa: E402


def test_decisions():
    for case in read(os.path.join(HERE, "golden.gz")):
        assert not (found := differences(case, made)), found


def main():
    decisions, seconds = 0, 0.0
    for case in read(os.path.join(HERE, "golden.gz")):
        began = time.perf_counter()
        found = differences(case, made)
        seconds += time.perf_counter() - began
        if found:
            print(found)
            return 1
        decisions += case["decisions"]
    print(json.dumps({"decisions": decisions, "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
