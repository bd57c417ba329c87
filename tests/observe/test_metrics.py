"""What /metrics shows: each metric in step with its document, distributions like the library's, all processes apart."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hub.observe.metrics import SECONDS, Distribution, Metrics, render


def lines_of(registry: CollectorRegistry) -> set[str]:
    return {line for line in generate_latest(registry).decode().splitlines() if "_created" not in line}


@given(st.lists(st.one_of(st.sampled_from(SECONDS), st.floats(0, 10_000)), max_size=30))
def test_a_distribution_shows_what_the_librarys_histogram_shows(values: list[float]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    distribution = Distribution("some_seconds", "Some.", bounds=SECONDS, registry=ours)
    histogram = Histogram("some_seconds", "Some.", buckets=SECONDS, registry=theirs)
    distribution.add(values)
    for value in values:
        histogram.observe(value)

    def told(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
        return {
            (sample.name, sample.labels.get("le", "")): sample.value
            for metric in registry.collect()
            for sample in metric.samples
            if not sample.name.endswith("_created")
        }

    assert told(ours) == pytest.approx(told(theirs))


def test_the_processes_of_a_hub_are_told_apart_on_one_page() -> None:
    web, worker = Metrics(), Metrics()
    web.observations.labels("recorded").inc(3)
    worker.attempts.labels("success").inc(5)
    worker.delay_seconds.add([0.002])
    page = render({"web-1": web.snapshot(), "worker-1": worker.snapshot()}).decode()
    samples = {
        (
            sample.name,
            sample.labels["process"],
            sample.labels.get("status", sample.labels.get("outcome")),
        ): value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        for value in [sample.value]
    }

    assert samples["hub_observations_total", "web-1", "recorded"] == 3
    assert samples["hub_delivery_attempts_total", "worker-1", "success"] == 5
    assert samples["hub_delivery_delay_seconds_count", "worker-1", None] == 1
    assert samples["hub_delivery_delay_seconds_count", "web-1", None] == 0


def test_the_exposition_is_one_that_prometheus_reads() -> None:
    page = render({"web-1": Metrics().snapshot(), "worker-1": Metrics().snapshot()}).decode()

    families = [family.name for family in text_string_to_metric_families(page)]
    assert len(families) == len(set(families))


def test_every_metric_is_ours_by_name_and_says_what_it_is() -> None:
    for metric in Metrics().registry.collect():
        assert metric.name.startswith("hub_")
        assert metric.documentation.endswith(".")


def test_a_snapshot_is_json() -> None:
    assert isinstance(msgspec.json.decode(Metrics().snapshot()), list)
