import math

import numpy as np

from metamuse.policykit import Heap, List, Rng

FRESH = 0.01  # tune: 0.005..0.5 log
HISTORY = 0.5  # tune: 0.1..1.0
PATIENCE = 10  # tune: 3..30 log

SEED = 1
COUNT = 2.0**32  # in a priority one request outweighs any time


class Policy:
    """CACHEUS: LeCaR's choice between two victims; the experts resist scans and churn, the rate is learned.

    SR-LRU keeps requested objects (`kept`) apart from new and demoted ones (`queue`), and evicts from the
    queue; hits of demoted objects and new ones that return move the border (in objects). CR-LFU evicts the
    latest of equally rare ones. The rate climbs the hit ratio of periods as long as the cache; PATIENCE
    failures restart it. Rodriguez et al., "Learning cache replacement with CACHEUS", FAST 2021.
    """

    def __init__(self, capacity, n_slots):
        self.rng = Rng(SEED)
        self.kept = List(n_slots)  # last requested in front, as in the other lists
        self.queue = List(n_slots)
        self.frequency = Heap(n_slots)
        self.lru_history = List(n_slots)
        self.lfu_history = List(n_slots)
        self.count = np.zeros(n_slots, dtype=np.int64)
        self.fresh = np.zeros(n_slots, dtype=np.bool_)  # entered by the queue
        self.demoted = np.zeros(n_slots, dtype=np.bool_)
        self.n_fresh = 0  # in the history of LRU
        self.n_demoted = 0  # in the queue
        self.queue_room = 0.0  # how many of the cached objects are to be in the queue
        self.odds = 1.0  # for the choice of LRU
        self.returning = False  # the incoming object was in a history
        self.rate = 0.0  # until the first eviction
        self.last_rate = 0.0
        self.began = 0  # this period
        self.hits = 0
        self.hit_ratio = 0.0  # of the last one
        self.failures = 0

    def on_hit(self, slot, key, size, now):
        self.hits += 1
        self.touch(slot, now)
        if self.demoted[slot]:
            self.queue_room -= max(1.0, self.n_fresh / self.n_demoted)
            self.demoted[slot] = False
            self.n_demoted -= 1
        self.queue.discard(slot)
        self.kept.discard(slot)
        self.kept.push_front(slot)
        self.demote()

    def admit(self, slot, key, size, now):
        by_lru = slot in self.lru_history
        by_lfu = slot in self.lfu_history
        self.returning = by_lru or by_lfu
        if by_lru and self.fresh[slot]:
            self.queue_room += max(1.0, self.n_demoted / self.n_fresh)
        if self.returning:
            self.on_forget(slot)
            self.odds *= math.exp(self.rate if by_lfu else -self.rate)
            self.odds = min(max(self.odds, 1.0 / 99.0), 99.0)
        if self.rate > 0.0 and now - self.began >= len(self.frequency):
            self.learn(self.hits / (now - self.began))
            self.began = now
            self.hits = 0
        return True

    def learn(self, hit_ratio):
        gain = hit_ratio - self.hit_ratio
        step = self.rate - self.last_rate
        self.hit_ratio = hit_ratio
        self.last_rate = self.rate
        if step * gain != 0.0:
            self.rate += math.copysign(self.rate * step, step * gain)
            self.rate = min(max(self.rate, 0.001), 1.0)
            self.failures = 0
        elif gain <= 0.0:
            self.failures += 1
            if self.failures >= PATIENCE:
                self.rate = 0.001 ** self.rng.uniform()
                self.failures = 0

    def victim(self, slot, key, size, now):
        if self.rate == 0.0:
            self.rate = min(math.sqrt(2.0 * math.log(2.0) / len(self.frequency)), 1.0)
            self.queue_room = FRESH * len(self.frequency)
        oldest = self.queue.back()
        if oldest == slot:  # a cached object that grew needs room
            oldest = self.queue.prev(oldest)
        if oldest < 0:
            oldest = self.kept.back()
        rarest = self.frequency.top() if self.frequency.top() != slot else oldest
        by_lru = self.rng.uniform() * (1.0 + self.odds) < self.odds
        victim = oldest if by_lru else rarest
        if oldest != rarest:  # what both would evict is nobody's fault
            self.n_fresh += int(by_lru and self.fresh[victim])
            history = self.lru_history if by_lru else self.lfu_history
            history.push_front(victim)
            if len(history) > HISTORY * len(self.frequency):
                self.on_forget(history.back())
        return victim

    def on_evict(self, slot, key, size, now):
        self.kept.discard(slot)
        self.queue.discard(slot)
        self.frequency.remove(slot)
        self.n_demoted -= int(self.demoted[slot])

    def on_insert(self, slot, key, size, now, remembered):
        self.count[slot] *= int(self.returning)
        self.touch(slot, now)
        self.demoted[slot] = False
        self.fresh[slot] = not self.returning and self.rate > 0.0
        home = self.queue if self.fresh[slot] else self.kept
        home.push_front(slot)
        self.demote()

    def on_forget(self, slot):
        if self.lru_history.discard(slot):
            self.n_fresh -= int(self.fresh[slot])
        self.lfu_history.discard(slot)

    def touch(self, slot, now):
        self.count[slot] += 1
        self.frequency.push(slot, self.count[slot] * COUNT - now)

    def demote(self):
        n = len(self.frequency)
        self.queue_room = min(max(self.queue_room, 1.0), max(n - 1.0, 1.0))
        while self.rate > 0.0 and len(self.kept) > n - self.queue_room:
            last = self.kept.pop_back()
            self.demoted[last] = True
            self.n_demoted += 1
            self.queue.push_front(last)
