"""The command line: what it accepts, and how it says no."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from metamuse import config
from metamuse.cli import COMMANDS, main, own, parse
from metamuse.errors import UsageError
from metamuse.rundir import find

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "metamuse", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, env=env, check=False)


def test_default_command_is_discover() -> None:
    invocation = parse(["problem=cache", "seed=3"])
    assert invocation is not None
    assert invocation.command == "discover"
    assert invocation.overrides == ["problem=cache", "seed=3"]


@pytest.mark.parametrize(
    "path",
    [
        "a b/c.csv",
        "x,y",
        "traces/*.zst",
        "it's.bin",
        "back\\slash",
        "{1..3}",
        "a=b",
        "ü.txt",
        "$HOME/x",
        "(x)",
    ],
)
def test_paths_of_any_shape_survive_hydra(path: str) -> None:
    invocation = parse(["score", f"workloads={path}", f"problem.workloads.validation={path}"])
    assert invocation is not None
    composed = config.compose(invocation.overrides)
    assert composed["workloads"] == path
    assert composed["problem"]["workloads"]["validation"] == path


def test_the_latest_run_is_that_of_the_problem_that_is_named(tmp_path: Path) -> None:
    for run in ("cache/r20260102-000000-aa", "dex/r20260101-000000-bb"):
        (tmp_path / run).mkdir(parents=True)
        (tmp_path / run / "journal.jsonl").touch()
    named, unnamed = parse(["show", "problem=dex"]), parse(["show", "run=latest"])
    assert named is not None
    assert unnamed is not None
    assert find(tmp_path, "latest", named.problem).name == "r20260101-000000-bb"
    assert find(tmp_path, "latest", unnamed.problem).name == "r20260102-000000-aa"
    with pytest.raises(UsageError, match="no runs of problem=opscale"):
        find(tmp_path, "latest", "opscale")


def test_naming_a_model_chooses_litellm() -> None:
    invocation = parse(["llm.model=openai/gpt-4o"])
    assert invocation is not None
    assert config.compose(invocation.overrides)["llm"]["provider"] == "litellm"


def test_model_and_offline_contradict() -> None:
    with pytest.raises(UsageError, match="offline"):
        parse(["llm=offline", "llm.model=openai/gpt-4o"])


def test_a_problem_whose_simulations_take_long_tries_less_by_itself() -> None:
    slow = config.compose(["problem=autothrottle"])
    plain = config.compose(["problem=cache"])
    assert slow["search"]["tune_trials"] < plain["search"]["tune_trials"]
    assert slow["solutions"] < plain["solutions"]
    assert config.compose(["problem=autothrottle", "solutions=500"])["solutions"] == 500
    by_hand = config.compose(["problem=autothrottle", "llm=inbox"])
    assert by_hand["solutions"] == config.compose(["problem=cache", "llm=inbox"])["solutions"]


@pytest.mark.parametrize("capacity", ["0.1", "10%", "500", "512MiB"])
def test_capacities_pass_through(capacity: str) -> None:
    assert str(config.compose([f"problem.capacity={capacity}"])["problem"]["capacity"]) == capacity


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["problem=nosuch"], "There is no problem=nosuch; choose one of"),
        (["problm=cache"], "There is no setting problm. Did you mean problem?"),
        (
            ["stimuli=rsdict", "stimuli.warmup=3"],
            "stimuli.warmup does not go with the stimuli= that is chosen",
        ),
        (["search.lagg=3"], "There is no setting search.lagg. Did you mean search.lag?"),
        (["nosuch=1"], "There is no setting nosuch. All settings"),
        (
            ["solution=100"],
            "solution= is a setting of show and export; discover does not read it. Did you mean solutions?",
        ),
        (
            ["score", "run=latest"],
            "run= is a setting of resume, report, compare, export, inbox and show; score does not",
        ),
        (["frobnicate"], "There is no command frobnicate"),
        (["--frobnicate"], "There is no flag --frobnicate"),
        (["solutions=0"], "solutions=0 must be a whole number of at least 1"),
        (["solutions=many"], "solutions=many must be a whole number"),
        (["seed=-1"], "seed=-1 must be a whole number of at least 0"),
        (["search.lag=0"], "search.lag=0"),
        (["search.tune_trials=-3"], "search.tune_trials=-3"),
        (["problem.capacity=11x"], "capacity"),
        (["problem.sizes=kilograms"], "problem.sizes"),
        (["executor.memory_mb=1"], "executor.memory_mb"),
        (["budget.usd=-3"], "budget.usd=-3"),
        (["stimuli.strategy=dreams"], "stimuli.strategy=dreams"),
        (["stimuli.k=x"], "stimuli.k=x must be a whole number of at least 1"),
        (["stimuli.k=0"], "stimuli.k=0 must be a whole number of at least 1"),
        (["stimuli.warmup=x"], "stimuli.warmup=x must be a whole number of at least 0"),
        (["problem.baselines=lru,nosuch"], "there is no nosuch"),
        (["problem.incumbent=/nosuch/policy.py"], "Cannot read the policy /nosuch/policy.py"),
        (["score"], "score needs policy="),
        (["score", "policy=nosuch", "workloads=x"], "There is no policy nosuch"),
        (["resume"], "resume needs run="),
        (["resume", "run=latest"], "There are no runs"),
        (["resume", "run=r19990101-000000-aaaa"], "No run r19990101"),
        (["llm=litellm"], "llm.model"),
        (["llm=replay", "run=latest"], "There are no runs"),
        (["problem.workloads.validation=/nosuch/*.bin"], "no file matches"),
    ],
)
def test_mistakes_get_one_sentence_and_exit_code_2(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") <= 2 + error.count("\n  "), error
    assert "Traceback" not in error
    assert list(tmp_path.iterdir()) == [], "nothing may be half-written"


def test_missing_key_fails_at_once(tmp_path: Path) -> None:
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("problem=cache", "llm.model=openai/gpt-4o", cwd=tmp_path, OPENAI_API_KEY="")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    assert done.returncode == 2, done.stderr
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr
    assert seconds < 8, (
        f"{seconds:.1f} CPU seconds"
    )  # not wall time: the machine may be busy; an idle one needs 2
    assert list(tmp_path.iterdir()) == []


def test_dead_endpoint_fails_with_a_sentence(tmp_path: Path) -> None:
    done = run("problem=cache", "llm.model=openai/x", "llm.api_base=http://127.0.0.1:9/v1", cwd=tmp_path)
    assert done.returncode == 2
    assert "127.0.0.1:9" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    probe = "import sys; from metamuse.cli import main; main(['--help']); print([m for m in ('numpy','numba','hydra','litellm','mlflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("[]")
    assert "Exit codes" in done.stdout


def test_unwritable_root_is_one_sentence(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    done = run("problem=cache", "solutions=1", f"root={blocker}", "--quiet", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Cannot make the run directory" in done.stderr or "file" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_of_single_commands_are_those_the_configuration_says() -> None:
    text = (ROOT / "conf" / "config.yaml").read_text(encoding="utf-8")
    single = text.partition("# Of single commands:\n")[2].partition("\nhydra:")[0]
    said = re.findall(r"^(\w+):.*?# (.*)", single, re.M)
    commands = {
        key: {word for word in re.findall(r"\w+", comment) if word in COMMANDS} for key, comment in said
    }
    assert commands == {key: set(owners) for key, owners in own.OWN.items()}


def test_a_sweep_runs_every_combination(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sweep = ["-m", "problem=cache,binpacking", "seed=0,1", "dry_run=true", "solutions=2", "tracking=none"]
    assert main(sweep) == 0
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("2 candidates for ")]
    assert [line.split()[3] for line in told] == ["cache", "cache", "binpacking", "binpacking"]


def test_a_mistake_in_a_sweep_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-m", "problem=binpacking", "seed=0,-1", "dry_run=true", "tracking=none"]) == 2
    assert "metamuse: seed=-1 must be a whole number" in capsys.readouterr().err
