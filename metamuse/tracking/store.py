"""The few things of MLflow that a record of a run needs. Making a store imports MLflow (about four seconds)."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metamuse.tracking.traces import Span

#: Marks artifacts that MLflow's UI shows as tables.
_TABLES_TAG = "mlflow.loggedArtifacts"
#: Of the version of a registered model that was registered last (MLflow keeps ``latest`` to itself).
ALIAS = "newest"


#: MLflow's own settings, where the user has set none. By default it tries for minutes to reach a server that is away,
#: in which nothing else is written, and only logs that a trace could not be written, which is then lost.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


class MlflowStore:
    """One experiment of an MLflow server or database.

    Args:
        uri: Tracking URI.
        artifacts: URI below which artifacts go; None leaves it to the server.
        experiment: Name of the experiment, made if it does not exist.
        folder: Where below ``artifacts`` its own go.

    Raises:
        Exception: Whatever MLflow and its database raise, here and in all methods.
    """

    def __init__(self, uri: str, artifacts: str | None, experiment: str, folder: str) -> None:
        _silence()
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow import entities
        from mlflow.tracking import MlflowClient

        _silence()  # importing MLflow sets the levels
        self._entities = entities
        self.uri = uri
        local = uri.startswith("sqlite:///")
        with _locked(Path(uri.removeprefix("sqlite:///") + ".lock") if local else None):
            # Two runs that begin at once must not both make the tables.
            self.client = MlflowClient(uri)
            known = self.client.get_experiment_by_name(experiment)
            if known is None:
                location = None if artifacts is None else f"{artifacts.rstrip('/')}/{folder}/mlflow-artifacts"
                self.experiment = self.client.create_experiment(experiment, artifact_location=location)
            else:
                self.experiment = known.experiment_id
                if known.lifecycle_stage == "deleted":
                    self.client.restore_experiment(self.experiment)

    # -- runs

    def find(self, name: str) -> str | None:
        """The MLflow run of a run directory."""
        return self._only(f"tags.`metamuse.run` = '{name}'")

    def create(self, name: str, tags: dict[str, str], began: float | None) -> str:
        """Make a run."""
        start = None if began is None else int(began * 1000)
        run = self.client.create_run(self.experiment, start_time=start, tags=tags, run_name=name)
        return str(run.info.run_id)

    def child(self, parent: str, solution: str, name: str, tags: dict[str, str]) -> str:
        """The child run of a solution (or of whatever goes by that name), made if it does not exist."""
        found = self._only(f"tags.`mlflow.parentRunId` = '{parent}' and tags.`solution` = '{solution}'")
        if found is not None:
            return found
        all_tags = {**tags, "solution": solution, "mlflow.parentRunId": parent}
        return str(self.client.create_run(self.experiment, tags=all_tags, run_name=name).info.run_id)

    def delete(self, run: str) -> None:
        """Delete a run, its children (MLflow keeps them in its bin), their traces and what was registered of them."""
        for child in self.client.search_runs([self.experiment], f"tags.`mlflow.parentRunId` = '{run}'"):
            for known in self.client.search_model_versions(f"run_id = '{child.info.run_id}'"):
                self.client.delete_model_version(known.name, known.version)
            traces = self.client.search_traces(locations=[self.experiment], run_id=child.info.run_id)
            if traces:
                self.client.delete_traces(self.experiment, trace_ids=[t.info.trace_id for t in traces])
            self.client.delete_run(child.info.run_id)
        self.client.delete_run(run)

    def reopen(self, run: str) -> None:
        """Mark a run as going on."""
        self.client.update_run(run, status="RUNNING")

    def end(self, run: str, status: str, why: str) -> None:
        """Mark a run as over."""
        if why:
            self.client.set_tag(run, "ended", why)
        self.client.set_terminated(run, status)

    def _only(self, condition: str) -> str | None:
        runs = self.client.search_runs([self.experiment], condition, max_results=1)
        return str(runs[0].info.run_id) if runs else None

    # -- what they hold

    def parameters(self, run: str, values: dict[str, str]) -> None:
        """Log parameters (MLflow takes 100 at once)."""
        items = [self._entities.Param(key, value) for key, value in values.items()]
        for i in range(0, len(items), 100):
            self.client.log_batch(run, params=items[i : i + 100])

    def metrics(self, run: str, rows: list[tuple[str, float, int, int]]) -> None:
        """Log metrics: name, value, milliseconds since the epoch, step; at most 1,000."""
        self.client.log_batch(run, metrics=[self._entities.Metric(*row) for row in rows])

    def steps(self, run: str, metric: str) -> set[int]:
        """The steps of a metric that are logged."""
        return {m.step for m in self.client.get_metric_history(run, metric)}

    def tag(self, run: str, key: str, value: str) -> None:
        """Set a tag."""
        self.client.set_tag(run, key, value)

    def table(self, run: str, name: str, columns: dict[str, list[Any]]) -> None:
        """Log a table in the form that MLflow's UI shows, in place of one of that name."""
        if not columns:
            return
        rows = [list(row) for row in zip(*columns.values(), strict=True)]
        text = json.dumps({"columns": list(columns), "data": rows}, ensure_ascii=False)
        self.client.log_text(run, text, name)
        tables = json.loads(self.client.get_run(run).data.tags.get(_TABLES_TAG, "[]"))
        item = {"path": name, "type": "table"}
        if item not in tables:
            self.client.set_tag(run, _TABLES_TAG, json.dumps([*tables, item]))

    def file(self, run: str, path: Path) -> None:
        """Log a file."""
        self.client.log_artifact(run, str(path))

    def register(self, model: str, run: str, tags: dict[str, str], description: str) -> None:
        """Make what a run holds a version of a registered model, the one that goes by :data:`ALIAS` now.

        Args:
            model: Made if it does not exist.
            run: One version is made of it, however often this is called.
            tags: Of the version.
            description: Of the version.
        """
        if not self.client.search_registered_models(f"name = '{model}'"):
            self.client.create_registered_model(model)
        versions = self.client.search_model_versions(f"name = '{model}' and run_id = '{run}'")
        if versions:
            version = str(versions[0].version)
        else:
            source = self.client.get_run(run).info.artifact_uri
            made = self.client.create_model_version(model, source, run, await_creation_for=None)
            version = str(made.version)
        self.client.update_model_version(model, version, description)
        for key, value in tags.items():
            self.client.set_model_version_tag(model, version, key, value)
        self.client.set_registered_model_alias(model, ALIAS, version)

    def traced(self, run: str) -> bool:
        """Whether a run has a trace."""
        return bool(self.client.search_traces(locations=[self.experiment], run_id=run, max_results=1))

    def trace(self, run: str, name: str, spans: Sequence[Span], inputs: Any, outputs: Any) -> None:
        """Log the calls of the model that one solution came from.

        Args:
            run: The run that holds the solution.
            name: Of the trace.
            spans: The calls; at least one.
            inputs: What the solution came from.
            outputs: What came of it.
        """
        from mlflow import set_tracking_uri
        from mlflow.tracing.constant import SpanAttributeKey

        # MLflow writes traces to the database that the process is set to.
        set_tracking_uri(self.uri)
        root = self.client.start_trace(
            name,
            "CHAIN",
            inputs=inputs,
            experiment_id=self.experiment,
            run_id=run,
            start_time_ns=_nanoseconds(min(span.began for span in spans)),
        )
        for span in spans:
            call = span.call
            tokens = {"input_tokens": call["tokens_in"], "output_tokens": call["tokens_out"]}
            attributes = {
                SpanAttributeKey.CHAT_USAGE: tokens | {"total_tokens": sum(tokens.values())},
                SpanAttributeKey.MODEL: call["model"],
                "cost_usd": call["cost_usd"],
                "from_record": call["cached"],
            }
            if call["cost_usd"] is not None:
                attributes[SpanAttributeKey.LLM_COST] = {"total_cost": call["cost_usd"]}
            started = self.client.start_span(
                span.name,
                root.trace_id,
                root.span_id,
                "CHAT_MODEL",
                inputs=span.inputs,
                attributes=attributes,
                start_time_ns=_nanoseconds(span.began),
            )
            self.client.end_span(
                root.trace_id, started.span_id, outputs=span.outputs, end_time_ns=_nanoseconds(span.ended)
            )
        ended = _nanoseconds(max(span.ended for span in spans))
        self.client.end_trace(root.trace_id, outputs=outputs, end_time_ns=ended)

    def finish_traces(self) -> None:
        """Wait until traces are written."""
        from mlflow import flush_trace_async_logging

        flush_trace_async_logging()

    def dataset(self, run: str, name: str, digest: str, workloads: list[str], context: str) -> None:
        """Log a set of workloads as an input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"workloads": workloads})
        # The columns of MLflow's tables are bounded; the names in full are in the run directory.
        source = source if len(source) < 60_000 else json.dumps({"workloads": len(workloads)})
        profile = json.dumps({"workloads": len(workloads)})
        dataset = Dataset(name, digest, "metamuse", source, profile=profile)
        self.client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", context)])])


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _silence() -> None:
    """Keep migrations, and tracebacks of errors that are raised as well, out of the progress on standard error."""
    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _locked(path: Path | None) -> Iterator[None]:
    """Hold a lock file, if one is named."""
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
