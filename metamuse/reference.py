"""The reference page of commands and settings, made from what the program reads itself.

python -m metamuse.reference > docs/reference.md
"""

from __future__ import annotations

import re
from pathlib import Path

from metamuse import config
from metamuse.cli import COMMANDS, HELP

#: Groups of settings in the order of the page, with what they are about.
GROUPS = {
    "problem": "What policies are searched for, on which workloads. `problem=<name>` chooses a file.",
    "llm": "Who answers. `llm=<name>` chooses a file; naming `llm.model` chooses `litellm` by itself.",
    "stimuli": "Where ideas start from.",
    "search": "How solutions are made, rejected, tuned and simplified.",
    "arm": "Named ways to search: `arm=<name>` sets all that differs from the default.",
    "executor": "Where candidates are scored, and what they may use.",
    "budget": "When a run ends early.",
    "tracking": "What MLflow is told.",
    "effort": "Taken by itself with `problem=<name>`: how much is tried where simulations take long.",
    "pace": "Taken by itself with `llm=<name>`: how many solutions such a provider is asked for.",
}


def page() -> str:
    """The page, as Markdown."""
    folder = config.folder()
    parts = [
        "# Commands and settings",
        "Made from the program by `python -m metamuse.reference`; a test keeps it up to date.",
        "## Commands",
        _fenced(HELP.format(commands=_commands()).strip(), "text"),
        "## Settings",
        "Every setting is given as `key=value` on the command line. Inside a group the key begins with the group: "
        "`search.lag=8`. `python -m metamuse problem=… --cfg job` prints what a run would use, with these comments.",
        _fenced(_text(folder / "config.yaml"), "yaml"),
    ]
    for group, about in GROUPS.items():
        parts += [f"### {group}", about]
        for path in sorted((folder / group).glob("*.yaml")):
            parts += [f"`{group}={path.stem}`", _fenced(_text(path), "yaml")]
    return "\n\n".join(parts) + "\n"


def _commands() -> str:
    width = max(map(len, COMMANDS))
    return "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())


def _text(path: Path) -> str:
    """A file of settings without what only Hydra wants to know."""
    text = path.read_text(encoding="utf-8")
    text = text.replace("# @package _global_\n", "")
    text = re.sub(r"^  - override /(\w+): (\w+)\n", r"# with \1=\2\n", text, flags=re.M)
    text = re.sub(r"^defaults:\n(?=# with )", "", text, flags=re.M)
    text = re.sub(r"^defaults:\n(?:[ \t]+.*\n)+\n?", "", text, flags=re.M)
    return re.sub(r"^hydra:\n(?:(?:[ \t]+.*)?\n?)+", "", text, flags=re.M).strip()


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"


if __name__ == "__main__":
    print(page(), end="")
