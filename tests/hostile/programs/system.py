"""Programs that reach for the system: processes, files, the environment, the network, the machinery itself."""

from __future__ import annotations

from tests.hostile.case import IMPORTS, Case, bins, cache, cases


def _module(name: str) -> str:
    return IMPORTS + f"import {name}\n"


def _calls(kind: str, attempts: dict[str, str]) -> list[Case]:
    """Attacks that are one statement of victim(); none is in the language."""
    return cases(
        kind, "cache", [("contract", attempt, cache(attack)) for attempt, attack in attempts.items()]
    )


CASES = [
    *cases(
        "processes",
        "cache",
        [
            ("contract", "os._exit", cache("os._exit(0)", imports=_module("os")), "only math, numpy"),
            ("contract", "a fork bomb", cache("while True:\n    os.fork()", imports=_module("os")), "only math, numpy"),
            ("contract", "a thread bomb", cache("threading.Thread(target=f).start()", imports=_module("threading")), "not threading"),
            ("contract", "a program", cache("subprocess.run('true')", imports=_module("subprocess")), "not subprocess"),
            ("contract", "a signal to the parent", cache("signal.raise_signal(9)", imports=_module("signal"))),
            ("contract", "a null pointer", cache("ctypes.string_at(0)", imports=_module("ctypes"))),
            ("contract", "exit()", cache("exit()"), "not in the policy language"),
            ("contract", "raise SystemExit", cache("raise SystemExit"), "raise is not"),
            ("contract", "a recursion limit", cache("sys.setrecursionlimit(1)", imports=_module("sys"))),
        ],
    ),
    *cases(
        "the compiler",
        "cache",
        [
            ("contract", "import numba", cache("x = numba", imports=_module("numba")), "not numba"),
            ("contract", "objmode", cache(imports=IMPORTS + "from numba import objmode\n"), "not numba"),
            ("contract", "np.ctypeslib", cache("x = np.ctypeslib.as_array(slot)"), "np.ctypeslib is not"),
            ("contract", "np.core", cache("x = np.core.multiarray"), "np.core is not"),
            ("contract", "a submodule of numpy", cache(imports="import numpy.linalg as np\nfrom metamuse.policykit import List\n")),
            ("contract", "everything of numpy", cache(imports=IMPORTS + "from numpy import *\n")),
            ("contract", "a module of policykit", cache(imports=IMPORTS + "from metamuse.policykit.linked import List as L\n")),
            ("contract", "the executor", cache(imports=IMPORTS + "from metamuse import executor\n"), "metamuse.executor"),
            ("contract", "a relative import", cache(imports=IMPORTS + "from . import evaluators\n")),
            ("contract", "an import inside a method", cache("import os"), "at the top"),
            ("contract", "the machinery's own names", cache("x = rt__rec(slot)"), "rt__rec"),
            ("contract", "the state of compiled code", cache("x = S__.a_order"), "S__"),
        ],
    ),
    *_calls(
        "files, environment, network",
        {
            "open a file": "x = open('/etc/passwd')",
            "read the parent's environment": "x = open('/proc/self/environ')",
            "os.environ": "x = os.environ",
            "a socket": "s = socket.socket()",
            "np.load": "x = np.load(slot)",
            "np.save": "np.save(slot, slot)",
            "np.memmap": "x = np.memmap(slot)",
            "np.genfromtxt": "x = np.genfromtxt(slot)",
            "ndarray.tofile": "self.order.tofile(slot)",
            "ndarray.dump": "x = np.zeros(3)\nx.dump(slot)",
            "input()": "x = input()",
            "the clock": "x = time.time()",
            "__import__": "x = __import__('os')",
            "eval": "x = eval('1')",
            "exec": "exec('x = 1')",
            "compile": "x = compile('1', '', 'eval')",
        },
    ),
    *_calls(
        "the trace's future",
        {
            "frames": "f = sys._getframe(1)",
            "a generator's frame": "g = (x for x in range(3))\ny = g.gi_frame.f_back",
            "a traceback's frame": "try:\n    x = 1 // 0\nexcept ZeroDivisionError as error:\n    y = error.__traceback__.tb_frame",
            "closure cells": "x = self.victim.__closure__",
            "globals of a method": "x = self.victim.__globals__",
            "globals()": "x = globals()",
            "the garbage collector": "x = gc.get_objects()",
            "the buffer under an array": "x = np.zeros(3).base",
            "the address of an array": "x = np.zeros(3).ctypes",
        },
    ),
    *cases(
        "monkey-patching",
        "cache",
        [
            ("contract", "np.zeros", cache("np.zeros = 1"), "only attributes of self"),
            ("contract", "math.pi", cache("math.pi = 3.0"), "only attributes of self"),
            ("contract", "a method of List", cache("List.push_front = 1"), "only attributes of self"),
            ("contract", "a method of a structure", cache("self.order.push_front = 1"), "only attributes of self"),
            ("contract", "its own class", cache("Policy.victim = 1"), "only attributes of self"),
            ("contract", "its own method", cache("self.victim = 1"), "is a method"),
            ("contract", "a builtin", cache("len = 1"), "builtin"),
            ("contract", "an import", cache("np = 1"), "may not be assigned to"),
            ("contract", "self", cache("self = 1"), "self may not be assigned to"),
            ("contract", "builtins under another name", cache(imports=IMPORTS + "import math as __builtins__\n")),
            ("contract", "the inside of a list", cache("self.order.after[0] = 5"), ".after is not"),
            ("contract", "the inside of a tree", cache("self.tree.maxima[1] = 9", init="self.tree = Tree(4)"), ".maxima is not"),
            ("contract", "the inside of a tree, by the name it once had", cache("self.tree.top[1] = 9", init="self.tree = Tree(4)"), "Tree has no top"),
            ("contract", "the length of a list", cache("self.order.size = 0"), "only attributes of self"),
            ("contract", "a structure in place of another", cache("self.order = 1"), "only be assigned in __init__"),
        ],
    ),
    *cases(
        "the simulator's arrays",
        "binpacking",
        [
            ("compile", "an element", bins("r = remaining\nr[0] = 1000"), "read only"),
            ("compile", "a slice", bins("remaining[:n_open] = 1000"), "read only"),
            ("compile", "in place", bins("r = remaining[:n_open]\nr += 5"), "read only"),
            ("compile", "sort()", bins("remaining.sort()"), "read only"),
            ("compile", "fill()", bins("remaining.fill(1000)"), "read only"),
            ("compile", "in another method", bins("self.wreck(remaining)", methods="def wreck(self, r):\n    r.fill(1000)"), "read only"),
            ("compile", "by a mask", bins("r = remaining\nr[r > 0] = 1000")),
            ("contract", "the parameter", bins("remaining += 1000"), "may not be assigned"),
            ("ok", "its copy", bins("r = remaining.copy()\nr.fill(1000)\nr.sort()\nr += 5")),
        ],
    ),
]  # fmt: skip
