"""What things take: constants of the paper's cluster, calibrated once (``docs/dex.md`` says on which figures)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Costs:
    """Microseconds, and bytes a microsecond.

    Attributes:
        local: An operation whose nodes are all cached.
        software: What a miss takes beside the read: mapping table, provisioning.
        verb: A read or write of a page, unloaded.
        atomic: A compare-and-swap.
        wire: An RPC without its service.
        service: What an RPC takes of a memory server's thread.
        sample: Looking at a random frame.
        leaf_write: A write to a cached leaf; its lock is held so long.
        rewarm: A cooling node's second chance.
        loopback: The part of a latency that is left between servers of the same machine.
        bandwidth: Of a NIC, each direction.
        nic_verb: Least occupancy of a NIC by a verb.
        fifo: Two replacements in a central queue, under its lock.
        walk: The local part of an operation of Sherman and SMART.
        section: What SMART's cache holds its lock for, a read.
        hand_over: What a contended lock across the network takes more.
    """

    local: float = 0.82
    software: float = 2.2
    verb: float = 2.0
    atomic: float = 2.0
    wire: float = 2.3
    service: float = 1.05
    sample: float = 0.35
    leaf_write: float = 0.8
    rewarm: float = 0.1
    loopback: float = 0.9
    bandwidth: float = 9000.0
    nic_verb: float = 0.025
    fifo: float = 2.1
    hand_over: float = 3.0
    walk: float = 1.2
    section: float = 0.38
