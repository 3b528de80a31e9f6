"""Puts a policy together with what it needs, as one plain Python module."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from metamuse.export.bounds import Bounds
from metamuse.export.form import Known
from metamuse.export.infer import Inference, Instance
from metamuse.export.python_text import Writer
from metamuse.export.runtime import arithmetic
from metamuse.export.units import Unit, kit_unit, policy_unit
from metamuse.policy.program import Program
from metamuse.policy.reprint import reprint
from metamuse.policykit.hashing import hash64

#: How structures that grow do so in an export, where their arrays are lists.
_GROW = {
    "Vector": """
    def _grow(self, room: int) -> None:
        \"\"\"Make room for the indices ``0..room-1``.\"\"\"
        self.items.extend([self.fill] * (room - len(self.items)))
""",
    "Buckets": """
    def _grow(self, room: int) -> None:
        \"\"\"Make room for the ids ``0..room-1``.\"\"\"
        places = range(self.levels + 1 + self.room, self.levels + 1 + room)
        self.after.extend(places)
        self.before.extend(places)
        self.level_of.extend([-1] * len(places))
        self.room = max(self.room, room)
""",
    "Tree": """
    def _grow(self, room: int) -> None:
        \"\"\"Make room for the indices ``0..room-1``, rounded up to a power of two.\"\"\"
        while self.room < room:
            low = -9223372036854775807 - 1
            leaves = self.maxima[self.room :] + [low] * self.room
            level = leaves
            maxima = leaves
            while len(level) > 1:
                level = [max(level[i], level[i + 1]) for i in range(0, len(level), 2)]
                maxima = level + maxima
            self.room *= 2
            self.maxima = [low] + maxima
""",
}


def translate(program: Program, compiled: Known, init: Sequence[Any]) -> tuple[Inference, Bounds]:
    """What the translators start from; ``init`` are arguments that ``__init__`` may be given.

    Raises:
        UntranslatableError: A construct is not known.
    """
    entries = ["__init__", *(m.name for m in program.contract.methods if m.name in program.defined)]
    inference = Inference(policy_unit(program, compiled.layout, compiled.constants(), init), entries)
    return inference, Bounds(inference)


def python_module(program: Program, inference: Inference, bounds: Bounds, heading: str) -> str:
    """The text of a module with the class ``Policy``.

    Args:
        program: The policy.
        inference: Its functions.
        bounds: How large its ints become.
        heading: What the module says of itself.

    Raises:
        UntranslatableError: A construct is not known.
    """
    writer = Writer(bounds)
    by_unit: dict[str, list[Instance]] = {}
    for instance in inference.instances:
        by_unit.setdefault(instance.unit.name, []).append(instance)
    kits = [_class_text(kit_unit(n), i, writer) for n, i in by_unit.items() if n != "Policy"]
    tree = copy.deepcopy(program.tree)
    tree.body = [n for n in tree.body if not isinstance(n, ast.Import | ast.ImportFrom)]
    tree.body = _replaced(tree.body, {i.label: i for i in by_unit["Policy"] if not i.of_class}, writer)
    _rewrite_class(tree, [i for i in by_unit["Policy"] if i.of_class], writer)
    text = reprint(program.source, tree)
    if any(isinstance(n, ast.Name) and n.id == "math" for n in ast.walk(ast.parse(text))):
        writer.modules.add("math")
    return "\n".join([f'"""{heading}"""\n', *_head(writer), *kits, text.lstrip("\n")])


def _head(writer: Writer) -> list[str]:
    helpers = writer.helpers | ({"int64"} if writer.helpers & {"left_shift", "power", "total"} else set())
    helpers |= {"variance"} if "deviation" in helpers else set()
    needs_math = "math" in writer.modules or bool(helpers & {"hypot", "deviation"})
    parts = ["from __future__ import annotations\n"]
    if needs_math:
        parts.append("import math\n")
    sources = arithmetic_sources()
    parts += ["\n" + _private(source, helpers) for name, source in sources.items() if name in helpers]
    if writer.hashes:
        parts.append("\n" + sources["hash64"].replace("_MASK", "0xFFFFFFFFFFFFFFFF"))
    return parts


@functools.cache
def arithmetic_sources() -> dict[str, str]:
    """Sources of the functions that translations call, by name."""
    functions = [f for f in vars(arithmetic).values() if getattr(f, "__module__", "") == arithmetic.__name__]
    return {f.__name__: inspect.getsource(f) for f in [*functions, hash64]}


def _private(source: str, helpers: Iterable[str]) -> str:
    """A helper under the name that translations call it by."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.name = f"_{node.name}"
            node.returns = None
            for arg in node.args.args:
                arg.annotation = None
        elif isinstance(node, ast.Name) and node.id in helpers:
            node.id = f"_{node.id}"
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("object", ast.Load())
    return ast.unparse(tree) + "\n"


def _class_text(unit: Unit, instances: list[Instance], writer: Writer) -> str:
    """A policykit class with the methods that are used."""
    tree = copy.deepcopy(unit.tree)
    _rewrite_class(tree, instances, writer)
    text = reprint(unit.text, tree).rstrip("\n") + "\n"
    if unit.name in _GROW:
        text += _GROW[unit.name]
    return "\n" + textwrap.dedent(text) + "\n"


def _rewrite_class(tree: ast.Module, instances: list[Instance], writer: Writer) -> None:
    node = next(n for n in tree.body if isinstance(n, ast.ClassDef))
    made = {i.label: i for i in instances}
    kept = {"__len__"} | ({"__contains__"} if "contains" in made else set())
    node.body = [
        n for n in node.body if not isinstance(n, ast.FunctionDef) or n.name in made or n.name in kept
    ]
    node.body = _replaced(node.body, made, writer)


def _replaced(body: list[ast.stmt], made: Mapping[str, Instance], writer: Writer) -> list[ast.stmt]:
    """A block with its functions rewritten, and after each its variants for other kinds of arguments."""
    out: list[ast.stmt] = []
    for node in body:
        if not isinstance(node, ast.FunctionDef):
            out.append(node)
            continue
        if node.name in made:
            out.append(writer.function(made[node.name]))
        elif node.name in ("__len__", "__contains__"):
            out.append(node)
        variants = [i for label, i in made.items() if i.node.name == node.name and label != node.name]
        out += [writer.function(i) for i in variants]
    return out
