"""The policy language: what a policy module may contain (an allow-list over the syntax tree).

A policy is untrusted text. Nothing of it runs before :func:`check` has accepted every node, and every
refusal names the line, the rule and what to write instead, so that a model can repair it.

Names with a double underscore belong to the machinery (the functions of :mod:`metamuse.policy.intrinsics` and
:mod:`metamuse.policy.lower` are called ``rt__int``, ``Policy__victim``, …): because no policy can write one,
none can redefine or reach what its own text is compiled into.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from typing import TypeVar

from evaluators.base import Contract, PolicyError
from metamuse.policy import vocabulary as words
from metamuse.policy.functions import FunctionCheck
from metamuse.policy.rules import ModuleNames, Names, check_name, check_number, fail, is_infinity, is_text

T = TypeVar("T")

MAX_SOURCE = 64_000
MAX_NODES = 6_000
MAX_DEPTH = 60
MAX_FUNCTIONS = 80
#: What to do about refusals of Python's own that do not say it.
_REMEDIES = {
    "digits": "integers must fit 64 bits (signed)",
    "invalid character": "use ASCII outside of comments and docstrings",
    "invalid non-printable character": "delete it",
    "inconsistent use of tabs": "indent with spaces",
    "duplicate argument": "give one of them another name",
    "nested parentheses": "use several statements",
    "statically nested blocks": "move the inner loops into a method",
    "invalid syntax": "give one complete Python module, without prose or code fences",
}
#: Characters by which an editor shows another order than Python reads (CVE-2021-42574, "Trojan Source").
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")


def parse(source: str) -> ast.Module:
    """Parse a policy's text.

    Raises:
        PolicyError: (``parse``) The text is not Python, is too long or holds a NUL.
    """
    if len(source) > MAX_SOURCE:
        raise PolicyError(
            "parse", f"the policy has {len(source)} characters, at most {MAX_SOURCE} are allowed; write less"
        )
    if "\0" in source:
        raise PolicyError("parse", "the policy holds a NUL character; delete it")
    mark = _DIRECTION.search(source)
    if mark:
        line = source.count("\n", 0, mark.start()) + 1
        raise PolicyError(
            "parse", f"an invisible mark of direction (U+{ord(mark[0]):04X}) is not allowed; delete it", line
        )
    try:
        source.encode()
    except UnicodeEncodeError as error:
        line = source.count("\n", 0, error.start) + 1
        raise PolicyError("parse", "half of a surrogate pair is no character; delete it", line) from None
    return _understood(lambda: ast.parse(source, filename="policy.py"))


def _understood(reading: Callable[[], T]) -> T:
    """What Python makes of a policy, or why it makes nothing of it.

    Raises:
        PolicyError: (``parse``) It is not Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # they would speak to the user of a text that is not hers
            return reading()
    except SyntaxError as error:
        remedy = next((f"; {say}" for part, say in _REMEDIES.items() if part in error.msg), "")
        message = error.msg.partition("; use sys.set_int_max_str_digits")[0]
        raise PolicyError("parse", f"not valid Python: {message}{remedy}", error.lineno) from None
    except (RecursionError, MemoryError):
        raise PolicyError(
            "parse", "an expression is too long or nested too deeply for Python; use several statements"
        ) from None
    except ValueError as error:
        raise PolicyError("parse", f"not valid Python: {error}") from None


def check(tree: ast.Module, contract: Contract) -> Names:
    """Accept a policy module or say why not.

    Returns:
        What its imported names stand for.

    Raises:
        PolicyError: (``contract``, or ``parse`` where it is not Python) The first rule that is broken, with its
            line.
    """
    _check_size(tree)
    names = Names(_imports(tree))
    module = ModuleNames(names, {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)})
    class_node: ast.ClassDef | None = None
    taken = set(names.imports)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or is_text(node):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign):
            name = _check_constant(node, module)
            module.constants.add(name)
        elif isinstance(node, ast.FunctionDef):
            name = node.name
            check_name(node, name)
        elif isinstance(node, ast.ClassDef):
            name = node.name
            if name != "Policy" or class_node is not None:
                fail(
                    node,
                    "a policy module has exactly one class, named Policy; use policykit's structures or arrays",
                )
            class_node = node
        else:
            fail(
                node,
                "at the top level only imports, constants, functions and class Policy are allowed; move this into a method",
            )
        if name in taken:
            fail(node, f"{name} is defined twice; give one of them another name")
        taken.add(name)
    if class_node is None:
        raise PolicyError(
            "contract", "the module must define class Policy; write 'class Policy:' with its methods"
        )
    for function in module.functions.values():
        FunctionCheck(module, function).check()
    _check_class(class_node, module, contract)
    # What the parser lets pass and only Python's compiler refuses: the same parameter twice, 21 nested loops.
    _understood(lambda: compile(tree, "policy.py", "exec", dont_inherit=True))
    return names


def _check_size(tree: ast.Module) -> None:
    count = functions = 0
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        count += 1
        functions += isinstance(node, ast.FunctionDef)
        if depth > MAX_DEPTH:
            fail(
                node,
                f"the code is nested deeper than {MAX_DEPTH} levels (each elif is one); split it into methods",
            )
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    if count > MAX_NODES:
        raise PolicyError(
            "contract",
            f"the program is too large: {count} syntax nodes, at most {MAX_NODES}; use loops and arrays",
        )
    if functions > MAX_FUNCTIONS:
        raise PolicyError(
            "contract",
            f"the program has {functions} functions, at most {MAX_FUNCTIONS} are allowed; merge some",
        )


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    allowed = "only math, numpy and metamuse.policykit may be imported"
    delete = "; delete the import and what uses it"

    def bind(node: ast.stmt, name: str, what: tuple[str, str]) -> None:
        check_name(node, name)
        if found.setdefault(name, what) != what or name in ("self", "Policy"):
            fail(node, f"the name {name} is taken; import it under another one")

    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in words.TABLES:
                    fail(node, f"{allowed}, not {alias.name}{delete}")
                if alias.name == "metamuse.policykit" and alias.asname is None:
                    fail(
                        node,
                        "write 'from metamuse import policykit' or 'from metamuse.policykit import List'",
                    )
                bind(node, alias.asname or alias.name, (alias.name, ""))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            module = node.module or ""
            if node.level or module not in (*words.TABLES, "metamuse"):
                fail(node, f"{allowed}, not {'.' * node.level}{module}{delete}")
            for alias in node.names:
                if module == "metamuse":
                    if alias.name != "policykit":
                        fail(node, f"{allowed}, not metamuse.{alias.name}{delete}")
                    bind(node, alias.asname or alias.name, ("metamuse.policykit", ""))
                    continue
                if alias.name == "*":
                    fail(node, f"import * is not in the policy language; write 'import {module}'")
                if alias.name not in words.TABLES[module]:
                    fail(node, words.unknown(module, alias.name))
                bind(node, alias.asname or alias.name, (module, alias.name))
    return found


def _check_constant(node: ast.Assign | ast.AnnAssign, module: ModuleNames) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    target = targets[0]
    if len(targets) != 1 or not isinstance(target, ast.Name) or node.value is None:
        fail(node, "a top-level constant is written NAME = number")
    check_name(node, target.id)

    def visit(part: ast.expr) -> None:
        resolved = module.names.resolve(part)
        if is_infinity(part) or (resolved is not None and resolved[1] in words.NUMBERS):
            return
        if isinstance(part, ast.Constant) and type(part.value) in (int, float, bool):
            check_number(part)
        elif isinstance(part, ast.BinOp) and not isinstance(part.op, ast.MatMult):
            visit(part.left)
            visit(part.right)
        elif isinstance(part, ast.UnaryOp):
            visit(part.operand)
        elif isinstance(part, ast.Tuple):
            for item in part.elts:
                visit(item)
        elif isinstance(part, ast.Name):
            if part.id not in module.constants:
                fail(
                    node, f"{part.id} is not a constant defined above; a top-level constant must be a number"
                )
        else:
            fail(node, "a top-level constant must be a number (or arithmetic on numbers and constants above)")

    visit(node.value)
    return target.id


def _check_class(node: ast.ClassDef, module: ModuleNames, contract: Contract) -> None:
    if node.bases or node.keywords or node.decorator_list or getattr(node, "type_params", []):
        fail(node, "class Policy has no base class, decorator or keyword; write 'class Policy:'")
    for item in node.body:
        if is_text(item) or isinstance(item, ast.Pass):
            continue
        if isinstance(item, ast.AsyncFunctionDef):
            fail(item, words.HINTS[type(item)])
        if not isinstance(item, ast.FunctionDef):
            fail(item, "class Policy holds only methods; create attributes in __init__")
        if item.name in module.methods:
            fail(item, f"method {item.name} is defined twice; delete one")
        if item.name != "__init__":
            if item.name.startswith("__"):
                fail(item, f"{item.name} is not allowed; only __init__ may have double underscores")
            check_name(item, item.name) if item.name not in words.BUILTINS else None
        if not item.args.args or item.args.args[0].arg != "self":
            fail(item, f"the first parameter of {item.name} must be self")
        module.methods[item.name] = item
    if "__init__" not in module.methods:
        fail(node, f"class Policy must define __init__(self, {', '.join(contract.init)})")
    _check_signature(module.methods["__init__"], contract.init)
    for method in contract.methods:
        if method.name in module.methods:
            _check_signature(module.methods[method.name], method.params)
        elif method.required:
            fail(node, f"class Policy must define {method.name}(self, {', '.join(method.params)})")
    if contract.alternatives and not module.methods.keys() & set(contract.alternatives):
        fail(node, f"class Policy must define {' or '.join(contract.alternatives)}")
    for name, item in module.methods.items():
        method_of = contract.method(name)
        FunctionCheck(module, item, of_class=True).check(
            may_fall_through=name == "__init__" or (method_of is not None and method_of.returns == "none")
        )


def _check_signature(node: ast.FunctionDef, params: Sequence[str]) -> None:
    got = [a.arg for a in node.args.args[1:]]
    if len(got) != len(params):
        want = ", ".join(("self", *params))
        fail(node, f"{node.name} must have the parameters ({want}), it has ({', '.join(('self', *got))})")
