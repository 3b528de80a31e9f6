"""An example: the packing policy as the placement hook of a virtual machine scheduler.

Hosts are bins and machines are items; what is packed is the resource that runs out first, in whole units (MiB of memory,
thousandths of a core). A placement is for good, as in the workloads on which the policy was found: machines that leave
free their host for the fleet's own bookkeeping, not for this policy, which never sees a bin grow again.
"""

from binpacking_s0296_tuned import Packer, Policy


class Placement:
    """Names the host of every new machine.

    Args:
        host_capacity: Units of a host.
        start_host: Called when the policy wants another host; returns its name.
    """

    def __init__(self, host_capacity, start_host):
        self.packer = Packer(Policy, host_capacity)
        self.start_host = start_host
        self.hosts = []

    def place(self, demand):
        """The host of a machine with that demand, 1..host_capacity."""
        at = self.packer.pack(demand)
        while at >= len(self.hosts):
            self.hosts.append(self.start_host())
        return self.hosts[at]


if __name__ == "__main__":
    names = iter(range(1, 1000))
    placement = Placement(host_capacity=256, start_host=lambda: f"host-{next(names)}")
    for demand in (96, 64, 128, 32, 160, 96, 48, 200):
        print(f"{demand:4d} GiB -> {placement.place(demand)}")
