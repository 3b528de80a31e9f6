"""Puts a policy together with the books around it, as one header and one source of C."""

from __future__ import annotations

import re
from dataclasses import dataclass

from metamuse.export.base import Material, runtime_text
from metamuse.export.c_names import CNames
from metamuse.export.c_text import functions

_ENGINES = {
    "autothrottle": ("throttle_engine.c",),
    "binpacking": ("packer.c",),
    "cache": ("cache_engine.c",),
    "dex": ("dex_core.c", "dex_engine.c"),
    "opscale": ("scaling_engine.c",),
    "sensing": ("soil_node.c",),
}
#: How a state is made, where that is a file of its own: text for the header, file of the source.
_HEAP = {
    "sensing": (
        """/* A node (or the gateway's instance of the policy); NULL if the numbers make no sense or there is no memory. This is the only
 * call that allots any. */
@P@ *@P@_new(const @P@_board *board);

void @P@_free(@P@ *node);
""",
        "soil_node_new",
    )
}


@dataclass(frozen=True)
class Translated:
    """A policy in C, and what it needs.

    Attributes:
        switches: Lines that say which methods it has, for the books.
        libm: Definitions of the functions of the C library that it calls.
        used: The functions of the runtime that it, or the books, call.
        policy: Structs, tables and functions of the policy.
    """

    switches: list[str]
    libm: list[str]
    used: str
    policy: str


def translated(material: Material, books: str, allotting: str = "allot.c") -> Translated:
    """The parts of a source.

    Args:
        material: What is exported.
        books: What stands around the policy.
        allotting: The file of the runtime that gives memory.

    Raises:
        UntranslatableError: A construct has no translation.
    """
    names = CNames(material.inference)
    written = functions(names)
    policy = "\n".join([names.structs(), *names.tables.values(), "", written])
    defined = material.program.defined
    switches = [
        f"#define HAS_{m.name.upper()}" for m in material.program.contract.methods if m.name in defined
    ]
    if "ghosts" in material.facts:
        switches.append(f"#define GHOSTS {material.facts['ghosts']!r}")
    libm = [
        f"static double (*const volatile libm_{n})({', '.join(['double'] * (2 if n in _TWO else 1))}) = {n};"
        for n in sorted(names.libm)
    ]
    used = _used(runtime_text("arithmetic.c") + runtime_text(allotting), policy + books)
    return Translated(switches, libm, used, policy)


def c_files(material: Material, made: tuple[str, str] | None = None, memory: str = "") -> dict[str, str]:
    """``<package>.h`` and ``<package>.c``.

    Args:
        material: What is exported.
        made: How a state is made, if not on the heap: text for the header, file of :mod:`metamuse.export.runtime`.
        memory: What ends the names of the files ``heap`` and ``allot``, where arrays are not on the C library's heap.

    Raises:
        UntranslatableError: A construct has no translation.
    """
    name, engine = material.package, _ENGINES[material.problem]
    said, making = made or _HEAP.get(material.problem, ("", ""))
    parts = (*engine, f"{making}.c") if making else engine
    books = "".join(named(runtime_text(part), material) for part in parts)
    policy = translated(material, books, f"allot{memory}.c")
    source = "\n".join(
        [
            f"/* {material.title}. Written by MetaMuse; see {name}.h. */",
            f'#include "{name}.h"\n',
            "#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n#include <stdlib.h>\n",
            *policy.switches,
            "",
            named(runtime_text(f"heap{memory}.c"), material),
            "/* The C library's functions, by addresses that the compiler does not look through: it would replace some. */",
            *policy.libm,
            "",
            policy.used,
            "\n/* -- the policy */\n",
            policy.policy,
            books,
        ]
    )
    header = runtime_text(engine[-1].removesuffix(".c") + ".h").replace("@MAKE@", said)
    return {f"{name}.h": named(header, material), f"{name}.c": source}


_TWO = frozenset(["pow", "atan2", "fmod"])


def named(text: str, material: Material) -> str:
    """A text of the runtime with the names of an export."""
    name = material.package
    title = material.title.replace("*/", "* /")
    return (
        text.replace("@TITLE@", title)
        .replace("@GUARD@", name.upper())
        .replace("@U@", name.upper())
        .replace("@P@", name)
    )


def _used(library: str, body: str) -> str:
    """The functions of a library that a text calls, directly or not."""
    blocks = {
        m[1]: m[0] for m in re.finditer(r"^static [^\n]*?(\w+)\([^\n]*\n\{\n.*?^\}\n", library, re.S | re.M)
    }
    wanted: set[str] = set()
    todo = [body]
    while todo:
        text = todo.pop()
        for name in blocks:
            if name not in wanted and re.search(rf"\b{name}\(", text):
                wanted.add(name)
                todo.append(blocks[name])
    return "\n".join(block for name, block in blocks.items() if name in wanted)
