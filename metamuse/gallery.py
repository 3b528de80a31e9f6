"""The gallery: what a run found best, with its card, scores, exports and record, small enough for a repository.

python -m metamuse.gallery run=<path> out=gallery/cache [solution=best] [targets=python,c]
python -m metamuse.gallery replay=gallery/cache         # runs the search again from its recorded completions

Making an entry scores the policy again on the hold-out set and refuses it if a number is another one than in the run, and
makes each export as ``export`` does, with at least 100,000 golden decisions; what is kept of these are some thousand.
"""

from __future__ import annotations

import asyncio
import base64
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import problems.base
from metamuse import config as settings_of
from metamuse import rundir
from metamuse.build import limits, make_executor
from metamuse.errors import UsageError
from metamuse.evaluation import Handler
from metamuse.executor.base import Task
from metamuse.export import golden
from metamuse.export.base import exporter_for, read_all, system_of
from metamuse.export.jailed import warm_up
from metamuse.export.package import ExportFailedError, export, run_test
from metamuse.export.subject import Subject, of_run
from metamuse.journal import read
from metamuse.policy.compiled import CompiledPolicy
from metamuse.policy.program import load
from metamuse.state import RunState

#: What is not taken over from a run's configuration: where it lay and how it was told of.
_OWN = ("root", "quiet", "run", "out", "port", "dry_run", "tracking", "executor", "llm", "sites")
#: Golden decisions on the probes below which those of a whole workload are kept, too.
_FEW = 2_000
#: Hold-out values that differ by more than this part are of another version of the simulator.
_SAME = 1e-9


class GalleryError(Exception):
    """An entry cannot be made, or does not hold what it says."""


# -- in the executor's jail


def setup(config: Mapping[str, Any]) -> Handler:
    """Serve one task: decisions on probes, the values on the hold-out set, and a small golden file.

    Args:
        config: ``problem`` (its configuration).
    """
    problem = problems.base.make(config["problem"])
    read_all()
    warm_up(problem)
    holdout = list(problem.workloads("holdout"))

    def handle(task: dict[str, Any]) -> dict[str, Any]:
        compiled = CompiledPolicy(load(task["source"], problem.contract), problem.init_example())
        loop = problem.bind(compiled)
        values = [float(problem.simulate(compiled, loop, workload).value) for workload in holdout]
        system = system_of(problem)
        cases = system.golden(compiled, problem.probes())
        if sum(case.decisions for case in cases) < _FEW:
            cases += system.golden(compiled, holdout[:1])
        return {
            "probes": probe_digests(problem, compiled),
            "holdout": values,
            "golden": base64.b64encode(golden.pack(cases)).decode(),
            "decisions": sum(case.decisions for case in cases),
        }

    return handle


def probe_digests(problem: problems.base.Problem, compiled: CompiledPolicy) -> list[dict[str, Any]]:
    """What a policy decides and scores on the problem's probes."""
    loop, rows = problem.bind(compiled), []
    for probe in problem.probes():
        score = problem.simulate(compiled, loop, probe)
        decided = score.decisions
        counted = (
            {}
            if decided is None
            else {"decisions": decided.count, "digest": f"{decided.digest % 2**64:016x}"}
        )
        rows.append({"probe": score.workload, "value": float(score.value), **counted})
    return rows


# -- making an entry


def make(run: Path, solution: str, targets: list[str], out: Path) -> dict[str, Any]:
    """Write an entry of a run's policy; returns its card.

    Raises:
        GalleryError: The policy no longer scores as recorded, or an export fails.
        UsageError: There is no such policy or target, or the folder is in use.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"out={out} is not empty; name another folder, or remove it.")
    subject = of_run(run, solution)
    recorded = rundir.recorded_config(run)
    name = str(recorded["problem"]["name"])
    exporters = [exporter_for(target, name) for target in targets]
    entry = RunState.fold(read(run / "journal.jsonl")).entry(subject.id)
    found = asyncio.run(_measure(recorded, subject.source))
    try:
        decisions = golden.pack(golden.unpack(base64.b64decode(found["golden"])))
    except golden.ForgedError as error:
        raise GalleryError(f"the policy's process answered for it: {error}") from None
    kept = entry.scores.get("holdout")
    if kept is not None:
        _demand_same(list(map(float, kept.values)), found["holdout"], run.name)
    out.mkdir(parents=True, exist_ok=True)
    proved = {}
    for exporter in exporters:
        with tempfile.TemporaryDirectory() as folder:
            try:
                made = export(
                    settings_of.compose([f"problem={name}"]) | {"problem": recorded["problem"]},
                    subject,
                    exporter,
                    Path(folder) / "out",
                )
            except ExportFailedError as error:
                raise GalleryError(f"target={exporter.name}: {error}") from None
            shutil.copytree(made.out, out / exporter.name)
        proved[exporter.name] = made.decisions
        for spare in ("README.md", "LICENSE", "policy.original.txt", "pyproject.toml"):
            (out / exporter.name / spare).unlink(missing_ok=True)
        (out / exporter.name / "golden.gz").write_bytes(decisions)
        run_test(out / exporter.name)
        _tidy(out / exporter.name)
    _copy(run, out, subject.id, recorded)
    (out / "policy.py").write_text(subject.source.rstrip() + "\n", encoding="utf-8")
    card = {
        "problem": subject.problem.version,
        "id": subject.id,
        "name": subject.name,
        "generator": subject.provenance[0],
        "command": _command(recorded),
        "run": run.name,
        "probes": found["probes"],
        "golden": {"kept": found["decisions"], "compared": proved},
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    idea = load(subject.source, subject.problem.contract).doc
    remarks = told_of_holdout(subject.problem, out / "run" / "scores.json")
    (out / "README.md").write_text(_readme(subject, card, summary, remarks, idea), encoding="utf-8")
    return card


async def _measure(recorded: dict[str, Any], source: str) -> dict[str, Any]:
    executor = make_executor(recorded, {}, "metamuse.gallery:setup")
    try:
        await executor.start()
        wall = float(recorded["executor"]["trusted_wall_s"])
        outcome = await executor.run(Task("gallery", {"source": source}, limits(recorded, wall)))
    finally:
        await executor.close()
    if outcome.result is None:
        assert outcome.failure is not None
        raise GalleryError(f"the policy fails ({outcome.failure[0]}: {outcome.failure[1]}).")
    result: dict[str, Any] = outcome.result
    return result


def _demand_same(recorded: list[float], now: list[float], run: str) -> None:
    off = [
        i
        for i, (a, b) in enumerate(zip(recorded, now, strict=True))
        if abs(a - b) > _SAME * max(abs(a), 1e-12)
    ]
    if off:
        i = off[0]
        raise GalleryError(
            f"{len(off)} of {len(now)} hold-out workloads score otherwise than in {run} (number {i}: {now[i]!r}, recorded "
            f"{recorded[i]!r}): the run is of another version; make a new one."
        )


def _copy(run: Path, out: Path, solution: str, recorded: Mapping[str, Any]) -> None:
    """The record: settings, tables, the winner's waypoints and scores, all completions."""
    folder = out / "run"
    folder.mkdir()
    given = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    (folder / "config.yaml").write_text(yaml.safe_dump(_portable(given), sort_keys=False), encoding="utf-8")
    for name in ("leaderboard.csv", "summary.json"):
        shutil.copyfile(run / name, folder / name)
    for name in ("design.json", "waypoints.json", "scores.json"):
        shutil.copyfile(run / "solutions" / solution / name, folder / name)
    text = (run / "completions.jsonl").read_bytes()
    (folder / "completions.jsonl.xz").write_bytes(lzma.compress(text, preset=9))


def _portable(given: dict[str, Any]) -> dict[str, Any]:
    """A configuration without the places of a machine.

    Raises:
        UsageError: A setting that decides something names such a place.
    """
    out = json.loads(json.dumps(given, default=str))
    out["root"] = "runs"
    if out["problem"].get("sites"):
        out["problem"]["sites"] = None  # records that are named by METAMUSE_DATA
    for key, value in _leaves(out):
        if isinstance(value, str) and value.startswith(("/", "~")):
            raise UsageError(
                f"{key}={value} of the run is a place on this machine: nobody else could run it again."
            )
    return dict(out)


def _leaves(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield before + key, value


def overrides(recorded: Mapping[str, Any]) -> list[str]:
    """What a run's configuration has otherwise than the default, as words of a command line."""
    name = recorded["problem"]["name"]
    usual = dict(_leaves(settings_of.compose([f"problem={name}"])))
    words = [f"problem={name}"]
    for key, value in _leaves(recorded):
        if set(key.split(".")) & set(_OWN) or key not in usual or usual[key] == value:
            continue
        words.append(f"{key}={_word(value)}")
    return words


def _word(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_word, value))}]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _command(recorded: Mapping[str, Any]) -> str:
    llm = recorded["llm"]
    model = (
        [] if llm["provider"] == "offline" else [f"llm={llm['provider']}", f"llm.model={llm.get('model')}"]
    )
    return " ".join(["python -m metamuse", *overrides(recorded), *model])


def _tidy(folder: Path) -> None:
    for cache in list(folder.rglob("__pycache__")):
        shutil.rmtree(cache)


def told_of_holdout(problem: problems.base.Problem, scores: Path) -> list[str]:
    """What must be known of recorded hold-out scores beside their mean."""
    rows = json.loads(scores.read_text(encoding="utf-8")).get("holdout") or []
    return [f"Hold-out: {said}" for said in problem.remarks([row["details"] for row in rows])] if rows else []


def elsewhere(solution: str, summary: Mapping[str, Any]) -> list[str]:
    """What a run says of its best policy on workloads unlike those searched on."""
    best = summary["best"]
    if best["id"] != solution or not best.get("shifts"):
        return []
    gains = "; ".join(f"{name} {gain:+.1f} %" for name, gain in best["shifts"].items() if gain is not None)
    return [f"Where workloads are unlike those searched on, against the same reference: {gains}."]


def _readme(
    subject: Subject, card: Mapping[str, Any], summary: Mapping[str, Any], remarks: Sequence[str], idea: str
) -> str:
    compared = ", ".join(f"`{target}` {n:,}" for target, n in card["golden"]["compared"].items())
    folder = subject.problem.name
    parts = [
        f"# {subject.title}",
        f"## Idea\n\n{idea or 'Its text says nothing of its idea.'}",
        "## Where it comes from\n\n" + _listed(subject.provenance) + f"\n\n    {card['command']}",
        "## What was measured\n\n" + _listed([*subject.scores, *remarks, *elsewhere(subject.id, summary)]),
        "## What is here\n\n"
        "- `policy.py`: the policy, its constants as they were scored; `card.json`: what a test holds it to.\n"
        f"- {', '.join(f'`{t}/`' for t in card['golden']['compared'])}: exports with {card['golden']['kept']:,} golden decisions, "
        f"`python test_equivalence.py` in each. When the entry was made as many were compared: {compared}.\n"
        "- `run/`: the run's settings, tables, the winner's design and scores, and every completion.",
        "## Again\n\n"
        f"    python -m metamuse export policy=gallery/{folder}/policy.py problem={folder} target=python out=out\n"
        f"    python -m metamuse.gallery replay=gallery/{folder}\n\n"
        "The second runs the search from the recorded completions and compares its leaderboard with the one here.",
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _listed(sentences: list[str]) -> str:
    return "\n".join(
        textwrap.fill(
            s,
            118,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for s in sentences
    )


# -- running it again


def unpack(entry: Path, into: Path) -> Path:
    """The recorded run as ``llm=replay run=…`` takes it."""
    into.mkdir(parents=True, exist_ok=True)
    text = lzma.decompress((entry / "run" / "completions.jsonl.xz").read_bytes())
    (into / "completions.jsonl").write_bytes(text)
    (into / "journal.jsonl").touch()
    return into


def replay(entry: Path) -> str:
    """Run the search again from its completions: how its leaderboard differs, "" if it does not.

    Raises:
        GalleryError: The search does not end as it should.
        UsageError: There is no entry.
    """
    if not (entry / "run" / "completions.jsonl.xz").is_file():
        raise UsageError(f"replay={entry} is no entry of a gallery: it has no run/completions.jsonl.xz.")
    recorded = yaml.safe_load((entry / "run" / "config.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        before = unpack(entry, Path(folder) / "recorded")
        words = [*overrides(recorded), "llm=replay", f"run={before}", f"root={folder}/runs", "tracking=none"]
        ended = subprocess.run([sys.executable, "-m", "metamuse", *words], check=False)
        made = sorted(Path(folder).glob("runs/*/r*/leaderboard.csv"))
        if ended.returncode != 0 or not made:
            raise GalleryError(f"the search ends with {ended.returncode}.")
        now = made[-1].read_text(encoding="utf-8").splitlines()
    then = (entry / "run" / "leaderboard.csv").read_text(encoding="utf-8").splitlines()
    for i in range(max(len(now), len(then))):
        have, want = (rows[i] if i < len(rows) else "nothing" for rows in (now, then))
        if have != want:
            return f"row {i} of the leaderboard is {have}, recorded {want}"
    return ""


def main(words: list[str]) -> int:
    """Make an entry, or replay one; 1 if that fails, 2 for bad usage."""
    given = dict(word.partition("=")[::2] for word in words)
    try:
        if set(given) == {"replay"}:
            found = replay(Path(given["replay"]))
            print(found or "the leaderboard is the recorded one")
            return int(bool(found))
        if not {"run", "out"} <= set(given) <= {"run", "out", "solution", "targets"}:
            raise UsageError("gallery needs run=<run directory> out=<folder>, or replay=<entry>.")
        run = rundir.find(Path(os.curdir) / "runs", given["run"])
        targets = given.get("targets", "python,c").split(",")
        card = make(run, given.get("solution", "best"), targets, Path(given["out"]))
        print(f"{card['name']}: {given['out']}")
        return 0
    except (GalleryError, UsageError) as error:
        print(f"metamuse: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
