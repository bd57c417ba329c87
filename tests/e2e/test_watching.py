"""What an operator sees of a running hub: metrics of all processes, doctor, logs without anything private."""

from __future__ import annotations

import re
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.observe.metrics import Metrics
from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import RunningHub, wait_for
from tests.load.process_group import ProcessGroup

pytestmark = pytest.mark.slow

#: A conversation that must not be found in any log.
TEXT = "marker-xylophone-text"
NUMBER = "+15550177123"
HEADER = "marker-xylophone-header"
#: Metrics with no sample until something goes wrong.
QUIET = frozenset(
    {
        # Without agents, bridges that push or that networks call, and without connections.
        "hub_agent_calls",
        "hub_agent_outcomes",
        "hub_bridge_requests",
        "hub_bridge_hooks",
        "hub_connection_works",
        "hub_cleaned",
        "hub_connector_calls",
        "hub_delivery_attempts",
        "hub_drafts",
        "hub_http_requests",
        # Each half minute: lines are looked after in rounds.
        "hub_line_new_conversations_today",
        "hub_line_sent_today",
        "hub_line_state",
        "hub_line_unanswered",
        "hub_observations",
        # Where bridges bring nothing odd.
        "hub_payloads_refused",
        # Without routes.
        "hub_runs_ended",
        "hub_runs_failed",
        "hub_runs_unfinished",
        "hub_sends",
        "hub_source_events",
        "hub_source_requests",
        "hub_step_attempts",
        "hub_streams_ended",
        "hub_uploads",
    }
)


def samples(rest: Rest) -> dict[tuple[str, str], float]:
    """Sum the page by sample name and process."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(rest.get("/metrics")):
        for sample in family.samples:
            key = sample.name, sample.labels["process"]
            found[key] = found.get(key, 0) + sample.value
    return found


def test_metrics_of_all_processes_stand_on_one_page(rest: Rest, receiver: Receiver) -> None:
    rest.register(receiver.url("/measured"))
    rest.say("Hello")
    rest.post("/v1/messages", {"from": LINE, "to": "+15550100001", "text": "Hello"})
    receiver.wait("/measured")

    def all_told() -> bool:
        now = samples(rest)
        return all(
            now.get(key, 0) > 0
            for key in (
                ("hub_observations_total", "web-embedded"),
                ("hub_http_requests_total", "web-embedded"),
                ("hub_observations_total", "worker-embedded"),
                ("hub_delivery_attempts_total", "worker-embedded"),
                ("hub_post_seconds_count", "worker-embedded"),
                ("hub_delivery_delay_seconds_count", "worker-embedded"),
                ("hub_sends_total", "worker-embedded"),
                ("hub_shards_owned", "worker-embedded"),
                ("hub_lanes", "worker-embedded"),
            )
        )

    assert wait_for(all_told)
    ours = {metric.name for metric in Metrics().registry.collect()}
    assert {
        re.sub(r"_(total|count|sum|bucket|created)$", "", name) for name, _ in samples(rest)
    } >= ours - QUIET


def test_doctor_finds_a_running_hub_well(hub: RunningHub) -> None:
    printed = hub.command("doctor")

    assert set(re.findall(r"^(\S+) ", printed, re.MULTILINE)) == {"ok"}


def test_a_conversation_leaves_no_text_number_or_secret_in_any_log(
    hub: RunningHub, rest: Rest, receiver: Receiver
) -> None:
    """At debug level, through success, failure, retry, rotation, refusal and a send that fails."""
    receiver.script("/private", [500, 200])
    made = rest.register(receiver.url("/private"), "message.*", headers={"X-Secret": HEADER})
    rest.say(TEXT, contact=NUMBER)
    receiver.wait("/private", 2)
    rest.post("/v1/messages", {"from": LINE, "to": NUMBER, "text": TEXT})
    receiver.wait("/private", 5)
    failed = rest.post("/v1/messages", {"from": LINE, "to": "+15550100404", "text": TEXT})
    rest.until(f"/v1/outbox?id={failed['id']}", lambda item: item["status"] == "failed")
    rotated = rest.post(f"/v1/webhooks/{made['id']}/rotate-secret", {})
    rest.ask("POST", "/v1/messages", {"from": NUMBER, "to": NUMBER, "text": TEXT})
    rest.ask("POST", "/v1/messages", {"from": LINE, "to": TEXT, "text": TEXT})
    rest.ask("GET", f"/v1/{TEXT}?{TEXT}={NUMBER}")
    Rest(rest.port, "sk_live_" + "x" * 32).ask("GET", "/v1/lines")
    wait_for(lambda: "delivery.failed" in hub.process.output and "deliveries.succeeded" in hub.process.output)
    log = hub.process.output.partition("Ctrl-C drains and stops.")[2]

    for private in (TEXT, NUMBER, NUMBER.lstrip("+"), HEADER, made["secret"], rotated["secret"], rest.key):
        assert private not in log
    assert "whsec_" not in log


def test_failures_are_told_one_by_one_with_the_ids_that_commands_take(
    hub: RunningHub, rest: Rest, receiver: Receiver
) -> None:
    receiver.script("/failing", [503])
    made = rest.register(receiver.url("/failing"))
    rest.say("Hello")
    dead = rest.delivery(made["id"], "dead")
    wait_for(lambda: f"delivery_id={dead['id']}" in hub.process.output.partition("delivery.dead")[2])
    lines = [line for line in hub.process.output.splitlines() if dead["id"] in line]
    explained = hub.command("explain", dead["id"])

    assert [("delivery.failed" in line, "delivery.dead" in line) for line in lines] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert len(re.findall(r"attempt \d  .*HTTP 503", explained)) == 3


def test_probes_are_not_in_the_log_at_info(hub: RunningHub, rest: Rest) -> None:
    rest.ask("GET", "/healthz")
    rest.ask("GET", "/readyz")
    lines = [line for line in hub.process.output.splitlines() if re.search(r"route=/(healthz|readyz)", line)]

    assert lines
    assert all("[debug" in line for line in lines)


def test_an_idle_hub_costs_next_to_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Under 150 MB in all, under 2 % of a core."""
    idle = RunningHub(tmp_path_factory.mktemp("idle"))
    try:
        idle.start()
        group = ProcessGroup(roots=(idle.process.pid,))
        time.sleep(2)  # what a start leaves to do
        before = group.cpu_seconds()
        time.sleep(5)
        share, memory = (group.cpu_seconds() - before) / 5, group.pss_mib()
    finally:
        idle.stop()

    assert memory < 150 * 1_000_000 / (1 << 20)
    assert share < 0.02
