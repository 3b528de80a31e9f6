"""The language means the same in both ways of execution, and what the table says."""

from __future__ import annotations

import functools
import math

import pytest

from evaluators.base import PolicyError
from tests.metamuse.policy.twins import Twins, policy

PARAMS = {"a": "int", "b": "int", "x": "float", "y": "float"}
ARGUMENTS = (7, -2, 2.5, -7.5)
ERROR = "an error"

INIT = """
self.n = n
self.count = 0
self.index = 3
self.size = 5
self.r = 1
self.k = 2
self._fields = 4
self.ratio = 0
self.level = 1.5
self.flag = False
self.ints = np.zeros(n, dtype=np.int64)
self.small = np.zeros(n, dtype=np.int8)
self.floats = np.zeros(n)
self.bools = np.zeros(n, dtype=np.bool_)
self.grid = np.zeros((n, 3))
self.cells = np.zeros((n, 3), dtype=np.int64)
self.left = List(n)
self.right = List(n)
self.ring = Ring(n)
self.heap = Heap(n)
self.rng = Rng(3)
for i in range(n):
    self.ints[i] = (5 * i) % 7
    self.floats[i] = 0.1 * i
"""
EXTRA = """
def add(self, u, v=10, w=-1):
    return u + v * w

def pair(self, u):
    return u, u + 0.5

def fill(self, queue, upto):
    for i in range(upto):
        queue.push_back(i)
    return len(queue)

def both(self, queue):
    return self.fill(queue, 2) + queue.front()

def sum(self):
    return 17.0

def touch(self):
    self.count += 1
    return self.count
"""
CONSTANTS = """
RATE = 0.25  # tune: 0.0..1.0
LIMIT = 4  # tune: 1..9
TWICE = RATE * 2
INF = float("inf")
PLAIN = (1 << 4) + 1
WEIGHTS = (0.5, 0.25)

def scaled(v, by=2):
    return v * by * RATE

def head(values):
    return values[0] + LIMIT
"""

#: Topic: name: (body, value). a=7, b=-2, x=2.5, y=-7.5.
CASES: dict[str, dict[str, tuple[str, object]]] = {
    "numbers": {
        "true_division": ("return a / b", -3.5),
        "floor_division": ("return a // b", -4),
        "floor_division_float": ("return y // x", -3.0),
        "modulo": ("return a % b", -1),
        "modulo_negative": ("return (0 - a) % 3", 2),
        "modulo_float": ("return y % 2.0", 0.5),
        "divmod_quotient": ("return divmod(0 - a, 2)[0]", -4),
        "divmod_rest": ("return divmod(y, 2.0)[1]", 0.5),
        "max_mixed": ("return max(a, x)", 7),
        "min_three": ("return min(a, x, b)", -2),
        "max_of_array": ("return max(self.ints)", 6),
        "min_of_tuple": ("return min((a, b))", -2),
        "max_nan_first": ("return max(float('nan'), x)", math.nan),
        "max_nan_second": ("return max(x, float('nan'))", 2.5),
        "min_nan_first": ("return min(float('nan'), x)", math.nan),
        "min_nan_second": ("return min(x, float('nan'))", 2.5),
        "bool_sum": ("return (a > 0) + (b < 0)", 2),
        "bool_times_float": ("return (a > 0) * x", 2.5),
        "bool_invert": ("return ~(a > 0)", -2),
        "bool_negated": ("return -(a > 0)", -1),
        "bool_and_int": ("return (a > 0) & 3", 1),
        "int_from_bool": ("return int(a > 0) + float(b > 0)", 1.0),
        "compare_mixed": ("return (a > x) + (7 == 7.0) + (x != 2)", 3),
        "compare_chain": ("return int(0 < x < a)", 1),
        "int_of_negative": ("return int(y)", -7),
        "floor_of_negative": ("return math.floor(y)", -8),
        "ceil_of_negative": ("return math.ceil(y)", -7),
        "trunc_of_negative": ("return math.trunc(y)", -7),
        "floor_of_int": ("return math.floor(a)", 7),
        "round_half_even": ("return round(x) + round(3.5) + round(-0.5)", 6),
        "round_of_int": ("return round(a)", 7),
        "numpy_int": ("return np.int64(y)", -7),
        "numpy_float": ("return np.float64(a) / 2", 3.5),
        "numpy_bool": ("return int(np.bool_(a))", 1),
        "power_int": ("return a ** 2 + (0 - 3) ** 3", 22),
        "power_zero": ("return 0 ** 0 + 5 ** 0", 2),
        "power_float": ("return x ** 2.0 + 2.0 ** b", 6.5),
        "power_float_int": ("return x ** b", 0.16),
        "power_builtin": ("return pow(a, 2) + pow(x, 2)", 55.25),
        "power_large_of_one": ("return (0 - 1) ** 1001 + 1 ** 1000", 0),
        "power_augmented": ("z = x\nz **= 2\nreturn z", 6.25),
        "shift": ("return (a << 3) + (y < 0) + (a >> 1)", 60),
        "shift_variable": ("return (1 << a) + (0 - 9 >> 1)", 123),
        "shift_augmented": ("z = a\nz <<= 2\nz >>= 1\nreturn z", 14),
        "bits": ("return (a & 5) + (a | 8) + (a ^ 1) + ~a", 18),
        "infinity": ("return int(INF > x) + int(-float('inf') < x) + int(math.inf == np.inf)", 3),
        "nan_is_no_number": ("z = float('nan')\nreturn int(z == z) + int(z < 1.0) + int(math.isnan(z))", 1),
        "if_expression_mixed": ("return (a if x > 0 else x) / 2", 3.5),
        "huge_product": ("return float(3037000499 * 3037000499)", 3037000499.0**2),
    },
    "functions": {
        "exp": ("return math.exp(x)", math.exp(2.5)),
        "log": ("return math.log(x) + math.log(a)", math.log(2.5) + math.log(7)),
        "log_base": ("return math.log(8, 2)", 3.0),
        "log1p": ("return math.log1p(x) + math.expm1(0.5)", math.log1p(2.5) + math.expm1(0.5)),
        "sqrt": ("return math.sqrt(x) + np.sqrt(a)", math.sqrt(2.5) + math.sqrt(7)),
        "hypot": ("return math.hypot(3, 4)", 5.0),
        "fmod": ("return math.fmod(y, 2.0) + math.fmod(y, 2)", -3.0),
        "math_pow": ("return math.pow(a, 2)", 49.0),
        "atan2": ("return math.atan2(1.0, a)", math.atan2(1.0, 7)),
        "trigonometry": ("return math.sin(x) + math.cos(y)", math.sin(2.5) + math.cos(-7.5)),
        "constants": ("return math.pi + math.e + np.pi", 2 * math.pi + math.e),
        "numpy_exp": ("return np.exp(x) - math.exp(x)", 0.0),
        "numpy_log_array": ("return np.sum(np.log(self.floats + 1.0))", None),
        "numpy_scalar": ("return np.floor(y) + np.sign(y) + np.abs(y) + np.square(a)", 47.5),
        "numpy_where_number": ("return np.where(a > 0, a, b)", 7),
        "numpy_clip_number": ("return np.clip(a, 0, 5) + np.clip(y, -1.0, 1.0)", 4.0),
        "numpy_minimum": ("return np.minimum(a, b) + np.maximum(x, a)", 5),
        "numpy_power": ("return np.power(a, 2)", 49),
        "hash": ("return hash64(a) % 1000 + hash64(a, 5) % 1000", None),
        "abs": ("return abs(b) + abs(y)", 9.5),
        "module_function": ("return scaled(x)", 1.25),
        "module_function_keyword": ("return scaled(v=x, by=4)", 2.5),
        "module_function_array": ("return head(self.ints)", 4),
        "tuned_constant": ("return RATE + LIMIT", 4.25),
        "derived_constant": ("return TWICE", 0.5),
        "plain_constant": ("return PLAIN + WEIGHTS[1]", 17.25),
        "tuple_constant": ("t = 0.0\nfor w in WEIGHTS:\n    t += w\nreturn t", 0.75),
        "default_arguments": ("return self.add(a)", -3),
        "keyword_arguments": ("return self.add(v=2, u=1, w=3)", 7),
        "tuple_result": ("u, v = self.pair(a)\nreturn u * v", 52.5),
        "method_named_sum": ("return self.sum()", 17.0),
        "shadowed_constant": ("RATE = 3\nreturn RATE", 3),
        "random": ("return self.rng.below(100) + self.rng.uniform() + self.rng.next() % 10", None),
    },
    "attributes": {
        "names_of_tuples": ("return self.count + self.index + self.size + self.r + self.k + self._fields", 15),
        "promoted_to_float": ("self.ratio = x / 2\nself.ratio += 1\nreturn self.ratio", 2.25),
        "promoted_starts_as_float": ("return self.ratio / 2 + 1", 1.0),
        "int_from_comparison": ("self.count = a > 0\nself.count = self.count + 4\nreturn self.count", 5),
        "float_from_int": ("self.level = a\nreturn self.level / 2", 3.5),
        "bool_attribute": ("self.flag = a > 0\nself.flag = self.flag and b > 0\nreturn int(self.flag)", 0),
        "bool_from_int": ("self.flag = a\nreturn self.flag + 1", 2),
        "augmented": ("self.count += 3\nself.count *= a\nself.count -= 1\nself.count //= 3\nreturn self.count", 6),
        "augmented_order": ("self.count += self.touch() * 10\nreturn self.count", 10),
        "tuple_assignment": ("self.count, z = a, x\nreturn self.count + z", 9.5),
        "swap_attributes": ("self.r, self.k = self.k, self.r\nreturn 10 * self.r + self.k", 21),
        "swap_array_elements": (
            "self.ints[0], self.ints[1] = self.ints[1], self.ints[0]\nreturn 10 * self.ints[0] + self.ints[1]",
            50,
        ),
        "attribute_and_element": ("self.count, self.ints[2] = a, b\nreturn self.count + self.ints[2]", 5),
        "chained_assignment": ("z = self.count = self.level = a\nreturn z + self.count + self.level", 21),
        "annotated": ("z: int = a\nself.count: int = z\nreturn self.count", 7),
        "and_value": ("return a and x", 2.5),
        "or_value": ("return self.count or a", 7),
        "and_stops": ("z = self.count and self.touch()\nreturn z + self.count", 0),
        "not_value": ("return int(not a) + int(not self.count)", 1),
    },
    "arrays": {
        "negative_index": ("return self.ints[-1] + self.floats[b]", 0.6 + 0.0),
        "index_once": (
            "self.ints[self.touch()] += 5\nreturn self.count * 100 + self.ints[1]",
            110,
        ),
        "augmented_pow": ("self.ints[1] **= 2\nself.ints[2] <<= 2\nreturn self.ints[1] + self.ints[2]", 37),
        "index_once_2d": ("self.cells[self.touch(), self.touch()] += 5\nreturn self.cells[1, 2] + self.count", 7),
        "fraction_is_cut": ("self.ints[0] = 2.7\nself.ints[0] *= 1.5\nreturn self.ints[0]", 3),
        "small_ints": ("self.small[0] = 100\nreturn self.small[0] + self.small[0]", 200),
        "bool_elements": ("self.bools[0] = 7\nself.bools[1] = a > 0\nreturn self.bools[0] + self.bools[1]", 2),
        "fill_by_assignment": ("self.floats = 2.0\nreturn np.sum(self.floats)", 16.0),
        "whole_array": ("self.floats = self.floats * 2\nself.floats += 1\nreturn self.floats[3]", 1.6),
        "whole_array_overlap": ("self.ints = self.ints[::-1]\nreturn 10 * self.ints[0] + self.ints[7]", 0),
        "whole_array_ints_to_floats": ("self.floats = self.ints\nreturn self.floats[1] / 2", 2.5),
        "slice_sum": ("return np.sum(self.ints[1:4])", 9),
        "slice_assignment": ("self.ints[2:4] = 9\nself.ints[:2] += 1\nreturn np.sum(self.ints[:4])", 25),
        "local_in_place": ("z = self.floats\nz *= 2.0\nreturn self.floats[1]", 0.2),
        "local_copy": ("z = self.floats.copy()\nz += 1.0\nreturn self.floats[1] + z[1]", 1.2),
        "local_array": ("z = np.zeros(3, dtype=int)\nz[1] = a\nreturn z[1] / 2 + len(z)", 6.5),
        "local_bools": ("z = np.ones(3, dtype=bool)\nz[1] = False\nreturn np.sum(z) + np.count_nonzero(z)", 4),
        "full": ("z = np.full(3, 7)\nw = np.full(2, 0.5)\nreturn z.sum() + w.sum()", 22.0),
        "array_literal": ("z = np.array([a, x, 1.0])\nreturn z[0] + z[1]", 9.5),
        "reductions": ("return np.max(self.ints) + self.ints.min() + np.argmax(self.ints) + self.ints.argmin()", 10),
        "argmin_ties": ("return np.argmin(self.ints) + 10 * np.argmax(self.bools)", 0),
        "argmin_nan": ("self.floats[3] = float('nan')\nreturn np.argmin(self.floats) + 10 * np.argmax(self.floats)", 33),
        "min_nan": ("self.floats[3] = float('nan')\nreturn np.min(self.floats)", math.nan),
        "mean_std_var": ("return np.mean(self.floats) + self.floats.std() + np.var(self.ints)", None),
        "sum_from_left": ("z = np.full(3, 0.1)\nz[0] = 1e16\nreturn np.sum(z) - 1e16", 0.0),
        "builtin_sum": ("return sum(self.ints) + sum(self.floats)", 21 + sum(0.1 * i for i in range(8))),
        "cumsum": ("z = np.cumsum(self.ints)\nreturn z[3] + np.cumsum(self.floats)[2]", 9.3),
        "cumsum_bools": ("self.bools[2] = True\nreturn np.cumsum(self.bools)[5]", 1),
        "clip": ("z = np.clip(self.ints, 1, 4)\nreturn np.sum(z)", 20),
        "where": ("z = np.where(self.ints > 3, 1.0, 0.0)\nreturn np.sum(z)", 3.0),
        "sort": ("z = np.sort(self.ints)\nreturn 10 * z[0] + z[7]", 6),
        "sort_in_place": ("self.ints.sort()\nreturn self.ints[7]", 6),
        "argsort_stable": (
            "z = np.zeros(40)\nfor i in range(40):\n    z[i] = i % 2\no = np.argsort(z)\n"
            "t = 0\nfor i in range(40):\n    t = (t * 31 + o[i]) % 1000003\nreturn t + z.argsort()[1]",
            None,
        ),
        "searchsorted": ("z = np.arange(5)\nreturn np.searchsorted(z, 3) + 10 * np.searchsorted(z, 3, side='right')", 43),
        "arange_floats": ("z = np.arange(0.1, 1.0, 0.1)\nreturn z[5] + len(z)", None),
        "any_all": ("return int(np.any(self.ints > 5)) + int(np.all(self.ints > 5)) + int(self.bools.any())", 1),
        "flatnonzero": ("z = np.flatnonzero(self.ints > 4)\nreturn z[0] + 10 * len(z)", 21),
        "mask": ("z = self.ints[self.ints > 4]\nreturn np.sum(z)", 11),
        "row_assignment": ("self.cells[1] = 7\nself.cells[2] = self.cells[1]\nreturn self.cells[2][0]", 7),
        "mask_assignment": ("self.ints[self.ints > 4] = 0\nreturn np.sum(self.ints)", 10),
        "elementwise": ("z = self.ints * 2 - self.floats / 2\nreturn z[1]", 9.95),
        "elementwise_power": ("z = self.floats ** 2\nw = self.ints ** 2\nreturn z[2] + w[1]", 25.04),
        "array_division_by_zero": ("z = self.floats / 0.0\nreturn z[1]", math.inf),
        "two_dimensions": ("self.grid[1, 2] = x\nself.grid[1][2] += 1\nreturn self.grid[1][2] + self.grid[a, 0]", 3.5),
        "row": ("self.cells[2, :] = 4\nz = self.cells[2]\nreturn z.sum() + self.cells.shape[0]", 20),
        "column": ("self.grid[:, 1] = 0.5\nreturn np.sum(self.grid[:, 1]) + self.grid.size + self.grid.ndim", 30.0),
        "iterate": ("t = 0\nfor v in self.ints:\n    t += v\nreturn t", 21),
        "iterate_divides": ("t = 0.0\nfor v in self.floats:\n    if v > 0.65:\n        t += 1 / v\nreturn t", 1 / (0.1 * 7)),
        "enumerate": ("t = 0\nfor i, v in enumerate(self.ints):\n    t += i * v\nreturn t", None),
        "zip": ("t = 0.0\nfor v, w in zip(self.ints, self.floats):\n    t += v * w\nreturn t", None),
        "length": ("return len(self.ints) + self.ints.size + len(self.grid)", 24),
        "fill_method": ("self.ints.fill(3)\nreturn self.ints.sum()", 24),
    },
    "flow": {
        "for_break_else": ("z = -1\nfor i in range(a):\n    if i == 3:\n        z = i\n        break\nelse:\n    z = 99\nreturn z", 3),
        "for_no_break": ("z = 0\nfor i in range(3):\n    for j in range(5):\n        if j > i:\n            break\n        z += 1\nelse:\n    z += 100\nreturn z", 106),
        "while_else": ("z = 0\nwhile z < 5:\n    z += 1\nelse:\n    z = -z\nreturn z", -5),
        "continue": ("z = 0\nfor i in range(10):\n    if i % 2:\n        continue\n    z += i\nreturn z", 20),
        "loop_variable_after": ("for i in range(4):\n    pass\nreturn i", 3),
        "while_true": ("z = 1\nwhile True:\n    z *= 2\n    if z > 50:\n        break\nreturn z", 64),
        "countdown": ("z = 0\nfor i in range(a, b, -2):\n    z += i\nreturn z", 15),
        "while_list": ("self.fill(self.left, 3)\nz = 0\nwhile self.left:\n    z = 10 * z + self.left.pop_front()\nreturn z", 12),
        "not_list": ("return int(not self.left) + int(bool(self.left)) + len(self.left)", 1),
        "list_and_number": ("return int(bool(self.left and a)) + int(self.left or a > 0)", 1),
        "in_list": ("self.fill(self.left, 3)\nreturn (2 in self.left) + (a in self.left) + (b not in self.left)", 2),
        "minus_one_is_in_nothing": ("self.fill(self.left, 3)\nreturn (-1 in self.left) + (-1 in self.heap) + self.left.discard(-1)", 0),
        "structure_parameter": ("return self.both(self.right) + 10 * len(self.left)", 2),
        "structure_alias": ("q = self.left\nq.push_back(a)\nw = q\nw.push_front(1)\nreturn self.left.front() + 10 * len(q)", 21),
        "structure_choice": ("q = self.left if a > 0 else self.right\nq.push_back(3)\nreturn len(self.left) + q.size", 2),
        "ring": ("self.ring.push(a)\nself.ring.push(b)\nreturn self.ring.pop() * 10 + self.ring.peek() + self.ring.n", 76),
        "heap_priority_int": ("self.heap.push(3, a)\nself.heap.push(priority=x, x=5)\nreturn self.heap.top() + self.heap.priority(3)", 12.0),
    },
    "errors": {
        "index": ("return self.ints[a + 1]", ERROR),
        "index_negative": ("return self.ints[b * 5]", ERROR),
        "index_2d": ("return self.grid[0, 3]", ERROR),
        "index_of_local": ("z = np.zeros(3)\nreturn z[a]", ERROR),
        "store_index": ("self.ints[a * 2] = 1\nreturn 0", ERROR),
        "int_division": ("return a // self.count", ERROR),
        "int_modulo": ("return a % self.count", ERROR),
        "float_division": ("return a / self.count", ERROR),
        "float_division_zero": ("return x / (y - y)", ERROR),
        "float_floor_division": ("return x // (y - y)", ERROR),
        "float_modulo": ("return x % (y - y)", ERROR),
        "divmod": ("return divmod(a, self.count)[0]", ERROR),
        "log_zero": ("return math.log(self.count)", ERROR),
        "log_negative": ("return math.log(y)", ERROR),
        "log_array": ("return np.log(self.floats)[1]", ERROR),
        "sqrt": ("return math.sqrt(y)", ERROR),
        "exp_overflow": ("return math.exp(1000.0 * x)", ERROR),
        "power_domain": ("return y ** 0.5", ERROR),
        "power_zero": ("return (y - y) ** -1.0", ERROR),
        "power_overflow": ("return (x * 1e300) ** 2", ERROR),
        "power_int_negative": ("return a ** b", ERROR),
        "power_int_huge": ("return a ** 5000", ERROR),
        "shift_negative": ("return a << b", ERROR),
        "shift_far": ("return a >> (a * 10)", ERROR),
        "int_of_nan": ("return int(float('nan'))", ERROR),
        "int_of_infinity": ("return int(INF * x)", ERROR),
        "round_of_nan": ("return round(float('nan') + x)", ERROR),
        "floor_of_infinity": ("return math.floor(INF)", ERROR),
        "nan_into_ints": ("self.ints[0] = float('nan') * x\nreturn 0", ERROR),
        "beyond_int8": ("self.small[0] = a * 100\nreturn self.small[0]", ERROR),
        "shape": ("self.floats = np.zeros(3)\nreturn 0", ERROR),
        "argmin_of_empty": ("return np.argmin(self.ints[:0])", ERROR),
        "mean_of_empty": ("return np.mean(self.ints[:0])", ERROR),
        "list_twice": ("self.left.push_back(1)\nself.left.push_back(1)\nreturn 0", ERROR),
        "list_bad_id": ("self.left.push_back(b)\nreturn 0", ERROR),
        "list_sentinel": ("self.left.push_back(self.n)\nreturn 0", ERROR),
        "heap_nan": ("self.heap.push(1, float('nan'))\nreturn 0", ERROR),
        "ring_empty": ("return self.ring.pop()", ERROR),
    },
}  # fmt: skip


def twins(topic: str) -> Twins:
    made = _made(topic)
    if isinstance(made, PolicyError):
        raise made
    return made


@functools.cache
def _made(topic: str) -> Twins | PolicyError:
    """One compilation a topic, also if it fails."""
    bodies = {f"case_{name}": body for name, (body, _) in CASES[topic].items()}
    try:
        return Twins(policy(INIT, bodies, list(PARAMS), EXTRA, CONSTANTS), list(bodies), PARAMS)
    except PolicyError as error:
        return error


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(("topic", "name"), [(t, n) for t, cases in CASES.items() for n in cases])
def test_both_modes_agree_with_the_table(topic: str, name: str) -> None:
    both = twins(topic)
    slow, fast = both.call(both.states(), f"case_{name}", *ARGUMENTS)
    expected = CASES[topic][name][1]
    if expected == ERROR:
        assert isinstance(slow, type), f"interpreted gives {slow}"
        assert isinstance(fast, type), f"compiled gives {fast}"
        return
    assert slow == fast or (slow != slow and fast != fast), (slow, fast)
    if expected is not None:
        assert slow == pytest.approx(expected, rel=1e-15, abs=0, nan_ok=True)
