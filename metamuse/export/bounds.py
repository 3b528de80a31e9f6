"""How large the ints of a policy can become, so that a translation checks only where 64 bits may not suffice.

Bounds hold for a lifetime, not for ever: what is counted up by one in a statement stays within 2**53 for 14 years of
statements of 50 ns each. Numbers that the system hands over (slots, sizes, times, capacities) are taken to be within
2**53, too; adapters check that. Everything else of which nothing is known has 64 bits.
"""

from __future__ import annotations

import ast
from collections.abc import Hashable, Iterator

from metamuse.export.infer import Inference, Instance, statements
from metamuse.export.kinds import EXACT, WIDE, whole_constant
from metamuse.policy.rules import is_self

#: Largest id of a policykit structure, slot or length.
_IDS = 2**31
#: A statement that adds at most this much reaches ``_COUNTED`` as late as one that adds 1 reaches 2**53.
_STEP, _COUNTED = 16, 16 * EXACT
_ROUNDS = 12
#: policykit classes whose methods return anything that was put in; the others return ids and counts.
_HOLDERS = frozenset(["Ring", "Stack", "Tree", "Vector", "Rng"])


class Bounds:
    """Bounds of the magnitude of ints in all instances of a policy.

    Args:
        inference: The instances.
    """

    def __init__(self, inference: Inference) -> None:
        self.instances = [i for i in inference.instances if not i.unit.is_kit]
        self.called = {id(made) for i in self.instances for made in i.calls.values()}
        self.known: dict[Hashable, int] = {}
        self.aliased = any(self._aliases(i) for i in self.instances)
        for round_ in range(_ROUNDS):
            before = dict(self.known)
            for instance in self.instances:
                self._read(instance)
            changed = {key for key, value in self.known.items() if before.get(key) != value}
            if not changed:
                return
            if round_ >= _ROUNDS // 2:
                self.known.update(dict.fromkeys(changed, WIDE))

    def _aliases(self, instance: Instance) -> bool:
        """Whether a local name may stand for an array of self."""
        arrays = {name for name, kind in instance.locals.items() if kind.name == "array"}
        given = {name for name, _ in instance.params} if id(instance) not in self.called else set()
        return bool(arrays - given)

    def _raise(self, key: Hashable, bound: int) -> None:
        if bound > self.known.get(key, 0):
            self.known[key] = min(bound, WIDE)

    # -- statements

    def _read(self, instance: Instance) -> None:
        if id(instance) not in self.called:
            for name, kind in instance.params:
                if kind.is_number:
                    self._raise((id(instance), name), WIDE if name == "key" else EXACT)
        for node in statements(instance.node.body):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self._store(instance, target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self._store(instance, node.target, node.value)
            elif isinstance(node, ast.AugAssign):
                self._augment(instance, node)
            elif isinstance(node, ast.For):
                self._loop(instance, node.target, node.iter)
            elif isinstance(node, ast.Return) and node.value is not None:
                self._raise((id(instance), "return"), self.of(instance, node.value))
            for call in _own(node):
                made = instance.calls.get(id(call))
                if isinstance(call, ast.Call) and made is not None and not made.unit.is_kit:
                    self._pass(instance, call, made)

    def _pass(self, instance: Instance, call: ast.Call, made: Instance) -> None:
        values = [*call.args, *(k.value for k in call.keywords)]
        for (name, _), value in zip(made.params, values, strict=False):
            self._raise((id(made), name), self.of(instance, value))
        for (name, _), default in zip(reversed(made.params), reversed(made.node.args.defaults), strict=False):
            self._raise((id(made), name), self.of(instance, default))

    def _loop(self, instance: Instance, target: ast.expr, source: ast.expr) -> None:
        if isinstance(source, ast.Call) and isinstance(source.func, ast.Name):
            bound = max((self.of(instance, a) for a in source.args), default=0)
            if source.func.id == "enumerate" and isinstance(target, ast.Tuple):
                self._loop(instance, target.elts[1], source.args[0])
                target, bound = target.elts[0], _IDS
        elif isinstance(source, ast.Tuple):
            bound = max((self.of(instance, item) for item in source.elts), default=0)
        else:
            bound = self._element(instance, source)
        for part in ast.walk(target):
            if isinstance(part, ast.Name):
                self._raise((id(instance), part.id), bound)

    def _store(self, instance: Instance, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple):
            parts = value.elts if isinstance(value, ast.Tuple) else [None] * len(target.elts)
            for part, item in zip(target.elts, parts, strict=True):
                key = self._place(instance, part)
                self._raise(key, WIDE if item is None else self.of(instance, item))
            return
        key = self._place(instance, target)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
            same = ast.dump(value.left).replace("Load()", "Store()") == ast.dump(target).replace(
                "Load()", "Store()"
            )
            if same and self._counted(instance, key, value.right):
                return
        self._raise(key, self.of(instance, value))

    def _augment(self, instance: Instance, node: ast.AugAssign) -> None:
        key = self._place(instance, node.target)
        if isinstance(node.op, ast.Add | ast.Sub) and self._counted(instance, key, node.value):
            return
        have, more = self.known.get(key, 0), self.of(instance, node.value)
        self._raise(key, self._operation(node.op, have, more, node.value))

    def _counted(self, instance: Instance, key: Hashable, step: ast.expr) -> bool:
        bound = self.of(instance, step)
        if bound <= _STEP:
            self._raise(key, EXACT if bound <= 1 else _COUNTED)
        return bound <= _STEP

    def _place(self, instance: Instance, target: ast.expr) -> Hashable:
        if isinstance(target, ast.Subscript):
            return self._place(instance, target.value)
        if isinstance(target, ast.Attribute):
            return target.attr
        assert isinstance(target, ast.Name)
        return id(instance), target.id

    # -- expressions

    def of(self, instance: Instance, node: ast.expr) -> int:
        """The bound of an expression's magnitude before it is cut to 64 bits; 0 for a float."""
        if isinstance(node, ast.Constant):
            return abs(node.value) if isinstance(node.value, int) else 0
        kind = instance.kinds.get(id(node))
        if kind is not None and kind.name == "bool":
            return 1
        if kind is not None and kind.name == "array" and isinstance(node, ast.Call):
            return self._filled(instance, node)
        if kind is None or kind.name != "int":
            return WIDE if kind is not None and kind.name == "array" else 0
        if isinstance(node, ast.Name):
            if node.id in instance.locals:
                return self.known.get((id(instance), node.id), 0)
            return abs(int(instance.unit.constants[node.id]))
        if isinstance(node, ast.Attribute):
            return _IDS if node.attr == "size" else self.known.get(node.attr, 0)
        if isinstance(node, ast.Subscript):
            return self._element(instance, node.value)
        if isinstance(node, ast.BinOp):
            left, right = self.of(instance, node.left), self.of(instance, node.right)
            return self._operation(node.op, left, right, node.right)
        if isinstance(node, ast.UnaryOp):
            return self.of(instance, node.operand) + int(isinstance(node.op, ast.Invert))
        if isinstance(node, ast.BoolOp):
            return max(self.of(instance, value) for value in node.values)
        if isinstance(node, ast.IfExp):
            return max(self.of(instance, node.body), self.of(instance, node.orelse))
        return self._call(instance, node) if isinstance(node, ast.Call) else WIDE

    def _element(self, instance: Instance, array: ast.expr) -> int:
        kind = instance.kind(array)
        if kind.name == "tuple" or kind.of == "float64":
            return WIDE if kind.name == "tuple" else 0
        if kind.of != "int64":
            return 1 if kind.of == "bool" else 2 ** (int(kind.of[3:]) - 1)
        while isinstance(array, ast.Subscript):
            array = array.value
        if self.aliased or not (isinstance(array, ast.Attribute) and is_self(array.value)):
            return EXACT if isinstance(array, ast.Name) and id(instance) not in self.called else WIDE
        return self.known.get(array.attr, 0)

    def _filled(self, instance: Instance, node: ast.Call) -> int:
        """What an array is created with."""
        return max((self.of(instance, a) for a in node.args if id(a) in instance.kinds), default=0) or 1

    def _operation(self, op: ast.operator, a: int, b: int, right: ast.expr) -> int:
        if isinstance(op, ast.Add | ast.Sub):
            return a + b
        if isinstance(op, ast.Mult):
            return a * b
        if isinstance(op, ast.Mod):
            return b
        if isinstance(op, ast.FloorDiv):
            # Only the lowest number by -1 leaves 64 bits.
            return min(a, WIDE - 1) if isinstance(right, ast.Constant) else a
        count = whole_constant(right)
        if isinstance(op, ast.BitAnd) and count is not None and count >= 0:
            return count
        if isinstance(op, ast.BitAnd | ast.BitOr | ast.BitXor):
            return min(1 << max(a, b).bit_length(), WIDE - 1)
        if isinstance(op, ast.RShift):
            return a
        if isinstance(op, ast.LShift) and count is not None and 0 <= count < 64:
            return a << count
        return WIDE

    def _call(self, instance: Instance, node: ast.Call) -> int:
        made = instance.calls.get(id(node))
        if made is not None:
            if made.unit.is_kit:
                return WIDE if made.unit.name in _HOLDERS and made.label != "__len__" else _IDS
            return self.known.get((id(made), "return"), 0)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == "len" or ast.unparse(node.func).rpartition(".")[2].startswith("arg"):
            return _IDS
        whole = all(instance.kind(a).is_whole for a in node.args if id(a) in instance.kinds)
        if whole and name in ("int", "abs", "min", "max", "round"):
            return max((self.of(instance, a) for a in node.args), default=0)
        return WIDE


def _own(node: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement without those of statements in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.stmt):
            yield from ast.walk(child)
