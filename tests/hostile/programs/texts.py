"""Texts that are hard on a parser, a checker or a compiler."""

from __future__ import annotations

from tests.hostile.case import bins, cache, cases


def _nested(count: int) -> str:
    return "".join("    " * i + f"for i{i} in range(1):\n" for i in range(count)) + "    " * count + "x = 1"


def _doubling(count: int) -> str:
    """Each function hands the next a pair of what it got: 2 ** count types in one."""
    parts = [f"def f{i}(x):\n    return f{i + 1}((x, x))\n" for i in range(count)]
    return "\n".join([*parts, f"def f{count}(x):\n    return 1\n"])


_WIDE = str.maketrans("abcdefghijklmnopqrstuvwxyz_", "".join(chr(0xFF41 + i) for i in range(26)) + "\uff3f")

CASES = [
    *cases(
        "literals",
        "cache",
        [
            ("parse", "5,000 digits", cache("x = " + "9" * 5000), "4300 digits"),
            ("contract", "40,000 hexadecimal digits", cache("x = 0x" + "f" * 40_000), "64 bits"),
            ("contract", "a string of 40,000 characters", cache("x = '" + "x" * 40_000 + "'"), "strings"),
            ("contract", "bytes", cache("x = b'abc'"), "bytes"),
            ("contract", "a complex number", cache("x = 1j"), "complex"),
            ("contract", "an ellipsis", cache("x = ..."), "'...'"),
            ("crash", "7 ** 10 ** 9 at the top", cache(top="C = 7 ** 10 ** 9\n"), "64 bits"),
            ("crash", "1 << 10 ** 12 at the top", cache(top="C = 1 << 10 ** 12\n"), "shift"),
            ("ok", "an infinite float", cache("x = 1e999")),
        ],
    ),
    *cases(
        "compile time",
        "cache",
        [
            ("parse", "300 parentheses", cache("x = " + "(" * 300 + "1" + ")" * 300), "nested parentheses"),
            ("parse", "20,000 minus signs", cache("x = " + "-" * 20_000 + "1"), "several statements"),
            ("parse", "9,000 additions", cache("x = " + "1 + " * 9_000 + "1"), "several statements"),
            ("parse", "9,000 attributes", cache("x = now" + ".size" * 9_000), "several statements"),
            ("parse", "9,000 powers", cache("x = " + "2 ** " * 9_000 + "1"), "several statements"),
            ("parse", "25 nested loops", cache(_nested(25)), "nested blocks"),
            ("contract", "100 branches of elif", cache("if now == 0:\n    pass\n" + "".join(f"elif now == {i}:\n    pass\n" for i in range(1, 101))), "each elif"),
            ("contract", "2,000 methods", cache(methods="\n".join(f"def f{i}(self):\n    return 1" for i in range(1_500))), "too large"),
            ("contract", "100 methods", cache(methods="\n".join(f"def f{i}(self):\n    return 1" for i in range(100))), "at most 80"),
            ("contract", "a giant union of comparisons", cache("x = " + " or ".join(f"now == {i}" for i in range(2_000))), "too large"),
            ("contract", "3,000 statements", cache("\n".join(f"x{i} = {i}" for i in range(3_000))), "too large"),
            ("ok", "as many statements as are allowed", cache("x = 0\n" + "\n".join(f"x = x + {i}" for i in range(700)))),
            ("compile", "a type that doubles 40 times", cache("x = f0(now)", top=_doubling(40)), "more simply"),
        ],
    ),
    *cases(
        "compile time",
        "binpacking",
        [
            ("timeout", "a local tuple that doubles 40 times", bins("t0 = (item, item)\n" + "\n".join(f"t{i + 1} = (t{i}, t{i})" for i in range(40)))),
        ],
    ),
    *cases(
        "characters",
        "cache",
        [
            ("parse", "a NUL", cache() + "\0", "delete it"),
            ("ok", "a NUL spelt in a docstring", cache(top='"""A \\0 in here."""\n')),
            ("parse", "half of a surrogate pair", cache(top="# \ud800\n"), "delete it"),
            ("ok", "half of a surrogate pair spelt in a docstring", cache(top='"""A \\ud800 in here."""\n')),
            ("parse", "letters shown in another order than they run", cache("x = 1  # \u202e now = x"), "U+202E"),
            ("ok", "commands to a terminal in a docstring", cache(top='"""\\x1b[2J\\x1b]0;gone\\x07 tidy."""\n')),
            ("ok", "a byte order mark", "\ufeff" + cache()),
            ("ok", "lines that end in CR LF", cache().replace("\n", "\r\n")),
            ("ok", "tabs", cache().replace("    ", "\t")),
            ("parse", "tabs and spaces", cache().replace("        return self", "\treturn self"), "tabs and spaces"),
            ("ok", "a form feed", cache().replace("class Policy", "\f\nclass Policy")),
            ("ok", "a comment of 50,000 characters", cache("x = 1  # " + "x" * 50_000)),
            ("ok", "an encoding that is not its own", "# -*- coding: utf-7 -*-\n" + cache()),
            ("parse", "__dict__ in wide letters", cache("x = self." + "__dict__".translate(_WIDE)), "use ASCII"),
            ("contract", "eval in wide letters", cache("x = " + "eval".translate(_WIDE) + "(1)"), "eval"),
            ("contract", "the import of os in wide letters", cache("import " + "os".translate(_WIDE)), "at the top"),
            ("contract", "a Cyrillic name", cache("с = now"), "ASCII"),
            ("contract", "a Cyrillic attribute", cache("x = self.оrder"), "ASCII"),
            ("parse", "curly quotes", cache("x = ‘1’"), "invalid character"),
            ("ok", "code fences in a docstring", cache(top='"""Here:\n```python\nimport os\nos._exit(0)\n```\nDone."""\n')),
            ("contract", "code fences in a string", cache("x = '```python\\nimport os\\n```'"), "strings"),
            ("parse", "prose around the code", "Sure! Here is the policy:\n```python\n" + cache() + "```\n", "not valid Python"),
            ("contract", "nothing", "", "class Policy"),
        ],
    ),
]  # fmt: skip
