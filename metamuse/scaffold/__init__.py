"""A new problem to start from: the files under ``template``, with a name filled in.

The template is a complete small problem (jobs and queues). ``{{name}}`` and ``{{Class}}`` in the texts, ``NAME`` in
the paths and the ending ``.txt`` (so that no tool takes a template for code) are all that is replaced.
"""

from __future__ import annotations

import keyword
import os
import re
from pathlib import Path

from metamuse.errors import UsageError

_TEMPLATE = Path(__file__).parent / "template"
#: What a checkout has where files are added.
_MARKS = ("problems/base.py", "evaluators/base.py", "conf/problem", "tests")
#: The name is part of module names and of the line by which the offline composer knows a problem.
_NAME = re.compile(r"[a-z][a-z_]{0,22}[a-z]")


def checked(name: str) -> str:
    """The name of a new problem.

    Raises:
        UsageError: It cannot be one.
    """
    if not _NAME.fullmatch(name) or "__" in name or keyword.iskeyword(name):
        raise UsageError(
            f"problem={name} cannot name a problem; use 2 to 24 lowercase letters and single underscores,"
            " such as problem=two_queues."
        )
    return name


def files(name: str) -> dict[str, str]:
    """Texts of all files of a new problem, by path relative to the checkout."""
    title = "".join(part.capitalize() for part in name.split("_"))
    out = {}
    for source in sorted(_TEMPLATE.rglob("*.txt")):
        path = source.relative_to(_TEMPLATE).as_posix().removesuffix(".txt").replace("NAME", name)
        text = source.read_text(encoding="utf-8").replace("{{name}}", name).replace("{{Class}}", title)
        out[path] = _sorted_imports(text) if path.endswith(".py") else text
    return out


def write(name: str, root: Path) -> list[Path]:
    """Write the files of a new problem into a checkout; existing files are never touched.

    Args:
        name: As :func:`checked` returned it.
        root: The checkout's folder.

    Returns:
        The paths of the new files.

    Raises:
        UsageError: The folder is no checkout or cannot be written, or the name is taken.
    """
    if not all((root / mark).exists() for mark in _MARKS):
        raise UsageError(
            f"{root} is not a checkout of MetaMuse, and a problem is added to one: clone the repository and install"
            " it with pip install -e ., or name a checkout with out=<folder>."
        )
    texts = files(name)
    folders = {
        part.replace("NAME", name) for part in ("problems/NAME", "evaluators/NAME", "tests/problems/NAME")
    }
    modules = {f"{folder}.py" for folder in folders}
    for path in sorted({*folders, *modules, *texts}):
        if (root / path).exists():
            raise UsageError(
                f"There is a problem or module {name} already ({root / path}); choose another name."
            )
    # Checked before the first file is written, so that nothing is left half-written.
    for folder in {_existing(root / path) for path in texts}:
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder} cannot be written; name a checkout of your own with out=<folder>.")
    for path, text in texts.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    return [root / path for path in texts]


def _existing(path: Path) -> Path:
    """The innermost folder around a path that exists."""
    return next(parent for parent in path.parents if parent.is_dir())


def _sorted_imports(text: str) -> str:
    """Where the problem's own modules belong among the imports depends on its name."""
    lines: list[str] = []
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith("from "):
            block.append(line)
            continue
        lines += [*sorted(block, key=lambda line: line.split()[1]), line]
        block = []
    return "\n".join(lines[:-1]) + "\n"
