"""Production code of a policy, with the proof that it decides as it did in the simulator (``docs/export.md``)."""
