"""Every rule of the language: what is accepted, what is refused, and that a refusal says what to do."""

from __future__ import annotations

import ast

import pytest

from evaluators.base import PolicyError
from evaluators.cache.simulator import CONTRACT
from metamuse.policy import vocabulary
from metamuse.policy.program import load
from tests.metamuse.policy.sources import BODY_LINE, IMPORTS, INIT, module

ACCEPTED: dict[str, str] = {
    "the simplest": module(),
    "docstrings": module('"""Words, even ```code fences``` and \'quotes\'."""\nreturn self.queue.back()', top='"""Module."""'),
    "numpy under its own name": module("return numpy.argmax(self.seen)", imports="import numpy\n", init="self.seen = numpy.zeros(9)"),
    "names from math": module("return int(floor(pi) + inf * 0.0)", imports="from math import floor, pi, inf\n", init="self.a = 0"),
    "policykit as a module": module(
        imports="from metamuse import policykit\n", init="self.queue = policykit.List(n_slots)"
    ),
    "policykit under another name": module(
        imports="import metamuse.policykit as kit\n", init="self.queue = kit.List(n_slots)"
    ),
    "future": module(imports="from __future__ import annotations\n" + IMPORTS),
    "the same import twice": module(imports=IMPORTS + "import numpy as np\n"),
    "constants": module(top="A = 1\nB = -0.5\nC = A * 2 ** 3\nD: float = 1e-3\nE = (1, B)\nF = float('inf')\nG = math.pi / 2"),
    "a constant shadowed by a local": module("A = 2\nreturn A", top="A = 1"),
    "a function": module("return twice(slot)", top="def twice(x, by=-1):\n    return 2 * x * by"),
    "unused parameters named like contract methods": module(methods="def keeps(self, victim):\n    return True"),
    "parameters under other names": module(methods="def on_hit(self, s, k, z, t):\n    self.seen[s] += 1"),
    "names of other builtins": module("hash = key\nnext = hash % 3\nlist = next\nreturn list"),
    "loop variable of a range that runs": module("for i in range(3):\n    pass\nreturn i"),
    "set in both branches": module("if slot > 3:\n    x = 1\nelse:\n    x = 2\nreturn x"),
    "set before an endless loop ends": module("while True:\n    x = 3\n    if x > now:\n        break\nreturn x"),
    "helper for __init__ only": module(
        init=INIT + "\nself.reset()", methods="def reset(self):\n    self.other = List(self.n)"
    ),
    "method and array method of one name": module("return self.sum() + np.sum(self.seen)", methods="def sum(self):\n    return 1"),
    "nothing to return": module(methods="def on_hit(self, slot, key, size, now):\n    if slot > 3:\n        return None\n    return"),
    "annotations are never evaluated": module(
        "x: __import__('os').system('true') = 3\nreturn x", methods="def f(self, a: (lambda: 0)) -> open('x'):\n    return 1"
    ),
    "rounding and conversion": module("return int(np.int64(2.5)) + round(2.5) + int(np.bool_(slot))"),
    "dtypes by builtin names": module("z = np.zeros(3, dtype=int)\nw = np.ones(2, bool)\nreturn z[0] + w[0]"),
    "a comparison chain": module("return int(0 < slot <= now)"),
}  # fmt: skip

# Statements of victim: (what is refused, part of the message that names the rule, part that says what to do).
REFUSED_STATEMENTS: dict[str, tuple[str, str]] = {
    "x = [1, 2]": ("lists", "numpy arrays"),
    "x = [i for i in range(3)]": ("comprehensions", "loop"),
    "x = {i for i in range(3)}": ("comprehensions", "loop"),
    "x = {1: 2}": ("dictionaries", "arrays by slot"),
    "x = {i: 1 for i in range(3)}": ("dictionaries", "arrays by slot"),
    "x = {1, 2}": ("sets", "bool array"),
    "x = max(i for i in range(3))": ("generator", "loop"),
    "x = lambda: 3": ("lambda", "write a method"),
    "x = 'text'": ("strings", "use numbers"),
    "x = b'text'": ("bytes", "use numbers"),
    "x = f'{slot}'": ("strings", "delete it"),
    "x = 3j": ("complex", "use numbers"),
    "x = ...": ("cannot be used", "use numbers"),
    "x = None": ("None", "use -1"),
    "x = slot is None": ("'is'", "=="),
    "x = slot is not 3": ("'is not'", "!="),
    "x = self.seen @ self.seen": ("@ operator", "np.sum(a * b)"),
    "x = 9223372036854775808": ("64 bits", "smaller"),
    "x = (y := 3)": (":=", "line of its own"),
    "x, *y = 1, 2, 3": ("starred", "write the arguments out"),
    "x = max(*self.seen)": ("starred", "write the arguments out"),
    "x = max(**self.seen)": ("** arguments", "write the arguments out"),
    "x = yield 3": ("yield", "return"),
    "x = await slot": ("await", "plain call"),
    "try:\n    pass\nexcept ValueError:\n    pass": ("try/except", "test the condition"),
    "try:\n    pass\nexcept* ValueError:\n    pass": ("try/except", "test the condition"),
    "with slot:\n    pass": ("with", "delete"),
    "raise ValueError": ("raise", "return"),
    "assert slot": ("assert", "delete"),
    "del slot": ("del", "write -1"),
    "global slot2": ("global", "attributes of self"),
    "nonlocal slot2": ("nonlocal", "attributes of self"),
    "def f():\n    pass": ("functions inside", "write a method"),
    "async def f():\n    pass": ("async", "plain method"),
    "async for i in slot:\n    pass": ("async", "plain loop"),
    "class A:\n    pass": ("only one class", "structures or arrays"),
    "import os": ("imports", "top of the module"),
    "from os import path": ("imports", "top of the module"),
    "match slot:\n    case 1:\n        pass": ("match", "if/elif"),
    "3": ("does nothing", "delete"),
    "slot == 3": ("does nothing", "assign it"),
    "print(slot)": ("print()", "the builtins are"),
    "x = getattr(self, 'n')": ("getattr()", "the builtins are"),
    "x = open('/etc/passwd')": ("open()", "the builtins are"),
    "x = eval('1')": ("eval()", "the builtins are"),
    "x = __import__('os')": ("__import__()", "the builtins are"),
    "x = sorted(self.seen)": ("sorted()", "the builtins are"),
    "x = frobnicate(3)": ("function frobnicate is not defined", "define it"),
    "x = undefined_name": ("name undefined_name is not defined", ""),
    "x = self": ("self", "self.name"),
    "x = np": ("module numpy", "np.name"),
    "x = np.exp": ("not a number", "called"),
    "x = List": ("not a number", "called"),
    "x = len": ("len is a function", "called"),
    "x = np.int64": ("not a number", "called"),
    "x = np(3)": ("cannot be called", "np.name()"),
    "x = np.pi(3)": ("is a number", "cannot be called"),
    "x = slot(3)": ("not a function", "cannot be called"),
    "x = self.helper()": ("no method helper", "it has"),
    "x = self.victim": ("is a method", "called"),
    "self.victim = 3": ("is a method", "another name"),
    "self.__init__(1, 2)": ("__init__ cannot be called", "resets"),
    "x = self.victim(slot)": ("parameters (slot, key, size, now)", "given 1"),
    "x = self.victim(slot, key, size, now, 3)": ("parameters (slot, key, size, now)", "given 5"),
    "x = self.victim(slot, key, size, then=3)": ("no parameter then", "it has"),
    "x = self.victim(slot, key, size, slot=3)": ("parameters (slot, key, size, now)", "given 4"),
    "x = (slot if now else key)(3)": ("only named functions", "called"),
    "x = len(self.seen)(3)": ("only named functions", "called"),
    "x = self.__class__": ("attribute __class__", "double underscore"),
    "x = self.seen.__array_interface__": ("__array_interface__", "double underscore"),
    "x = self.queue.push_front.__globals__": ("__globals__", "double underscore"),
    "x = self.queue.__len__()": ("__len__", "double underscore"),
    "x = self.seen.ctypes": (".ctypes", "arrays have"),
    "x = self.seen.tofile": (".tofile", "arrays have"),
    "x = self.seen.dump(3)": (".dump", "arrays have"),
    "x = self.seen.base": (".base", "arrays have"),
    "x = self.seen.astype(np.float64)": (".astype", "arrays have"),
    "x = self.queue.after": (".after", "policykit's structures"),
    "x = self.queue.format(3)": (".format", "arrays have"),
    "self.queue.size = 0": ("attributes of self", "assigned"),
    "np.pi = 3": ("attributes of self", "assigned"),
    "for self.n in range(3):\n    pass": ("variable of a for loop", "plain name"),
    "for self.seen[0] in range(3):\n    pass": ("variable of a for loop", "plain name"),
    "len = 3": ("builtin function", "another name"),
    "np = 3": ("np may not be assigned", "another name"),
    "List = 3": ("List may not be assigned", "another name"),
    "self = 3": ("self may not be assigned", "another name"),
    "Policy = 3": ("name of a function or class", "another name"),
    "S__ = 3": ("double underscore", ""),
    "t__1 = 3": ("double underscore", ""),
    "x = rt__int(3)": ("rt__int()", "the builtins are"),
    "x = Policy__victim(3)": ("Policy__victim()", "the builtins are"),
    "naïve = 3": ("naïve", "ASCII"),
    "x = self.naïve": ("naïve", "not allowed"),
    "x = Policy(1, 2)": ("created by the simulator", "methods of self"),
    "x = np.load(3)": ("np.load", "numpy here has"),
    "x = np.ctypeslib": ("np.ctypeslib", "numpy here has"),
    "x = np.memmap(3)": ("np.memmap", "numpy here has"),
    "x = np.random.rand()": ("np.random", "Rng(seed)"),
    "x = np.random": ("np.random", "Rng(seed)"),
    "x = np.empty(3)": ("np.empty", "np.zeros"),
    "x = np.zeros(3, dtype=np.float32)": ("np.float32", "np.float64"),
    "x = np.zeros(3, dtype=np.uint8)": ("np.uint8", "np.int64"),
    "x = np.zeros(3, dtype='int64')": ("strings", "use numbers"),
    "x = np.int8(3)": ("np.int8()", "int(x)"),
    "x = np.sum(self.seen, axis=0)": ("axis", "loop"),
    "x = np.sum(self.seen, 0)": ("one array", "loop"),
    "x = np.searchsorted(self.seen, 3, side='middle')": ("side", "'left' or 'right'"),
    "x = math.gamma(3)": ("math.gamma", "math here has"),
    "x = math.__loader__": ("math.__loader__", "math here has"),
    "x = round(2.5, 1)": ("round()", "round(x * 100) / 100"),
    "x = pow(2, 3, 5)": ("pow()", "% c"),
    "x = sum(self.seen, 3)": ("sum()", "add the start"),
    "x = max(1, 2, key=3)": ("keyword", "by position"),
    "if now:\n    x = 1\nreturn x": ("variable x may have no value", "before"),
    "for i in range(now):\n    x = i\nreturn x": ("variable x may have no value", "before"),
    "while now > 3:\n    x = 1\nreturn x": ("variable x may have no value", "before"),
    "x += 1": ("variable x may have no value", "before"),
    "self.seen[:hash64(now)] += 1": ("bounds of the slice", "names first"),
    "self.queue.pop_back().size += 1": ("attributes of self", "assigned"),
}  # fmt: skip

#: Whole modules: source, line of the refusal, parts of the message.
REFUSED_MODULES: dict[str, tuple[str, int | None, tuple[str, ...]]] = {
    "no class": ("import math\n", None, ("must define class Policy",)),
    "two classes": (module(top="class Other:\n    pass"), 4, ("exactly one class", "structures or arrays")),
    "base class": ("class Policy(int):\n    pass\n", 1, ("no base class", "class Policy:")),
    "metaclass": ("class Policy(metaclass=type):\n    pass\n", 1, ("keyword", "class Policy:")),
    "class decorator": ("@print\nclass Policy:\n    pass\n", 2, ("decorator", "class Policy:")),
    "class attribute": ("class Policy:\n    limit = 3\n", 2, ("only methods", "__init__")),
    "nested class": ("class Policy:\n    class A:\n        pass\n", 2, ("only methods", "__init__")),
    "no __init__": ("class Policy:\n    pass\n", 1, ("must define __init__(self, capacity, n_slots)",)),
    "no victim": (
        "class Policy:\n    def __init__(self, capacity, n_slots):\n        self.a = 1\n", 1, ("must define victim(self, slot,",)
    ),
    "wrong parameters": (
        module(methods="def on_hit(self, slot):\n    pass"), 12, ("on_hit must have the parameters (self, slot, key", "it has (self, slot)")
    ),
    "no self": (module(methods="def f(x):\n    pass"), 12, ("first parameter of f must be self",)),
    "method twice": (module(methods="def victim(self, slot, key, size, now):\n    return 0"), 12, ("defined twice",)),
    "dunder method": (module(methods="def __del__(self):\n    pass"), 12, ("__del__", "only __init__")),
    "decorator": (module(methods="@staticmethod\ndef f(self):\n    pass"), 13, ("decorators", "delete")),
    "async method": (module(methods="async def f(self):\n    pass"), 12, ("async", "plain method")),
    "star args": (module(methods="def f(self, *a):\n    pass"), 12, ("plain parameters",)),
    "keyword only": (module(methods="def f(self, *, a):\n    pass"), 12, ("plain parameters",)),
    "positional only": (module(top="def f(a, /):\n    pass"), 4, ("plain parameters",)),
    "default of a call": (module(methods="def f(self, a=print(3)):\n    pass"), 12, ("default values", "plain numbers")),
    "default of a string": (module(methods="def f(self, a='x'):\n    pass"), 12, ("default values", "plain numbers")),
    "huge default": (module(methods=f"def f(self, a={2**64}):\n    pass"), 12, ("64 bits",)),
    "parameter named like a builtin": (module(methods="def f(self, len):\n    pass"), 12, ("builtin",)),
    "parameter named like an import": (module(methods="def f(self, np):\n    pass"), 12, ("np may not be assigned",)),
    "method named like the machinery": (module(methods="def x__y(self):\n    pass"), 12, ("double underscore",)),
    "function named like a builtin": (module(top="def abs(x):\n    return x"), 4, ("builtin", "another name")),
    "function named like the machinery": (module(top="def rt__store_int(x):\n    return x"), 4, ("double underscore",)),
    "function named like a lowered function": (module(top="def fn__x(x):\n    return x"), 4, ("double underscore",)),
    "function named like an import": (module(top="def hash64(x):\n    return x"), 4, ("defined twice",)),
    "function that returns sometimes": (
        module(top="def f(x):\n    if x > 3:\n        return 1"), 4, ("some paths only", "end it with a return")
    ),
    "function that returns nothing once": (
        module(top="def f(x):\n    if x > 3:\n        return\n    return 1"), 6, ("nothing here", "return a value")
    ),
    "self in a function": (module(top="def f(x):\n    return self.n"), 5, ("name self is not defined",)),
    "constant twice": (module(top="A = 1\nA = 2"), 5, ("defined twice",)),
    "constant named like a builtin": (module(top="len = 3"), 4, ("builtin",)),
    "constant named like an import": (module(top="np = 3"), 4, ("defined twice",)),
    "constant named like the machinery": (module(top="Ring__push = 3"), 4, ("double underscore",)),
    "constant that is a module": (module(top="M = np"), 4, ("np is not a constant", "must be a number")),
    "constant that is a function": (module(top="F = hash64"), 4, ("not a constant", "must be a number")),
    "constant array": (module(top="A = np.zeros(3)"), 4, ("must be a number",)),
    "constant text": (module(top="A = 'x'"), 4, ("must be a number",)),
    "constant list": (module(top="A = [1, 2]"), 4, ("must be a number",)),
    "huge constant": (module(top=f"A = {10**30}"), 4, ("64 bits",)),
    "two targets": (module(top="A = B = 1"), 4, ("NAME = number",)),
    "statement at the top": (module(top="print(3)"), 4, ("at the top level only",)),
    "loop at the top": (module(top="while True:\n    pass"), 4, ("at the top level only",)),
    "import os": ("import os\n" + module(), 1, ("only math, numpy and metamuse.policykit", "not os")),
    "from os": ("from os import system\n" + module(), 1, ("only math", "not os")),
    "relative import": ("from . import secrets\n" + module(), 1, ("only math",)),
    "submodule": ("import numpy.ctypeslib as c\n" + module(), 1, ("only math", "not numpy.ctypeslib")),
    "star import": ("from numpy import *\n" + module(), 1, ("import * is not", "write 'import numpy'")),
    "forbidden name": ("from numpy import load\n" + module(), 1, ("np.load",)),
    "other parts of metamuse": ("from metamuse import policy\n" + module(), 1, ("not metamuse.policy",)),
    "insides of policykit": ("from metamuse.policykit import linked\n" + module(), 1, ("has no linked", "it has")),
    "policykit without a name": ("import metamuse.policykit\n" + module(), 1, ("from metamuse import policykit",)),
    "import as a builtin": ("import math as len\n" + module(), 1, ("builtin",)),
    "import as the machinery": ("import math as S__\n" + module(), 1, ("double underscore",)),
    "import as Policy": ("import math as Policy\n" + module(), 1, ("taken", "another")),
    "two imports of one name": ("import math as np\n" + module(), 3, ("np is taken", "another")),
    "recursion": (module(methods="def f(self, x):\n    return self.f(x)"), 12, ("recursion", "write a loop")),
    "recursion in a circle": (
        module(methods="def f(self):\n    return self.g()\ndef g(self):\n    return self.f()"), 12, ("self.f -> self.g -> self.f", "loop")
    ),
    "recursion of functions": (module(top="def f(x):\n    return f(x)"), 4, ("recursion", "write a loop")),
    "deep nesting": (module("x = " + "-" * 70 + "1\nreturn x"), BODY_LINE, ("nested deeper", "split")),
    "large": (module("x = 1\n" * 2000 + "return x"), None, ("too large",)),
    "many functions": (module(methods="\n".join(f"def f{i}(self):\n    pass" for i in range(90))), None, ("functions",)),
}  # fmt: skip

UNPARSABLE: dict[str, tuple[str, int | None]] = {
    "not Python": (module("x = = 3"), BODY_LINE),
    "a code fence": ("```python\nclass Policy:\n```\n", 1),
    "NUL": (module() + "\0", None),
    "long": ("#" * 70_000, None),
    "a number of 5000 digits": (module("x = " + "9" * 5000), BODY_LINE),
    "brackets": (module("x = " + "(" * 300 + "1" + ")" * 300), None),
    "half a character": (module("# \ud800"), None),
    "tabs and spaces": ("class Policy:\n    def a(self):\n        pass\n\tdef b(self):\n\t\tpass\n", None),
}


def refusal(source: str) -> PolicyError:
    with pytest.raises(PolicyError) as caught:
        load(source, CONTRACT)
    return caught.value


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(source: str) -> None:
    load(source, CONTRACT)


@pytest.mark.parametrize("statement", REFUSED_STATEMENTS)
def test_refused_statement(statement: str) -> None:
    rule, remedy = REFUSED_STATEMENTS[statement]
    source = module(statement if "return x" in statement else statement + "\nreturn 0")
    error = refusal(source)
    assert error.kind == "contract"
    assert rule in error.message
    assert remedy in error.message
    assert error.line is not None
    assert BODY_LINE <= error.line < BODY_LINE + len(statement.splitlines())
    assert error.message.startswith(f"line {error.line}: ")
    assert "\n" not in error.message


@pytest.mark.parametrize("name", REFUSED_MODULES)
def test_refused_module(name: str) -> None:
    source, line, parts = REFUSED_MODULES[name]
    error = refusal(source)
    assert error.kind == "contract"
    assert error.line == line
    for part in parts:
        assert part in error.message


@pytest.mark.parametrize("name", UNPARSABLE)
def test_unparsable(name: str) -> None:
    source, line = UNPARSABLE[name]
    error = refusal(source)
    assert error.kind == "parse"
    assert line is None or error.line == line
    assert "\n" not in error.message


def test_lookalike_letters_are_what_python_makes_of_them() -> None:
    # Python normalises identifiers (NFKC), so a wide "ｏｓ" is "os" before any check sees it.
    assert "not os" in refusal("import ｏｓ\n" + module()).message
    assert "getattr()" in refusal(module("return ｇetattr(self, key)")).message


def test_every_syntax_node_is_allowed_or_has_a_hint() -> None:
    silent = {
        # Reached only inside nodes that are refused or handled themselves.
        "AsyncFunctionDef", "FunctionDef", "ClassDef", "FormattedValue", "Import", "ImportFrom", "TypeAlias",
        "TemplateStr", "Interpolation",
    }  # fmt: skip
    known = vocabulary.STATEMENTS + vocabulary.EXPRESSIONS + tuple(vocabulary.HINTS)
    for base in (ast.stmt, ast.expr):
        for node in base.__subclasses__():
            assert issubclass(node, known) or node.__name__ in silent, node.__name__


def test_every_hint_says_what_to_do() -> None:
    for node, hint in vocabulary.HINTS.items():
        assert any(c in hint for c in ";,") or "must" in hint, node


def test_vocabulary_exists() -> None:
    import math

    import numpy as np

    assert all(hasattr(np, name) for name in vocabulary.NUMPY)
    assert all(hasattr(math, name) for name in vocabulary.MATH)
    assert not set(vocabulary.INSTEAD) & vocabulary.NUMPY
    assert vocabulary.ONE_ARRAY | vocabulary.DTYPES <= vocabulary.NUMPY
