"""What the process says in which a policy ran is data, whatever it says: no file's name and no line of a program is its own."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metamuse import config
from metamuse.executor.base import Outcome, Task
from metamuse.export import jailed, package
from metamuse.export.base import exporters, fits, system_of, systems_known
from metamuse.export.form import Form, checked, form_of, told
from metamuse.export.golden import Case, ForgedError, pack, unpack
from metamuse.export.package import ExportFailedError, check_files, export, run_test
from metamuse.export.subject import of_file
from metamuse.policy import compiled, interpret
from tests.metamuse.export import making
from tests.metamuse.export.test_exporters import PLAIN, WHOLE
from tests.support.capabilities import demand

Answer = dict[str, Any]
NAMES = [
    "../../escaped.txt", "/tmp/escaped.txt", "a/../../escaped.txt", "..", ".", "", "a//b", "./a", "a/.", ".hidden",
    "a\\..\\b", "C:\\a", "a\nb", "a\x00b", "a/", "~root/x", "a b", "x" * 101, "a/b/c/d/e/f",
]  # fmt: skip
CASE = Case({"name": "w", "decisions": 2}, {"items": np.array([3, 4]), "bins": np.array([0.5, np.nan])})
NO_EVENTS = dict.fromkeys(("kind", "thread", "level", "what", "n"), 0)
MEMBERS = [(t, p) for t, e in exporters().items() for p in systems_known() if fits(e, p)]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leaves_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    with pytest.raises(ExportFailedError, match="which is no name in its folder"):
        package._write(folder, {"good.txt": "", name: "escaped"})
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "here"]


def test_files_are_texts() -> None:
    for forged in (None, ["a"], {"a": 1}, {1: "a"}, {"a": None}):
        with pytest.raises(ExportFailedError):
            check_files(forged)


@pytest.mark.parametrize(("target", "problem"), MEMBERS)
def test_what_an_exporter_writes_needs_data_only(
    target: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files where nothing of the policy can run."""
    own = making.problem(problem)
    sources = [own.baselines[PLAIN[problem]]]
    if problem in WHOLE and target not in ("c", "dex", "node"):
        sources.append(WHOLE[problem])
    for source in sources:
        made = making.material(problem, source)
        wanted = exporters()[target].files(made)
        policy = making.compiled(problem, source)
        task = {
            "source": source, "target": target, "package": made.package, "title": made.title, "refused": "",
            "golden": base64.b64encode(pack(made.golden)).decode(),
            "form": told(policy, jailed._inits(own, target)),
        }  # fmt: skip
        with monkeypatch.context() as nothing_runs:
            for module, name in (
                (interpret, "namespace"), (interpret, "policy_class"), (compiled, "namespace"),
                (compiled, "policy_class"), (compiled, "_define"), (compiled.CompiledPolicy, "__init__"),
            ):  # fmt: skip
                nothing_runs.setattr(module, name, _ran)
            assert jailed.render(own, json.loads(json.dumps(task))) == {
                "files": wanted,
                "doc": made.program.doc,
            }


def _ran(*args: Any, **more: Any) -> None:
    raise AssertionError("something of the policy ran")


class TestGolden:
    def test_it_is_read_as_it_was_written(self) -> None:
        data = pack([CASE, CASE])
        cases = unpack(data)
        assert pack(cases) == data and cases[0].decisions == 2
        assert cases[1].columns["items"].tolist() == [3, 4]

    @pytest.mark.parametrize(
        "raw",
        [
            b"", b"\n", b"{}\n", b"[1]\n", b'[{"name": "w", "decisions": 1}]\n', b"[" * 100_000 + b"\n",
            b'[{"name": "w", "decisions": 1, "columns": [["a", "q", 1]]}]\n',
            b'[{"name": "w", "decisions": 1, "columns": [["a", "q", -1]]}]\n',
            b'[{"name": "w", "decisions": 1, "columns": [["a", "O", 0]]}]\n',
            b'[{"name": "w", "decisions": 1, "columns": [["a", "B", 0], ["a", "B", 0]]}]\n',
            b'[{"name": "w", "decisions": 1, "columns": [["a b", "B", 0]]}]\n',
            b'[{"name": "w", "decisions": true, "columns": []}]\n',
            b'[{"name": "w", "decisions": -1, "columns": []}]\n',
            b'[{"name": 7, "decisions": 1, "columns": []}]\n',
            b'[{"name": "\\u001b[2J", "decisions": 1, "columns": []}]\n',
            b'[{"name": "w", "decisions": 1, "x": {"y": 1}, "columns": []}]\n',
            b'[{"name": "w", "decisions": 1, "x": ["y"], "columns": []}]\n',
            b'[{"name": "w", "decisions": 1, "x": 99999999999999999999, "columns": []}]\n',
            b'[{"name": "w", "decisions": 1, "columns": []}]\nmore',
        ],
    )  # fmt: skip
    def test_another_form_is_refused(self, raw: bytes) -> None:
        with pytest.raises(ForgedError):
            unpack(gzip.compress(raw))

    def test_what_is_not_compressed_or_is_too_much(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for data in (b"", b"text", pack([CASE])[:-9], pack([CASE]) + b"x", pack([CASE]) * 2):
            with pytest.raises(ForgedError):
                unpack(data)
        monkeypatch.setattr("metamuse.export.golden._MOST_BYTES", 10)
        with pytest.raises(ForgedError):
            unpack(pack([CASE]))

    @settings(deadline=None)
    @given(st.binary(max_size=200))
    def test_any_bytes_are_cases_or_refused(self, data: bytes) -> None:
        for given_ in (data, gzip.compress(data)):
            with contextlib.suppress(ForgedError):
                assert pack(unpack(given_))

    @pytest.mark.parametrize(
        ("problem", "fields", "columns"),
        [
            ("opscale", {"n_groups": 1000}, {}),
            ("dex", {"shown": [99]}, NO_EVENTS),
            ("dex", {"shown": [1] * 500}, NO_EVENTS),
            ("dex", {"recorded": [0] * 5000}, {}),
            ("dex", {}, {"thread": 200}),
            ("autothrottle", {}, {"recorded": 10**6}),
        ],
    )
    def test_no_number_of_them_is_a_place_in_memory(
        self, problem: str, fields: Answer, columns: Answer, tmp_path: Path
    ) -> None:
        demand("compiler")
        honest = making.material(problem, making.problem(problem).baselines[PLAIN[problem]])
        case = honest.golden[0]
        forged = {
            name: np.full(len(column), columns[name], column.dtype)[: columns.get("n")]
            if name in columns
            else column
            for name, column in case.columns.items()
        }
        cases = [Case({**case.fields, **fields}, forged)]
        with pytest.raises(ExportFailedError, match="the program ends with 5"):
            run_test(making.write(tmp_path, "c", dataclasses.replace(honest, golden=cases)))


class TestForm:
    @staticmethod
    def honest() -> Answer:
        policy = making.compiled("cache", making.problem("cache").baselines["s3fifo"])
        read: Answer = json.loads(json.dumps(told(policy, [making.problem("cache").init_example()])))
        return read

    def form(self, data: object) -> Form:
        own = making.problem("cache")
        policy = making.compiled("cache", own.baselines["s3fifo"])
        return form_of(policy.program, data, [own.init_example()])

    def test_it_is_what_the_compiled_policy_is(self) -> None:
        policy = making.compiled("cache", making.problem("cache").baselines["s3fifo"])
        form = self.form(self.honest())
        assert form.layout.key() == policy.layout.key()
        assert (form.floats, form.methods) == (policy.floats, policy.methods)
        assert form.constants() == policy.constants()

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("scalars", {"x; system(0)": "int"}),
            ("scalars", {"unheard": "int"}),
            ("scalars", {"small": "char"}),
            ("scalars", []),
            ("arrays", {"queue": ["O", 1]}),
            ("arrays", {"queue": ["int64", 9]}),
            ("arrays", {"queue": ["int64", True]}),
            ("parts", {"small": "os"}),
            ("floats", ["__class__"]),
            ("floats", "x"),
            ("constants", {"unheard": 1}),
            ("constants", {"X": "1); system(0"}),
            ("constants", {"X": [[[[[1]]]]]}),
            ("sizes", [[-1]]),
            ("sizes", [["1"]]),
            ("sizes", []),
            ("sizes", None),
            ("more", 1),
        ],
    )
    def test_what_is_not_of_its_text_is_refused(self, key: str, value: object) -> None:
        with pytest.raises(ForgedError):
            self.form(self.honest() | {key: value})

    @settings(deadline=None)
    @given(
        st.recursive(
            st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
        )
    )
    def test_anything_else_is_refused(self, value: object) -> None:
        with pytest.raises(ForgedError):
            checked(value)


class _Forging:
    """An executor whose processes are this one; what the first task answers is forged."""

    def __init__(self, forge: Callable[[Answer], Answer]) -> None:
        self.forge = forge
        self.tasks: list[str] = []

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    async def run(self, task: Task) -> Outcome:
        self.tasks.append(task.payload["do"])
        own = making.problem("binpacking")
        payload = json.loads(json.dumps(task.payload))
        if payload["do"] == "record":
            policy = making.compiled("binpacking", payload["source"])
            golden = base64.b64encode(pack(making.recorded("binpacking", policy))).decode()
            form = told(policy, jailed._inits(own, payload["target"]))
            result = self.forge({"golden": golden, "form": form, "refused": ""})
        else:
            result = jailed.render(own, payload)
        return Outcome(task.id, json.loads(json.dumps(result)), None, 0.0, 0.0, 0.0)


def _export(out: Path, monkeypatch: pytest.MonkeyPatch, forge: Callable[[Answer], Answer]) -> _Forging:
    forging = _Forging(forge)
    monkeypatch.setattr(package, "make_executor", lambda *args: forging)
    settings = config.compose(["problem=binpacking", "policy=best_fit"])
    export(settings, of_file(settings), exporters()["python"], out)
    return forging


EVIL = "raise SystemExit('it ran')\n"


class TestCommand:
    def test_an_honest_one_is_written_by_two_tasks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        forging = _export(tmp_path / "out", monkeypatch, lambda answer: answer)
        assert forging.tasks == ["record", "render"]
        assert (tmp_path / "out" / "test_equivalence.py").is_file()

    @pytest.mark.parametrize(
        "forged",
        [
            {"files": {"../../escaped.txt": "escaped"}},
            {"files": {"test_equivalence.py": EVIL}},
            {"doc": EVIL},
            {"untranslatable": "x"},
            {"golden": "*"},
            {"golden": None},
            {"golden": base64.b64encode(gzip.compress(EVIL.encode())).decode()},
            {"form": None},
            {"form": {"scalars": {"x\nimport os": "int"}}},
            {"refused": 1},
        ],
    )
    def test_what_the_first_task_adds_or_replaces_is_one_error(
        self, forged: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(
            ExportFailedError, match="the process in which the policy ran answers what it cannot"
        ):
            _export(tmp_path / "a" / "out", monkeypatch, lambda answer: answer | forged)
        assert not list(tmp_path.iterdir())

    def test_names_of_another_text_are_one_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def forge(answer: Answer) -> Answer:
            answer["form"]["scalars"]["unheard"] = "int"
            return answer

        with pytest.raises(ExportFailedError, match="an attribute is not in its text"):
            _export(tmp_path / "a" / "out", monkeypatch, forge)
        assert not list(tmp_path.iterdir())

    def test_a_sentence_of_it_is_one_line(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        _export(
            tmp_path / "out", monkeypatch, lambda answer: answer | {"refused": "no\x1b[2J\n# Title\n" * 999}
        )
        readme = (tmp_path / "out" / "README.md").read_text()
        assert "\x1b" not in readme and "\n# Title" not in readme

    def test_a_file_that_the_second_task_would_put_elsewhere(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jailed, "render", lambda *args: {"files": {"../escaped.txt": ""}, "doc": ""})
        with pytest.raises(ExportFailedError, match=r"'../escaped.txt', which is no name in its folder"):
            _export(tmp_path / "a" / "out", monkeypatch, lambda answer: answer)
        assert not list(tmp_path.iterdir())


def test_facts_come_from_the_text() -> None:
    """As the compiled policy has them: so they need not come from where it ran."""
    for problem in systems_known():
        own = making.problem(problem)
        policy = making.compiled(problem, own.baselines[PLAIN[problem]])
        form = Form(policy.program, policy.layout, policy.floats, policy.constants(), {})
        assert system_of(own).facts(form) == system_of(own).facts(policy)
