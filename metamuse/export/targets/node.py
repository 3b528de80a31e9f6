"""``target=node``: for the board itself: C without a heap, and a module for MicroPython."""

from __future__ import annotations

import ast

import numpy as np

from metamuse.export.base import Material, runtime_text
from metamuse.export.c_module import c_files, named
from metamuse.export.form import array_bytes
from metamuse.export.golden import Case
from metamuse.export.python_module import python_module
from metamuse.export.texts import FALLBACK, SHOWN

_START = """/* The node; NULL if the board's numbers make no sense, or the policy's arrays need more words than there are (@U@_WORDS). There
 * is one node a program; a second start makes a fresh one. Nothing is allotted from a heap, here or later. */
@P@ *@P@_start(const @P@_board *board);
"""
#: Modules of the runtime that scripts import, and what they are called in the package.
_MOVED = {"golden": "golden", "words_cache": "words", "words_sensing": "words", "soil_node": "soil_node"}
#: Readings in a packet.
_BATCH = 12


class NodeExporter:
    """See :class:`metamuse.export.base.Exporter`."""

    name = "node"
    summary = "C99 without a heap for AVR and ARM boards, and a module for MicroPython"
    problems: tuple[str, ...] = ("sensing",)
    requires: tuple[str, ...] = ()

    def usage(self, problem: str) -> str:
        return """    #include "{package}.h"

    {package}_board board = {{60.0, 240.0, 3e-5, 0.0009, 0.243, 0.06, 0.012, 0.0}};
    {package} *node = {package}_start(&board);
    {package}_action action = {package}_decide(node, tick, obs);     /* at each wake-up */

`board.c` is a main loop with the places where your drivers go. Under MicroPython: copy `micropython/policy.py` and
`micropython/soil_node.py` to the board.

    from policy import Policy
    from soil_node import SoilNode

    node = SoilNode(Policy, 60, 240.0, 3e-5, 0.0009, 0.243, 0.06, 0.012, 0.0)
    sleep, co2, packets, listen = node.decide(tick, obs)

`ENERGY.md` says what the decisions cost at most. `python board_sizes.py` says what flash and RAM they take (with Debian's
cross compilers), and how many decisions stay the same where double has 32 bits; `MICROPYTHON=… python test_micropython.py`
takes the golden decisions under MicroPython.

""" + SHOWN[problem]

    def assumptions(self, problem: str) -> list[str]:
        return [
            "Decisions are those of the simulator where double has 64 bits (ARM, ESP32, MicroPython's ports with such floats). "
            "avr-gcc before 10 has 32 bits, and so have MicroPython's small ports: there a decision that hangs on the last digits of a "
            "number can be another one; `board_sizes.py` counts them.",
            "One node a program; `_decide` is not called from an interrupt.",
            "An action that the store cannot pay for is left out by the caller, as in the simulator and in `board.c`.",
            "The compiler is not given `-ffast-math`, and `-ffp-contract=off` where it would fuse operations.",
        ]

    def fallback(self, problem: str) -> str:
        return (
            f"If the policy fails (an index out of range, a division by zero) or names what it may not, {FALLBACK[problem]} takes over "
            "for good, and `_fault` returns the line of the policy (in policy.original.txt), `fallback` under MicroPython the reason: send "
            "it with the readings. For a wake-up with a number that is not finite it decides, too."
        )

    def files(self, material: Material) -> dict[str, str]:
        words = {"@WORDS@": str(_words(material))}
        sources = {
            name: _replaced(text, words)
            for name, text in c_files(
                material, (named(_START, material), "soil_node_start"), "_static"
            ).items()
        }
        harness = runtime_text("equivalence_words.c") + runtime_text("equivalence_sensing.c")
        harness = harness.replace("@P@_new(", "@P@_start(")
        harness = "\n".join(line for line in harness.split("\n") if "@P@_free(" not in line)
        test = runtime_text("equivalence_c.py")
        scripts = {
            "test_equivalence.py": test,
            "board_sizes.py": runtime_text("board_sizes.py"),
            "test_micropython.py": runtime_text("micropython_test.py"),
        }
        moved = {f"from .{old} ": f"from {new} " for old, new in _MOVED.items()}
        heading = f"{material.title}.\n\nWritten by MetaMuse; decides as the policy did in the simulator."
        policy = python_module(material.program, material.inference, material.bounds, heading)
        return {
            **sources,
            "board.c": named(runtime_text("soil_board.c"), material),
            "equivalence.c": named(harness, material),
            "golden.py": runtime_text("golden.py"),
            "words.py": runtime_text("words_sensing.py"),
            **{name: named(_replaced(text, moved), material) for name, text in scripts.items()},
            "micropython/policy.py": bare(policy),
            "micropython/soil_node.py": bare(runtime_text("soil_node.py")),
            "micropython/replay.py": bare(_replaced(runtime_text("micropython_replay.py"), moved)),
            "ENERGY.md": energy(material),
            "policy.original.txt": material.program.source,
        }


def _replaced(text: str, words: dict[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text


def _words(material: Material) -> int:
    """Words of 8 bytes for the policy's arrays, as it is made with the arguments of the example."""
    layout = material.compiled.layout
    if not layout.arrays and not layout.parts:
        return 1
    return sum(array_bytes(material.compiled, material.init)) // 8 + 64


def bare(source: str) -> str:
    """A module without annotations and what is imported for them, docstrings and comments: a board reads it as it is."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in [*node.args.args, *node.args.kwonlyargs]:
                argument.annotation = None
        if isinstance(body, list):
            node.body = [_bared(part) for part in body if not _is_talk(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _is_talk(node: ast.stmt) -> bool:
    """Whether a statement says something to readers and checkers only."""
    if isinstance(node, ast.ImportFrom):
        return node.module in ("__future__", "typing", "collections.abc")
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _bared(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.Assign([node.target], node.value)
    return node


def energy(material: Material) -> str:
    """What decisions cost, as text: a bound that holds for any policy, and the most that the golden decisions came to."""
    rows = [_cost(case) for case in material.golden if len(case.columns["tick"])]
    lines = [f"| {name} | {mean:.2f} | {most:.2f} | {bound:.1f} |" for name, mean, most, bound in rows]
    return f"""# What the decisions cost

Charges are those of the simulator: `sleep_w` always, `probe_j` a wake-up, `co2_j` a reading, `session_j` each time the radio
is opened, `packet_j` a packet of {_BATCH} readings, `alert_w` while it listens for rain.

**Bound, whatever it decides.** A tick is ten minutes and a node wakes at most once in it, a reading is sent once, and a packet
holds at least one. So over any number of whole days since the start

    joules a day <= 86400 * (sleep_w + alert_w) + 144 * (probe_j + co2_j + session_j + packet_j)

What a node forwards for others comes on top. A store that holds less than that for the season can be emptied before its end:
no policy is proved not to. The caller leaves out what the store cannot pay for.

**On the golden decisions** (joules of a node and day; with the boards of these workloads; the day that cost most):

| workload | mean | most | bound |
|---|---|---|---|
{chr(10).join(lines)}
"""


def _cost(case: Case) -> tuple[str, float, float, float]:
    """Name of a workload; mean, most and bound of a node's joules a day."""
    fields, columns = case.fields, case.columns
    _, _, sleep_w, probe_j, co2_j, session_j, packet_j, _ = fields["rest"]
    obs = columns["obs"].reshape(-1, 20)
    opened = columns["packets"] != 0
    sent = np.minimum(np.abs(columns["packets"]), np.ceil(obs[:, 6] / _BATCH)) * opened
    joules = probe_j + columns["co2"] * co2_j + opened * session_j + sent * packet_j
    joules = joules + columns["listen"] * columns["sleep"] * 600.0 * fields["alert_w"]
    days = columns["tick"] // 144
    most, total, count = 0.0, 0.0, 0
    for node in np.unique(columns["node"]):
        mine = columns["node"] == node
        each = np.bincount(days[mine], weights=joules[mine]) + 86400.0 * sleep_w
        most, total, count = max(most, float(each.max())), total + float(each.sum()), count + len(each)
    bound = 86400.0 * (sleep_w + fields["alert_w"]) + 144.0 * (probe_j + co2_j + session_j + packet_j)
    return str(fields["name"]), total / count, most, bound


EXPORTER = NodeExporter()
