"""Changed trees as text: what was not touched stays as it stood."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from metamuse.llm.parse import extract_code
from metamuse.policy import reprint as module
from metamuse.policy.reprint import reprint

ROOT = Path(__file__).parents[3]
TEXTS = {path.stem: extract_code(path.read_text()) for path in sorted((ROOT / "tests/corpus").glob("*-*.md"))}
TEXTS |= {path.stem: path.read_text() for path in sorted((ROOT / "problems").glob("*/baselines/[a-z]*.py"))}

SOURCE = '''import math

SHARE = 0.25  # tune: 0.1..0.9

class Policy:
    """An idea."""

    def victim(self, slot):
        # The oldest first.
        a = 1
        b = 2   # two

        # Then the youngest.
        c = 3
        if a > b:  # never
            return a
        elif b > c:
            return (b +
                    c)  # wide
        else:
            # The rest.
            d = 4
        return c
'''


def victim(tree: ast.Module) -> ast.FunctionDef:
    policy = tree.body[2]
    assert isinstance(policy, ast.ClassDef)
    method = policy.body[1]
    assert isinstance(method, ast.FunctionDef)
    return method


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_changes_if_nothing_changed(name: str) -> None:
    assert reprint(TEXTS[name], ast.parse(TEXTS[name])).rstrip() == TEXTS[name].strip("\n").rstrip()


@pytest.mark.parametrize("name", list(TEXTS)[::4])
def test_the_text_of_any_smaller_tree_is_that_tree(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_plain", lambda source, tree: pytest.fail("the layout was given up"))
    rng = random.Random(name)
    for _ in range(10):
        tree = ast.parse(TEXTS[name])
        for node in ast.walk(tree):
            for block in ("body", "orelse"):
                statements = getattr(node, block, None)
                if not isinstance(statements, list) or not statements:
                    continue
                kept = [s for s in statements if isinstance(s, ast.ClassDef) or rng.random() > 0.15]
                kept = [
                    p for s in kept for p in (s.body if isinstance(s, ast.If) and rng.random() < 0.2 else [s])
                ]
                setattr(node, block, kept or ([ast.Pass()] if block == "body" else []))
        assert ast.dump(ast.parse(reprint(TEXTS[name], tree))) == ast.dump(tree)


def test_comments_go_with_their_paragraph() -> None:
    tree = ast.parse(SOURCE)
    body = victim(tree).body
    del body[0]
    assert "# The oldest first.\n        b = 2   # two\n" in reprint(SOURCE, tree)
    del body[0]
    text = reprint(SOURCE, tree)
    assert "oldest" not in text
    assert "        # Then the youngest.\n        c = 3\n" in text
    assert "SHARE = 0.25  # tune: 0.1..0.9" in text


def test_a_side_takes_the_place_of_its_if() -> None:
    tree = ast.parse(SOURCE)
    method = victim(tree)
    branch = method.body[3]
    assert isinstance(branch, ast.If)
    method.body[3:4] = branch.orelse
    text = reprint(SOURCE, tree)
    assert "        if b > c:\n            return (b +\n                    c)  # wide\n" in text
    inner = branch.orelse[0]
    assert isinstance(inner, ast.If)
    method.body[3:4] = inner.orelse
    assert "        # The rest.\n        d = 4\n        return c\n" in reprint(SOURCE, tree)


def test_only_the_head_that_was_touched_is_written_anew() -> None:
    tree = ast.parse(SOURCE)
    branch = victim(tree).body[3]
    assert isinstance(branch, ast.If)
    branch.test = ast.Name("a", ast.Load())
    text = reprint(SOURCE, tree)
    assert "        if a:  # never\n            return a\n        elif b > c:\n" in text


def test_unusual_layout_is_given_up_but_not_the_marks() -> None:
    source = (
        "X = 1; Y = 2\nclass Policy:\n    def f(self, a):\n        if a: b = 1; c = 2\n        return a\n"
    )
    tree = ast.parse(source)
    assert ast.dump(ast.parse(reprint(source, tree))) == ast.dump(tree)
    marked = SOURCE.replace("class Policy", "A = 1; B = 2\nclass Policy")
    assert "# tune: 0.1..0.9" in module._plain(marked, ast.parse(marked))
