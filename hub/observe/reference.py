"""Write docs/reference/metrics.md from the metrics themselves (`scripts/docs`). A test ties the two."""

from __future__ import annotations

from typing import Final

from hub.observe.metrics import LABELS, Metrics

_INTRODUCTION: Final = """# Metrics

Generated from `hub/observe/metrics.py` (`scripts/docs`).

`GET /metrics` of any web process shows all processes in Prometheus' text form; the label `process` tells them apart
(`web-…`, `worker-…`). Others' values are up to five seconds old; a process that ended vanishes after twenty. A worker
run apart shows the same page where `worker.listen` says. Counters begin at zero with each process.

| metric | type | labels | it counts or shows |
|---|---|---|---|
"""


def metrics_markdown() -> str:
    """Render the table of metrics, in alphabetical order."""
    rows = []
    for metric in sorted(Metrics().registry.collect(), key=lambda one: one.name):
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        labels = ", ".join(f"`{label}` ({values})" for label, values in LABELS.get(metric.name, {}).items())
        rows.append(f"| `{name}` | {metric.type} | {labels} | {metric.documentation} |\n")
    return _INTRODUCTION + "".join(rows)
