"""Runs methods of one policy both ways, interpreted and compiled, for tests that compare the two."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import metamuse.policykit
from evaluators.base import Contract, Method
from metamuse.policy.compiled import CompiledPolicy, InterpretedPolicy
from metamuse.policy.program import load

HEADER = "import math\nimport numpy as np\nfrom metamuse.policykit import *\n"


def contract_of(names: Sequence[str], params: dict[str, str], returns: str = "float") -> Contract:
    """A contract of methods that all take the same parameters (name: kind) after ``self``."""
    types = tuple(params.values())
    return Contract(("n",), tuple(Method(n, tuple(params), types, returns, required=False) for n in names))


def driver(names: Sequence[str], params: Sequence[str]) -> Callable[..., Any]:
    """A factory of ``drive(state, which, *params)``, which calls the method of that number."""
    arguments = ", ".join(params)
    lines = ["def factory(view, show, **f):", *(f"    f{i} = f['{n}']" for i, n in enumerate(names))]
    lines += [f"    def drive(state, which, {arguments}):", "        state = view(state)"]
    for i in range(len(names)):
        lines += [f"        if which == {i}:", f"            return float(f{i}(state, {arguments}))"]
    lines += ["        return 0.0", "    return drive"]
    space: dict[str, Any] = {}
    exec("\n".join(lines), space)
    factory: Callable[..., Any] = space["factory"]
    return factory


class Twins:
    """One policy in both forms.

    Args:
        source: Its text.
        names: The methods to call.
        params: Their parameters and kinds.
        n: Argument of ``__init__``.
        metered: Whether they count their work.
    """

    def __init__(
        self, source: str, names: Sequence[str], params: dict[str, str], n: int = 8, metered: bool = False
    ) -> None:
        self.names = list(names)
        self.n = n
        program = load(source, contract_of(names, params))
        self.compiled = CompiledPolicy(program, (n,), metered=metered)
        self.interpreted = InterpretedPolicy(program, None, self.compiled.floats, metered)
        factory = driver(names, list(params))
        self._fast = self.compiled.bind(factory, {})
        self._slow = self.interpreted.bind(factory, {})

    def states(self) -> tuple[Any, Any]:
        """Fresh states: interpreted, compiled."""
        return self.interpreted.state(self.n), self.compiled.state(self.n)

    def grow(self, states: tuple[Any, Any], room: int) -> tuple[Any, Any]:
        """The states with room for ``room`` indices."""
        return self.interpreted.grow(states[0], room), self.compiled.grow(states[1], room)

    def call(self, states: tuple[Any, Any], name: str, *args: Any) -> tuple[Any, Any]:
        """What the method gives in each form: a float, or the class of the exception it raises."""
        which = self.names.index(name)
        return _outcome(self._slow, states[0], which, *args), _outcome(self._fast, states[1], which, *args)


def _outcome(function: Callable[..., float], *args: Any) -> Any:
    try:
        return function(*args)
    except (ArithmeticError, LookupError, ValueError) as error:
        return type(error)


def policy(
    init: str, methods: dict[str, str], params: Sequence[str], extra: str = "", constants: str = ""
) -> str:
    """The text of a policy from the bodies of its methods."""
    parts = [
        HEADER.replace("*", ", ".join(metamuse.policykit.__all__)),
        constants,
    ]
    parts += [
        "class Policy:",
        "    def __init__(self, n):",
        textwrap.indent(textwrap.dedent(init).strip(), " " * 8),
    ]
    parts.append(textwrap.indent(textwrap.dedent(extra).strip(), " " * 4))
    for name, body in methods.items():
        parts.append(f"    def {name}({', '.join(('self', *params))}):")
        parts.append(textwrap.indent(textwrap.dedent(body).strip(), " " * 8))
    return "\n".join(parts) + "\n"
