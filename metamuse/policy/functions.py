"""Checks of one function or method of a policy: every name, call and attribute is on an allow-list."""

from __future__ import annotations

import ast

from metamuse.policy import vocabulary as words
from metamuse.policy.flow import check_flow
from metamuse.policy.rules import (
    ModuleNames,
    check_attribute_name,
    check_name,
    check_number,
    fail,
    is_infinity,
    is_text,
)


class FunctionCheck:
    """Checks one function or method.

    Args:
        module: What its module defines.
        node: The function.
        of_class: Whether it is a method of Policy.
    """

    def __init__(self, module: ModuleNames, node: ast.FunctionDef, of_class: bool = False) -> None:
        self.module = module
        self.node = node
        self.of_class = of_class
        self.locals = frozenset(a.arg for a in node.args.args) | {
            n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }

    def check(self, may_fall_through: bool = False) -> None:
        """Refuse the function or do nothing.

        Args:
            may_fall_through: Whether it may return a value on some paths only.

        Raises:
            PolicyError: (``contract``) The first rule that is broken, with its line.
        """
        node = self.node
        if node.decorator_list or getattr(node, "type_params", []):
            fail(node, "decorators and type parameters are not allowed; delete them")
        a = node.args
        if a.vararg or a.kwarg or a.kwonlyargs or a.posonlyargs:
            fail(node, "only plain parameters are allowed (no *args, **kwargs, keyword-only); write them out")
        for default in a.defaults:
            inner = (
                default.operand
                if isinstance(default, ast.UnaryOp) and isinstance(default.op, ast.USub)
                else default
            )
            if not isinstance(inner, ast.Constant) or type(inner.value) not in (int, float, bool):
                fail(node, "default values must be plain numbers; compute others in the body")
            check_number(inner)
        for i, arg in enumerate(a.args):
            if not (self.of_class and i == 0):
                self._check_bound(arg, arg.arg)
        for statement in node.body:
            self._statement(statement)
        check_flow(node, self.locals, may_fall_through)

    def _check_bound(self, node: ast.AST, name: str) -> None:
        check_name(node, name)
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
            check_number(node)
        elif isinstance(node, ast.Attribute):
            self._attribute(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        else:
            if isinstance(node, ast.Slice) and node.step is not None and not _small(node.step):
                fail(node, "the step of a slice must be a plain number, such as 2 or -1; else write a loop")
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.operator | ast.cmpop) and hasattr(node, "lineno"):
                    setattr(child, "lineno", node.lineno)  # noqa: B010  # operators have no line of their own
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
            fail(
                node,
                f"the name {name} is not defined; set it first, or import it from math, numpy or policykit",
            )

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
                fail(
                    node, "only attributes of self can be assigned; write self.name = ... or use a local name"
                )
            self._value(node, resolved)
            return
        name = node.attr
        check_attribute_name(node, name)
        if self.of_class and isinstance(node.value, ast.Name) and node.value.id == "self":
            if name in self.module.methods:
                if isinstance(node.ctx, ast.Load):
                    fail(node, f"self.{name} is a method; it can only be called")
                fail(node, f"self.{name} is a method; choose another name for the attribute")
            return
        if not isinstance(node.ctx, ast.Load):
            fail(node, "only attributes of self can be assigned; write self.name = ... or use a local name")
        self._expression(node.value)
        self._member(node)

    def _array_method(self, node: ast.Call, name: str) -> None:
        """Check the arguments of what is perhaps an array's method: none, but a value for ``fill``."""
        if name in words.ARRAY_MEMBERS and (node.keywords or len(node.args) != (name == "fill")):
            takes = "one argument, the value" if name == "fill" else "no arguments"
            fail(node, f".{name}() takes {takes} here; for rows or columns write a loop")

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
                    fail(
                        node,
                        f"class Policy has no method {func.attr}; it has {', '.join(m for m in self.module.methods if m != '__init__')}",
                    )
                if func.attr == "__init__":
                    fail(node, "__init__ cannot be called; write a method that resets the state")
                _check_arguments(node, f"self.{func.attr}", method.args, skip=1)
            else:
                check_attribute_name(node, func.attr)
                self._expression(func.value)
                self._member(func)
                self._array_method(node, func.attr)
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
            _check_arity(node, "", name, name)
        elif name == "Policy":
            fail(node, "Policy is created by the simulator only; call methods of self")
        elif name in words.FORBIDDEN_CALLS or "__" in name:
            fail(
                node,
                f"{name}() is not in the policy language; the builtins are {', '.join(sorted(words.BUILTINS))}",
            )
        else:
            fail(
                node,
                f"the function {name} is not defined; define it or import it from math, numpy or policykit",
            )

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
                    fail(
                        node,
                        f"the argument {keyword.arg} of {text} is not in the policy language; write a loop",
                    )
                if keyword.arg == "side" and ast.unparse(keyword.value) not in ("'left'", "'right'"):
                    fail(node, "side must be 'left' or 'right'")
            if name in words.ONE_ARRAY and (len(node.args) != 1 or node.keywords):
                fail(node, f"{text} takes one array and nothing else here; for rows or columns write a loop")
        _check_arity(node, module, name, text)
        self._arguments(node, numpy=module == "numpy", listed=resolved == ("numpy", "array"))

    def _arguments(self, node: ast.Call, numpy: bool = False, listed: bool = False) -> None:
        for value in [*node.args, *(k.value for k in node.keywords if not (numpy and k.arg == "side"))]:
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


def _small(node: ast.expr) -> bool:
    """Whether a node is a number that an index can be advanced by without going beyond 64 bits."""
    number = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    return isinstance(number, ast.Constant) and type(number.value) is int and number.value < 2**31


def _plain_targets(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) or (
        isinstance(target, ast.Tuple) and all(map(_plain_targets, target.elts))
    )


def _check_arity(node: ast.Call, module: str, name: str, text: str) -> None:
    """Check how many arguments a function of Python, math or numpy is given."""
    if module == "metamuse.policykit":
        return  # known by signature, where it is used
    low, high = words.ARITY.get((module, name), (1, 1))
    given = len(node.args) + len(node.keywords)
    if not low <= given <= high:
        takes = f"{low}" if low == high else f"{low} to {high}" if high < 99 else f"at least {low}"
        fail(
            node,
            f"{text}() takes {takes} argument(s) here, it is given {given}{words.OTHERWISE.get(name, '')}",
        )


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
