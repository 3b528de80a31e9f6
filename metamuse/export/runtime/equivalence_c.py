"""Whether this code decides as the policy did in the simulator: run me, or let pytest do it. Needs a C compiler (CC)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from array import array
from typing import Any

from metamuse.export.runtime.golden import read

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "@P@"
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compile_with(*flags: str, compiler: str | None = None, folder: str) -> str:
    """Build the test program; returns its path."""
    command = [compiler or os.environ.get("CC", "cc"), *flags]
    program = os.path.join(folder, "equivalence")
    sources = [os.path.join(HERE, f"{NAME}.c"), os.path.join(HERE, "equivalence.c")]
    subprocess.run([*command, *sources, "-x", "none", "-lm", "-o", program], check=True)
    return program


def has_sanitizers(folder: str) -> bool:
    """Whether the compiler has the sanitizers, and their programs start."""
    source = os.path.join(folder, "probe.c")
    with open(source, "w") as file:
        file.write("int main(void) { return 0; }\n")
    program = os.path.join(folder, "probe")
    try:
        command = [os.environ.get("CC", "cc"), *SANITIZERS, source, "-o", program]
        subprocess.run(command, check=True, capture_output=True)
        subprocess.run([program], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def asked(cases: list[dict[str, Any]]) -> array[int]:
    """The cases as the test program reads them."""
    row = array("q", [len(cases)])
    for case in cases:
        if "items" in case:
            row.extend([case["decisions"], case["capacity"], case["bins_used"]])
            row.extend(case["items"])
            continue
        row.extend([case["decisions"], case["capacity"], case["max_objects"]])
        sizes = case.get("sizes") or [1] * case["decisions"]
        for key, size in zip(case["ids"], sizes, strict=True):
            row.extend((key, size))
    return row


def difference(cases: list[dict[str, Any]], got: array[int]) -> str:
    """The first difference between what the test program says and the golden decisions, "" if there is none."""
    answers = iter(got)
    for case in cases:
        at = 0
        for now in range(case["decisions"]):
            if "items" in case:
                have: Any = next(answers)
                want: Any = case["bins"][now]
            else:
                outcome = next(answers)
                have = (min(outcome, 1) if outcome != 2 else 2, [next(answers) for _ in range(next(answers))])
                gone = []
                while at < len(case["evicted"]) and case["evicted_at"][at] == now:
                    gone.append(case["evicted"][at])
                    at += 1
                want = (case["outcome"][now], gone)
            if have != want:
                return f"{case['name']}, event {now}: {have}, in the simulator {want}"
        fault = next(answers)
        if fault:
            return f"{case['name']}: the policy fails at its line {fault}"
    return ""


def replay(program: str, cases: list[dict[str, Any]]) -> tuple[str, float]:
    """Run the test program on all cases: the first difference, and the seconds it took."""
    row = asked(cases).tobytes()
    began = time.perf_counter()
    ended = subprocess.run([program], input=row, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        return f"the program ends with {ended.returncode}: {said[0]}", seconds
    got = array("q")
    got.frombytes(ended.stdout)
    return difference(cases, got), seconds


def check(flags: list[str], compiler: str | None = None) -> tuple[str, int, float]:
    """Compile, replay: the first difference, how many decisions, and the seconds."""
    cases = read(os.path.join(HERE, "golden.gz"))
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = replay(compile_with(*flags, compiler=compiler, folder=folder), cases)
    return found, sum(case["decisions"] for case in cases), seconds


def builds() -> list[list[str]]:
    """Flags of the builds that are compared: as C99 with sanitizers, if there are any, and as C99 optimised."""
    with tempfile.TemporaryDirectory() as folder:
        checked = SANITIZERS if has_sanitizers(folder) else []
    c99 = ["-std=c99", "-pedantic", *WARNINGS]
    return [[*c99, "-O1", *checked], [*c99, "-O2"]]


def test_decisions() -> None:
    """Every build takes every golden decision."""
    for flags in builds():
        found, _, _ = check(flags)
        assert not found, found


def test_cpp() -> None:
    """It is C++17, too."""
    with tempfile.TemporaryDirectory() as folder:
        compile_with(
            "-x", "c++", "-std=c++17", *WARNINGS, compiler=os.environ.get("CXX", "c++"), folder=folder
        )


def main() -> int:
    """Print one JSON line, or the first difference."""
    decisions, seconds = 0, 0.0
    try:
        test_cpp()
        for flags in builds():
            found, decisions, seconds = check(flags)
            if found:
                print(found)
                return 1
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"it cannot be compiled: {error}")
        return 1
    print(json.dumps({"decisions": decisions, "seconds": seconds}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
