"""README and docs: what they tell people to type is understood, and what they point at is there."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from metamuse import config
from metamuse.cli import parse

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "NOTICE", *(ROOT / "docs").glob("*.md")],
    key=lambda path: path.name,
)
#: Between words that a reader knows to replace.
_PLACEHOLDER = re.compile(r"…|<\w+>|\bDIR\b")


def shell_lines(text: str) -> Iterator[str]:
    """Commands in fenced and indented blocks and in inline code, without comments and continuations."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    blocks += ["\n".join(re.findall(r"^ {4}( *\S.*)$", text, re.M))]
    blocks += [inline.replace("\n", " ") for inline in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    for block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            if re.match(r"\S*python3? -m |[A-Z_]+=\S+ python3? -m ", line):
                yield line


def invocations() -> Iterator[tuple[str, str]]:
    """Document and command line."""
    for path in DOCUMENTS:
        for line in shell_lines(path.read_text(encoding="utf-8")):
            yield path.name, line


LINES = sorted(set(invocations()))


def test_there_are_lines_to_look_at() -> None:
    assert len(LINES) > 50
    assert {"README.md", "inbox.md", "arms.md"} <= {name for name, _ in LINES}


@pytest.mark.parametrize(("document", "line"), LINES)
def test_what_one_is_told_to_type_is_understood(document: str, line: str) -> None:
    words = shlex.split(line, comments=True)
    words = words[: next((i for i, word in enumerate(words) if word in ("&&", "|", ">", "<")), len(words))]
    module = words[words.index("-m") + 1]
    rest = words[words.index("-m") + 2 :]
    if module != "metamuse":
        assert importlib.util.find_spec(module) is not None, f"{document}: there is no module {module}"
        return
    given = [word for word in rest if not _PLACEHOLDER.search(word)]
    invocation = parse(given)
    if invocation is None or invocation.command == "new":
        return  # help; or a problem that is yet to be
    overrides = [o for o in invocation.overrides if not o.startswith("problem=two_queues")]
    config.compose(overrides)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_pointed_at_is_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = path if not name else (path.parent / name)
        assert there.exists(), f"{path.name}: {target}"
        if anchor:
            assert anchor in anchors(there), f"{path.name}: {target}"


def anchors(path: Path) -> set[str]:
    """Ids of the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def test_every_page_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert {page for page in pages if f"docs/{page}" not in readme and page not in linked(readme)} == set()


def linked(readme: str) -> set[str]:
    """Pages that pages named in the README link to."""
    named = re.findall(r"docs/([\w\-]+\.md)", readme)
    return {
        name
        for page in named
        for name in re.findall(r"\]\(([\w\-]+\.md)", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    }
