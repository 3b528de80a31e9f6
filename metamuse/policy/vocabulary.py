"""The words of the policy language: what may be imported, called and read, and hints for what may not."""

from __future__ import annotations

import ast
import inspect

import metamuse.policykit

MATH = frozenset(
    [
        "acos",
        "asin",
        "atan",
        "atan2",
        "ceil",
        "copysign",
        "cos",
        "cosh",
        "degrees",
        "e",
        "erf",
        "erfc",
        "exp",
        "expm1",
        "fabs",
        "floor",
        "fmod",
        "hypot",
        "inf",
        "isfinite",
        "isinf",
        "isnan",
        "log",
        "log10",
        "log1p",
        "log2",
        "nan",
        "pi",
        "pow",
        "radians",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "tau",
        "trunc",
    ]
)
NUMPY = frozenset(
    [
        "abs",
        "absolute",
        "all",
        "any",
        "arange",
        "argmax",
        "argmin",
        "argsort",
        "array",
        "bool_",
        "ceil",
        "clip",
        "copy",
        "cos",
        "count_nonzero",
        "cumsum",
        "exp",
        "expm1",
        "flatnonzero",
        "float64",
        "floor",
        "full",
        "full_like",
        "inf",
        "int16",
        "int32",
        "int64",
        "int8",
        "isfinite",
        "isinf",
        "isnan",
        "log",
        "log10",
        "log1p",
        "log2",
        "max",
        "maximum",
        "mean",
        "min",
        "minimum",
        "nan",
        "ones",
        "ones_like",
        "pi",
        "power",
        "searchsorted",
        "sign",
        "sin",
        "sort",
        "sqrt",
        "square",
        "std",
        "sum",
        "tanh",
        "var",
        "where",
        "zeros",
        "zeros_like",
    ]
)
BUILTINS = frozenset(
    [
        "abs",
        "bool",
        "divmod",
        "enumerate",
        "float",
        "int",
        "len",
        "max",
        "min",
        "pow",
        "range",
        "round",
        "sum",
        "zip",
    ]
)
POLICYKIT = frozenset(metamuse.policykit.__all__)
TABLES = {"math": MATH, "numpy": NUMPY, "metamuse.policykit": POLICYKIT}

#: Names of math and numpy that are numbers; everything else is a function or a dtype.
NUMBERS = frozenset(["e", "inf", "nan", "pi", "tau"])
#: dtypes of numpy; ``int``, ``float`` and ``bool`` stand for the wide ones.
DTYPES = frozenset(["bool_", "float64", "int16", "int32", "int64", "int8"])
#: dtypes that may also be called to convert a number (the narrow ones wrap around, so they may not).
CONVERSIONS = {"int64": "int", "float64": "float", "bool_": "bool"}
#: Functions of numpy that take one array (and no axis).
ONE_ARRAY = frozenset(
    [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "count_nonzero",
        "cumsum",
        "flatnonzero",
        "max",
        "mean",
        "min",
        "sort",
        "std",
        "sum",
        "var",
    ]
)
NUMPY_KEYWORDS = frozenset(["dtype", "fill_value", "shape", "side"])

#: How many arguments functions take: fewest and most. Not named: numpy's and math's take one.
ARITY: dict[tuple[str, str], tuple[int, int]] = {
    ("", "divmod"): (2, 2), ("", "enumerate"): (1, 2), ("", "max"): (1, 99), ("", "min"): (1, 99), ("", "pow"): (2, 2),
    ("", "range"): (1, 3), ("", "zip"): (1, 99), ("math", "atan2"): (2, 2), ("math", "copysign"): (2, 2),
    ("math", "fmod"): (2, 2), ("math", "hypot"): (2, 2), ("math", "log"): (1, 2), ("math", "pow"): (2, 2),
    ("numpy", "arange"): (1, 4), ("numpy", "array"): (1, 2), ("numpy", "clip"): (3, 3), ("numpy", "full"): (2, 3),
    ("numpy", "full_like"): (2, 3), ("numpy", "maximum"): (2, 2), ("numpy", "minimum"): (2, 2),
    ("numpy", "ones"): (1, 2), ("numpy", "ones_like"): (1, 2), ("numpy", "power"): (2, 2),
    ("numpy", "searchsorted"): (2, 3), ("numpy", "where"): (3, 3), ("numpy", "zeros"): (1, 2),
    ("numpy", "zeros_like"): (1, 2),
}  # fmt: skip

#: What to write for other uses of some of them.
OTHERWISE = {
    "pow": "; write (a ** b) % c",
    "round": "; write round(x * 100) / 100",
    "sum": "; add the start to its result",
    "where": "; for positions use np.flatnonzero",
}

#: What may follow the dot of a local array.
ARRAY_MEMBERS = frozenset(
    [
        "all",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "copy",
        "fill",
        "max",
        "mean",
        "min",
        "ndim",
        "shape",
        "size",
        "sort",
        "std",
        "sum",
        "var",
    ]
)
_KITS = [getattr(metamuse.policykit, name) for name in metamuse.policykit.__all__]
#: What may follow the dot of a policykit structure (which of them has what is known only later).
KIT_MEMBERS = frozenset(
    name for kit in _KITS if inspect.isclass(kit) for name in vars(kit) if not name.startswith("_")
) | {"size", "n", "limit"}

#: Numpy names that a model reaches for, with what to write instead.
INSTEAD = {
    "append": "an array of fixed size, or policykit's Vector, Ring or Stack",
    "argpartition": "np.argsort",
    "bool": "np.bool_",
    "concatenate": "an array of fixed size",
    "dot": "np.sum(a * b)",
    "empty": "np.zeros (np.empty holds arbitrary memory)",
    "empty_like": "np.zeros_like",
    "exp2": "2.0 ** x",
    "float16": "np.float64",
    "float32": "np.float64",
    "int_": "np.int64",
    "intp": "np.int64",
    "median": "np.sort(a)[len(a) // 2]",
    "mod": "the % operator",
    "percentile": "np.sort(a) and an index",
    "quantile": "np.sort(a) and an index",
    "random": "metamuse.policykit.Rng(seed)",
    "round": "round(x) on numbers",
    "uint": "np.int64",
    "uint16": "np.int64 (or np.int32 to save memory)",
    "uint32": "np.int64",
    "uint64": "np.int64",
    "uint8": "np.int64 (or np.int16 to save memory)",
}

#: Builtins of Python that are not in the language.
FORBIDDEN_CALLS = frozenset(
    [
        "eval",
        "exec",
        "compile",
        "open",
        "print",
        "input",
        "getattr",
        "setattr",
        "delattr",
        "hasattr",
        "globals",
        "locals",
        "vars",
        "dir",
        "type",
        "super",
        "isinstance",
        "issubclass",
        "object",
        "memoryview",
        "bytes",
        "bytearray",
        "str",
        "repr",
        "format",
        "list",
        "dict",
        "set",
        "frozenset",
        "sorted",
        "map",
        "filter",
        "any",
        "all",
        "iter",
        "next",
        "hash",
        "id",
        "callable",
        "slice",
        "property",
        "classmethod",
        "staticmethod",
        "breakpoint",
        "help",
        "exit",
        "quit",
        "complex",
        "chr",
        "ord",
        "hex",
        "oct",
        "bin",
        "ascii",
        "reversed",
        "tuple",
    ]
)

STATEMENTS = (
    ast.Assign, ast.AugAssign, ast.AnnAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue,
    ast.Return, ast.Pass, ast.Expr,
)  # fmt: skip
EXPRESSIONS = (
    ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Attribute, ast.Subscript,
    ast.Slice, ast.Name, ast.Constant, ast.Tuple,
    ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip

_NO_COMPREHENSION = "comprehensions are not in the policy language; fill a numpy array in a loop"
_NO_DICT = "dictionaries are not in the policy language; index numpy arrays by slot"
_NO_LATE_IMPORT = "imports must stand at the top of the module"
#: What to say of syntax that is not in the language.
HINTS: dict[type[ast.AST], str] = {
    ast.ListComp: _NO_COMPREHENSION,
    ast.SetComp: _NO_COMPREHENSION,
    ast.DictComp: _NO_DICT,
    ast.Dict: _NO_DICT,
    ast.GeneratorExp: "generator expressions are not in the policy language; write a loop",
    ast.Set: "sets are not in the policy language; use a numpy bool array",
    ast.List: "lists are not in the policy language; use numpy arrays or policykit's List, Ring, Stack",
    ast.Lambda: "lambda is not in the policy language; write a method",
    ast.Try: "try/except is not in the policy language; test the condition first",
    ast.TryStar: "try/except is not in the policy language; test the condition first",
    ast.With: "with is not in the policy language; delete it",
    ast.Raise: "raise is not in the policy language; return a legal value on every path",
    ast.Assert: "assert is not in the policy language; delete it",
    ast.JoinedStr: "strings are not in the policy language (docstrings aside); delete it",
    ast.Delete: "del is not in the policy language; write -1 or 0 into the array instead",
    ast.Global: "global is not in the policy language; keep state in attributes of self",
    ast.Nonlocal: "nonlocal is not in the policy language; keep state in attributes of self",
    ast.FunctionDef: "functions inside functions are not in the policy language; write a method",
    ast.AsyncFunctionDef: "async is not in the policy language; write a plain method",
    ast.AsyncFor: "async is not in the policy language; write a plain loop",
    ast.AsyncWith: "async is not in the policy language; delete it",
    ast.ClassDef: "only one class, Policy, is allowed; use policykit's structures or arrays",
    ast.Import: _NO_LATE_IMPORT,
    ast.ImportFrom: _NO_LATE_IMPORT,
    ast.NamedExpr: "the := operator is not in the policy language; assign on a line of its own",
    ast.Starred: "starred arguments are not in the policy language; write the arguments out",
    ast.MatMult: "the @ operator is not in the policy language; write np.sum(a * b)",
    ast.Is: "'is' is not in the policy language; compare with == (there is no None, use -1)",
    ast.IsNot: "'is not' is not in the policy language; compare with != (there is no None, use -1)",
    ast.Yield: "yield is not in the policy language; return a value",
    ast.YieldFrom: "yield is not in the policy language; return a value",
    ast.Await: "await is not in the policy language; write a plain call",
    ast.Match: "match is not in the policy language; use if/elif",
}  # fmt: skip


def unknown(module: str, name: str) -> str:
    """The sentence for a name that a module of the language does not have."""
    if module == "metamuse.policykit":
        return f"metamuse.policykit has no {name}; it has {', '.join(sorted(POLICYKIT))}"
    if module == "numpy":
        if name in INSTEAD:
            return f"np.{name} is not in the policy language; use {INSTEAD[name]}"
        return f"np.{name} is not in the policy language; numpy here has {', '.join(sorted(NUMPY))}"
    return f"math.{name} is not in the policy language; math here has {', '.join(sorted(MATH))}"
