"""Whether the policy's module decides under MicroPython as in the simulator: run me, or let pytest do it.

MICROPYTHON names the interpreter (default: micropython); it has to have floats of 64 bits, as the ports for Unix and for
WebAssembly do.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from array import array
from typing import Any

from metamuse.export.runtime.golden import read
from metamuse.export.runtime.words_sensing import by_node

HERE = os.path.dirname(os.path.abspath(__file__))


def rows(cases: list[dict[str, Any]]) -> array[float]:
    """The golden decisions as floats, in the order in which ``replay.py`` reads them."""
    out = array("d", [len(cases)])
    for case in cases:
        days, _, *costs = case["rest"]
        nodes = by_node(case)
        out.append(len(nodes))
        for node, mine in nodes.items():
            out.extend([len(mine), days, case["stores"][node], *costs])
            for i in mine:
                out.append(case["tick"][i])
                out.extend(case["obs"][20 * i : 20 * i + 20])
                out.extend([case["sleep"][i], case["co2"][i], case["packets"][i], case["listen"][i]])
        n = case["nodes"]
        dawns = len(case["day"]) // n
        out.extend([n, dawns])
        if dawns:
            out.extend([days, case["store_j"], *costs])
        for dawn in range(0, n * dawns, n):
            out.append(case["day"][dawn])
            out.extend(case["net"][8 * dawn : 8 * (dawn + n)])
            for i in range(dawn, dawn + n):
                out.extend([case["order"][i], case["forwards"][i]])
    return out


def replayed() -> int:
    """How many wake-ups (and days of nodes at the gateway) were equal.

    Raises:
        AssertionError: One was not.
    """
    cases = read(os.path.join(HERE, "golden.gz"))
    with tempfile.TemporaryDirectory() as folder:
        for name in ("policy.py", "soil_node.py", "replay.py"):
            shutil.copy(os.path.join(HERE, "micropython", name), folder)
        with open(os.path.join(folder, "golden.rows"), "wb") as file:
            rows(cases).tofile(file)
        command = [*shlex.split(os.environ.get("MICROPYTHON", "micropython")), "replay.py"]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = ended.stdout.strip().splitlines() or ended.stderr.strip().splitlines() or ["it says nothing"]
    wanted = sum(len(case["node"]) + len(case["day"]) for case in cases)
    assert said[-1] == f"equal {wanted}", (
        f"under MicroPython: {said[-1] if said[-1] != 'equal None' else said[-2]}"
    )
    return wanted


def test_decisions() -> None:
    """Every golden decision is taken again."""
    assert replayed()


def main() -> int:
    """Print one JSON line, or the first difference."""
    try:
        print(json.dumps({"equal": replayed()}))
    except (AssertionError, OSError) as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
