"""Trace files: every format round trips, every fault is one sentence with the file and the position."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators.base import WorkloadError
from evaluators.cache import oracle, tables
from evaluators.cache.oracle import RECORD
from evaluators.cache.readers import read_trace

KEYS = [2**64 - 1, 5, 2**64 - 1, 0, 5]
IDS = [0, 1, 0, 2, 1]
SIZES = [10, 20, 10, 30, 20]
TIMES = [3, 4, 4, 5, 9]


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".zst": zstd,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
}


def oracle_bytes(keys: Sequence[int], sizes: Sequence[int], times: Sequence[int]) -> bytes:
    records = np.zeros(len(keys), RECORD)
    records["object"], records["size"], records["time"], records["next"] = keys, sizes, times, -1
    return records.tobytes()


def write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def read(path: str, **kwargs: Any) -> tuple[list[int], list[int] | None, list[int] | None]:
    trace = read_trace(path, **kwargs)
    assert trace.name == path
    assert trace.ids.dtype == np.int32
    return (
        trace.ids.tolist(),
        None if trace.sizes is None else trace.sizes.tolist(),
        None if trace.times is None else trace.times.tolist(),
    )


def fault(path: str, **kwargs: Any) -> str:
    """The message of the error that reading gives: one sentence that starts with the file."""
    with pytest.raises(WorkloadError) as caught:
        read_trace(path, **kwargs)
    message = str(caught.value)
    assert message.startswith(path) and "\n" not in message
    return message[len(path) :]


# --- oracleGeneral ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize(
    "stem", ["t.bin", "t.oracleGeneral", "t.oracleGeneral.bin", "t.oracleGeneral.sample10"]
)
def test_oracle_round_trip(tmp_path: Path, stem: str, suffix: str) -> None:
    path = write(tmp_path / (stem + suffix), COMPRESS[suffix](oracle_bytes(KEYS, SIZES, TIMES)))
    assert read(path) == (IDS, None, None)
    assert read(path, sizes=True, times=True) == (IDS, SIZES, TIMES)


def test_oracle_chunks_join(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "_CHUNK_RECORDS", 3)
    frames = b"".join(zstd(oracle_bytes([k], [s], [0])) for k, s in zip(KEYS, SIZES, strict=True))
    assert read(write(tmp_path / "t.bin.zst", frames), sizes=True) == (IDS, SIZES, None)


@pytest.mark.parametrize("suffix", COMPRESS)
def test_oracle_truncated_record(tmp_path: Path, suffix: str) -> None:
    data = oracle_bytes(KEYS, SIZES, TIMES)[:-4]
    message = fault(write(tmp_path / f"t.bin{suffix}", COMPRESS[suffix](data)))
    assert ": record 5 at byte 96 is cut off: it has 20 of 24 bytes" in message


@pytest.mark.parametrize("suffix", [".zst", ".gz", ".xz"])
def test_damaged_compression(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).bytes(24 * 4000)
    whole = COMPRESS[suffix](noise)
    assert f"the {suffix} data is corrupt or cut off" in fault(write(tmp_path / f"t.bin{suffix}", whole[:-9]))
    assert "after byte" in fault(write(tmp_path / f"u.bin{suffix}", whole[: len(whole) // 2]))
    assert "corrupt or cut off" in fault(write(tmp_path / f"v.bin{suffix}", b"this is not compressed at all"))
    assert "corrupt or cut off" in fault(write(tmp_path / f"w.csv{suffix}", b"this is not compressed at all"))


def test_oracle_zero_size(tmp_path: Path) -> None:
    path = write(tmp_path / "t.bin", oracle_bytes(KEYS, [1, 1, 1, 0, 1], TIMES))
    assert fault(path, sizes=True) == ": record 4: size is 0; sizes must be at least 1 byte"
    assert read(path) == (IDS, None, None)


# --- delimited text and id lists ----------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", COMPRESS)
def test_csv_with_known_names(tmp_path: Path, suffix: str) -> None:
    text = "version,time,op,size,lbn\n" + "".join(
        f"1,{t},R,{s},{k}\n" for k, s, t in zip(KEYS, SIZES, TIMES, strict=True)
    )
    path = write(tmp_path / f"t.csv{suffix}", COMPRESS[suffix](text.encode()))
    assert read(path, sizes=True, times=True) == (IDS, SIZES, TIMES)


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    text = "url,bytes\na,1\nb,2\na,1\n".replace(",", delimiter)
    assert read(write(tmp_path / "t.csv", text), sizes=True) == ([0, 1, 0], [1, 2, 1], None)
    if delimiter == "\t":
        assert read(write(tmp_path / "t.tsv", text)) == ([0, 1, 0], None, None)


@pytest.mark.parametrize(
    "keys",
    [
        ["1", "2", "1"],
        ["-1", "1", "-1"],
        ["18446744073709551615", "18446744073709551614", "18446744073709551615"],  # not as floats
        ["9007199254740993", "9007199254740992", "9007199254740993"],
        ["1", "x", "1"],
        ["1.0", "1.00", "1.0"],
        ["NA", "nan", "NA"],
        ['"a,b"', "a", '"a,b"'],
        ["é", "e", "é"],
        ["true", "false", "true"],
        ["2024-01-01", "2024-01-02", "2024-01-01"],
    ],
)
def test_keys_of_any_kind(tmp_path: Path, keys: list[str]) -> None:
    text = "\n".join(["key,other", *(f"{key},?" for key in keys)])
    assert read(write(tmp_path / "t.csv", text)) == ([0, 1, 0], None, None)


def test_late_string_after_many_integers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK_BYTES", 256)
    keys = [str(i % 50) for i in range(1000)] + ["x"] + ["007"]
    ids = read(write(tmp_path / "t.csv", "key\n" + "\n".join(keys)))[0]
    assert ids == [i % 50 for i in range(1000)] + [50, 51]


def test_chosen_columns_win(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "key,Block,n,size\n1,a,5,7\n2,a,6,7\n")
    assert read(path)[0] == [0, 1]
    assert read(path, columns={"key": "block", "size": "n"}, sizes=True) == ([0, 0], [5, 6], None)
    assert read(path, columns={"key": 2, "size": 4}, sizes=True) == ([0, 0], [7, 7], None)


def test_without_header(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "10,a,3\n11,b,4\n12,a,3\n")
    assert read(path, columns={"key": 2, "size": 3}, sizes=True) == ([0, 1, 0], [3, 4, 3], None)
    assert "the file has no header row; say which column is the key by its position" in fault(path)
    assert "there is no column 9 for the key: it has 3 columns without names" in fault(
        path, columns={"key": 9}
    )


def test_byte_order_mark_windows_lines_and_repeated_names(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", b"\xef\xbb\xbfkey,x,x\r\n1,2,3\r\n\r\n1,2,3\r\n")
    assert read(path)[0] == [0, 0]
    assert "several columns are called 'x'" in fault(path, columns={"key": "x"})


def test_sizes_and_times_may_be_written_as_floats(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "key,size,time\na,4096.0,0.5\nb,1e3,1.75\n")
    assert read(path, sizes=True, times=True) == ([0, 1], [4096, 1000], [0, 1])


@pytest.mark.parametrize(
    ("text", "kwargs", "why"),
    [
        ("a,b\n1,2\n", {}, "no column is known as a key; set columns key=NAME: it has the columns a, b"),
        ("key,b\n1,2\n", {"sizes": True}, "no column is known as a size"),
        (
            "key,b\n1,2\n",
            {"columns": {"key": "zz"}},
            "no column is called 'zz' (for the key): it has the columns key, b",
        ),
        ("url,id\n1,2\n", {}, "several columns could be the key (url, id)"),
        ("key,size\n1,2\n1,x\n", {"sizes": True}, "line 3: 'x' in column size is not a number"),
        ("key,size\nq,2\nq,x\n", {"sizes": True}, "line 3: 'x' in column size is not a number"),
        ("key,size\n1,2\n1,\n", {"sizes": True}, "line 3: the size is missing"),
        ("key,size\n1,2\n,2\n", {}, "line 3: the key is missing"),
        ("key,size\na,2\n,2\n", {}, "line 3: the key is missing"),
        ("key,size\n1,-2\n", {"sizes": True}, "line 2: size is -2; sizes must be at least 1"),
        ("key,size\n1,0\n", {"sizes": True}, "line 2: size is 0; sizes must be at least 1"),
        ("key,size\n1,2.5\n", {"sizes": True}, "line 2: size is 2.5, not a whole number"),
        ("key,size\n1,nan\n", {"sizes": True}, "line 2: size is nan, not a whole number"),
        ("key,size\n1,1e30\n", {"sizes": True}, "line 2: size is 1e+30, not a whole number"),
        ("key,time\n1,noon\n", {"times": True}, "line 2: 'noon' in column time is not a number"),
        ("key,size\n1,2\n1\n", {}, "line 3: it has 1 columns instead of 2"),
        ("key,size\n", {}, "the file is empty"),
        ("\nkey\n1\n", {}, "line 1 is blank"),
        ("", {}, "the file is empty"),
    ],
)
def test_csv_faults(tmp_path: Path, text: str, kwargs: dict[str, Any], why: str) -> None:
    assert f": {why}" in fault(write(tmp_path / "t.csv", text), **kwargs)


def test_binary_data_that_claims_to_be_text(tmp_path: Path) -> None:
    message = fault(write(tmp_path / "t.csv", b"\x1b[31m\x00" + np.random.default_rng(0).bytes(10_000)))
    assert "no column is known as a key" in message
    assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize("columns", [{"keys": "a"}, {"key": 1.5}, {"key": True}])
def test_malformed_choice_of_columns(tmp_path: Path, columns: dict[str, Any]) -> None:
    path = write(tmp_path / "t.csv", "key\n1\n")
    with pytest.raises(WorkloadError, match=r"^columns: "):
        read_trace(path, columns=columns)


def test_id_list(tmp_path: Path) -> None:
    assert read(write(tmp_path / "t.txt", "5\n7\n5\n"))[0] == [0, 1, 0]
    assert read(write(tmp_path / "u.txt", 'http://a/?x=1,2\n"q\nhttp://a/?x=1,2'))[0] == [0, 1, 0]
    assert read(write(tmp_path / "v.txt.gz", gzip.compress(b"5\n\n7\n5")))[0] == [0, 1, 0]
    assert "has no sizes" in fault(str(tmp_path / "t.txt"), sizes=True)
    assert "the file is empty" in fault(write(tmp_path / "w.txt", "\n\n"))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**40)), min_size=1))
def test_csv_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]]) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    text = "key,size\n" + "".join(f"{key},{size}\n" for key, size in rows)
    order = list(dict.fromkeys(key for key, _ in rows))
    expected = [order.index(key) for key, _ in rows], [size for _, size in rows], None
    assert read(write(path, text), sizes=True) == expected


# --- Parquet ------------------------------------------------------------------------------------------------


def parquet(path: Path, **columns: Any) -> str:
    pa.parquet.write_table(pa.table(columns), path)
    return str(path)


@pytest.mark.parametrize(
    "keys",
    [
        pa.array(KEYS, pa.uint64()),
        pa.array([-1, 2, -1, 3, 2], pa.int64()),
        pa.array([-1, 2, -1, 3, 2], pa.int8()),
        pa.array(["a", "b", "a", "", "b"], pa.string()),
        pa.array(["a", "b", "a", "", "b"], pa.large_string()),
        pa.array(["a", "b", "a", "", "b"]).dictionary_encode(),
        pa.array([b"\xff", b"b", b"\xff", b"", b"b"], pa.binary()),
        pa.array([b"aa", b"bb", b"aa", b"cc", b"bb"], pa.binary(2)),
        pa.array([0.0, 0.1, -0.0, 2.5, 0.1], pa.float64()),
        pa.array([1, 2, 1, 3, 2], pa.timestamp("us")),
        pa.array([1, 2, 1, 3, 2], pa.date32()),
    ],
    ids=lambda keys: str(keys.type),
)
def test_parquet_round_trip(tmp_path: Path, keys: pa.Array, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BATCH_ROWS", 2)
    path = parquet(tmp_path / "t.parquet", key=keys, size=SIZES, time=pa.array(TIMES, pa.int32()))
    assert read(path, sizes=True, times=True) == (IDS, SIZES, TIMES)


def test_parquet_numbers_of_other_types(tmp_path: Path) -> None:
    stamps = pa.array([1, 2], pa.timestamp("s"))
    path = parquet(tmp_path / "t.pq", key=[True, False], size=[1.0, 2.0], time=stamps)
    assert read(path, sizes=True)[1] == [1, 2]
    assert read(path, times=True)[0] == [0, 1]


@pytest.mark.parametrize(
    ("columns", "kwargs", "why"),
    [
        ({"a": [1]}, {}, "no column is known as a key; set columns key=NAME: it has the columns a"),
        ({"key": pa.array([1, None])}, {}, "row 2: the key is missing"),
        ({"key": [0.5, float("nan")]}, {}, "row 2: the key is not a number (NaN)"),
        ({"key": [[1]]}, {}, "row 1: keys of type list"),
        ({"key": [1, 2], "size": [3, -1]}, {"sizes": True}, "row 2: size is -1"),
        (
            {"key": [1, 2], "size": ["3", "4"]},
            {"sizes": True},
            "row 1: the size is of type string, not a number",
        ),
        ({"key": [1], "size": [0.5]}, {"sizes": True}, "row 1: size is 0.5, not a whole number"),
        (
            {"key": [1], "size": pa.array([2**63], pa.uint64())},
            {"sizes": True},
            "row 1: size is 9223372036854775808",
        ),
        ({"key": pa.array([], pa.int64())}, {}, "the file is empty"),
    ],
)
def test_parquet_faults(tmp_path: Path, columns: dict[str, Any], kwargs: dict[str, Any], why: str) -> None:
    assert f": {why}" in fault(parquet(tmp_path / "t.parquet", **columns), **kwargs)


def test_parquet_that_is_not(tmp_path: Path) -> None:
    assert "not a readable Parquet file" in fault(write(tmp_path / "t.parquet", b"PAR1 but no more"))
    path = parquet(tmp_path / "u.parquet", key=list(range(1000)))
    data = bytearray(Path(path).read_bytes())
    data[4:300] = bytes(296)
    assert "not a readable Parquet file" in fault(write(tmp_path / "u.parquet", bytes(data)))


# --- paths --------------------------------------------------------------------------------------------------


def test_files_that_are_not_traces(tmp_path: Path) -> None:
    assert fault(str(tmp_path / "no.bin")) == ": no such file"
    assert ": is a directory; name its files" in fault(str(tmp_path))
    (tmp_path / "d.bin").mkdir()
    assert ": is a directory" in fault(str(tmp_path / "d.bin"))
    assert ": the file is empty" in fault(write(tmp_path / "e.bin", b""))
    assert ": the file is empty" in fault(write(tmp_path / "e.bin.zst", zstd(b"")))
    assert ": unknown kind of trace" in fault(write(tmp_path / "t.json", "{}"))
    assert ": unknown kind of trace" in fault(write(tmp_path / "t.parquet.gz", "x"))
