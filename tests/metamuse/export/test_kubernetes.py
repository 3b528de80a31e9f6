"""The agent of a node on a tree of files like cgroup v2's, on a real hierarchy where there is one, and the controller."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from metamuse.export.runtime.cgroup import Originals, limit_text, parse_counters, read_counters
from metamuse.export.runtime.cluster_controller import Controller, of_prometheus, serve
from metamuse.export.runtime.node_agent import Agent, Settings
from metamuse.export.runtime.pods import groups_of, of_list
from metamuse.export.runtime.target_client import TargetClient
from metamuse.export.runtime.throttle_engine import DEFAULT_TARGET
from metamuse.export.targets.kubernetes import EXPORTER
from tests.metamuse.export import making
from tests.support.capabilities import CGROUP, needs

UIDS = ["11111111-aaaa-bbbb-cccc-000000000001", "11111111-aaaa-bbbb-cccc-000000000002"]
SERVICES = dict(zip(UIDS, ["front", "back"], strict=True))


class Halves:
    """A policy: half of the limit each second, as long as nothing is throttled, then all of it."""

    def __init__(self, node_cores: float, slo_ms: float, n_services: int) -> None:
        self.cores = node_cores

    def local(self, tick: int, obs: Any, usage: Any, throttled: Any, pos: int, target: float) -> float:
        if obs[1] > 0:
            return self.cores
        return float(obs[0] / 2 if tick % 10 == 9 else obs[0])

    def global_(
        self, minute: int, service: int, app: Any, services: Any, history: Any, pos: int, cluster: Any
    ) -> float:
        return 0.25 if minute and app[4] < 100.0 and services[7 * service] > 0 else 0.05


class Tree:
    """Files like those of cgroup v2, and a clock."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 100.0
        self.groups = []
        for i, uid in enumerate(UIDS):
            name = f"kubepods-burstable-pod{uid.replace('-', '_')}.slice" if i == 0 else f"pod{uid}"
            parent = "kubepods.slice/kubepods-burstable.slice" if i == 0 else "kubepods/besteffort"
            self.groups.append(root / parent / name)
        root.joinpath("cgroup.controllers").write_text("cpuset cpu memory\n")
        for group in self.groups:
            group.mkdir(parents=True)
            (group / "cpu.max").write_text("max 100000\n")
            self.count(group, 0, 0)

    def count(self, group: Path, usage_us: int, throttled: int) -> None:
        (group / "cpu.stat").write_text(
            f"usage_usec {usage_us}\nuser_usec 0\nsystem_usec 0\nnr_periods {usage_us // 50_000}\n"
            f"nr_throttled {throttled}\nthrottled_usec {throttled * 40_000}\nnr_bursts 0\nburst_usec 0\n"
        )

    def limits(self) -> list[str]:
        return [(group / "cpu.max").read_text().strip() for group in self.groups]


def agent_on(tree: Tree, dry_run: bool = False, policy: Any = Halves, services: Any = SERVICES) -> Agent:
    settings = Settings(tree.root, tree.root / "state.json", 8.0, 200.0, 2, dry_run)
    targets = TargetClient("", "node", clock=lambda: tree.now)
    return Agent(policy, settings, lambda: services, targets, clock=lambda: tree.now)


def ticks(tree: Tree, agent: Agent, n: int) -> None:
    for _ in range(n):
        tree.now += 0.1
        agent.tick()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


class TestAgent:
    def test_reads_decides_and_writes(self, tree: Tree) -> None:
        agent = agent_on(tree)
        agent.look_around()
        agent.arrange()
        assert {pod.service for pod in agent.pods.values()} == {"front", "back"}
        ticks(tree, agent, 11)  # the first look has nothing to compare with
        assert tree.limits() == ["400000 100000"] * 2
        tree.count(tree.groups[0], 10_000, 1)
        ticks(tree, agent, 1)
        assert tree.limits() == ["800000 100000", "400000 100000"]

    def test_what_the_law_sees(self, tree: Tree) -> None:
        rows = []

        class Watching(Halves):
            def local(self, tick: int, obs: Any, *rest: Any) -> float:
                rows.append(list(obs))
                return 4.0

        agent = agent_on(tree, policy=Watching, services={UIDS[0]: "front"})
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 1)
        tree.count(tree.groups[0], 150_000, 2)
        tree.now += 0.1
        ticks(tree, agent, 1)
        assert rows[0][:5] == [8.0, 2.0, 3.0, 80.0, pytest.approx(0.75)]
        assert rows[0][5:] == [pytest.approx(300.0), 8.0, 0.0]
        ticks(tree, agent, 1)
        assert rows[1][0] == 4.0 and rows[1][4] == 0.0 and rows[1][5] == pytest.approx(100.0)

    def test_shadow_mode_writes_nothing(self, tree: Tree) -> None:
        agent = agent_on(tree, dry_run=True)
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 40)
        assert tree.limits() == ["max 100000"] * 2
        assert not (tree.root / "state.json").exists()
        assert [pod.law.limit for pod in agent.pods.values()] == [1.0, 1.0]  # three halves in 39 looks

    @pytest.mark.parametrize(
        "text", ["", "usage_usec 5000\nnr_per", "usage_usec 1\n", "usage_usec 99999999\nnr_x"]
    )
    def test_a_partial_read_changes_nothing(self, tree: Tree, text: str) -> None:
        agent = agent_on(tree, services={UIDS[0]: "front"})
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 5)
        (tree.groups[0] / "cpu.stat").write_text(text)
        ticks(tree, agent, 20)
        assert tree.limits()[0] == "max 100000"
        tree.count(tree.groups[0], 0, 0)
        ticks(tree, agent, 6)
        assert tree.limits()[0] == "400000 100000"

    def test_groups_come_and_go(self, tree: Tree) -> None:
        services = dict(SERVICES)
        agent = agent_on(tree, services=services)
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 11)
        for file in tree.groups[0].iterdir():
            file.unlink()
        tree.groups[0].rmdir()
        ticks(tree, agent, 1)
        assert list(agent.pods) == [tree.groups[1]]
        assert list(json.loads((tree.root / "state.json").read_text())) == [str(tree.groups[1])]
        del services[UIDS[1]]  # its label was taken away: its limit comes back
        agent.look_around()
        agent.arrange()
        assert not agent.pods
        assert (tree.groups[1] / "cpu.max").read_text() == "max 100000"
        assert not (tree.root / "state.json").exists()

    def test_an_error_gives_the_limits_back(self, tree: Tree) -> None:
        agent = agent_on(tree)
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 11)
        (tree.groups[0] / "cpu.max").write_text("123 100000")
        stop = threading.Event()

        def fails() -> None:
            raise RuntimeError("a slip")

        agent.tick = fails  # type: ignore[method-assign]
        with pytest.raises(RuntimeError):
            agent.run(stop)
        assert tree.limits() == ["max 100000"] * 2

    def test_a_failing_policy_ends_with_captain(self, tree: Tree) -> None:
        class Failing(Halves):
            def local(self, tick: int, *rest: Any) -> float:
                return 1.0 / (tick - 15)

        agent = agent_on(tree, policy=Failing, services={UIDS[0]: "front"})
        agent.look_around()
        agent.arrange()
        ticks(tree, agent, 40)
        assert next(iter(agent.pods.values())).law.fallback == "ZeroDivisionError: float division by zero"

    def test_the_minute_is_told(self, tree: Tree) -> None:
        agent = agent_on(tree, services={UIDS[0]: "front"})
        told: list[Any] = []
        agent._targets.report = told.append  # type: ignore[method-assign, assignment]
        agent.look_around()
        agent.arrange()
        used = 0
        for i in range(600):
            used += 30_000 if i % 2 else 50_000
            tree.count(tree.groups[0], used, i // 100)
            ticks(tree, agent, 1)
        [(service, row)] = told[0]
        assert service == "front" and len(row) == 7
        assert row[0] == pytest.approx(0.4, rel=0.01) and row[1] == pytest.approx(0.1, rel=0.01)
        assert row[2] == pytest.approx(0.5) and row[3] == pytest.approx(5 / 599) and row[5] == 200.0
        assert 0.01 <= row[4] < 8.0 and row[6] > 5


def test_counters() -> None:
    text = "usage_usec 5\nnr_periods 3\nnr_throttled 2\nthrottled_usec 1\n"
    found = parse_counters(text)
    assert found is not None and (found.usage_usec, found.nr_periods, found.nr_bursts) == (5, 3, 0)
    assert parse_counters(text + "nr_bursts 7\n").nr_bursts == 7  # type: ignore[union-attr]
    assert all(parse_counters(text[:cut]) is None for cut in range(len(text)))


def test_limits_as_text() -> None:
    assert [limit_text(x) for x in (0.0001, 0.01, 1.5, 32.0)] == [
        "1000 100000",
        "1000 100000",
        "150000 100000",
        "3200000 100000",
    ]


class TestOriginals:
    def test_a_group_made_anew_is_left_alone(self, tree: Tree) -> None:
        kept = Originals(tree.root / "state.json", tree.root)
        kept.keep(tree.groups[0])
        kept.keep(tree.groups[1])
        (tree.groups[1] / "cpu.max").write_text("5000 100000")
        state = json.loads((tree.root / "state.json").read_text())
        state[str(tree.groups[0])][1] += 1  # another inode
        state["/etc/passwd.d"] = ["max", 1]
        (tree.root / "state.json").write_text(json.dumps(state))
        (tree.groups[0] / "cpu.max").write_text("7000 100000")
        assert Originals(tree.root / "state.json", tree.root).recover() == 1
        assert tree.limits() == ["7000 100000", "max 100000"]
        assert not (tree.root / "state.json").exists()

    def test_a_broken_file_is_put_aside(self, tree: Tree) -> None:
        (tree.root / "state.json").write_text('{"a": ')
        assert Originals(tree.root / "state.json", tree.root).recover() == 0
        assert (tree.root / "state.unreadable").exists()


def test_pods() -> None:
    pods = {
        "items": [
            {"metadata": {"uid": "a", "labels": {"app": "x"}}, "status": {"phase": "Running"}},
            {"metadata": {"uid": "b", "labels": {"app": "y"}}, "status": {"phase": "Succeeded"}},
        ]
    }
    assert of_list(pods, "app") == {"a": "x"}
    with pytest.raises(ValueError, match="not a list of pods"):
        of_list({"items": [{}]}, "app")


def test_groups(tree: Tree) -> None:
    assert groups_of(tree.root, {*UIDS, "other"}) == dict(zip(UIDS, tree.groups, strict=True))


# -- the whole program


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kubernetes")
    source = making.problem("autothrottle").baselines["captain"]
    made = making.material("autothrottle", source, [])
    for name, text in EXPORTER.files(made).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def started(package: Path, tree: Tree, *more: str) -> subprocess.Popen[str]:
    (tree.root / "pods.json").write_text(json.dumps(SERVICES))
    return subprocess.Popen(
        [sys.executable, "-m", "autothrottle_tried.agent", "--root", str(tree.root), "--slo-ms", "200",
         "--state", str(tree.root / "state.json"), "--services", "2", "--node-cores", "8",
         "--pods", str(tree.root / "pods.json"), *more],
        cwd=package, stderr=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def written(tree: Tree) -> None:
    """Wait until all limits were set."""
    end = time.monotonic() + 30
    while any(limit == "max 100000" for limit in tree.limits()):
        assert time.monotonic() < end, tree.limits()
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_with_the_limits_of_before(package: Path, tree: Tree, number: signal.Signals) -> None:
    (tree.groups[1] / "cpu.max").write_text("250000 100000\n")
    with started(package, tree) as process:
        end = time.monotonic() + 30
        while tree.limits()[0] == "max 100000" or tree.limits()[1] == "250000 100000":
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(number)
        said = process.communicate(timeout=20)[1]
    assert process.returncode == 0 and "2 limits given back" in said
    assert tree.limits() == ["max 100000", "250000 100000"]
    assert not (tree.root / "state.json").exists()


def test_a_killed_agent_is_made_good(package: Path, tree: Tree) -> None:
    with started(package, tree) as process:
        written(tree)
        process.kill()
    assert all(limit != "max 100000" for limit in tree.limits())
    with started(package, tree, "--dry-run") as process:
        end = time.monotonic() + 30
        while tree.limits() != ["max 100000"] * 2:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.terminate()
        assert "the last agent was killed: 2 limits given back" in process.communicate(timeout=20)[1]


def test_no_hierarchy(package: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "autothrottle_tried.agent", "--root", str(tmp_path), "--slo-ms", "1"]
    command += ["--state", "s", "--services", "1", "--pods", "p"]
    ended = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and "no cgroup v2 hierarchy with the cpu controller" in ended.stderr


def test_manifests(package: Path) -> None:
    found = [
        one for file in sorted((package / "deploy").iterdir()) for one in yaml.safe_load_all(file.read_text())
    ]
    kinds = [one["kind"] for one in found]
    assert kinds == [
        "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "ConfigMap", "Deployment", "Service",
        "NetworkPolicy", "DaemonSet",
    ]  # fmt: skip
    config = json.loads(found[4]["data"]["config.json"])
    of_prometheus(config["prometheus"], config["queries"])
    by_kind = dict(zip(kinds, found, strict=True))
    for kind, program in (("DaemonSet", "agent"), ("Deployment", "controller")):
        spec = by_kind[kind]["spec"]["template"]["spec"]
        words = spec["containers"][0]["args"]
        assert words[0] == f"autothrottle_tried.{program}"
        known = subprocess.run(
            [sys.executable, "-m", words[0], "--help"],
            cwd=package,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(word.partition("=")[0] in known for word in words[1:])
    assert "--dry-run" in by_kind["DaemonSet"]["spec"]["template"]["spec"]["containers"][0]["args"]
    assert by_kind["ClusterRole"]["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]


# -- the controller


class Clocked:
    now = 0.0


@pytest.fixture
def served() -> Iterator[tuple[Controller, str, Clocked, list[float]]]:
    seen = [100.0, 10.0, 20.0, 30.0, 50.0, 90.0]
    clock = Clocked()
    services = {"front": 1, "back": 0}
    controller = Controller(Halves, services, 8.0, 200.0, lambda: seen, clock=lambda: clock.now)
    server = serve(controller, ("127.0.0.1", 0), token="secret")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield controller, f"http://127.0.0.1:{server.server_address[1]}", clock, seen
    server.shutdown()
    server.server_close()


def test_prometheus(prometheus: tuple[str, dict[str, str]]) -> None:
    url, answers = prometheus
    names = ("rps_10s", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "rps")
    answers |= {f"q_{name}": str(float(i)) for i, name in enumerate(names)}
    measure = of_prometheus(url, {name: f"q_{name}" for name in names})
    assert measure() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    del answers["q_rps"]
    with pytest.raises(IndexError):
        measure()
    with pytest.raises(ValueError, match="no query for rps"):
        of_prometheus(url, dict.fromkeys(names[:5], ""))


class TestController:
    def test_agents_and_controller(self, served: tuple[Controller, str, Clocked, list[float]]) -> None:
        controller, url, clock, _ = served
        client = TargetClient(url, "n1", "secret", clock=lambda: clock.now)
        assert client.target("front") == DEFAULT_TARGET
        client.report(
            [("front", [2.0, 0.3, 3.0, 0.1, 4.0, 5.0, 6.0]), ("front", [1.0, 0.4, 2.0, 0.3, 2.0, 1.0, 1.0])]
        )
        assert client.exchange() and client.target("front") == 0.05
        assert controller.rows() == [[3.0, 0.5, 5.0, 0.2, 6.0, 6.0, 7.0], [0.0] * 7]
        controller.minute()
        assert client.exchange()
        assert (client.target("front"), client.target("back"), client.target("other")) == (0.25, 0.05, 0.1)
        clock.now = 200.0
        assert controller.rows() == [[0.0] * 7] * 2  # an old report counts no more
        assert client.target("front") == DEFAULT_TARGET  # and so does an old answer

    def test_silence_and_return(self, served: tuple[Controller, str, Clocked, list[float]]) -> None:
        _, url, clock, _ = served
        client = TargetClient("http://127.0.0.1:9", "n1", "secret", clock=lambda: clock.now)
        client.report([("front", [0.0] * 7)])
        assert not client.exchange() and client.target("front") == DEFAULT_TARGET
        client._url = url
        assert client.exchange() and client.target("front") == 0.05

    def test_without_latency(self, served: tuple[Controller, str, Clocked, list[float]]) -> None:
        controller, _, _, seen = served
        controller.hear("n1", [("front", [1.0] * 7)])
        controller.minute()
        assert controller.targets["front"] == 0.25
        seen[4] = float("nan")
        controller.minute()
        controller.minute()
        assert controller.targets["front"] == 0.25
        controller.minute()
        assert controller.targets == {"front": DEFAULT_TARGET, "back": DEFAULT_TARGET}

    @pytest.mark.parametrize(
        ("method", "path", "body", "token", "code"),
        [
            ("GET", "/targets", None, "secret", 200),
            ("GET", "/targets", None, "wrong", 404),
            ("GET", "/healthz", None, "", 200),
            ("POST", "/report", b'{"node": "n", "rows": [["a", [1, 2]]]}', "secret", 400),
            ("POST", "/report", b"[", "secret", 400),
            ("POST", "/report", b'{"node": "n", "rows": []}', "", 404),
            ("GET", "/", None, "secret", 404),
        ],
    )
    def test_answers(
        self, served: Any, method: str, path: str, body: bytes | None, token: str, code: int
    ) -> None:
        connection = http.client.HTTPConnection(served[1].removeprefix("http://"), timeout=5)
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        assert connection.getresponse().status == code
        connection.close()


# -- a real hierarchy


@needs("cgroup2")
def test_a_real_hierarchy(package: Path, tmp_path: Path) -> None:
    """A process that computes all the time is held to a limit, throttled, and set free again."""
    from metamuse.export.runtime.cgroup import read_limit, write_limit

    parent = CGROUP / f"metamuse-test-{os.getpid()}"
    group = parent / f"pod{UIDS[0]}"
    parent.mkdir()
    burner = None
    try:
        (parent / "cgroup.subtree_control").write_text("+cpu")
        group.mkdir()
        burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        (group / "cgroup.procs").write_text(str(burner.pid))
        before = read_limit(group)
        kept = Originals(tmp_path / "state.json", parent)
        kept.keep(group)
        write_limit(group, limit_text(0.2))
        first = read_counters(group)
        time.sleep(2)
        second = read_counters(group)
        assert first is not None and second is not None
        assert 0.1 < (second.usage_usec - first.usage_usec) / 2e6 < 0.3
        assert second.nr_throttled - first.nr_throttled > 10
        assert kept.give_back() == 1 and read_limit(group) == before
    finally:
        if burner is not None:
            burner.kill()
            burner.wait()
        time.sleep(0.1)
        for path in (group, parent):
            if path.is_dir():
                path.rmdir()
