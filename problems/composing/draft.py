"""A policy under construction: what structures and rules of every problem may write."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

#: Where constants left open by a rule land in their range when no generator is given (0 low, 1 high).
MIDDLE = 0.5
#: How far a drawn constant may stray from the strength an observation asks for, as a share of the range.
_SPREAD = 0.12


class Draft:
    """Collects a policy's constants, imports, state, helper methods and the prose of its design.

    A problem's draft adds the places its rules write to and puts the module together (``source``).

    Args:
        numbers: Values of constants that are settled already, by name.
        rng: Draws the others; None puts them into the middle of their range.

    Attributes:
        numbers: Values of all constants claimed so far.
        prose: Sentences of the design by key.
        strength: What the next constant should be like (0 low, 1 high); None leaves it open.
    """

    def __init__(self, numbers: Mapping[str, float], rng: np.random.Generator | None = None) -> None:
        self._settled = dict(numbers)
        self._rng = rng
        self._constants: dict[str, str] = {}
        self._kit: set[str] = set()
        self._init: dict[str, str] = {}
        self._methods: dict[str, tuple[str, list[str]]] = {}
        self.numbers: dict[str, float] = {}
        self.prose: dict[str, list[str]] = {}
        self.strength: float | None = None

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> str:
        """Claim a tunable constant; an int if both ends are ints. Returns its name."""
        if name in self.numbers:
            return name
        value = self._settled.get(name)
        whole = isinstance(low, int) and isinstance(high, int)
        if value is None:
            place = MIDDLE if self.strength is None else self.strength
            if self._rng is not None:
                spread = 0.5 if self.strength is None else _SPREAD
                place = min(1.0, max(0.0, place + float(self._rng.uniform(-spread, spread))))
            self.strength = None
            value = (
                math.exp(math.log(low) + place * math.log(high / low)) if log else low + place * (high - low)
            )
        value = round(value) if whole else float(f"{value:.3g}")
        value = min(high, max(low, value))
        self.numbers[name] = value
        self._constants[name] = f"{name} = {value}  # tune: {low}..{high}{' log' if log else ''}"
        return name

    def ranges(self) -> str:
        """The constants with their ranges, for the design."""
        return "; ".join(line.replace("  # tune: ", " (") + ")" for line in self._constants.values())

    def say(self, key: str, sentence: str) -> None:
        """Add a sentence to a key of the design."""
        self.prose.setdefault(key, []).append(sentence)

    def said(self, key: str) -> str:
        """The sentences of a key with the constants' values in place of their names."""
        text = " ".join(self.prose.get(key, []))
        for name in sorted(self.numbers, key=len, reverse=True):
            text = text.replace(name, str(self.numbers[name]))
        return text

    def attribute(self, name: str, value: str) -> None:
        """Create an attribute in ``__init__``."""
        self._init.setdefault(name, value)

    def kit(self, *names: str) -> None:
        """Import structures or functions of policykit."""
        self._kit.update(names)

    def rng(self) -> str:
        """Have a random stream; returns its expression."""
        self.kit("Rng")
        self.attribute("rng", "Rng(1)")
        return "self.rng"

    def method(self, name: str, arguments: str, lines: Sequence[str]) -> None:
        """Add a helper method; two parts may share one if they write the same.

        Raises:
            ValueError: Another part uses the name for something else.
        """
        if self._methods.get(name, (arguments, list(lines))) != (arguments, list(lines)):
            raise ValueError(f"two parts of a draft write a method {name}, each its own")
        self._methods[name] = (arguments, list(lines))

    def source(self, doc: str) -> str:
        """The module's text; ``doc`` is what the class says of itself."""
        raise NotImplementedError

    # -- for ``source``

    def _module(self, doc: str, arguments: str, init: Sequence[str], methods: Sequence[str]) -> str:
        """Imports, constants and the class; ``methods`` are texts, empty ones are left out."""
        texts = [written("__init__", arguments, init), *methods]
        texts += [written(name, *rest) for name, rest in self._methods.items()]
        body = "\n\n".join(text for text in texts if text)
        return f'{self._head(body)}\n\n\nclass Policy:\n    """{doc}"""\n\n{body}\n'

    def _head(self, code: str) -> str:
        imports = ["import math"] if "math." in code else []
        imports += ["import numpy as np"] if "np." in code else []
        blocks = ["\n".join(imports)] if imports else []
        if self._kit:
            blocks.append(f"from metamuse.policykit import {', '.join(sorted(self._kit))}")
        return "\n\n".join([*blocks, "\n".join(self._constants.values())]).rstrip()


def written(name: str, arguments: str, lines: Sequence[str]) -> str:
    """A method's text, "" if it has no lines."""
    if not lines:
        return ""
    head = ", ".join(["self", arguments]) if arguments else "self"
    body = "\n".join("        " + line for line in lines)
    return f"    def {name}({head}):\n{body}"


def indented(lines: Sequence[str], steps: int = 1) -> list[str]:
    """Lines moved into blocks."""
    return ["    " * steps + line for line in lines]
