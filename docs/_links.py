"""Hook of mkdocs: links to files outside docs/ lead to the repository, as they do where it is browsed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[1]


def on_page_markdown(markdown: str, /, *, config: Any, **_: Any) -> str:
    """Replace ``](../path)``: by a link if it is known where the repository is, else by its text."""
    repository = config.repo_url

    def link(match: re.Match[str]) -> str:
        text, path = match[1], match[2]
        assert (_ROOT / path.partition("#")[0]).exists(), f"there is no {path}"
        return f"[{text}]({repository}/blob/main/{path})" if repository else text

    return re.sub(r"(?<!!)\[((?:[^\[\]]|`[^`]*`)+)\]\(\.\./([^)\s]+)\)", link, markdown)
