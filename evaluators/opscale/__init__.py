"""LLM serving by operators: cost model, simulator of prefill and decode, workloads (``docs/opscale.md``)."""
