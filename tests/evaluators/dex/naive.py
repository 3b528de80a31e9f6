"""A slow simulator in plain Python, written from the description of the model: objects and dictionaries, no tables.

It runs a cell with one policy object a thread, and counts what the kernel counts. Keys and operations are the cell's streams.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from evaluators.dex.cell import Cell
from evaluators.dex.world import places

MASK = (1 << 64) - 1
BYPASS, ADMIT, OFFLOAD = range(3)
LOOKUP, UPDATE, INSERT, SCAN = range(4)


def mix(x: int) -> int:
    z = (x + 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (z ^ (z >> 31)) >> 1


class Calendar:
    """Capacity of a resource by bins of two microseconds."""

    def __init__(self, servers: float) -> None:
        self.room = 2.0 * servers
        self.used: dict[int, float] = {}

    def claim(self, t: float, work: float) -> float:
        first = b = int(t / 2.0)
        while self.room - self.used.get(b, 0.0) < work:
            left = self.room - self.used.get(b, 0.0)
            if left > 0:
                work -= left
                self.used[b] = self.room
            b += 1
        self.used[b] = self.used.get(b, 0.0) + work
        if b == first:
            return 0.0
        return max(0.0, (b + self.used[b] / self.room) * 2.0 - t)


@dataclass(eq=False)
class Node:
    """A node as one server sees it."""

    id: int
    level: int
    index: int
    bit: int
    parent: Node | None
    shared: bool = False
    children: dict[int, Node] = field(default_factory=dict)
    frame: int = -1
    state: str = "remote"
    dirty: bool = False
    hot: dict[int, Node] = field(default_factory=dict)
    """Swizzled children by bit."""
    twin: Node | None = None
    news: int = 0
    origin: Node | None = None


class Server:
    """A compute server: its part of the tree, its cache."""

    def __init__(self, cell: Cell, number: int, base: int, spare: int) -> None:
        self.cell, self.number = cell, number
        self.nodes: list[dict[int, Node]] = []
        ids = base
        for level in range(cell.height):
            first, last = cell.range_of(number, level)
            self.nodes.append({})
            for i in range(first, last + 1):
                self.nodes[level][i] = Node(ids + i - first, level, i, i % cell.fanout, None)
            ids += last - first + 1
            if level == 0:
                self.spare = ids
                ids += spare
            for other in (number - 1, number + 1):
                if 0 <= other < cell.servers and level > 0:
                    low, high = cell.range_of(other, level)
                    for end in (first, last):
                        if low <= end <= high:
                            self.nodes[level][end].shared = True
        self.end = ids
        for level in range(cell.height - 1):
            for i, node in self.nodes[level].items():
                node.parent = self.nodes[level + 1][i // cell.fanout]
                node.parent.children[node.bit] = node
        self.root = self.nodes[-1][cell.range_of(number, cell.height - 1)[0]]
        self.untouched = cell.frames
        self.frames: dict[int, Node] = {}
        self.buckets: dict[int, list[Node]] = {}
        self.n_buckets = max(8, cell.frames // 60)
        self.words: dict[int, int] = {}
        self.twins: dict[Node, int] = {}
        self.made = 0
        self.central = [0.0] * 4
        self.central_until = 0.0
        self.locks: dict[int, tuple[int, float, float]] = {}
        self.next = 0
        self.started = self.ended = 0.0
        self.count = dict.fromkeys("reads writes rpcs bytes write_backs splits new leaf_hits".split(), 0)

    def install(self, frame: int, node: Node) -> None:
        self.frames[frame] = node
        node.frame, node.state, node.dirty = frame, "hot", False
        if node.parent is not None:
            node.parent.hot[node.bit] = node


class Naive:
    """Runs a cell.

    Args:
        cell: What is run.
        policies: One a thread, with the methods of the contract.
        wall: Called before each decision, for tests that watch.
    """

    def __init__(self, cell: Cell, policies: list[Any], wall: Callable[[], None] | None = None) -> None:
        self.cell, self.policies = cell, policies
        spare = min(1 << 16, cell.ops) if cell.inserts else 0
        self.servers: list[Server] = []
        base = 0
        for number in range(cell.servers):
            self.servers.append(Server(cell, number, base, spare))
            base = self.servers[-1].end
        self.spare = spare
        self.places = places(cell)
        machines = max(cell.servers, cell.memory)
        self.sent = [Calendar(1) for _ in range(machines)]
        self.received = [Calendar(1) for _ in range(machines)]
        self.cpus = [Calendar(cell.cpus) for _ in range(cell.memory)]
        words = 1 << max(6, (2 * cell.frames - 1).bit_length())
        self.word_mask = words - 1
        self.random = cell.seed << 40
        self.clock = [0.0] * (cell.servers * cell.threads)
        self.free: list[list[int]] = [[] for _ in self.clock]
        start = [
            cell.costs.software + cell.costs.verb,
            cell.costs.wire + cell.costs.service,
            0.0,
            0.0,
            0.0,
            0.0,
        ]
        self.means = [list(start) for _ in self.clock]
        self.misses = [[0, 0, 0] for _ in range(cell.height)]
        self.has = {
            name: hasattr(policies[0], name) for name in ("note", "on_hit", "score", "on_done", "publish")
        }
        self.looks = policies[0].looks() if hasattr(policies[0], "looks") else 2
        for server in self.servers:
            server.untouched -= 1
            server.install(server.number * cell.frames + server.untouched, server.root)
            if not cell.cold:
                self._fill(server)

    def _stream(self, server: Server, at: int) -> tuple[int, int]:
        place = server.number * (self.cell.ops + self.cell.filling) + at
        return int(self.cell.streams.leaves[place]), int(self.cell.streams.kinds[place])

    def _fill(self, server: Server) -> None:
        first = self.cell.range_of(server.number, 0)[0]
        for at in range(self.cell.filling):
            leaf, _ = self._stream(server, at)
            way = [server.nodes[0][first + leaf]]
            while way[-1].state == "remote":
                assert way[-1].parent is not None
                way.append(way[-1].parent)
            for node in reversed(way[:-1]):
                if server.untouched:
                    server.untouched -= 1
                    server.install(server.number * self.cell.frames + server.untouched, node)

    # -- what is waited for

    def verb(self, server: Server, memory: int, t: float, out: int, back: int) -> float:
        costs = self.cell.costs
        base = costs.verb * (costs.loopback if server.number == memory else 1.0)
        work = max(costs.nic_verb, max(out, back) / costs.bandwidth)
        sender, receiver = (server.number, memory) if out > back else (memory, server.number)
        wait = self.sent[sender].claim(t, work)
        return t + base + max(wait, self.received[receiver].claim(t, work))

    def memory_of(self, node: Node) -> int:
        node = node.origin or node
        index = node.index
        for _ in range(node.level, self.cell.levels):
            index //= self.cell.fanout
        return int(self.places[index])

    def read(self, server: Server, node: Node, t: float, counting: bool) -> float:
        memory = self.memory_of(node)
        verbs, size = 1, 1024
        if node.shared:
            t = self.verb(server, memory, t, 0, 16)
            t = self.verb(server, memory, t, 0, 16)
            verbs, size = 3, 1056
        if counting:
            server.count["reads"] += verbs
            server.count["bytes"] += size
        return self.verb(server, memory, t, 0, 1024)

    def write(self, server: Server, node: Node, t: float, counting: bool) -> float:
        if counting:
            server.count["writes"] += 1
            server.count["bytes"] += 1024
        return self.verb(server, self.memory_of(node), t, 1024, 0)

    def call(self, server: Server, memory: int, t: float) -> float:
        costs = self.cell.costs
        wire = costs.wire * (costs.loopback if server.number == memory else 1.0)
        self.sent[server.number].claim(t, costs.nic_verb)
        self.sent[memory].claim(t, costs.nic_verb)
        there = t + 0.5 * wire
        return there + self.cpus[memory].claim(there, costs.service) + costs.service + 0.5 * wire

    @staticmethod
    def locked(server: Server, node: Node, t: float) -> float:
        held, since, until = server.locks.get(node.id % (1 << 14), (-1, 0.0, 0.0))
        return until if held == node.id and since <= t < until else t

    @staticmethod
    def hold(server: Server, node: Node, t: float, end: float) -> None:
        held, since, until = server.locks.get(node.id % (1 << 14), (-1, 0.0, 0.0))
        if held != node.id or until < t:
            if held == node.id or until <= t:
                server.locks[node.id % (1 << 14)] = (node.id, t, end)
        elif end > until:
            server.locks[node.id % (1 << 14)] = (held, since, end)

    # -- the cache

    def draw(self) -> int:
        self.random += 1
        return mix(self.random)

    def bucket(self, server: Server, node: Node) -> list[Node]:
        return server.buckets.setdefault(mix(node.id) % server.n_buckets, [])

    def evict(self, server: Server, thread: int, node: Node) -> None:
        self.free[thread].append(node.frame)
        del server.frames[node.frame]
        node.frame, node.state = -1, "remote"

    def stand_in(self, node: Node) -> Node:
        while node.hot:
            start = mix(node.id) % self.cell.fanout
            later = [bit for bit in node.hot if bit >= start]
            node = node.hot[min(later or node.hot)]
        return node

    def cool(self, server: Server, thread: int, node: Node, t: float, counting: bool) -> float:
        if node.dirty:
            node.dirty = False
            t = self.write(server, node, t, counting)
            server.count["write_backs"] += counting
        assert node.parent is not None
        del node.parent.hot[node.bit]
        node.state = "cool"
        bucket = self.bucket(server, node)
        if len(bucket) == 6:
            self.evict(server, thread, bucket.pop())
        bucket.insert(0, node)
        return t

    def frame(self, server: Server, thread: int, parent: Node, t: float, counting: bool) -> tuple[int, float]:
        cell = self.cell
        if self.free[thread]:
            return self.free[thread].pop(), t
        if server.untouched:
            server.untouched -= 1
            return server.number * cell.frames + server.untouched, t
        while True:
            found: list[Node] = []
            for _ in range(self.looks):
                t += cell.costs.sample
                for _ in range(8):
                    node = server.frames.get(server.number * cell.frames + self.draw() % cell.frames)
                    if node is None or node.state != "hot":
                        continue
                    node = self.stand_in(node)
                    if node is not parent and node is not server.root and node not in found:
                        found.append(node)
                        break
            scores = [0.0] * len(found)
            if self.has["score"] and len(found) > 2:
                t += 0.025 * len(found)
                words = [server.words.get(mix(node.id) & self.word_mask, 0) for node in found]
                ask = self.policies[thread].score
                scores = [ask(n.level, n.dirty, w, int(t)) for n, w in zip(found, words, strict=True)]
            for _ in range(min(2, len(found))):
                at = scores.index(min(scores))
                scores.pop(at)
                t = self.cool(server, thread, found.pop(at), t, counting)
            if not self.free[thread]:
                first = self.draw() % server.n_buckets
                for i in range(8):
                    bucket = server.buckets.get((first + i) % server.n_buckets)
                    if bucket:
                        self.evict(server, thread, bucket.pop())
                        break
            if self.free[thread]:
                return self.free[thread].pop(), t

    # -- operations

    def run(self) -> None:
        heap = [(0.0, thread) for thread in range(len(self.clock))]
        while heap:
            began, thread = heapq.heappop(heap)
            server = self.servers[thread // self.cell.threads]
            if server.next == self.cell.ops:
                continue
            op = server.next
            server.next += 1
            if op == self.cell.warm:
                server.started = began
            leaf, kind = self._stream(server, self.cell.filling + op)
            leaves = self.cell.scan_leaves if kind == SCAN else 1
            first, last = self.cell.range_of(server.number, 0)
            t = began
            for i in range(leaves):
                if first + leaf + i > last:
                    break
                t = self.visit(
                    server, thread, server.nodes[0][first + leaf + i], kind, op, t + self.cell.costs.local
                )
            server.ended = max(server.ended, t)
            heapq.heappush(heap, (t, thread))

    def target(self, leaf: Node, op: int) -> Node:
        return leaf.twin if leaf.twin is not None and mix(op) & 1 else leaf

    def ask_word(self, server: Server, node: Node, method: Any, level: int, kind: int, t: float) -> float:
        place = mix(node.id) & self.word_mask
        old = server.words.get(place, 0)
        new = method(level, kind, old, int(t))
        server.words[place] = new
        return t + 0.025 + (0.02 if new != old else 0.0)

    def visit(self, server: Server, thread: int, leaf: Node, kind: int, op: int, t: float) -> float:
        policy, counting = self.policies[thread], op >= self.cell.warm
        means = self.means[thread]
        while True:
            way = [self.target(leaf, op)]
            while way[-1].state != "hot":
                assert way[-1].parent is not None
                way.append(way[-1].parent)
            missing = None
            for node in reversed(way[:-1]):
                if node.state == "remote":
                    missing = node
                    break
                self.bucket(server, node).remove(node)
                node.state = "hot"
                assert node.parent is not None
                node.parent.hot[node.bit] = node
                t += self.cell.costs.rewarm
            node = self.target(leaf, op)
            if missing is None:
                server.count["leaf_hits"] += counting
                means[2] += (1.0 - means[2]) * 0.02
                means[3] += (0.0 - means[3]) * 0.02
                if self.has["on_hit"]:
                    t = self.ask_word(server, node, policy.on_hit, 0, kind, t)
                return self.at_leaf(server, leaf, node, kind, op, t, counting)
            assert missing.parent is not None
            if self.has["on_hit"]:
                t = self.ask_word(server, missing.parent, policy.on_hit, missing.level + 1, kind, t)
            done, t = self.miss(server, thread, leaf, missing, kind, op, t)
            if done:
                return t
            if missing.level == 0:
                return self.at_leaf(server, leaf, missing, kind, op, t, counting)

    def miss(
        self, server: Server, thread: int, leaf: Node, node: Node, kind: int, op: int, t: float
    ) -> tuple[bool, float]:
        cell, costs, policy, parent = self.cell, self.cell.costs, self.policies[thread], node.parent
        assert parent is not None
        counting, means = op >= cell.warm, self.means[thread]
        parent_word = server.words.get(mix(parent.id) & self.word_mask, 0)
        seen = [
            t,
            *means,
            len(parent.hot),
            parent_word,
            len(self.free[thread]),
            cell.frames,
            cell.height,
            cell.fanout,
        ]
        seen += [cell.levels, cell.cpus, cell.threads]
        may = node.level <= cell.levels and kind != SCAN and cell.cpus > 0 and not node.shared
        full = server.untouched == 0
        place = mix(node.id) & self.word_mask
        word = server.words.get(place, 0)
        if self.has["note"]:
            new = policy.note(node.level, kind, word, int(t))
            t = t + 0.025 + (0.02 if new != word else 0.0)
            server.words[place] = word = new
        action = policy.on_miss(node.level, kind, word, full, may, seen)
        if action == OFFLOAD and not may:
            action = ADMIT if node.level else BYPASS
        if counting:
            self.misses[node.level][action] += 1
        t = asked = self.locked(server, parent, t)
        means[3] += (1.0 - means[3]) * 0.02
        means[4] += ((action == OFFLOAD) - means[4]) * 0.02
        if node.level == 0:
            means[5] += ((action == BYPASS) - means[5]) * 0.02
            means[2] += (0.0 - means[2]) * 0.02
        if action == OFFLOAD:
            t = self.call(server, self.memory_of(node), t)
            means[1] += (t - asked - means[1]) * 0.02
            if counting:
                server.count["rpcs"] += 1
                server.count["bytes"] += 96
            target = self.target(leaf, op)
            if kind != LOOKUP and target.state == "cool" and len(self.free[thread]) < 15:
                self.bucket(server, target).remove(target)
                self.evict(server, thread, target)
            if kind == INSERT:
                t = self.grow(server, leaf, op, t, counting)
        elif action == ADMIT:
            frame, t = self.frame(server, thread, parent, t + costs.software, counting)
            t = self.read(server, node, t, counting)
            means[0] += (t - asked - means[0]) * 0.02
            server.install(frame, node)
        else:
            t = self.read(server, node, t + costs.software, counting)
            means[0] += (t - asked - means[0]) * 0.02
            if kind == INSERT:
                t = self.grow(server, leaf, op, t, counting)
            if kind in (UPDATE, INSERT):
                t = self.write(server, node, t, counting)
        self.hold(server, parent, asked, t)
        if self.has["on_done"]:
            us = t - asked
            t += 0.025
            policy.on_done(node.level, action, us)
        if self.has["publish"]:
            t += 0.025
            changed = 0
            for slot in range(4):
                value = policy.publish(slot, list(server.central), int(t))
                changed += value != server.central[slot]
                server.central[slot] = value
            for _ in range(changed):
                t = server.central_until = max(t, server.central_until) + 0.06
        return action != ADMIT, t

    def at_leaf(
        self, server: Server, leaf: Node, node: Node, kind: int, op: int, t: float, counting: bool
    ) -> float:
        if kind in (UPDATE, INSERT):
            began = self.locked(server, node, t)
            t = began + self.cell.costs.leaf_write
            self.hold(server, node, began, t)
            node.dirty = True
            if kind == INSERT:
                t = self.grow(server, leaf, op, t, counting)
        return t

    def grow(self, server: Server, leaf: Node, op: int, t: float, counting: bool) -> float:
        key = mix(op + (server.number << 40))
        bit = 1 << ((key // 3) % 15)
        if key % 3 or leaf.news & bit:
            return t
        leaf.news |= bit
        server.count["new"] += counting
        held = self.cell.fill + bin(leaf.news).count("1")
        if (held // 2 if leaf.twin else held) < 58:
            return t
        t = self.write(server, leaf, t, counting)
        server.count["splits"] += counting
        parent = leaf.parent
        assert parent is not None
        extra = server.twins.get(parent, 0)
        if leaf.twin is None and self.cell.fanout + extra < 59 and server.made < self.spare:
            server.twins[parent] = extra + 1
            leaf.twin = Node(server.spare + server.made, 0, -1, self.cell.fanout + extra, parent, origin=leaf)
            server.made += 1
        else:
            leaf.news = 0
        return t

    @property
    def mops(self) -> float:
        counted = self.cell.ops - self.cell.warm
        return min(counted / (s.ended - s.started) for s in self.servers) * self.cell.servers

    def total(self, name: str) -> int:
        return sum(server.count[name] for server in self.servers)
