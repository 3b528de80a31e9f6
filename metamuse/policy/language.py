"""The policy language: what a policy module may contain (an allow-list over the syntax tree).

A policy is untrusted text. Nothing of it runs before :func:`check` has accepted every node, and every
refusal names the line, the rule and what to write instead, so that a model can repair it.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

import metamuse.policykit
from evaluators.base import Contract, PolicyError

MAX_SOURCE = 64_000
MAX_NODES = 6_000
MAX_DEPTH = 60
INT64 = 2**63

MATH = frozenset(
    "acos asin atan atan2 ceil copysign cos cosh degrees e erf erfc exp expm1 fabs floor fmod gamma hypot"
    " inf isfinite isinf isnan lgamma log log10 log1p log2 nan pi pow radians sin sinh sqrt tan tanh tau"
    " trunc".split()
)
NUMPY = frozenset(
    "abs absolute all any arange argmax argmin argsort array bool_ ceil clip copy cos count_nonzero cumsum"
    " exp expm1 flatnonzero float64 floor full full_like inf int16 int32 int64 int8 isfinite isinf isnan"
    " log log10 log1p log2 max maximum mean min minimum nan ones ones_like pi power searchsorted sign"
    " sin sort sqrt square std sum tanh uint16 uint32 uint8 var where zeros zeros_like".split()
)
ARRAY_METHODS = frozenset("all any argmax argmin argsort copy fill max mean min size shape sort std sum var".split())
BUILTINS = frozenset("abs bool divmod enumerate float int len max min pow range round sum zip".split())
POLICYKIT = frozenset(metamuse.policykit.__all__)

#: Numpy names a model reaches for, with what to write instead.
_INSTEAD = {
    "empty": "np.zeros (np.empty holds arbitrary memory)",
    "empty_like": "np.zeros_like",
    "random": "metamuse.policykit.Rng(seed)",
    "float32": "np.float64",
    "float16": "np.float64",
    "uint64": "np.int64",
    "bool": "np.bool_",
    "int_": "np.int64",
    "intp": "np.int64",
}

_STATEMENTS = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue,
    ast.Return, ast.Pass, ast.Expr,
)  # fmt: skip
_EXPRESSIONS = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Name, ast.Constant, ast.Tuple, ast.keyword, ast.arguments, ast.arg,
)  # fmt: skip
_OPERATORS = (
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
_HINTS: dict[type[ast.AST], str] = {
    ast.ListComp: "comprehensions are not in the policy language; fill a numpy array in a loop",
    ast.SetComp: "comprehensions are not in the policy language; fill a numpy array in a loop",
    ast.DictComp: "dictionaries are not in the policy language; index numpy arrays by slot",
    ast.GeneratorExp: "generator expressions are not in the policy language; write a loop",
    ast.Dict: "dictionaries are not in the policy language; index numpy arrays by slot",
    ast.Set: "sets are not in the policy language; use a numpy bool array",
    ast.List: "lists are not in the policy language; use numpy arrays or policykit's List, Ring, Stack",
    ast.Lambda: "lambda is not in the policy language; write a method",
    ast.Try: "try/except is not in the policy language; test the condition first",
    ast.With: "with is not in the policy language",
    ast.Raise: "raise is not in the policy language",
    ast.Assert: "assert is not in the policy language",
    ast.JoinedStr: "strings are not in the policy language (docstrings aside)",
    ast.Delete: "del is not in the policy language",
    ast.Global: "global is not in the policy language; keep state in attributes of self",
    ast.Nonlocal: "nonlocal is not in the policy language",
    ast.FunctionDef: "functions inside functions are not in the policy language; write a method",
    ast.ClassDef: "only one class, Policy, is allowed; use policykit's structures or arrays",
    ast.Import: "imports must stand at the top of the module",
    ast.ImportFrom: "imports must stand at the top of the module",
    ast.NamedExpr: "the := operator is not in the policy language",
    ast.Starred: "starred arguments are not in the policy language",
    ast.MatMult: "the @ operator is not in the policy language",
    ast.Is: "'is' is not in the policy language; compare with == (there is no None, use -1)",
    ast.IsNot: "'is not' is not in the policy language; compare with != (there is no None, use -1)",
    ast.Yield: "yield is not in the policy language",
    ast.Await: "await is not in the policy language",
    ast.Match: "match is not in the policy language; use if/elif",
}


@dataclass(frozen=True)
class Names:
    """What the imported names of a module stand for: ``(module, attribute)``, attribute "" for a module."""

    imports: dict[str, tuple[str, str]]

    def resolve(self, node: ast.expr) -> tuple[str, str] | None:
        """``(module, attribute)`` of ``np.zeros``, ``policykit.List``, ``hash64``, …; else None."""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.resolve(node.value)
            if base is not None and base[1] == "":
                return base[0], node.attr
        return None


def parse(source: str) -> ast.Module:
    """Parse a policy's text.

    Raises:
        PolicyError: (``parse``) The text is not Python, is too long or holds a NUL.
    """
    if len(source) > MAX_SOURCE:
        raise PolicyError("parse", f"the policy is longer than {MAX_SOURCE} characters")
    if "\0" in source:
        raise PolicyError("parse", "the policy holds a NUL character")
    try:
        return ast.parse(source, filename="policy.py")
    except SyntaxError as error:
        raise PolicyError("parse", f"not valid Python: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise PolicyError("parse", f"Python cannot parse this: {error}") from None


def check(tree: ast.Module, contract: Contract) -> Names:
    """Accept a policy module or say why not.

    Returns:
        What its imported names stand for.

    Raises:
        PolicyError: (``contract``) The first rule that is broken, with its line.
    """
    _check_size(tree)
    names = Names(_imports(tree))
    seen_class = False
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign):
            _check_constant(node)
        elif isinstance(node, ast.FunctionDef):
            _check_function(node, names)
        elif isinstance(node, ast.ClassDef):
            if node.name != "Policy" or seen_class:
                _fail(node, "a policy module has exactly one class, named Policy")
            seen_class = True
            _check_class(node, names, contract)
        else:
            _fail(node, "at the top level only imports, constants, functions and class Policy are allowed")
    if not seen_class:
        raise PolicyError("contract", "the module must define class Policy")
    return names


def _fail(node: ast.AST, message: str) -> None:
    raise PolicyError("contract", message, getattr(node, "lineno", None))


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _check_size(tree: ast.Module) -> None:
    count = 0
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH:
            _fail(node, f"the code is nested deeper than {MAX_DEPTH} levels")
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    if count > MAX_NODES:
        raise PolicyError("contract", f"the program is too large: {count} syntax nodes, at most {MAX_NODES}")


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    allowed = "only math, numpy and metamuse.policykit may be imported"
    tables = {"math": MATH, "numpy": NUMPY, "metamuse.policykit": POLICYKIT}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in tables:
                    _fail(node, f"{allowed}, not {alias.name}")
                if alias.name == "metamuse.policykit" and alias.asname is None:
                    _fail(node, "write 'from metamuse import policykit' or 'from metamuse.policykit import List'")
                found[alias.asname or alias.name] = (alias.name, "")
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.module not in (*tables, "metamuse"):
                if node.module == "__future__":
                    continue
                _fail(node, f"{allowed}, not {node.module}")
            for alias in node.names:
                if node.module == "metamuse":
                    if alias.name != "policykit":
                        _fail(node, f"{allowed}, not metamuse.{alias.name}")
                    found[alias.asname or alias.name] = ("metamuse.policykit", "")
                    continue
                assert node.module is not None
                if alias.name not in tables[node.module]:
                    _fail(node, _unknown(node.module, alias.name))
                found[alias.asname or alias.name] = (node.module, alias.name)
    for name in found:
        if name.startswith("__") or not name.isascii():
            raise PolicyError("contract", f"the name {name} may not be bound by an import")
    return found


def _unknown(module: str, name: str) -> str:
    if module == "metamuse.policykit":
        return f"metamuse.policykit has no {name}; it has {', '.join(sorted(POLICYKIT))}"
    short = "np" if module == "numpy" else module
    if module == "numpy" and name in _INSTEAD:
        return f"np.{name} is not in the policy language; use {_INSTEAD[name]}"
    return f"{short}.{name} is not in the policy language"


def _check_constant(node: ast.Assign | ast.AnnAssign) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if len(targets) != 1 or not isinstance(targets[0], ast.Name) or node.value is None:
        _fail(node, "a top-level constant is written NAME = number")
    if targets[0].id.startswith("__"):  # type: ignore[attr-defined]  # a Name, by the test above
        _fail(node, "names with a double underscore are not allowed")
    assert node.value is not None
    for part in ast.walk(node.value):
        if isinstance(part, ast.Constant):
            if type(part.value) not in (int, float, bool):
                _fail(node, "a top-level constant must be a number")
            if isinstance(part.value, int) and abs(part.value) >= INT64:
                _fail(node, "integers must fit 64 bits")
        elif not isinstance(part, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop | ast.Name | ast.Load | ast.Tuple):
            _fail(node, "a top-level constant must be a number (or arithmetic on numbers and other constants)")
        elif isinstance(part, ast.Pow | ast.LShift) and len(list(ast.walk(node.value))) > 12:
            _fail(node, "write this constant as a plain number")


def _check_class(node: ast.ClassDef, names: Names, contract: Contract) -> None:
    if node.bases or node.keywords or node.decorator_list or getattr(node, "type_params", []):
        _fail(node, "class Policy has no base class, decorator or keyword")
    defined: dict[str, ast.FunctionDef] = {}
    for item in node.body:
        if _is_docstring(item) or isinstance(item, ast.Pass):
            continue
        if not isinstance(item, ast.FunctionDef):
            _fail(item, "class Policy holds only methods; create attributes in __init__")
        assert isinstance(item, ast.FunctionDef)
        if item.name in defined:
            _fail(item, f"method {item.name} is defined twice")
        defined[item.name] = item
        if item.name.startswith("__") and item.name != "__init__":
            _fail(item, f"{item.name} is not allowed; only __init__ may have double underscores")
        if not item.args.args or item.args.args[0].arg != "self":
            _fail(item, f"the first parameter of {item.name} must be self")
        _check_function(item, names)
    if "__init__" not in defined:
        _fail(node, f"class Policy must define __init__(self, {', '.join(contract.init)})")
    _check_signature(defined["__init__"], contract.init)
    for method in contract.methods:
        if method.name in defined:
            _check_signature(defined[method.name], method.params)
        elif method.required:
            _fail(node, f"class Policy must define {method.name}(self, {', '.join(method.params)})")


def _check_signature(node: ast.FunctionDef, params: Sequence[str]) -> None:
    got = [a.arg for a in node.args.args[1:]]
    if len(got) != len(params):
        _fail(node, f"{node.name} must have the parameters (self, {', '.join(params)}), it has (self, {', '.join(got)})")


def _check_function(node: ast.FunctionDef, names: Names) -> None:
    if node.decorator_list:
        _fail(node, "decorators are not allowed")
    a = node.args
    if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs:
        _fail(node, "only plain parameters are allowed (no *args, **kwargs, keyword-only)")
    if not node.name.isascii() or (node.name.startswith("__") and node.name != "__init__"):
        _fail(node, f"the name {node.name} is not allowed")
    for default in a.defaults:
        if not isinstance(default, ast.Constant) or type(default.value) not in (int, float, bool):
            _fail(node, "default values must be plain numbers")
    for arg in a.args:
        _check_identifier(arg, arg.arg)
    for i, statement in enumerate(node.body):
        if i == 0 and _is_docstring(statement):
            continue
        _check_statement(statement, names)


def _check_identifier(node: ast.AST, name: str) -> None:
    if name.startswith("__") or not name.isascii():
        _fail(node, f"the name {name} is not allowed")


def _check_statement(node: ast.stmt, names: Names) -> None:
    if not isinstance(node, _STATEMENTS):
        _fail(node, _HINTS.get(type(node), f"{type(node).__name__} is not in the policy language"))
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and not isinstance(node.value.value, str):
        _fail(node, "an expression that is never used")
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "type_comment"):
            continue
        if isinstance(node, ast.Expr) and _is_docstring(node):
            continue
        if isinstance(node, ast.Return) and isinstance(value, ast.Constant) and value.value is None:
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.stmt):
                _check_statement(item, names)
            elif isinstance(item, ast.AST):
                _check_expression(item, names)


def _check_expression(node: ast.AST, names: Names) -> None:
    if isinstance(node, ast.Is | ast.IsNot | ast.MatMult) or not isinstance(node, _EXPRESSIONS + _OPERATORS):
        _fail(node, _HINTS.get(type(node), f"{type(node).__name__} is not in the policy language"))
    if isinstance(node, ast.Name):
        _check_identifier(node, node.id)
        if isinstance(node.ctx, ast.Store) and (node.id in names.imports or node.id == "self"):
            _fail(node, f"{node.id} may not be assigned to")
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, int) and abs(node.value) >= INT64:
            _fail(node, "integers must fit 64 bits (signed)")
        if type(node.value) not in (int, float, bool):
            what = {str: "strings", type(None): "None", complex: "complex numbers"}.get(type(node.value), "this constant")
            _fail(node, f"{what} cannot be used in the policy language" + ("; use -1 for 'no slot'" if node.value is None else ""))
    elif isinstance(node, ast.Attribute):
        _check_attribute(node, names)
        if names.resolve(node) is None:
            _check_expression(node.value, names)
        return
    elif isinstance(node, ast.Call):
        _check_call(node, names)
        return
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.arg):
            _check_expression(child, names)


def _check_attribute(node: ast.Attribute, names: Names) -> None:
    resolved = names.resolve(node)
    if resolved is not None:
        module, name = resolved
        table = {"math": MATH, "numpy": NUMPY, "metamuse.policykit": POLICYKIT}[module]
        if name not in table:
            _fail(node, _unknown(module, name))
        return
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    if node.attr.startswith("__") or (node.attr.startswith("_") and not of_self) or not node.attr.isascii():
        _fail(node, f"the attribute {node.attr} is not allowed")


def _check_call(node: ast.Call, names: Names) -> None:
    func = node.func
    resolved = names.resolve(func)
    is_array = resolved in (("numpy", "array"), ("numpy", "sum"), ("numpy", "max"), ("numpy", "min"))
    if isinstance(func, ast.Name):
        if func.id in ("float",) and len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and node.args[0].value in ("inf", "-inf", "nan"):
            return
        if resolved is None and func.id.startswith("__"):
            _fail(node, f"{func.id} is not allowed")
        if resolved is None and func.id in _FORBIDDEN_CALLS:
            _fail(node, f"{func.id}() is not in the policy language; the builtins are {', '.join(sorted(BUILTINS))}")
    elif isinstance(func, ast.Attribute):
        _check_attribute(func, names)
        if resolved is None:
            _check_expression(func.value, names)
    else:
        _fail(node, "only named functions and methods can be called")
    for arg in node.args:
        if is_array and isinstance(arg, ast.List):
            for item in arg.elts:
                _check_expression(item, names)
        else:
            _check_expression(arg, names)
    for keyword in node.keywords:
        if keyword.arg is None:
            _fail(node, "** arguments are not in the policy language")
        _check_expression(keyword.value, names)


_FORBIDDEN_CALLS = frozenset(
    "eval exec compile open print input getattr setattr delattr hasattr globals locals vars dir type super"
    " isinstance issubclass object memoryview bytes bytearray str repr format list dict set frozenset"
    " sorted map filter any all iter next hash id callable slice property classmethod staticmethod"
    " breakpoint help exit quit complex chr ord hex oct bin ascii reversed tuple".split()
)
