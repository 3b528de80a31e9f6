"""Rewrites that both ways of execution share, so that they start from the same plain tree.

Imports, strings and annotations disappear; ``x: int = 0`` becomes ``x = 0``; ``float("inf")`` becomes a
constant; ``dtype=int`` becomes a name of the machinery; ``np.int64(x)`` becomes ``int(x)``; ``self.x += 1`` becomes
``self.x = self.x + 1``.
"""

from __future__ import annotations

import ast
import copy

from metamuse.policy.rules import Names, fail, is_infinity, is_text
from metamuse.policy.vocabulary import CONVERSIONS

#: Names of the machinery that stand for the dtypes ``int``, ``float`` and ``bool``.
DTYPE_NAMES = {"int": "rt__dtype_int", "float": "rt__dtype_float", "bool": "rt__dtype_bool"}


def plain_tree(tree: ast.Module, names: Names) -> ast.Module:
    """A rewritten copy of a checked module's tree; line numbers are kept.

    Raises:
        PolicyError: (``contract``) An augmented assignment that would have to be evaluated twice.
    """
    new = _Desugar(names).visit(copy.deepcopy(tree))
    assert isinstance(new, ast.Module)
    return ast.fix_missing_locations(new)


class _Desugar(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names = names
        self.temporaries = 0

    def visit_Import(self, node: ast.Import) -> None:
        return None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        return None

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if is_text(node) else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for arg in node.args.args:
            arg.annotation = None
        self.generic_visit(node)
        node.body = node.body or [ast.copy_location(ast.Pass(), node)]
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return ast.copy_location(ast.Pass(), node)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Return(self, node: ast.Return) -> ast.AST:
        if isinstance(node.value, ast.Constant) and node.value.value is None:
            node.value = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if is_infinity(node):
            assert isinstance(node.args[0], ast.Constant)
            return ast.copy_location(ast.Constant(float(node.args[0].value)), node)  # type: ignore[arg-type]
        resolved = self.names.resolve(node.func)
        if resolved is not None and resolved[0] == "numpy":
            if resolved[1] in CONVERSIONS:
                node.func = ast.copy_location(ast.Name(CONVERSIONS[resolved[1]], ast.Load()), node)
            node.args = [_dtype(a) for a in node.args]
            node.keywords = [ast.keyword(k.arg, _dtype(k.value)) for k in node.keywords]
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        if isinstance(node.target, ast.Name):
            return node  # in place for arrays: the two ways of execution do it in their own way
        before: list[ast.stmt] = []
        if isinstance(node.target, ast.Subscript):
            if _calls(node.target.value):
                fail(node, "give the array a name first: a = ...; a[i] = a[i] + ...")
            before = self._hoist(node.target)
        load = copy.deepcopy(node.target)
        load.ctx = ast.Load()
        value = ast.copy_location(ast.BinOp(load, node.op, node.value), node)
        assign = ast.copy_location(ast.Assign([node.target], value), node)
        return [*before, assign] if before else assign

    def _hoist(self, target: ast.Subscript) -> list[ast.stmt]:
        """Name the parts of an index that must not be evaluated twice."""
        before: list[ast.stmt] = []
        items = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        for i, item in enumerate(items):
            if not _calls(item):
                continue
            if isinstance(item, ast.Slice):
                fail(item, "give the bounds of the slice names first: a = ...; x[a:b] += ...")
            self.temporaries += 1
            name = f"index__{self.temporaries}"
            before.append(ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], item), target))
            items[i] = ast.copy_location(ast.Name(name, ast.Load()), target)
        if before and not isinstance(target.slice, ast.Tuple):
            target.slice = items[0]
        return before


def _dtype(node: ast.expr) -> ast.expr:
    if isinstance(node, ast.Name) and node.id in DTYPE_NAMES:
        return ast.copy_location(ast.Name(DTYPE_NAMES[node.id], ast.Load()), node)
    return node


def _calls(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) for part in ast.walk(node))
