"""What the pages behind the tour tell people to type, typed: every command of MetaMuse on every page is run, small.

A problem is searched once; searches with other settings are rehearsed (``--dry-run``), which loads and checks all of them.

Modules of ``benchmarks`` have tests of their own; what needs public traces is run with them (marker ``realdata``).
"""

from __future__ import annotations

import json
import math
import re
import shlex
from pathlib import Path

import pytest

from tests.support.openai_server import OpenAIServer
from tests.support.scripted import answer
from tests.support.walking import ROOT, baseline, environment, traces, typed
from tests.test_documents import shell_lines

pytestmark = pytest.mark.walkthrough

#: Baselines that are enough, claims that are measured fast, and workloads of one's own where those that are made up take long.
PROBLEMS = {
    "cache": ("lru", "", ""),
    "binpacking": ("best_fit", "", ""),
    "autothrottle": ("captain", "S1", "traces/hour.txt"),
    "opscale": ("static_p95", "V1", "AzureLLMInferenceTrace_code.csv"),
    "dex": ("clock", "3", "cell.yaml"),
    "sensing": ("split_fixed", "C1", "my_site.csv"),
}
#: Settings of a search that make it small; the last one of a name counts.
SEARCH = "solutions=2 search.race=false search.finalists=1 search.tune_trials=1 search.simplify_trials=0"
#: Words for which others stand.
SMALLER = {
    "| xclip": "> prompt.txt",
    "problem.sample=0.01": "problem.sample=0.5",
    "/fast/disk/spool": "spool",
    "http://localhost:8000/v1": "{server}",
}
#: What a page takes for granted; it comes after the others, whose runs it needs, too.
BEFORE = {"export.md": ["python -m metamuse problem=cache solutions=8"]}
#: Run elsewhere: a scaffold and its checks, clusters and servers (.ci/run), public traces, words that stand for something.
ELSEWHERE = re.compile(
    r"two_queues|metamuse new|executor=ray|tracking.uri|metamuse reproduce|…|<\w+>|METAMUSE_DATA|--cfg job|metamuse check$"
)
#: Pages whose commands need no run of another page, beside which the others are typed.
APART = ("dex.md", "opscale.md")
TOUR = ("README.md", "index.md", "reference.md")
#: What somebody pastes, and the exit code where a budget of time is over, which only the inbox has here.
REPLY = json.dumps(
    {"properties": ["old"], "property": "old", "observation": "the oldest object leaves first"}
)
OVER = ("llm=inbox", "resume")
#: Providers that no local server stands in for: what can be said without asking them.
UNASKED = ("llm.model=ollama_chat/",)


def commands() -> list[tuple[str, str]]:
    """Page and command; of commands that try the same, the first one."""
    found: dict[object, tuple[str, str]] = {}
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"]
    for page in sorted(pages, key=lambda path: (path.name in BEFORE, path.name)):
        if page.name in TOUR:
            continue
        lines = [
            re.sub(r"\s+#.*$", "", line).strip() for line in shell_lines(page.read_text(encoding="utf-8"))
        ]
        own = [line for line in lines if "-m metamuse " in line and not ELSEWHERE.search(line)]
        for line in BEFORE.get(page.name, []):
            found[line] = (page.name, small(line))
        for line in own:
            command = small(line)
            found.setdefault(_kind(command), (page.name, command))
    searched: set[str] = set()
    told = []
    for page_name, command in found.values():
        what = re.match(r"python -m metamuse (compare )?problem=\w+", command)
        rehearsed = (
            what is not None and what[0] in searched and not re.search(r"llm=inbox|solutions=8", command)
        )
        told.append(
            (page_name, f"{command} --dry-run" if rehearsed and "--dry-run" not in command else command)
        )
        searched |= {what[0]} if what else set()
    return told


def _kind(command: str) -> object:
    """What a command tries: its words and the names of its settings, and which problem, target or way to search."""
    words = [word for word in command.split() if word != "llm=offline"]  # which it is by itself
    told = ("problem=", "target=", "arm=", "run=", "policy=", "llm")
    return frozenset(word if word.startswith(told) else word.partition("=")[0] for word in words)


def small(line: str) -> str:
    """The command with what makes it small; settings that come twice are taken as they come last."""
    for what, instead in SMALLER.items():
        line = line.replace(what, instead)
    problem = next((p for p in PROBLEMS if f"problem={p}" in line), "cache")
    baselines, claims, workloads = PROBLEMS[problem]
    given, *end = re.split(r"(?=>)", line, maxsplit=1)
    words = shlex.split(given)
    if any(word in words for word in ("validate", "--dry-run")):
        words += [f"claims={claims}", "quick=true"] if "validate" in words else []
    elif "compare" in words:
        if "run=latest" not in words:
            words = [word for word in words if not word.startswith("arms=")] + ["arms=rsdict_sf,plansearch"]
            words += ["seeds=0", f"problem.baselines={baselines}", *SEARCH.split()]
    elif "baselines" in words:
        words += [f"problem.baselines={baselines}", "search.tune_trials=1"]
    elif words[3].startswith(("problem=", "llm")):
        words += [f"problem.baselines={baselines}", *SEARCH.split()]
        if workloads and "problem.deployment=plot.yaml" not in words:
            words += [
                f"problem.workloads.{which}={workloads}" for which in ("feedback", "validation", "holdout")
            ]
        if "solutions=8" in words:
            words.append("solutions=8")
        if "llm=inbox" in words:
            words.append("budget.minutes=0.1")
        if any(word.startswith(UNASKED) for word in words):
            words.append("--dry-run")
    kept = {word.partition("=")[0]: word for word in words}
    return " ".join([shlex.join(kept.values()), *end])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the pages name."""
    traces(tmp_path)
    (tmp_path / "days").symlink_to(tmp_path / "traces" / "monday")
    for name, text in {
        "traces/hour.txt": "\n".join(["200"] * 120),
        "packing/one.txt": "1\n one\n 100 12 5\n"
        + "\n".join(f" {size}" for size in [60, 40, 30, 30, 20] * 2 + [7, 3]),
        "my_site.csv": _site(),
        "cell.yaml": "{keys: 200000, cache_mb: 1, ops: 20000, warm: 10000}",
        "plot.yaml": re.findall(r"^```yaml\n(.*?)^```", _page("sensing-deployment.md"), re.M | re.S)[0],
        "AzureLLMInferenceTrace_code.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        + "\n".join(
            f"2023-11-16 18:{15 + i // 60:02d}:{i % 60:02d}.000000,{500 + i},{20 + i % 7}" for i in range(600)
        ),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    return tmp_path


def _site() -> str:
    """Sixty days of three places, by the hour."""
    rows = ["place,time,flux,moisture,temperature"]
    for hour in range(60 * 24):
        at = f"2018-{6 + hour // 720:02d}-{1 + hour % 720 // 24:02d} {hour % 24:02d}:00:00"
        daily = math.sin(hour / 24 * 2 * math.pi)
        for place in "ABC":
            rows.append(
                f"{place},{at},{3 + daily + hour % 7 / 10:.2f},{0.2 + hour % 200 / 2000:.3f},{18 + 4 * daily:.1f}"
            )
    return "\n".join(rows)


def _page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("apart", [False, True])
def test_every_page_can_be_typed_as_it_stands(folder: Path, apart: bool) -> None:
    """Each command in turn, in one folder; all that fail are told, not the first one."""
    failed = []
    told = [(page, command) for page, command in commands() if (page in APART) == apart]
    assert len(told) > (5 if apart else 20)
    with OpenAIServer(answer=answer) as server:
        env = environment(OPENAI_API_KEY="sk-test", OPENAI_BASE_URL=server.base_url)
        for page, command in told:
            problem = next((p for p in PROBLEMS if f"problem={p}" in command), "cache")
            (folder / "my_policy.py").write_text(baseline(problem, PROBLEMS[problem][0]), encoding="utf-8")
            code = 3 if page == "inbox.md" and any(word in command for word in OVER) else 0
            try:
                typed(command.replace("{server}", server.base_url), folder, env, code, REPLY)
            except AssertionError as error:
                failed.append(f"{page}: {error}")
    assert not failed, "\n\n".join(failed)
