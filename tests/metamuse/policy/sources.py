"""Small cache policies made from parts."""

from __future__ import annotations

import textwrap

IMPORTS = "import math\nimport numpy as np\nfrom metamuse.policykit import List, Rng, hash64\n"
INIT = "self.n = n_slots\nself.seen = np.zeros(n_slots, dtype=np.int64)\nself.mean = 0.0\nself.queue = List(n_slots)"


def module(
    body: str = "return self.queue.back()",
    top: str = "",
    init: str = INIT,
    methods: str = "",
    imports: str = IMPORTS,
) -> str:
    """A policy whose ``victim`` has the given body. Line 4 is the first of ``top``."""
    parts = [imports.rstrip("\n")]
    if top:
        parts.append(textwrap.dedent(top).strip("\n"))
    parts += ["class Policy:", "    def __init__(self, capacity, n_slots):", textwrap.indent(init, " " * 8)]
    parts += [
        "    def victim(self, slot, key, size, now):",
        textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8),
    ]
    if methods:
        parts.append(textwrap.indent(textwrap.dedent(methods).strip("\n"), " " * 4))
    return "\n".join(parts) + "\n"


#: Line of the first statement of ``victim`` in a module with the default imports, init and no ``top``.
BODY_LINE = 11
