"""``executor=ray``: the zygotes of ``executor=local`` on every node of a Ray cluster.

The hub talks to a process of its own, the bridge (:mod:`.bridge`), which alone is a driver of Ray: when a cluster
vanishes Ray ends its drivers, and the hub must not end with it. The bridge keeps an actor on every node
(:mod:`.node`) that owns what a hub owns on one machine, and hands it tasks (:mod:`.pool`). Only the bridge and the
actors import Ray.
"""
