"""Writes a changed syntax tree as text and leaves what was not touched as it stood: layout, comments, tune marks.

``ast.unparse`` knows no comments. Here a statement that came unchanged from the original text is copied line by line;
only what a change went through is unparsed: a simple statement, or the head of a compound one.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Sequence

INDENT = "    "

#: Fields that hold blocks of statements.
_BLOCKS = ("body", "orelse")


def reprint(source: str, tree: ast.Module) -> str:
    """The text of a tree that was made from ``ast.parse(source)`` by removing and replacing nodes.

    Nodes taken over keep their positions; of new ones the positions do not matter.

    Returns:
        A text that parses to ``tree``, docstrings and comments of what is left included. A comment belongs to the
        paragraph of statements below it and goes when all of them are gone.
    """
    text = _Printer(source).module(tree)
    try:
        same = ast.dump(ast.parse(text)) == ast.dump(tree)
    except SyntaxError:
        same = False
    return text if same else _plain(source, tree)


def _plain(source: str, tree: ast.Module) -> str:
    """Everything unparsed but the marks of constants: the way out for texts of a form that nobody writes."""
    lines = source.splitlines()
    parts = []
    for node in tree.body:
        mark = ""
        if isinstance(node, ast.Assign | ast.AnnAssign) and 0 < getattr(node, "lineno", 0) <= len(lines):
            found = re.search(r"#\s*tune:.*$", lines[node.lineno - 1])
            mark = f"  {found[0]}" if found else ""
        parts.append(ast.unparse(node) + mark)
    return "\n".join(parts) + "\n"


class _Printer:
    def __init__(self, source: str) -> None:
        self.lines = source.splitlines()
        self.original: dict[tuple[int, int, type], ast.stmt] = {}
        #: By statement: the lines between the end of what is before it and itself, and where it stands in its block.
        self.above: dict[tuple[int, int, type], list[str]] = {}
        self.block_of: dict[tuple[int, int, type], tuple[list[ast.stmt], int]] = {}
        tree = ast.parse(source)
        starts: dict[int, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.stmt):
                starts[node.lineno] = starts.get(node.lineno, 0) + 1
        #: Lines on which several statements begin; they are written anew.
        self.crowded = {line for line, n in starts.items() if n > 1}
        self._learn(tree, 0)
        last = tree.body[-1].end_lineno or 0
        self.tail = self.lines[last:]

    def _learn(self, parent: ast.AST, above: int) -> int:
        """Note where the statements below a node stand; ``above`` is the last line before them."""
        for block in _blocks(parent):
            if block and block is getattr(parent, "orelse", None):
                above = self._else_line(block[0], above)
            for i, node in enumerate(block):
                key = _key(node)
                self.original[key] = node
                self.block_of[key] = (block, i)
                self.above[key] = self.lines[above : node.lineno - 1]
                self._learn(node, self._head_end(node))
                above = node.end_lineno or node.lineno
        return above

    def _else_line(self, first: ast.stmt, above: int) -> int:
        """The line of the ``else`` of a block (0-based index after it)."""
        for i in range(first.lineno - 1, above, -1):
            if re.match(r"\s*else\s*:", self.lines[i - 1]):
                return i
        return above

    def module(self, tree: ast.Module) -> str:
        lines = [*self._block(tree.body, ""), *self.tail]
        text = "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"
        return re.sub(r"\n{4,}", "\n\n\n", text)

    def _block(self, body: Sequence[ast.stmt], indent: str) -> list[str]:
        kept = {_key(node) for node in body if self._known(node)}
        lines: list[str] = []
        for place, node in enumerate(body):
            above = self._comments(node, kept) if self._known(node) else []
            # A block does not begin with the blank lines of what stood there before.
            while place == 0 and indent and above and not above[0].strip():
                above = above[1:]
            column = node.col_offset if self._known(node) else 0
            lines += [_moved(line, column, len(indent)) for line in above]
            printed = self._statement(node, indent)
            printed[0] = re.sub(r"^(\s*)elif\b", r"\1if", printed[0])  # its if may be gone
            lines += printed
        return lines

    def _known(self, node: ast.stmt) -> bool:
        return hasattr(node, "lineno") and _key(node) in self.original

    def _comments(self, node: ast.stmt, kept: set[tuple[int, int, type]]) -> list[str]:
        """The lines above a statement: its own, or those of its paragraph if what came first in it is gone."""
        block, i = self.block_of[_key(node)]
        above = self.above[_key(node)]
        while not above and i > 0 and _key(block[i - 1]) not in kept:
            i -= 1
            above = self.above[_key(block[i])]
        return above

    def _statement(self, node: ast.stmt, indent: str) -> list[str]:
        if not self._known(node) or self._is_crowded(node):
            return _unparsed(node, indent)
        original = self.original[_key(node)]
        if ast.dump(original) == ast.dump(node):
            return self._lines(original.lineno, original.end_lineno, node.col_offset, indent)
        blocks = list(_blocks(node))
        if not blocks:
            return self._touched(original, _unparsed(node, indent))
        return self._compound(node, original, indent)

    def _is_crowded(self, node: ast.stmt) -> bool:
        original = self.original[_key(node)]
        return any(
            isinstance(part, ast.stmt) and part.lineno in self.crowded and not _is_elif(part, self.lines)
            for part in ast.walk(original)
        )

    def _compound(self, node: ast.stmt, original: ast.stmt, indent: str) -> list[str]:
        end = self._head_end(original)
        if _head_dump(node) == _head_dump(original):
            lines = self._lines(original.lineno, end, original.col_offset, indent)
        else:
            lines = self._touched(original, [indent + _head_text(node)], end)
        body = getattr(node, "body")  # noqa: B009  # compound statements have one
        lines += self._block(body, indent + INDENT)
        orelse = getattr(node, "orelse", [])
        if len(orelse) == 1 and isinstance(node, ast.If) and isinstance(orelse[0], ast.If):
            branch = self._statement(orelse[0], indent)
            branch[0] = re.sub(r"^(\s*)(el)?if\b", r"\1elif", branch[0])
            return lines + branch
        if orelse:
            lines += [f"{indent}else:", *self._block(orelse, indent + INDENT)]
        return lines

    def _head_end(self, node: ast.stmt) -> int:
        """The line of the colon of a compound statement, 1-based."""
        body = next(_blocks(node), None)
        if body is None:
            return node.end_lineno or node.lineno
        head = [*ast.walk(_without_blocks(node))]
        first = max(
            [node.lineno, *(getattr(part, "end_lineno", 0) or 0 for part in head if part is not head[0])]
        )
        for line in range(first, body[0].lineno):
            if self.lines[line - 1].partition("#")[0].rstrip().endswith(":"):
                return line
        return first

    def _touched(self, original: ast.stmt, lines: list[str], end: int | None = None) -> list[str]:
        """New lines of a statement or head with the comment that stood at the end of the old ones."""
        comment = _comment(self.lines[(end or original.end_lineno or original.lineno) - 1])
        if comment:
            lines[-1] += f"  {comment}"
        return lines

    def _lines(self, first: int, last: int | None, column: int, indent: str) -> list[str]:
        return [_moved(line, column, len(indent)) for line in self.lines[first - 1 : last]]


def _key(node: ast.stmt) -> tuple[int, int, type]:
    return node.lineno, node.col_offset, type(node)


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in _BLOCKS:
        block = getattr(node, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield block


def _without_blocks(node: ast.stmt) -> ast.stmt:
    bare = copy.copy(node)
    for name in _BLOCKS:
        if getattr(bare, name, None):
            setattr(bare, name, [ast.Pass()] if name == "body" else [])
    return bare


def _head_dump(node: ast.stmt) -> str:
    return ast.dump(_without_blocks(node))


def _head_text(node: ast.stmt) -> str:
    return ast.unparse(_without_blocks(node)).splitlines()[0]


def _is_elif(node: ast.stmt, lines: Sequence[str]) -> bool:
    return isinstance(node, ast.If) and lines[node.lineno - 1].lstrip().startswith("elif")


def _unparsed(node: ast.stmt, indent: str) -> list[str]:
    return [indent + line for line in ast.unparse(node).splitlines()]


def _moved(line: str, column: int, target: int) -> str:
    """A line of a statement that stood at one column and now stands at another."""
    if not line.strip() or column == target:
        return line
    blank = len(line) - len(line.lstrip(" "))
    return " " * max(0, blank + target - column) + line.lstrip(" ")


def _comment(line: str) -> str:
    """The comment at the end of a line; strings hold no # in the language but in docstrings."""
    return line[line.index("#") :] if "#" in line else ""
