"""A policy as Python with numpy, for those that compute with whole arrays: the interpreted form, taken along.

What the interpreter of MetaMuse does to a policy's text (:mod:`metamuse.policy.interpret`) is done once, and the functions
that it calls are copied beside it. Slower and harder to read than :mod:`metamuse.export.python_text`, but there is nothing
in the language that it does not know. Ints beyond 64 bits wrap around, as in compiled code.
"""

from __future__ import annotations

import ast
import functools
import inspect
from pathlib import Path

import metamuse.policykit
from metamuse.export.form import Known
from metamuse.policy import interpret, numeric, vocabulary
from metamuse.policy.program import Program

_RAISES = (
    'raise OverflowError("an integer went beyond 64 bits; use hash64 for hashing or keep numbers smaller")'
)
_WRAPS = "return (value - LOW) % 2**64 + LOW"

_HEAD = '''"""{heading}"""

from __future__ import annotations

from . import language
from .language import BUILTINS, TOOLS

globals().update(TOOLS, **BUILTINS)
{imports}

'''

_TAIL = """

Policy = language.policy_class(globals(), frozenset({floats!r}))
Policy.__module__ = __name__  # where pickle finds it
Policy.rt__array = staticmethod(language.np.array)  # what it is to be shown arrays as
"""


@functools.cache
def language_files() -> dict[str, str]:
    """The arithmetic of the language and policykit, as they stand in a package."""
    text = inspect.getsource(numeric)
    assert text.count(_RAISES) == 1
    words = "\n".join(f"{n} = {sorted(getattr(vocabulary, n))!r}" for n in ("MATH", "NUMPY", "POLICYKIT"))
    text = text.replace("import metamuse.policykit\n", "from . import policykit\n").replace(_RAISES, _WRAPS)
    text = text.replace("from metamuse.policy.vocabulary import MATH, NUMPY, POLICYKIT\n", f"\n{words}\n")
    text = text.replace("metamuse.policykit", "policykit")
    guard = "\n\n".join(inspect.getsource(f) for f in (interpret.policy_class, interpret._stored))
    guard = guard.replace("numeric.int64", "int64").replace('PolicyError("contract", ', "TypeError(")
    text += f"\n\nREADY = {interpret.READY!r}\nFLOAT_ARRAY = {interpret.FLOAT_ARRAY!r}\n\n\n{guard}"
    text = text.replace(
        "from collections.abc import Callable, Iterable, Iterator",
        "from collections.abc import Callable, Iterable, Iterator, Mapping",
    )
    files = {"language.py": text}
    for path in sorted(Path(metamuse.policykit.__file__).parent.glob("*.py")):
        if path.name != "compiled.py":
            source = path.read_text(encoding="utf-8").replace("from metamuse.policykit.", "from .")
            files[f"policykit/{path.name}"] = source
    return files


def whole_module(program: Program, compiled: Known, heading: str) -> str:
    """The text of ``policy.py``, to stand beside :func:`language_files`."""
    tree = ast.fix_missing_locations(interpret._Instrument().visit(program.plain_tree()))
    modules = {"math": "math", "numpy": "numpy", "metamuse.policykit": "policykit"}
    imports = [
        f"{alias} = language.interpreted_{modules[module]}(){f'.{attribute}' if attribute else ''}"
        for alias, (module, attribute) in program.names.imports.items()
    ]
    head = _HEAD.format(heading=heading, imports="\n".join(imports))
    return head + ast.unparse(tree) + _TAIL.format(floats=sorted(compiled.floats))
