"""The paper's figures 5 to 9, 11 and 12 as this simulator has them, on one page beside the paper's numbers.

    python -m benchmarks.dex_figures page.html [part of the full size, 8]

On an eighth of the tree and of the caches it takes about a minute of CPU; 1 is the paper's size, and takes minutes. On much
smaller trees caches of 1 % have too few frames, and offloading pays less.
"""

from __future__ import annotations

import sys
from pathlib import Path

from metamuse import config
from metamuse.bench import WorkerBench
from metamuse.build import make_problem
from metamuse.report import svg
from metamuse.report.html import document
from metamuse.report.markup import Html, figure, paragraph, section, table
from problems.dex.measuring import FULL, Length
from problems.dex.paper import Panel, panels
from problems.figures import Shares

_SHORT = Length(60_000, 40_000)
#: Lines of DEX with everything it has in that figure.
_WHOLE = ("dex", "cost-aware", "+ offloading", "cooling map, one leaf in ten")


def drawn(panel: Panel) -> Html:
    """A figure, and its numbers beside the paper's."""
    shown = panel.figure
    series = [
        svg.Series(name, values, "solution" if name in _WHOLE else "baseline")
        for name, values in panel.measured.items()
    ]
    if isinstance(shown, Shares):
        chart = svg.groups(shown.names, series, shown.unit)
    else:
        chart = svg.lines(series, (shown.start, shown.end), shown.x, shown.y, None)
    rows = []
    for name, values in panel.measured.items():
        said = panel.paper.get(name, ())
        cells = [""] * (len(values) - len(said)) + [f"{value:.3g}" for value in said]
        rows.append(
            [name, *(f"{value:.3g}" + (f" ({there})" if there else "") for value, there in zip(values, cells, strict=True))]
        )  # fmt: skip
    numbers = table(["", *panel.at], rows, range(1, 1 + len(panel.at)))
    return section(f"Figure {panel.number}: {shown.title}", figure(chart), numbers)


def main(path: Path, scale: int) -> None:
    """Measure, draw, write."""
    settings = config.compose(["problem=dex"])
    with WorkerBench(make_problem(settings), settings["problem"], 1, lambda done, total: None) as bench:
        found = panels(bench, FULL if scale == 1 else _SHORT, scale)
    said = paragraph(
        "In brackets: the paper (DEX, PVLDB 17(10)), read off its plots. Figure 10 is not modelled.", "note"
    )
    size = "the paper's size" if scale == 1 else f"a tree and caches of 1/{scale} of the paper's size"
    path.write_text(
        document("DEX: the paper's figures, simulated", size, [said, *(drawn(panel) for panel in found)])
    )
    print(path)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 8)
