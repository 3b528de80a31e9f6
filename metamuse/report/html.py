"""``report.html``: the run for a person, in one file that needs nothing else (no scripts, nothing fetched)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from metamuse import rundir
from metamuse.report.markup import Html, text
from metamuse.report.sections import SECTIONS
from metamuse.report.view import View
from metamuse.state import RunState
from metamuse.tracking.content import recorded
from problems.base import Problem

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body><main>
<header><p>{where}</p><h1>{title}</h1></header>
{body}
</main></body>
</html>
"""


def write_report(problem: Problem, state: RunState, folder: Path) -> Path:
    """Write ``report.html`` into a run directory, for a finished run or one under way; returns its path."""
    path = folder / "report.html"
    rundir.write_atomically(path, page(problem, state, folder))
    return path


def page(problem: Problem, state: RunState, folder: Path) -> str:
    """The report as HTML."""
    view = View(problem, state, folder.name, recorded(folder))
    began = "" if state.began is None else time.strftime(" · %Y-%m-%d %H:%M", time.localtime(state.began))
    ended = state.ended or "not finished"
    where = f"MetaMuse · run {folder.name}{began} · {ended}"
    return document(
        f"{problem.version}: what the search found", where, [section(view) for section in SECTIONS]
    )


def document(title: str, where: str, sections: Sequence[Html]) -> str:
    """A page in the style of the report."""
    style = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
    return _PAGE.format(title=text(title), style=style, where=text(where), body="\n".join(sections))
