"""The command line: a thin front end that finds the command and its flags, and starts it.

Nothing heavy is imported before it is known what to do: ``--help`` answers at once.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from metamuse.cli import own
from metamuse.errors import UsageError

#: Commands, with what they do; each is a module ``metamuse.cli.<name>`` with ``run(invocation) -> exit code``.
COMMANDS = {
    "discover": "search for a policy (the default command)",
    "score": "score policies or baselines: policy=lru,my.py workloads='traces/*.zst'",
    "baselines": "score all baselines and bounds on the configured workloads",
    "resume": "go on with a run: run=latest",
    "compare": "equal-budget arms side by side: arms=rsdict_sf,plansearch seeds=0,1,2",
    "report": "write a run's report and tables again: run=latest",
    "inbox": "what waits for an answer of yours (llm=inbox): run=latest prompt=… answer=…",
    "runs": "list the runs",
    "show": "show one solution from stimulus to score: run=latest solution=best",
    "export": "write production code and its equivalence test: run=latest target=python out=winner",
    "ui": "open MLflow's UI on the run database",
    "reproduce": "compute a published table again: table=<name> traces=<folder>",
    "check": "put a problem through the contract suite: problem=cache",
    "validate": "measure the claims of a problem's simulator: problem=autothrottle claims=S1,S4 quick=true",
    "completion": 'print completion for bash or zsh: eval "$(metamuse completion)"',
    "new": "make the files of a new problem: problem=my_problem",
}

HELP = """usage: python -m metamuse [command] [--json] [--quiet] [overrides...]

{commands}

Overrides are settings of the form key=value, for instance

  python -m metamuse problem=cache                        discover, with the embedded offline composer
  python -m metamuse problem=cache llm.model=openai/gpt-4o solutions=350 budget.usd=10
  python -m metamuse problem=cache problem.workloads.validation='mine/*.zst' problem.workloads.holdout='later/*.zst'
  python -m metamuse score policy=lru,s3fifo workloads=trace.csv problem.capacity=1%
  python -m metamuse --cfg job                            all settings, their values, what they mean

--json prints the result as JSON on standard output, and nothing else there. --dry-run says what a run would
cost. Hydra's own flags (--cfg job, -m for several runs) work as usual.

Exit codes: 0 done; 1 done, but something scored failed or nothing was executable; 2 bad usage; 3 a budget ended
the run early; 130 interrupted (resumable).
"""

#: Keys whose values are paths or lists: quoted for Hydra, so that any path, glob or comma list of a shell works.
_PATHS = re.compile(
    r"^(workloads|policy|arms|seeds|claims|run|out|traces|root|solution|file|problem\.incumbent|problem\.deployment|problem\.spool|problem\.baselines|problem\.workloads\.\w+|stimuli\.(source|files|runs))$"
)
_HYDRA_WITH_VALUE = ("--cfg", "-c", "--package", "-p", "--info", "--experimental-rerun")
_HYDRA = ("-m", "--multirun", "--resolve", "--hydra-help")


@dataclass
class Invocation:
    """What the command line says.

    Attributes:
        command: One of :data:`COMMANDS`.
        overrides: ``key=value``, quoted for Hydra.
        hydra: Hydra's own flags.
        json: Print JSON only.
        quiet: No progress.
    """

    command: str
    overrides: list[str] = field(default_factory=list)
    hydra: list[str] = field(default_factory=list)
    json: bool = False
    quiet: bool = False

    @property
    def problem(self) -> str | None:
        """The problem that is named, None where the default one is meant, or any."""
        named = [o.partition("=")[2] for o in self.overrides if o.startswith("problem=")]
        return named[-1] if named else None


def parse(arguments: Sequence[str]) -> Invocation | None:
    """Read the command line; None if help is asked for.

    Raises:
        UsageError: A command or flag does not exist, or a setting is another command's.
    """
    invocation = Invocation("discover")
    named = False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-h", "--help"):
            return None
        if word == "--json":
            invocation.json = True
        elif word in ("-q", "--quiet"):
            invocation.quiet = True
        elif word == "--dry-run":
            invocation.overrides.append("dry_run=true")
        elif word in _HYDRA or word.startswith(tuple(f"{flag}=" for flag in _HYDRA_WITH_VALUE)):
            invocation.hydra.append(word)
        elif word in _HYDRA_WITH_VALUE:
            invocation.hydra += [word, *rest[:1]]
            rest = rest[1:]
        elif word.startswith("-"):
            raise UsageError(f"There is no flag {word}; see python -m metamuse --help.")
        elif "=" in word or word.startswith("~"):
            invocation.overrides.append(_quoted(word))
        elif not named and word in COMMANDS:
            invocation.command = word
            named = True
        elif not named:
            raise UsageError(f"There is no command {word}; the commands are {', '.join(COMMANDS)}.")
        else:
            raise UsageError(f"Cannot make sense of {word!r}; settings are written key=value.")
    own.check(invocation.command, invocation.overrides)
    _choose_provider(invocation.overrides)
    return invocation


def _quoted(word: str) -> str:
    key, _, value = word.partition("=")
    if not _PATHS.match(key.lstrip("+")) or value in ("", "null") or value[0] in "'\"":
        return word
    # Hydra reads a backslash as itself unless it stands before a quote (or at the end, before the closing one).
    escaped = re.sub(r"(\\*)'", lambda m: 2 * m[1] + r"\'", value)
    escaped = re.sub(r"\\+$", lambda m: 2 * m[0], escaped)
    return f"{key}='{escaped}'"


def _choose_provider(overrides: list[str]) -> None:
    """Naming a model chooses litellm, unless a provider is named too."""
    groups = [o.partition("=")[2] for o in overrides if o.startswith("llm=")]
    names_model = any(o.startswith(("llm.model=", "llm.code_model=", "llm.api_base=")) for o in overrides)
    if names_model and "offline" in groups:
        raise UsageError("llm=offline uses no model; drop llm=offline, or drop llm.model.")
    if names_model and not groups:
        overrides.insert(0, "llm=litellm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        invocation = parse(arguments)
        if invocation is None:
            width = max(map(len, COMMANDS))
            lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in COMMANDS.items())
            print(HELP.format(commands=lines))
            return 0
        if "=".join(invocation.hydra) in ("--cfg=job", "-c=job"):
            from metamuse.cli import job

            print(job.text(invocation.overrides), end="")
            return 0
        if invocation.hydra:
            from metamuse.cli.hydra_app import run_hydra

            return run_hydra(invocation)
        return run_command(invocation)
    except UsageError as error:
        print(f"metamuse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("metamuse: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (for instance `| head`); silence the interpreter's last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(
            f"metamuse: {error.strerror or error}{f': {error.filename}' if error.filename else ''}.",
            file=sys.stderr,
        )
        return 2


def run_command(invocation: Invocation) -> int:
    """Start the command's module."""
    module = importlib.import_module(f"metamuse.cli.{invocation.command}")
    code: int = module.run(invocation)
    return code
