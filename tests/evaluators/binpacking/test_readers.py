"""Instance files: exact numbers, names, and one clear sentence for every fault."""

from __future__ import annotations

import gzip
import json
import lzma
import time
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.binpacking import decimals
from evaluators.binpacking.readers import read_streams

TWO = "2\n a\n 150 3 1\n40\n50\n60\n b\n 100 2 2\n100\n1\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fault(path: Path) -> str:
    with pytest.raises(WorkloadError) as caught:
        read_streams(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


def contents(path: Path) -> list[tuple[int, list[int]]]:
    return [(stream.capacity, stream.items.tolist()) for stream in read_streams(path)]


# --- what is read -------------------------------------------------------------------------------------------


def test_or_library(tmp_path: Path) -> None:
    path = write(tmp_path / "x.txt", TWO)
    assert contents(path) == [(150, [40, 50, 60]), (100, [100, 1])]
    assert [stream.name for stream in read_streams(path)] == [f"{path}#a", f"{path}#b"]


@pytest.mark.parametrize(
    "text",
    [
        TWO.replace("\n", "\r\n"),
        TWO.replace("40\n50\n60", "40 50\t60"),
        TWO.replace("40\n", "\n\n40\n"),
        TWO.rstrip(),
        TWO + "\n \n",
        TWO.replace("150 3 1", "150 3"),
    ],
)
def test_or_library_with_other_white_space(tmp_path: Path, text: str) -> None:
    assert contents(write(tmp_path / "x.txt", text)) == [(150, [40, 50, 60]), (100, [100, 1])]


def test_json(tmp_path: Path) -> None:
    text = '{"a": {"capacity": 10, "items": [3, 4]}, "b": {"items": [1], "capacity": 5, "num_items": 1}}'
    path = write(tmp_path / "x.json", text)
    assert contents(path) == [(10, [3, 4]), (5, [1])]
    assert [stream.name for stream in read_streams(path)] == [f"{path}#a", f"{path}#b"]


def test_a_single_instance_is_named_like_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "x", '\n {"a": {"capacity": 10, "items": [3]}}')
    assert read_streams(path)[0].name == str(path)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".xz", lzma.compress)])
def test_compressed(tmp_path: Path, suffix: str, pack) -> None:
    path = write(tmp_path / f"x.txt{suffix}", pack(TWO.encode()))
    assert contents(path)[0] == (150, [40, 50, 60])
    assert "cut off" in fault(write(path, path.read_bytes()[:-9]))


@pytest.mark.parametrize(
    ("capacity", "items", "scaled"),
    [
        ("100.0", "49.5 25.0 100", (1000, [495, 250, 1000])),
        ("100.0", "50 25.0 1e2", (100, [50, 25, 100])),
        ("1", "0.3662 .5 +1.", (10000, [3662, 5000, 10000])),
        ("1e3", "2E+2 1.5e1 0.0000001e9", (1000, [200, 15, 100])),
        ("9223372036854775807", "1 9223372036854775806", (2**63 - 1, [1, 2**63 - 2])),
        ("1.000000000000000000000000", "0.5000000000000000000000", (10, [5])),
        ("1", "0.36620000000000003", (10**17, [36620000000000003])),
    ],
)
def test_fractions_are_scaled_exactly(
    tmp_path: Path, capacity: str, items: str, scaled: tuple[int, list[int]]
) -> None:
    count = len(items.split())
    text = f"1\nx\n{capacity} {count} 1\n{items}\n"
    assert contents(write(tmp_path / "x.txt", text)) == [scaled]
    if all(word[0].isdigit() and word[-1].isdigit() for word in items.split()):  # JSON is stricter
        text = f'{{"x": {{"capacity": {capacity}, "items": [{", ".join(items.split())}]}}}}'
        assert contents(write(tmp_path / "x.json", text)) == [scaled]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.decimals(-(10**18), 10**18, allow_nan=False).filter(lambda x: len(x.as_tuple().digits) < 19),
        min_size=1,
        max_size=20,
    )
)
def test_numbers_are_those_of_the_decimal_module(numbers: list[Decimal]) -> None:
    text = np.frombuffer(" ".join(map(str, numbers)).encode(), dtype=np.uint8)
    mantissas, shifts = np.zeros((2, len(numbers)), dtype=np.int64)
    assert decimals.parse(text, 0, mantissas, shifts) == (len(numbers), len(text), decimals.OK)
    read = [
        Decimal(int(mantissa)).scaleb(-int(shift)) for mantissa, shift in zip(mantissas, shifts, strict=True)
    ]
    assert read == numbers


def test_millions_of_items_take_seconds(tmp_path: Path) -> None:
    sizes = np.random.default_rng(1).integers(1, 101, 500_000)
    listed = "\n".join(map(str, sizes.tolist()))
    files = [
        write(tmp_path / "x.txt", f"1\nx\n100 {len(sizes)} 1\n{listed}\n"),
        write(tmp_path / "x.json", json.dumps({"x": {"capacity": 100, "items": sizes.tolist()}})),
        write(tmp_path / "f.json", json.dumps({"x": {"capacity": 1, "items": (sizes / 100).tolist()}})),
    ]
    write(tmp_path / "warm.txt", TWO)
    read_streams(tmp_path / "warm.txt")
    for path in files:
        began = time.process_time()
        (stream,) = read_streams(path)
        assert time.process_time() - began < 3.0
        assert stream.capacity == 100
        assert np.array_equal(stream.items, sizes)


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ": the file is empty"),
        (" \n\n", ": the file is empty"),
        ("twenty\n", ": line 1: expected the number of instances (or JSON), found 'twenty'"),
        ("0\n", ": line 1: expected the number of instances (or JSON), found '0'"),
        ("1\n", ": line 2: the file ends before the name of the next instance"),
        ("1\na\n", ": line 3: the file ends before the line `capacity items best` of a"),
        ("1\na\n150\n", ": line 3: expected `capacity items best` of 'a', found '150'"),
        ("1\na\n150 0 0\n", ": line 3: expected `capacity items best` of 'a', found '150 0 0'"),
        ("1\na\nx 1 0\n5\n", ": line 3: the capacity of a, 'x', is no number"),
        ("1\na\n150 999999999999 0\n5\n", ": line 3: a claims 999,999,999,999 items, more than the file"),
        (TWO.removesuffix("1\n"), ": line 10: the file ends after 1 of 2 items of b"),
        (TWO.replace("2 2\n", "3 2\n"), ": line 11: the file ends after 2 of 3 items of b"),
        (TWO.replace("150 3", "150 4"), ": line 7: item 4 of 4 of a, 'b', is no number"),
        (TWO.replace("150 3", "150 2"), ": line 7: expected `capacity items best` of '60', found 'b'"),
        ("1" + TWO[1:], ": line 7: 'b' follows after the last of 1 instances"),
        ("3" + TWO[1:], ": line 11: the file ends before the name of the next instance"),
        (TWO.replace(" b\n", "a\n"), ": two instances are called 'a'"),
        (TWO.replace("50\n6", "5,0\n6"), ": line 5: item 2 of 3 of a, '5,0', is no number"),
        (TWO.replace("50\n6", "nan\n6"), ": line 5: item 2 of 3 of a, 'nan', is no number"),
        (TWO.replace("50\n6", "1e\n6"), ": line 5: item 2 of 3 of a, '1e', is no number"),
        (TWO.replace("50\n6", ".\n6"), ": line 5: item 2 of 3 of a, '.', is no number"),
        (
            TWO.replace("50\n6", "1" + 19 * "1" + "\n6"),
            ": line 5: item 2 of 3 of a, '11111111111111111111', has more digits than 64 bits hold",
        ),
        (TWO.replace("50\n6", "151\n6"), "#a: item 2 (line 5) has size 151, but a bin holds 150"),
        (TWO.replace("50\n6", "0\n6"), "#a: item 2 (line 5) has size 0, but it must be above 0"),
        (TWO.replace("50\n6", "-0.5\n6"), "#a: item 2 (line 5) has size -0.5, but it must be above 0"),
        (TWO.replace("150 3", "0 3"), "#a: the capacity is 0, it must be above 0"),
        (TWO.replace("50\n6", "0.0000000000000000001\n6"), "#a: as whole numbers, times 10**19, the sizes"),
        (TWO.replace("150 3", "1e19 3"), "#a: as whole numbers, times 10**0, the sizes do not fit 64 bits"),
    ],
)
def test_faults_of_or_library_files(tmp_path: Path, text: str, message: str) -> None:
    assert fault(write(tmp_path / "x.txt", text)).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"capacity": 10, "items": [3, 4]}', ": line 1, column 40: not JSON ("),
        ('{\n"a": oops}', ": line 2, column 6: not JSON (Expecting value)"),
        ("{}", ": there are no instances in it"),
        ('{"a": 3}', '#a: expected {"capacity": ..., "items": [...]}, found \'3\''),
        ('{"a": 1.5}', '#a: expected {"capacity": ..., "items": [...]}, found \'1.5\''),
        ('{"a": [1, 2]}', '#a: expected {"capacity": ..., "items": [...]}, found a list'),
        ('{"capacity": 10, "items": [3]}', '#capacity: expected {"capacity": ..., "items": [...]}, found'),
        ('{"a": {"items": [3]}}', '#a: expected {"capacity": ..., "items": [...]}, found an object with the'),
        ('{"a": {"capacity": 10, "items": []}}', "#a: there are no items"),
        ('{"a": {"capacity": 10, "items": [3, "4"]}}', "#a: item 2 is '\"4\"', not a number"),
        ('{"a": {"capacity": 10, "items": [3, true]}}', "#a: item 2 is 'true', not a number"),
        ('{"a": {"capacity": 10, "items": [null]}}', "#a: item 1 is 'null', not a number"),
        ('{"a": {"capacity": 10, "items": [[3]]}}', "#a: item 1 is a list, not a number"),
        ('{"a": {"capacity": "10", "items": [3]}}', "#a: the capacity is '\"10\"', not a number"),
        ('{"a": {"capacity": 10, "items": [3, NaN]}}', ": NaN is not a size"),
        ('{"a": {"capacity": 10, "items": [3, Infinity]}}', ": Infinity is not a size"),
        ('{"a": {"capacity": 10, "items": [3, 9223372036854775808]}}', "#a: item 2 does not fit 64 bits"),
        ('{"a": {"capacity": 10, "items": [3, 9223372036854775808.5]}}', "#a: item 2 has more digits than"),
        ('{"a": {"capacity": 10, "items": [3], "num_items": 2}}', "#a: num_items is '2', but there are 1"),
        ('{"a": {"capacity": 10, "items": [3, 11]}}', "#a: item 2 of 2 has size 11, but a bin holds 10"),
        (
            '{"a": {"capacity": 1, "items": [0.5, 1.25]}}',
            "#a: item 2 of 2 has size 1.25, but a bin holds 1.00",
        ),
        ('{"a": {"capacity": 10, "items": [3, 0.0]}}', "#a: item 2 of 2 has size 0, but it must be above 0"),
        ('{"a": {"capacity": -1, "items": [3]}}', "#a: the capacity is -1, it must be above 0"),
        (
            '{"a": {"capacity": 1, "items": [1]}, "a": {"capacity": 1, "items": [1]}}',
            ": the key 'a' occurs twice",
        ),
        ('{"a": ' + "[" * 100_000, ": not JSON in UTF-8 of ordinary depth"),
        ('{"a": ' + "1" * 5000 + "}", ": a number in it has thousands of digits"),
        (b'{"\xff": 1}', ": not JSON in UTF-8 of ordinary depth"),
    ],
)
def test_faults_of_json_files(tmp_path: Path, text: str | bytes, message: str) -> None:
    text = text.replace("}}", '}, "z": {"capacity": 1, "items": [1]}}') if isinstance(text, str) else text
    assert fault(write(tmp_path / "x.json", text)).startswith(message)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    assert fault(tmp_path / "no.txt") == ": no such file"
    assert fault(tmp_path).startswith(": is a directory")
