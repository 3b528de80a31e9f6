"""Pieces of HTML. Texts of models, users and files are escaped here, never trusted."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from html import escape as esc


class Html(str):
    """Text that is HTML already; anything else is escaped when it becomes part of a page."""


def text(value: object) -> Html:
    """A value as HTML."""
    return value if isinstance(value, Html) else Html(esc(str(value)))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    right: Iterable[int] = (),
    classes: Sequence[str] = (),
) -> Html:
    """A table.

    Args:
        columns: Heads.
        rows: Cells.
        right: Indices of columns of numbers.
        classes: A style class for each row; none if empty.
    """
    numbers = set(right)
    align = ["r" if i in numbers else "" for i in range(len(columns))]
    head = "".join(f'<th class="{a}">{text(c)}</th>' for a, c in zip(align, columns, strict=True))
    body = []
    for n, row in enumerate(rows):
        cells = "".join(f'<td class="{a}">{text(c)}</td>' for a, c in zip(align, row, strict=True))
        body.append(f'<tr class="{esc(classes[n])}">{cells}</tr>' if classes else f"<tr>{cells}</tr>")
    return Html(
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


def definitions(items: Mapping[str, object]) -> Html:
    """A list of terms with what they are."""
    return Html("<dl>" + "".join(f"<dt>{text(k)}</dt><dd>{text(v)}</dd>" for k, v in items.items()) + "</dl>")


def section(title: str, *parts: str) -> Html:
    """A section of the page."""
    return Html(f"<section><h2>{text(title)}</h2>{''.join(parts)}</section>")


def paragraph(value: object, css: str = "") -> Html:
    """A paragraph."""
    return Html(f'<p class="{css}">{text(value)}</p>' if css else f"<p>{text(value)}</p>")


def link(address: str, shown: object) -> Html:
    """A link to a file beside the page."""
    return Html(f'<a href="{esc(address)}">{text(shown)}</a>')


def figure(svg: str) -> Html:
    """A chart; a narrow screen scrolls it rather than shrinking its letters."""
    return Html(f'<div class="scroll">{svg}</div>')


def code(source: str) -> Html:
    """Python source with line numbers and colours (plain where it is not Python)."""
    lines = _coloured(source.rstrip("\n")).split("\n")
    return Html("<pre>" + "".join(f"<code>{line}</code>" for line in lines) + "</pre>")


def _coloured(source: str) -> str:
    lines = source.split("\n")
    out: list[str] = []
    row, column = 1, 0

    def upto(to_row: int, to_column: int) -> str:
        nonlocal row, column
        if row == to_row:
            piece = lines[row - 1][column:to_column]
        else:
            piece = "\n".join(
                [lines[row - 1][column:], *lines[row : to_row - 1], lines[to_row - 1][:to_column]]
            )
        row, column = to_row, to_column
        return piece

    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            css = _class(token)
            if css is None:
                continue
            out.append(esc(upto(*token.start)))
            # A token of several lines (a docstring) must not cross the line elements.
            pieces = esc(upto(*token.end)).split("\n")
            out.append("\n".join(f'<span class="{css}">{piece}</span>' for piece in pieces))
        out.append(esc(upto(len(lines), len(lines[-1]))))
    except (tokenize.TokenError, SyntaxError):
        return esc(source)
    return "".join(out)


def _class(token: tokenize.TokenInfo) -> str | None:
    if token.type == tokenize.COMMENT:
        return "cm"
    if token.type == tokenize.STRING:
        return "st"
    if token.type == tokenize.NUMBER:
        return "nu"
    if token.type == tokenize.NAME and keyword.iskeyword(token.string):
        return "kw"
    return None
