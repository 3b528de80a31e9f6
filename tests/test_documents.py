"""README and docs: what they tell people to type is understood, and what they point at is there."""

from __future__ import annotations

import importlib.util
import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metamuse import config
from metamuse.build import make_problem
from metamuse.cli import parse
from metamuse.policy import compiled, program

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
    sweeping = "-m" in invocation.hydra
    choices = [o.partition("=")[2].split(",") if sweeping else [o.partition("=")[2]] for o in overrides]
    for values in itertools.product(*choices):
        config.compose([f"{o.partition('=')[0]}={value}" for o, value in zip(overrides, values, strict=True)])


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


CONTRACTS = (ROOT / "docs" / "policy-contract.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("heading", "problem"), [("Cache", "cache"), ("Bin packing", "binpacking")])
def test_the_interface_on_the_page_is_the_one_that_is_checked(heading: str, problem: str) -> None:
    part = CONTRACTS.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    shown = re.findall(r"^ +def (\w+)\(self, ([\w, ]+)\): \.\.\.(?: -> \w+)? *(?:# (\w+))?", part, re.M)
    contract = make_problem(config.compose([f"problem={problem}"])).contract
    methods = {m.name: (m.params, "required" if m.required else "optional") for m in contract.methods}
    assert {name: (tuple(given.split(", ")), kind) for name, given, kind in shown[1:]} == methods
    assert shown[0] == ("__init__", ", ".join(contract.init), "")


def test_the_lines_about_execution_and_constants_run() -> None:
    """The two blocks of the page, with a policy that has the constants of the one."""
    constants, execution = (
        re.sub(r"^    ", "", block, flags=re.M)
        for block in re.findall(r"\n\n((?: {4}(?:DECAY|program) .*\n)(?: {4}.+\n)+)", CONTRACTS)
    )
    problem = make_problem(config.compose(["problem=cache"]))
    names = {
        "load": program.load,
        "CompiledPolicy": compiled.CompiledPolicy,
        "InterpretedPolicy": compiled.InterpretedPolicy,
        "problem": problem,
        "contract": problem.contract,
        "example_init": problem.init_example(),
        "workload": problem.probes()[0],
        "text": "import numpy as np\n\n"
        + constants
        + "class Policy:\n    def __init__(self, capacity, n_slots):\n        self.score = np.zeros(n_slots)\n\n"
        "    def on_insert(self, slot, key, size, now, remembered):\n        self.score[slot] = now * DECAY + HALF\n\n"
        "    def on_evict(self, slot, key, size, now):\n        self.score[slot] = 1e18\n\n"
        "    def victim(self, slot, key, size, now):\n"
        "        self.score[slot] = 1e18\n        return int(np.argmin(self.score[:WINDOW]))\n",
    }
    exec(execution, names)
    policy: Any = names["compiled"]
    assert policy.values == {"DECAY": 0.95, "WINDOW": 64}
    assert policy.with_values({"WINDOW": 32}).values["WINDOW"] == 32


def test_the_cells_on_the_page_are_read(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "dex.md").read_text(encoding="utf-8")
    (tmp_path / "cell.yaml").write_text(
        re.findall(r"^```yaml\n(.*?)^```", page, re.M | re.S)[0], encoding="utf-8"
    )
    cells = make_problem(config.compose(["problem=dex"])).load(str(tmp_path / "cell.yaml"))
    assert [cell.cache_mb for cell in cells] == [64, 128]
