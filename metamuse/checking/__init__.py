"""The contract suite of a problem (command ``check``): everything the hub relies on, tried on the problem itself.

``texts`` and ``sets`` look at what a problem says and which workloads it has; ``behaviour`` runs its baselines in
the jail under many circumstances that may not matter; ``probes`` makes policies that try to cheat. ``suite`` puts
them in order.
"""
