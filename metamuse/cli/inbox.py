"""``inbox run=…``: what waits for an answer when the model is a person's chat window (``llm=inbox``)."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from metamuse import config, journal, rundir
from metamuse.cli import Invocation
from metamuse.cli.tables import table
from metamuse.errors import UsageError
from metamuse.llm.inbox_answers import Outbox, answers_in
from metamuse.llm.inbox_ledger import FILE, Asked, label
from metamuse.llm.inbox_text import block, bundles, decoded, split


def run(invocation: Invocation) -> int:
    """List the prompts of a run that wait; with ``prompt=`` print one, with ``answer=`` hand in an answer."""
    settings = config.compose(invocation.overrides)
    folder = rundir.find(Path(settings["root"]), str(settings["run"] or "latest"), invocation.problem)
    if not (folder / FILE).is_file():
        raise UsageError(f"{folder} has no inbox: nothing was asked, or it was not begun with llm=inbox.")
    asked = Asked.of(folder / FILE)
    if settings["prompt"] is not None and settings["answer"] is not None:
        raise UsageError("Give prompt=… to print a prompt or answer=… to hand in an answer, not both.")
    if settings["prompt"] is not None:
        print(_text(asked, str(settings["prompt"])))
        return 0
    if settings["answer"] is not None:
        path = _hand_in(asked, folder, str(settings["answer"]), settings["file"])
        if not invocation.quiet:
            print(
                f"{path}{'' if journal.at_work(folder) else f'; python -m metamuse resume run={folder} reads it'}"
            )
        return 0
    found = _waiting(asked, folder)
    print(json.dumps(found, ensure_ascii=False) if invocation.json else "\n".join(_lines(found, folder)))
    return 0


def _number(asked: Asked, text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number not in asked.prompts:
        raise UsageError(f"There is no prompt {text}; python -m metamuse inbox lists what waits.")
    return number


def _text(asked: Asked, which: str) -> str:
    if which != "all":
        return block(asked.prompts[_number(asked, which)])
    waiting = [asked.prompts[n] for n in asked.waiting]
    if not waiting:
        raise UsageError("No prompt waits for an answer.")
    # Of several kinds the oldest: one chat, one kind of question.
    first = next((text for group, text in bundles(waiting).values() if waiting[0] in group), None)
    return first or block(waiting[0])


def _hand_in(asked: Asked, folder: Path, which: str, file: str | None) -> Path:
    """Put an answer where the run looks for it; returns the file."""
    text = decoded(_given(file))
    numbers = sorted(split(text)) if which == "all" else [_number(asked, which)]
    if not text or not numbers:
        raise UsageError(
            "The answer is empty."
            if which != "all" or not text
            else "The answer announces no numbers by lines such as === 0007 ===; answer=0007 takes it for one prompt."
        )
    idle = [n for n in numbers if not asked.is_waiting(n)]
    if len(idle) == len(numbers):
        raise UsageError(f"Prompt {label(idle[0])} does not wait for an answer: it has one already.")
    name = label(numbers[0])
    if which == "all":
        name = f"all-{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
    path = folder / "outbox" / f"{name}.md"
    rundir.write_atomically(path, text + "\n")
    return path


def _given(file: str | None) -> bytes:
    if file is not None:
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise UsageError(f"Cannot read the answer {file}: {error.strerror}.") from None
    if sys.stdin.isatty():
        print("Paste the answer, then press Ctrl-D on a line of its own:", file=sys.stderr)
    return sys.stdin.buffer.read()


def _waiting(asked: Asked, folder: Path) -> dict[str, Any]:
    now = time.time()
    given: dict[int, str] = {}
    strangers = []
    for path in Outbox(folder / "outbox").files():
        numbers = answers_in(path.name, path.read_bytes())
        if not numbers.keys() & asked.prompts.keys():
            strangers.append(str(path))
        given |= dict.fromkeys(numbers, str(path))
    rows = [
        {
            "number": prompt.label,
            "purpose": prompt.purpose,
            "key": prompt.key,
            "age_s": round(now - prompt.asked_at, 1),
            "after": None if prompt.after is None else label(prompt.after),
            "prompt": str(folder / "inbox" / prompt.file),
            "answer": str(folder / "outbox" / prompt.answer_file),
            "given": given.get(prompt.number),
        }
        for prompt in (asked.prompts[n] for n in asked.waiting)
    ]
    return {
        "run": folder.name,
        "working": journal.at_work(folder),
        "answered": len(asked.prompts) - len(rows),
        "waiting": rows,
        "strangers": strangers,
    }


def _lines(found: dict[str, Any], folder: Path) -> list[str]:
    rows = found["waiting"]
    lines = []
    if rows:
        cells = [[r["number"], r["purpose"], r["key"], _age(r["age_s"]), _remark(r)] for r in rows]
        lines += [
            table(["prompt", "purpose", "of", "age", ""], cells, {3}),
            "",
            f"{len(rows)} wait, {found['answered']} are answered. Prompts are in {folder / 'inbox'} (all-*.md: "
            f"several at once), answers go into {folder / 'outbox'} as <number>.md.",
            f"python -m metamuse inbox run={folder} prompt={rows[0]['number']} prints a prompt alone, "
            f"answer={rows[0]['number']} takes its answer.",
        ]
    else:
        lines.append(f"No prompt waits; {found['answered']} are answered.")
    lines += [f"{path} names no prompt by its name or in its text." for path in found["strangers"]]
    if rows and not found["working"]:
        lines.append(
            f"The run is not at work: python -m metamuse resume run={folder} goes on and takes answers that are there."
        )
    return lines


def _remark(row: dict[str, Any]) -> str:
    if row["given"]:
        return f"answer is in {Path(row['given']).name}, not taken yet"
    return f"asked again: the answer to {row['after']} could not be used" if row["after"] else ""


def _age(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
