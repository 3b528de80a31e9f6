"""The policy language: what a policy module may contain (an allow-list over the syntax tree).

A policy is untrusted text. Nothing of it runs before :func:`check` has accepted every node, and every
refusal names the line, the rule and what to write instead, so that a model can repair it.

Names with a double underscore belong to the machinery (the functions of :mod:`metamuse.policy.intrinsics` and
:mod:`metamuse.policy.lower` are called ``rt__int``, ``Policy__victim``, …): because no policy can write one,
none can redefine or reach what its own text is compiled into.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from evaluators.base import Contract, PolicyError
from metamuse.policy import vocabulary as words
from metamuse.policy.flow import check_flow

MAX_SOURCE = 64_000
MAX_NODES = 6_000
MAX_DEPTH = 60
MAX_FUNCTIONS = 80
INT64 = 2**63


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


def fail(node: ast.AST, message: str) -> NoReturn:
    """Refuse a policy at a node.

    Raises:
        PolicyError: (``contract``) Always.
    """
    raise PolicyError("contract", message, getattr(node, "lineno", None))


def is_text(node: ast.stmt) -> bool:
    """Whether a statement is a docstring (or any other string that stands alone)."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


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
    module = _Module(names, {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)})
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
            _check_name(node, name)
        elif isinstance(node, ast.ClassDef):
            name = node.name
            if name != "Policy" or class_node is not None:
                fail(node, "a policy module has exactly one class, named Policy; use policykit's structures or arrays")
            class_node = node
        else:
            fail(node, "at the top level only imports, constants, functions and class Policy are allowed")
        if name in taken:
            fail(node, f"{name} is defined twice; give one of them another name")
        taken.add(name)
    if class_node is None:
        raise PolicyError("contract", "the module must define class Policy")
    for function in module.functions.values():
        _Function(module, function).check()
    _check_class(class_node, module, contract)
    return names


@dataclass
class _Module:
    names: Names
    functions: dict[str, ast.FunctionDef]
    methods: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: set[str] = field(default_factory=set)


def _check_size(tree: ast.Module) -> None:
    count = functions = 0
    stack: list[tuple[ast.AST, int]] = [(tree, 0)]
    while stack:
        node, depth = stack.pop()
        count += 1
        functions += isinstance(node, ast.FunctionDef)
        if depth > MAX_DEPTH:
            fail(node, f"the code is nested deeper than {MAX_DEPTH} levels; split it into methods")
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    if count > MAX_NODES:
        raise PolicyError("contract", f"the program is too large: {count} syntax nodes, at most {MAX_NODES}")
    if functions > MAX_FUNCTIONS:
        raise PolicyError("contract", f"the program has {functions} functions, at most {MAX_FUNCTIONS}")


def _check_name(node: ast.AST, name: str) -> None:
    """Refuse a name that a policy may not bind."""
    if not name.isascii():
        fail(node, f"the name {name} is not allowed; use ASCII letters")
    if "__" in name:
        fail(node, f"the name {name} is not allowed; names may not hold a double underscore")
    if name in words.BUILTINS:
        fail(node, f"{name} is a builtin function; choose another name")


def _imports(tree: ast.Module) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    allowed = "only math, numpy and metamuse.policykit may be imported"

    def bind(node: ast.stmt, name: str, what: tuple[str, str]) -> None:
        _check_name(node, name)
        if found.setdefault(name, what) != what or name in ("self", "Policy"):
            fail(node, f"the name {name} is taken; import it under another one")

    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name not in words.TABLES:
                    fail(node, f"{allowed}, not {alias.name}")
                if alias.name == "metamuse.policykit" and alias.asname is None:
                    fail(node, "write 'from metamuse import policykit' or 'from metamuse.policykit import List'")
                bind(node, alias.asname or alias.name, (alias.name, ""))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            module = node.module or ""
            if node.level or module not in (*words.TABLES, "metamuse"):
                fail(node, f"{allowed}, not {'.' * node.level}{module}")
            for alias in node.names:
                if module == "metamuse":
                    if alias.name != "policykit":
                        fail(node, f"{allowed}, not metamuse.{alias.name}")
                    bind(node, alias.asname or alias.name, ("metamuse.policykit", ""))
                    continue
                if alias.name not in words.TABLES[module]:
                    fail(node, words.unknown(module, alias.name))
                bind(node, alias.asname or alias.name, (module, alias.name))
    return found


def is_infinity(node: ast.AST) -> bool:
    """Whether a node is ``float("inf")``, ``float("-inf")`` or ``float("nan")``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
        and len(node.args) == 1
        and not node.keywords
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in ("inf", "-inf", "nan")
    )


def _check_constant(node: ast.Assign | ast.AnnAssign, module: _Module) -> str:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    target = targets[0]
    if len(targets) != 1 or not isinstance(target, ast.Name) or node.value is None:
        fail(node, "a top-level constant is written NAME = number")
    _check_name(node, target.id)

    def visit(part: ast.expr) -> None:
        resolved = module.names.resolve(part)
        if is_infinity(part) or (resolved is not None and resolved[1] in words.NUMBERS):
            return
        if isinstance(part, ast.Constant) and type(part.value) in (int, float, bool):
            _check_number(part)
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
                fail(node, f"{part.id} is not a constant defined above; a top-level constant must be a number")
        else:
            fail(node, "a top-level constant must be a number (or arithmetic on numbers and constants above)")

    visit(node.value)
    return target.id


def _check_number(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, int) and abs(value) >= INT64:
        fail(node, "integers must fit 64 bits (signed); use a smaller number or hash64")
    if type(value) in (int, float, bool):
        return
    if value is None:
        fail(node, "None is not in the policy language; use -1 for 'no slot'")
    what = {str: "strings", bytes: "bytes", complex: "complex numbers"}.get(type(value), "'...'")
    fail(node, f"{what} cannot be used in the policy language; use numbers")


def _check_class(node: ast.ClassDef, module: _Module, contract: Contract) -> None:
    if node.bases or node.keywords or node.decorator_list or getattr(node, "type_params", []):
        fail(node, "class Policy has no base class, decorator or keyword; write 'class Policy:'")
    for item in node.body:
        if is_text(item) or isinstance(item, ast.Pass):
            continue
        if not isinstance(item, ast.FunctionDef):
            fail(item, "class Policy holds only methods; create attributes in __init__")
        if item.name in module.methods:
            fail(item, f"method {item.name} is defined twice; delete one")
        if item.name != "__init__":
            if item.name.startswith("__"):
                fail(item, f"{item.name} is not allowed; only __init__ may have double underscores")
            _check_name(item, item.name) if item.name not in words.BUILTINS else None
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
    for name, item in module.methods.items():
        method_of = contract.method(name)
        _Function(module, item, of_class=True).check(
            may_fall_through=name == "__init__" or (method_of is not None and method_of.returns == "none")
        )


def _check_signature(node: ast.FunctionDef, params: Sequence[str]) -> None:
    got = [a.arg for a in node.args.args[1:]]
    if len(got) != len(params):
        want = ", ".join(("self", *params))
        fail(node, f"{node.name} must have the parameters ({want}), it has ({', '.join(('self', *got))})")


class _Function:
    """Checks one function or method."""

    def __init__(self, module: _Module, node: ast.FunctionDef, of_class: bool = False) -> None:
        self.module = module
        self.node = node
        self.of_class = of_class
        self.locals = frozenset(a.arg for a in node.args.args) | {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }

    def check(self, may_fall_through: bool = False) -> None:
        node = self.node
        if node.decorator_list or getattr(node, "type_params", []):
            fail(node, "decorators and type parameters are not allowed; delete them")
        a = node.args
        if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs:
            fail(node, "only plain parameters are allowed (no *args, **kwargs, keyword-only)")
        for default in a.defaults:
            inner = default.operand if isinstance(default, ast.UnaryOp) and isinstance(default.op, ast.USub) else default
            if not isinstance(inner, ast.Constant) or type(inner.value) not in (int, float, bool):
                fail(node, "default values must be plain numbers")
            _check_number(inner)
        for i, arg in enumerate(a.args):
            if not (self.of_class and i == 0):
                self._check_bound(arg, arg.arg)
        for statement in node.body:
            self._statement(statement)
        check_flow(node, self.locals, may_fall_through)

    def _check_bound(self, node: ast.AST, name: str) -> None:
        _check_name(node, name)
        if name in self.module.names.imports or name == "self":
            fail(node, f"{name} may not be assigned to; choose another name")
        if name in self.module.functions or name == "Policy":
            fail(node, f"{name} is already the name of a function or class; choose another name")

    def _statement(self, node: ast.stmt) -> None:
        if not isinstance(node, words.STATEMENTS):
            fail(node, words.HINTS.get(type(node), f"{type(node).__name__} is not in the policy language"))
        if is_text(node):
            return
        if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call):
            if type(node.value) in words.HINTS:
                self._expression(node.value)
            fail(node, "this expression does nothing; assign it or delete it")
        if isinstance(node, ast.For) and not _plain_targets(node.target):
            fail(node, "the variable of a for loop must be a plain name")
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "type_comment"):
                continue
            if isinstance(node, ast.Return) and isinstance(value, ast.Constant) and value.value is None:
                continue
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, ast.stmt):
                    self._statement(item)
                elif isinstance(item, ast.AST):
                    self._expression(item)

    def _expression(self, node: ast.AST) -> None:
        if isinstance(node, ast.Is | ast.IsNot | ast.MatMult) or not isinstance(node, words.EXPRESSIONS):
            line = node if hasattr(node, "lineno") else self.node
            fail(line, words.HINTS.get(type(node), f"{type(node).__name__} is not in the policy language"))
        if isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.Constant):
            _check_number(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.operator | ast.cmpop) and hasattr(node, "lineno"):
                    child.lineno = node.lineno  # type: ignore[attr-defined]  # operators have no line of their own
                self._expression(child)

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if isinstance(node.ctx, ast.Store):
            self._check_bound(node, name)
        elif name == "self" and self.of_class:
            fail(node, "self may only be used as self.name")
        elif name in self.locals or name in self.module.constants:
            return
        elif name in self.module.names.imports:
            self._value(node, self.module.names.imports[name])
        elif name in self.module.functions or name in words.BUILTINS:
            fail(node, f"{name} is a function; it can only be called")
        else:
            fail(node, f"the name {name} is not defined")

    def _value(self, node: ast.expr, resolved: tuple[str, str]) -> None:
        """Check an imported name that is used as a value."""
        module, name = resolved
        if name == "":
            fail(node, f"the module {module} can only be used as in {ast.unparse(node)}.name")
        if name not in words.TABLES[module]:
            fail(node, words.unknown(module, name))
        if name not in words.NUMBERS:
            fail(node, f"{ast.unparse(node)} is not a number; it can only be called")

    def _attribute(self, node: ast.Attribute) -> None:
        resolved = self.module.names.resolve(node)
        if resolved is not None:
            if not isinstance(node.ctx, ast.Load):
                fail(node, "only attributes of self can be assigned")
            self._value(node, resolved)
            return
        name = node.attr
        if not name.isascii() or "__" in name:
            fail(node, f"the attribute {name} is not allowed; names may not hold a double underscore")
        if self.of_class and isinstance(node.value, ast.Name) and node.value.id == "self":
            if name in self.module.methods:
                if isinstance(node.ctx, ast.Load):
                    fail(node, f"self.{name} is a method; it can only be called")
                fail(node, f"self.{name} is a method; choose another name for the attribute")
            return
        if not isinstance(node.ctx, ast.Load):
            fail(node, "only attributes of self can be assigned")
        self._member(node)
        self._expression(node.value)

    def _member(self, node: ast.Attribute) -> None:
        if node.attr not in words.ARRAY_MEMBERS and node.attr not in words.KIT_MEMBERS:
            fail(
                node,
                f".{node.attr} is not in the policy language; arrays have {', '.join(sorted(words.ARRAY_MEMBERS))},"
                " policykit's structures have their methods",
            )

    def _call(self, node: ast.Call) -> None:
        if is_infinity(node):
            return
        for keyword in node.keywords:
            if keyword.arg is None:
                fail(node, "** arguments are not in the policy language; write the arguments out")
        resolved = self.module.names.resolve(node.func)
        if resolved is not None:
            self._module_call(node, resolved)
            return
        func = node.func
        if isinstance(func, ast.Name):
            self._plain_call(node, func.id)
        elif isinstance(func, ast.Attribute):
            if self.of_class and isinstance(func.value, ast.Name) and func.value.id == "self":
                method = self.module.methods.get(func.attr)
                if method is None:
                    fail(node, f"class Policy has no method {func.attr}; it has {', '.join(self.module.methods)}")
                if func.attr == "__init__":
                    fail(node, "__init__ cannot be called; write a method that resets the state")
                _check_arguments(node, f"self.{func.attr}", method.args, skip=1)
            else:
                if not func.attr.isascii() or "__" in func.attr:
                    fail(node, f"the attribute {func.attr} is not allowed; names may not hold a double underscore")
                self._member(func)
                self._expression(func.value)
        else:
            fail(node, "only named functions and methods can be called")
        self._arguments(node)

    def _plain_call(self, node: ast.Call, name: str) -> None:
        if name in self.locals or name in self.module.constants:
            fail(node, f"{name} is a number or an array, not a function; it cannot be called")
        if name in self.module.functions:
            _check_arguments(node, name, self.module.functions[name].args, skip=0)
        elif name in words.BUILTINS:
            if node.keywords:
                fail(node, f"{name}() takes no keyword arguments here; give them by position")
            if name == "round" and len(node.args) != 1:
                fail(node, "round() takes one number here; write round(x * 100) / 100")
            if name == "pow" and len(node.args) != 2:
                fail(node, "pow() takes two numbers here; write (a ** b) % c")
            if name == "sum" and len(node.args) != 1:
                fail(node, "sum() takes one array here; add the start to its result")
        elif name == "Policy":
            fail(node, "Policy is created by the simulator only; call methods of self")
        elif name in words.FORBIDDEN_CALLS or "__" in name:
            fail(node, f"{name}() is not in the policy language; the builtins are {', '.join(sorted(words.BUILTINS))}")
        else:
            fail(node, f"the function {name} is not defined; define it or import it from math, numpy or policykit")

    def _module_call(self, node: ast.Call, resolved: tuple[str, str]) -> None:
        module, name = resolved
        text = ast.unparse(node.func)
        if name == "":
            fail(node, f"the module {module} cannot be called; write {text}.name()")
        if name not in words.TABLES[module]:
            fail(node, words.unknown(module, name))
        if name in words.NUMBERS:
            fail(node, f"{text} is a number; it cannot be called")
        if module == "numpy":
            if name in words.DTYPES and name not in words.CONVERSIONS:
                fail(node, f"{text}() does not convert numbers here; use int(x)")
            for keyword in node.keywords:
                if keyword.arg not in words.NUMPY_KEYWORDS:
                    fail(node, f"the argument {keyword.arg} of {text} is not in the policy language; write a loop")
            if name in words.ONE_ARRAY and (len(node.args) != 1 or node.keywords):
                fail(node, f"{text} takes one array and nothing else here; for rows or columns write a loop")
        self._arguments(node, numpy=module == "numpy", listed=resolved == ("numpy", "array"))

    def _arguments(self, node: ast.Call, numpy: bool = False, listed: bool = False) -> None:
        for value in [*node.args, *(k.value for k in node.keywords)]:
            if listed and isinstance(value, ast.List):
                for item in value.elts:
                    self._expression(item)
            elif not (numpy and self._is_dtype(value)):
                self._expression(value)

    def _is_dtype(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name) and node.id in ("int", "float", "bool"):
            return True
        resolved = self.module.names.resolve(node)
        return resolved is not None and resolved[0] == "numpy" and resolved[1] in words.DTYPES


def _plain_targets(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (isinstance(target, ast.Tuple) and all(map(_plain_targets, target.elts)))


def _check_arguments(node: ast.Call, name: str, params: ast.arguments, skip: int) -> None:
    """Check a call of an own function against its definition."""
    names = [a.arg for a in params.args][skip:]
    required = len(names) - len(params.defaults)
    given = names[: len(node.args)] + [k.arg for k in node.keywords if k.arg]
    for keyword in node.keywords:
        if keyword.arg not in names:
            fail(node, f"{name}() has no parameter {keyword.arg}; it has ({', '.join(names)})")
    if len(node.args) > len(names) or len(set(given)) < len(given) or not set(names[:required]) <= set(given):
        count = len(node.args) + len(node.keywords)
        fail(node, f"{name}() has the parameters ({', '.join(names)}) and is given {count} argument(s) here")
