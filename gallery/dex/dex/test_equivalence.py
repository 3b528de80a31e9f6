"""Whether policy.hpp decides as the policy did in the simulator: run me, or let pytest do it. Needs a C++ compiler (CXX)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from checking import (
    HERE,
    NAME,
    SANITIZERS,
    WARNINGS,
    compilers,
    has_sanitizers,
    replay,
)
from golden import read

FLAGS = ["-std=c++17", "-pedantic", *WARNINGS]


def builds() -> list[list[str]]:
    """Compilers with flags: the first one's with sanitizers, if there are any, and all optimised."""
    found = [[compiler, *FLAGS, "-O2"] for _, compiler in compilers()]
    with tempfile.TemporaryDirectory() as folder:
        checked = SANITIZERS if has_sanitizers(folder, compilers()[0][0]) else []
    return [*found[1:], [found[0][0], *FLAGS, "-O1", *checked], found[0]]


def compile_with(build: list[str], sources: list[str], folder: str) -> str:
    """Build a program of sources of this folder, all of them C++; its path."""
    program = os.path.join(folder, os.path.splitext(sources[0])[0])
    files = [os.path.join(HERE, source) for source in sources]
    subprocess.run([*build, "-x", "c++", *files, "-x", "none", "-lm", "-o", program], check=True)
    return program


def conforms(build: list[str]) -> str:
    """What ``conformance.cpp`` finds wrong, "" if nothing."""
    with tempfile.TemporaryDirectory() as folder:
        program = compile_with(build, ["conformance.cpp"], folder)
        ended = subprocess.run([program], capture_output=True, text=True, errors="replace", check=False)
    if ended.returncode == 0:
        return ""
    said = (ended.stdout + ended.stderr).strip().splitlines() or ["no message"]
    return f"conformance.cpp ends with {ended.returncode}: {said[0]}"


def check(build: list[str]) -> tuple[str, int, float]:
    """Compile, replay through the C interface: the first difference, how many decisions, and the seconds."""
    cases = read(os.path.join(HERE, "golden.gz"))
    with tempfile.TemporaryDirectory() as folder:
        program = compile_with(build, ["equivalence.c", f"{NAME}_abi.cpp"], folder)
        found, seconds = replay(program, cases)
    return found, sum(case["decisions"] for case in cases), seconds


def test_conformance() -> None:
    """Random numbers are those of the policy language, states are plain data, odd numbers go to DEX's rule."""
    for build in builds():
        assert not (found := conforms(build)), (build, found)


def test_decisions() -> None:
    """Every build takes every golden decision."""
    for build in builds():
        found, _, _ = check(build)
        assert not found, (build, found)


def main() -> int:
    """Print one JSON line, or the first difference."""
    decisions, seconds = 0, 0.0
    try:
        for build in builds():
            found = conforms(build)
            if not found:
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
