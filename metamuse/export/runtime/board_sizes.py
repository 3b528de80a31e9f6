"""What the policy takes on boards: flash and RAM, and which golden decisions stay the same in single precision.

    python board_sizes.py

Needs avr-gcc and avr-libc, arm-none-eabi-gcc and its newlib (Debian: gcc-avr avr-libc gcc-arm-none-eabi
libnewlib-arm-none-eabi); a board whose compiler is missing is left out. Ends with 1 if the program does not fit half of a
board, or no board could be tried.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from array import array
from typing import Any

from metamuse.export.runtime.golden import read
from metamuse.export.runtime.words_sensing import asked, by_node

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "@P@"
SMALL = [
    "-std=c99",
    "-Os",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wl,--gc-sections",
]
#: Compiler and flags; bytes of flash and RAM. The first is the board of the network's first generation (ATmega128L: 128 KB
#: of code, 4 KB of RAM); the last stands for small ARM boards, with sizes that are assumed.
BOARDS = {
    "MicaZ (ATmega128L)": ("avr-gcc", ["-mmcu=atmega128"], 131072, 4096),
    "ATmega1284P": ("avr-gcc", ["-mmcu=atmega1284p"], 131072, 16384),
    "Cortex-M0+": (
        "arm-none-eabi-gcc",
        ["-mcpu=cortex-m0plus", "-mthumb", "--specs=nano.specs", "--specs=nosys.specs"],
        65536,
        8192,
    ),
}


def size(compiler: str, flags: list[str]) -> tuple[int, int]:
    """Bytes of flash and of RAM (without the stack) of the program in board.c, the C library's arithmetic included."""
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "node.elf")
        sources = [os.path.join(HERE, f"{NAME}.c"), os.path.join(HERE, "board.c")]
        subprocess.run([compiler, *flags, *SMALL, *sources, "-lm", "-o", program], check=True)
        tool = compiler.replace("-gcc", "-size")
        said = subprocess.run([tool, program], check=True, capture_output=True, text=True).stdout
    text, data, bss = (int(word) for word in said.splitlines()[1].split()[:3])
    return text + data, data + bss


def sizes() -> dict[str, Any]:
    """By board: flash and RAM, and whether half of the board is enough."""
    found = {}
    for board, (compiler, flags, flash, ram) in BOARDS.items():
        if shutil.which(compiler):
            used = size(compiler, flags)
            found[board] = {
                "flash": used[0],
                "ram": used[1],
                "fits": used[0] <= flash // 2 and used[1] <= ram // 2,
            }
    return found


def in_single_precision(text: str) -> str:
    """The source as a compiler reads it whose double has 32 bits, such as avr-gcc's."""
    text = re.sub(r"(libm_(\w+)\)\([^)]*\)) = \w+;", r"\1 = \2f;", text)
    return re.sub(r"\bdouble\b", "float", text)


def same_in_single_precision() -> tuple[int, int]:
    """How many golden wake-ups end in the same decisions, and of how many."""
    cases = read(os.path.join(HERE, "golden.gz"))
    row = array("q", [len(cases)])
    for case in cases:
        row += asked(case)
    with tempfile.TemporaryDirectory() as folder:
        for name in (f"{NAME}.h", f"{NAME}.c"):
            with open(os.path.join(HERE, name)) as source, open(os.path.join(folder, name), "w") as target:
                target.write(in_single_precision(source.read()))
        shutil.copy(os.path.join(HERE, "equivalence.c"), folder)
        program = os.path.join(folder, "single")
        flags = ["-std=c99", "-O1", "-fsingle-precision-constant", "-ffp-contract=off", "-DREAL=float"]
        sources = [os.path.join(folder, name) for name in (f"{NAME}.c", "equivalence.c")]
        subprocess.run([os.environ.get("CC", "cc"), *flags, *sources, "-lm", "-o", program], check=True)
        said = subprocess.run([program], input=row.tobytes(), capture_output=True, check=True).stdout
    got = array("q")
    got.frombytes(said)
    at = same = total = 0
    for case in cases:
        for mine in by_node(case).values():
            for i in mine:
                want = (case["sleep"][i], case["co2"][i], case["packets"][i], case["listen"][i])
                same += tuple(got[at : at + 4]) == want
                total += 1
                at += 4
        at += 2 * len(case["day"]) + 1
    return same, total


def main() -> int:
    """Print one JSON line."""
    found = sizes()
    same, total = same_in_single_precision()
    print(json.dumps({"boards": found, "same_in_single_precision": same, "wake_ups": total}))
    return 0 if found and all(one["fits"] for one in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
