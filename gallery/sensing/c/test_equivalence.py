"""Whether this code decides as the policy did in the simulator: run me, or let pytest do it. Needs a C compiler (CC)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from typing import Any

from golden import read
from words import asked, difference

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "sensing_s0031"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-ffp-contract=off"]
SANITIZERS = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


def compilers() -> list[tuple[str, str]]:
    """The compilers for C and for C++: those that CC and CXX name (cc and c++), and clang where there is one."""
    found = [(os.environ.get("CC", "cc"), os.environ.get("CXX", "c++"))]
    if found[0][0] != "clang" and shutil.which("clang") and shutil.which("clang++"):
        found.append(("clang", "clang++"))
    return found


def compile_with(compiler: str, *flags: str, folder: str) -> str:
    """Build the test program; returns its path."""
    program = os.path.join(folder, "equivalence")
    sources = [os.path.join(HERE, f"{NAME}.c"), os.path.join(HERE, "equivalence.c")]
    subprocess.run([compiler, *flags, *sources, "-x", "none", "-lm", "-o", program], check=True)
    return program


def has_sanitizers(folder: str, compiler: str) -> bool:
    """Whether a compiler has the sanitizers, and their programs start."""
    source = os.path.join(folder, "probe.c")
    with open(source, "w") as file:
        file.write("int main(void) { return 0; }\n")
    program = os.path.join(folder, "probe")
    try:
        subprocess.run([compiler, *SANITIZERS, source, "-o", program], check=True, capture_output=True)
        subprocess.run([program], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def replay(program: str, cases: list[dict[str, Any]]) -> tuple[str, float]:
    """Run the test program on all cases: the first difference, and the seconds it took."""
    row = array("q", [len(cases)])
    for case in cases:
        row += asked(case)
    began = time.perf_counter()
    ended = subprocess.run([program], input=row.tobytes(), capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if ended.returncode != 0:
        said = ended.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        return f"the program ends with {ended.returncode}: {said[0]}", seconds
    got = array("q")
    got.frombytes(ended.stdout)
    answers = iter(got)
    for case in cases:
        if found := difference(case, answers):
            return found, seconds
        if fault := next(answers):
            return f"{case['name']}: the policy fails at its line {fault}", seconds
    return "", seconds


def check(build: list[str]) -> tuple[str, int, float]:
    """Compile, replay: the first difference, how many decisions, and the seconds."""
    cases = read(os.path.join(HERE, "golden.gz"))
    with tempfile.TemporaryDirectory() as folder:
        found, seconds = replay(compile_with(*build, folder=folder), cases)
    return found, sum(case["decisions"] for case in cases), seconds


def builds() -> list[list[str]]:
    """Compilers with flags: C99 optimised, the first compiler's also with sanitizers, if there are any."""
    c99 = ["-std=c99", "-pedantic", *WARNINGS]
    found = [[c, *c99, "-O2"] for c, _ in compilers()]
    with tempfile.TemporaryDirectory() as folder:
        checked = SANITIZERS if has_sanitizers(folder, found[0][0]) else []
    return [*found[1:], [found[0][0], *c99, "-O1", *checked], found[0]]


def test_decisions() -> None:
    """Every build takes every golden decision."""
    for build in builds():
        found, _, _ = check(build)
        assert not found, (build, found)


def test_cpp() -> None:
    """It is C++17, too."""
    sources = [os.path.join(HERE, name) for name in sorted(os.listdir(HERE)) if name.endswith(".c")]
    for _, compiler in compilers():
        for source in sources:
            subprocess.run(
                [compiler, "-x", "c++", "-std=c++17", *WARNINGS, "-fsyntax-only", source], check=True
            )


def main() -> int:
    """Print one JSON line, or the first difference."""
    decisions, seconds = 0, 0.0
    try:
        test_cpp()
        for build in builds():
            found, decisions, seconds = check(build)
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
