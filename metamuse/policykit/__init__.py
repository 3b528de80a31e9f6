"""Building blocks a policy may import: hashing, seeded randomness and O(1) structures.

Everything here is written in the policy language itself (see ``docs/policy-contract.md``), so the same
source runs interpreted under CPython and compiled by Numba with the same decisions, and an exporter can
inline it. It depends on numpy alone (numba for the compiled twin of :func:`hash64`).

====================  =============================================  ==========================
name                  what it is                                     cost per call
====================  =============================================  ==========================
``hash64(x, s)``      a fixed 63-bit hash of an integer              O(1)
``Rng(seed)``         a counter-based random stream                  O(1)
``List(n)``           ordered list of ids 0..n-1 (linked)            O(1), search-free
``Ring(n)``           first-in-first-out queue of any integers       O(1)
``Stack(n)``          last-in-first-out stack of any integers        O(1)
``Bag(n)``            ids 0..n-1 in no order, to draw from            O(1)
``Heap(n)``           ids 0..n-1 ordered by a float, smallest first  O(log n)
``Ghosts(n, m)``      the last m ids put in, oldest dropped          O(1)
``Sketch(w)``         approximate counts of 64-bit keys, ageing      O(1)
``Tree()``            integers by index, with search                 O(log n)
``Buckets(levels)``   ids by a level 0..levels                       O(1), search O(levels/1024)
``Vector()``          integers by index                              O(1)
====================  =============================================  ==========================

The last three *grow*: the simulator, which alone knows when another index comes into being (another open bin),
makes room by ``_grow(room)`` between two stretches of its loop, so that compiled code never allocates.
"""

from metamuse.policykit.bag import Bag
from metamuse.policykit.buckets import Buckets
from metamuse.policykit.ghosts import Ghosts
from metamuse.policykit.hashing import hash64
from metamuse.policykit.heap import Heap
from metamuse.policykit.linked import List
from metamuse.policykit.ring import Ring
from metamuse.policykit.rng import Rng
from metamuse.policykit.sketch import Sketch
from metamuse.policykit.stack import Stack
from metamuse.policykit.tree import Tree
from metamuse.policykit.vector import Vector

__all__ = [
    "Bag",
    "Buckets",
    "Ghosts",
    "Heap",
    "List",
    "Ring",
    "Rng",
    "Sketch",
    "Stack",
    "Tree",
    "Vector",
    "hash64",
]
