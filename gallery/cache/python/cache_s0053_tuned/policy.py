"""cache policy s0053-tuned, Wave Boost Hand (tuned).

Written by MetaMuse; decides as the policy did in the simulator."""

from __future__ import annotations


class List:
    """Doubly linked list over the ids ``0..n-1``; an id is in it at most once.

    Every operation is O(1), also ``x in lst`` and ``remove``. "Front" and "back" are only names: LRU
    usually pushes to the front and evicts from the back.

    Args:
        n: Number of ids (for a cache policy ``n_slots``).

    Raises:
        IndexError: An id is not in ``0..n-1``.
        ValueError: An id is pushed twice, or one that is not in the list is removed or moved, or an end of
            an empty list is popped.
    """

    def __init__(self, n: int) -> None:
        if n < 0:
            raise ValueError("List(n): n must be at least 0")
        self.n = int(n)
        self.size = 0
        # Index n is the sentinel: after[n] is the front, before[n] the back; -1 marks "not in the list".
        self.after = [-1] * (n + 1)
        self.before = [-1] * (n + 1)
        self.after[n] = n
        self.before[n] = n

    def __len__(self) -> int:
        return self.size

    def _check(self, x: int) -> None:
        # Without it a negative id would count from the end, as indices do, and n is the sentinel.
        if x < 0 or x >= self.n:
            raise IndexError("List: an id must be in 0..n-1")

    def push_front(self, x: int) -> None:
        """Put ``x`` at the front."""
        self._check(x)
        if self.after[x] >= 0:
            raise ValueError("List.push_front(x): x is already in the list")
        n = self.n
        first = self.after[n]
        self.after[x] = first
        self.before[x] = n
        self.before[first] = x
        self.after[n] = x
        self.size += 1

    def push_back(self, x: int) -> None:
        """Put ``x`` at the back."""
        self._check(x)
        if self.after[x] >= 0:
            raise ValueError("List.push_back(x): x is already in the list")
        n = self.n
        last = self.before[n]
        self.before[x] = last
        self.after[x] = n
        self.after[last] = x
        self.before[n] = x
        self.size += 1

    def insert_before(self, x: int, y: int) -> None:
        """Put ``x`` next to ``y``, on its front side."""
        self._check(x)
        self._check(y)
        if self.after[x] >= 0:
            raise ValueError("List.insert_before(x, y): x is already in the list")
        if self.after[y] < 0:
            raise ValueError("List.insert_before(x, y): y is not in the list")
        p = self.before[y]
        self.before[x] = p
        self.after[x] = y
        self.after[p] = x
        self.before[y] = x
        self.size += 1

    def remove(self, x: int) -> None:
        """Take ``x`` out."""
        self._check(x)
        q = self.after[x]
        if q < 0:
            raise ValueError("List.remove(x): x is not in the list")
        p = self.before[x]
        self.after[p] = q
        self.before[q] = p
        self.after[x] = -1
        self.before[x] = -1
        self.size -= 1

    def back(self) -> int:
        """The id at the back, -1 if the list is empty."""
        x = int(self.before[self.n])
        if x == self.n:
            return -1
        return x

    def prev(self, x: int) -> int:
        """The id before ``x`` towards the front, -1 at the end."""
        self._check(x)
        y = int(self.before[x])
        if y < 0:
            raise ValueError("List.prev(x): x is not in the list")
        if y == self.n:
            return -1
        return y


DRY = 0.1236  # tune: 0.1..0.6
PACE = 0.01657  # tune: 0.002..0.05 log
RUN = 12  # tune: 3..60 log
MEMORY = 0.7647  # tune: 0.2..2.0
MOST = 1  # tune: 1..15 log


class Policy:
    """Wave Boost Hand: A watchman goes his rounds with a lamp; who has been asked for since is left in
    peace, a few rounds at most, and the first who has not is shown out. A critic walks along the
    players, who keep their places; applause of a few requests at most is used up as the critic passes,
    and who has none leaves."""

    def __init__(self, capacity, n_slots):
        self.room = max(1, min(capacity, n_slots // 2))
        self.water = 0.5
        self.run = 0
        self.gone = 0
        self.order = List(n_slots)
        self.hand = -1
        self.left = [0] * n_slots
        self.credit = [0] * n_slots

    def on_hit(self, slot, key, size, now):
        self.water += PACE * (1.0 - self.water)
        self.run = 0
        if self.credit[slot] < MOST:
            self.credit[slot] += 1

    def candidate(self, now):
        if self.hand < 0:
            self.hand = self.order.back()
        while self.credit[self.hand] > 0:
            self.credit[self.hand] -= 1
            self.hand = self.order.prev(self.hand)
            if self.hand < 0:
                self.hand = self.order.back()
        return self.hand

    def victim(self, slot, key, size, now):
        return self.candidate(now)

    def on_evict(self, slot, key, size, now):
        if slot == self.hand:
            self.hand = self.order.prev(slot)
        self.order.remove(slot)
        self.gone += 1
        self.left[slot] = self.gone

    def on_insert(self, slot, key, size, now, remembered):
        self.water -= PACE * self.water
        rank = 1  # 0: next to go, 1: ordinary, 2: favoured
        if self.water < DRY:
            rank = 0
        self.run += 1
        if self.run > RUN:
            rank = 0
        if remembered and float(self.gone - self.left[slot]) <= MEMORY * self.room:
            rank = 2
        self.credit[slot] = 0
        if rank == 0:
            if self.hand >= 0:
                self.order.insert_before(slot, self.hand)
            else:
                self.order.push_back(slot)
        elif rank == 2:
            self.order.push_front(slot)
            self.credit[slot] += 1
        else:
            self.order.push_front(slot)
