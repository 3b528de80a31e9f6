"""The report is complete, self-contained and honest, whatever the state of the run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from metamuse import ranking, rundir
from metamuse.report.html import page, write_report
from metamuse.report.verdict import verdict
from metamuse.state import RunState
from tests.support.fake_run import FakeProblem, events, fake_state

VOID = {"meta", "br", "hr", "img", "circle", "line", "path", "rect"}


class Checker(HTMLParser):
    """Fails on tags that do not match, and collects text, tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] not in ("style",):
            self.text += data


def parsed(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.stack == []
    return checker


def report(**how: Any) -> Checker:
    problem = FakeProblem(how.pop("maximise", False))
    return parsed(page(problem, fake_state(problem, **how), Path("r1")))


STATES = {
    "full": {},
    "maximise": {"maximise": True, "provider": "litellm"},
    "before the hold-out": {"holdout": False, "ended": "", "requested": 99},
    "one solution": {"solutions": 1, "failing": 0.0},
    "nothing executable": {"solutions": 5, "failing": 1.0, "holdout": False},
    "no solution": {"solutions": 0, "holdout": False},
    "one workload": {"workloads": 1},
    "many workloads": {"workloads": 40},
    "studied": {"studied": True},
    "studied, maximise": {"studied": True, "maximise": True},
}


@pytest.mark.parametrize("how", STATES.values(), ids=STATES)
def test_every_state_of_a_run_has_a_report(how: dict[str, Any]) -> None:
    checker = report(**how)
    assert "nan" not in checker.text.lower().split()
    for key, value in checker.attributes:
        assert "nan" not in value, (key, value)
        assert "inf" not in value.split(), (key, value)


def test_every_prefix_of_a_journal_has_a_report() -> None:
    problem = FakeProblem()
    state = RunState()
    for n, event in enumerate(events(problem, solutions=3)):
        state.apply(event)
        if n % 4 == 0 or event["event"] in ("run", "entry", "holdout"):
            parsed(page(problem, state, Path("r1")))


def test_nothing_is_fetched_and_nothing_runs() -> None:
    checker = report()
    assert not {"script", "link", "img", "iframe", "object"} & set(checker.tags)
    assert not [a for a in checker.attributes if a[0] == "src" or a[0].startswith("on")]
    links = [value for key, value in checker.attributes if key == "href"]
    assert all(re.fullmatch(r"solutions/s\d+/policy\.py", link) for link in links), "beside the page only"
    style = (Path(page.__code__.co_filename).parent / "style.css").read_text()
    assert "url(" not in style
    assert "@import" not in style


def test_what_models_write_is_text() -> None:
    problem = FakeProblem()
    state = fake_state(problem)
    best = ranking.best(problem, state)
    assert best is not None
    evil = "<script>alert(1)</script>"
    best.name = evil
    best.source = f'"""{evil}\n{evil}"""\n# {evil}\nX = 1\n'
    best.data["design"] = {"name": evil, "idea": evil, evil: evil}
    best.data["stimuli"] = [evil]
    best.data["observations"] = [{"word": evil, "properties": [evil], "property": evil, "text": evil}]
    html = page(problem, state, Path("r1"))
    assert evil not in html
    assert "script" not in parsed(html).tags


def test_the_answer_comes_first_and_agrees_with_the_summary() -> None:
    problem = FakeProblem()
    state = fake_state(problem, skill=0.12)
    text = parsed(page(problem, state, Path("r1"))).text
    best = rundir.summary(problem, state, "r1")["best"]
    against = best["against"]
    assert f"{best['holdout_gain']:.2f} % less waste than Plain on the hold-out workloads" in text
    assert f"{against['difference']:.2f} points better than {against['baseline']}" in text
    assert f"interval {against['ci95'][0]:+.2f} to {against['ci95'][1]:+.2f}" in text
    assert f"worse on {against['worse_on']} of {against['workloads']}" in text
    headings = [
        "The idea",
        "Leaderboard",
        "Where it is better",
        "From stimulus to code",
        "Progress",
        "Diversity",
        "Failures",
        "Cost",
        "Provenance",
    ]
    places = [text.index(h) for h in ["points better", *headings]]
    assert places == sorted(places)


def test_all_rivals_workloads_and_lines_of_code_are_there() -> None:
    problem = FakeProblem()
    state = fake_state(problem)
    html = page(problem, state, Path("r1"))
    text = parsed(html).text
    for entry in state.entries.values():
        assert entry.id in text
    for i in range(12):
        assert f"holdout-{i}" in text
    best = ranking.best(problem, state)
    assert best is not None
    code = re.findall(r"<code>(.*?)</code>", html)
    assert len(code) == len(best.source.rstrip().splitlines())
    assert all(word in text for word in best.data["stimuli"])


def test_tuned_rows_shifts_and_costs_are_shown() -> None:
    problem = FakeProblem()
    state = fake_state(problem, studied=True)
    best = ranking.best(problem, state)
    assert best is not None and best.kind == "tuned" and best.discovered
    text = parsed(page(problem, state, Path("r1"))).text
    for row in ("cunning", "cunning-tuned", best.id, best.of):
        assert row in text
    assert "SHARE = 0.31 (tuned in 50 trials)" in text
    assert "half the tide" in text and "no moon" in text
    steps = max(entry.work["max"] for entry in state.entries.values() if entry.work)
    assert f"{steps:,}" in text and "on the front" in text


def test_the_winner_is_compared_with_the_incumbent_first() -> None:
    problem = FakeProblem()
    state = fake_state(problem)
    state.entries["incumbent"] = replace(state.entries["clever"], id="incumbent", kind="incumbent")
    first, *rest = verdict(problem, state)
    assert "than incumbent (" in first and any("cunning is the strongest baseline" in s for s in rest)
    against = rundir.summary(problem, state, "r1")["best"]["against"]
    assert against["baseline"] == "incumbent"
    state.entries["incumbent"].status = "timeout"
    assert "than cunning (" in verdict(problem, state)[0]


def test_the_short_form_of_the_winner_is_shown_with_its_proof() -> None:
    problem = FakeProblem()
    state = fake_state(problem, studied=True)
    best = ranking.best(problem, state)
    assert best is not None
    assert "In short" not in parsed(page(problem, state, Path("r1"))).text
    lengths = {w: {"lines": n, "statements": n, "constants": 1} for w, n in (("before", 84), ("after", 41))}
    proof = {"workloads": 24, "decisions": 12_345, "digest": "ab", "trials": 9, "holdout": None}
    best.data["simplified"] = {"source": "class Shorter: ...\n", **lengths, **proof}
    text = parsed(page(problem, state, Path("r1"))).text
    assert "84 → 41 lines" in text and "24 feedback and validation workloads (12,345 decisions)" in text
    assert "class Shorter" in text and "hold-out workloads are not known" in text


def test_a_winner_that_fails_on_shifted_workloads_is_said_to() -> None:
    problem = FakeProblem()
    state = fake_state(problem, studied=True)
    best = ranking.best(problem, state)
    assert best is not None
    best.data["shift_failure"] = ["timeout", "it took longer than 30 s"]
    assert (
        "it fails on shifted workloads (timeout): it took longer than 30 s"
        in parsed(page(problem, state, Path("r1"))).text
    )


def test_source_that_is_not_python_is_shown_plainly() -> None:
    problem = FakeProblem()
    state = fake_state(problem)
    best = ranking.best(problem, state)
    assert best is not None
    best.source = "def f(:\n  '''open & <b>\n"
    assert "'''open & <b>" in parsed(page(problem, state, Path("r1"))).text


def test_an_unknown_price_is_unknown() -> None:
    problem = FakeProblem()
    state = fake_state(problem, provider="litellm")
    state.calls.append(state.calls[3] | {"key": "1/repair/0", "cost_usd": None})
    text = parsed(page(problem, state, Path("r1"))).text
    assert "unknown" in text
    assert "$0.00" not in text


def test_provenance_comes_from_the_run_directory(tmp_path: Path) -> None:
    problem = FakeProblem()
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({"provenance": {"numba": "9.8.7"}, "containment": ["layer-x"]})
    )
    path = write_report(problem, fake_state(problem), tmp_path)
    assert path == tmp_path / "report.html"
    text = parsed(path.read_text(encoding="utf-8")).text
    assert "9.8.7" in text
    assert "layer-x" in text
