"""The filter as a program, for architectures that are not at hand too: run by a small BPF machine."""

from __future__ import annotations

import signal
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metamuse.executor.seccomp import MACHINES, Machine, program

PID = 4242
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


def answer(code: bytes, audit: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the filter returns for one call."""
    data = struct.pack("<IIQ6Q", number, audit, 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("<HBBI", code))
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
class TestProgram:
    def test_listed_calls_are_allowed(self, machine: Machine) -> None:
        code = program(machine, PID)
        assert {answer(code, machine.audit, n) for n in machine.allowed.values()} == {ALLOW}

    @given(number=st.integers(0, 2**32 - 1) | st.integers(0, 600))
    def test_other_calls_are_denied(self, machine: Machine, number: int) -> None:
        special = {machine.tgkill, machine.prlimit64, 435, *machine.allowed.values()}
        if number not in special:
            assert answer(program(machine, PID), machine.audit, number) == EPERM

    def test_another_architecture_kills(self, machine: Machine) -> None:
        assert answer(program(machine, PID), 0x40000003, 1) == KILL

    def test_abort_of_itself_only(self, machine: Machine) -> None:
        code = program(machine, PID)
        assert answer(code, machine.audit, machine.tgkill, (PID, PID, signal.SIGABRT)) == ALLOW
        assert answer(code, machine.audit, machine.tgkill, (PID, PID, signal.SIGKILL)) == EPERM
        assert answer(code, machine.audit, machine.tgkill, (1, 1, signal.SIGABRT)) == EPERM

    @pytest.mark.parametrize("new", [1, 1 << 32])
    def test_limits_can_be_read_only(self, machine: Machine, new: int) -> None:
        code = program(machine, PID)
        assert answer(code, machine.audit, machine.prlimit64, (0, 3, 0, 99)) == ALLOW
        assert answer(code, machine.audit, machine.prlimit64, (0, 3, new, 99)) == EPERM
        assert answer(code, machine.audit, machine.prlimit64, (PID, 3, 0, 99)) == EPERM

    def test_clone3_looks_unknown(self, machine: Machine) -> None:
        assert answer(program(machine, PID), machine.audit, 435) == ENOSYS
