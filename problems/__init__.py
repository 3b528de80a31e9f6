"""Problems: what the model is told, contracts, baselines, workloads; one folder each."""
