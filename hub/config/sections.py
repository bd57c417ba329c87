"""The settings as types: one frozen dataclass per section of config/hub.yaml, in its order.

Meaning, unit, default and danger of each key stand in config/hub.yaml, which holds the defaults; a test ties
the two. Here stands only what a value must satisfy.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from hub.config.constraints import (
    Between,
    Destination,
    EncryptionKey,
    Host,
    HostAndPort,
    LengthBetween,
    Matching,
    Origin,
    TimeZone,
    Url,
)
from hub.config.decode import secret
from hub.model.capability import CAPABILITIES
from hub.rules.quiet_hours import WINDOW_FORM, WINDOW_PATTERN

_MONTH_SECONDS = 30 * 24 * 3600
_DAY_SECONDS = 24 * 3600

Days = Annotated[int, Between(1, 36_500)]
Seconds = Annotated[float, Between(0, 3600)]
Ratio = Annotated[float, Between(0, 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Web:
    """The web service."""

    host: Annotated[str, Host()]
    port: Annotated[int, Between(0, 65_535)]
    base_url: Annotated[str, Url(schemes=("http", "https"), example="https://hub.example.com")] | None
    max_body_bytes: Annotated[int, Between(1024, 2**30)]
    graceful_shutdown_seconds: Annotated[int, Between(0, 600)]
    cors_origins: tuple[Annotated[str, Origin()], ...]

    @property
    def public_url(self) -> str:
        """The URL under which others reach the hub, without a slash at its end."""
        if self.base_url is not None:
            return self.base_url.rstrip("/")
        return f"http://{_reachable(self.host)}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """The store of record."""

    url: Annotated[
        str,
        Url(
            schemes=("postgresql", "postgres"),
            example="postgresql://user:password@host:5432/database",
            may_be_empty=True,
        ),
    ] = secret()
    pool_size: Annotated[int, Between(1, 500)]
    sqlite_cache_mib: Annotated[int, Between(1, 4096)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Redis:
    """Where wake-ups travel; empty for the embedded server."""

    url: Annotated[
        str,
        Url(
            schemes=("redis", "rediss"),
            schemes_without_host=("unix",),
            example="redis://host:6379/0",
            may_be_empty=True,
        ),
    ] = secret()


@dataclass(frozen=True, kw_only=True, slots=True)
class Secrets:
    """What encrypts secrets at rest."""

    encryption_key: Annotated[str, EncryptionKey()] = secret()
    key_file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge:
    """What bridges may tell us, and what they may open here."""

    max_body_bytes: Annotated[int, Between(1024, 2**26)]
    max_events_per_request: Annotated[int, Between(1, 10_000)]
    timestamp_tolerance_seconds: Annotated[int, Between(1, 3600)]
    machine_values: tuple[
        Annotated[str, Matching(r"[^\x00-\x1f]{1,1024}", "a path or a name", "/opt/homebrew/bin/imsg")], ...
    ]
    refused_kept: Annotated[int, Between(0, 10_000)]
    refused_days: Days
    agent_sockets: Annotated[int, Between(0, 100_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sources:
    """Webhooks of other services."""

    max_body_bytes: Annotated[int, Between(1024, 2**26)]
    requests_per_minute: Annotated[int, Between(0, 1_000_000)]
    rejected_kept: Annotated[int, Between(0, 10_000)]
    rejected_days: Days


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """Webhook deliveries and their retries."""

    schedule_seconds: Annotated[
        tuple[Annotated[float, Between(0, _MONTH_SECONDS)], ...], LengthBetween(0, 50)
    ]
    jitter_ratio: Ratio
    timeout_seconds: Annotated[float, Between(0.1, 300)]
    max_response_bytes: Annotated[int, Between(0, 2**20)]
    retry_after_cap_seconds: Annotated[int, Between(0, _MONTH_SECONDS)]
    lane_concurrency: Annotated[int, Between(1, 1000)]
    lane_queue: Annotated[int, Between(1, 100_000)]
    max_in_flight: Annotated[int, Between(1, 100_000)]
    breaker_threshold: Annotated[int, Between(1, 10_000)]
    breaker_open_seconds: Annotated[int, Between(1, _DAY_SECONDS)]
    breaker_open_max_seconds: Annotated[int, Between(1, _DAY_SECONDS)]
    disable_after_days: Annotated[int, Between(0, 365)]
    rotation_overlap_hours: Annotated[int, Between(0, 720)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbound:
    """The guard on requests to URLs that users have given."""

    allow: tuple[Annotated[str, Destination()], ...]
    proxy: Annotated[str, Url(schemes=("http",), example="http://proxy.internal:3128", may_be_empty=True)] = (
        secret()
    )
    connect_timeout_seconds: Annotated[float, Between(0.1, 120)]
    keep_alive_seconds: Seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Sends:
    """Messages that we send."""

    pace_seconds: Seconds
    jitter_ratio: Ratio
    timeout_seconds: Annotated[float, Between(1, 3600)]
    unknown_after_seconds: Annotated[float, Between(1, _DAY_SECONDS)]
    in_flight_seconds: Annotated[float, Between(1, _DAY_SECONDS)]


_Words = Annotated[
    tuple[Annotated[str, Matching(r".{1,40}", "1 to 40 characters", "STOP")], ...], LengthBetween(0, 50)
]
_Count = Annotated[int, Between(0, 1_000_000)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Safety:
    """What keeps lines from being blocked; a line may have its own (PATCH /v1/lines/{id})."""

    time_zone: Annotated[str, TimeZone()]
    consent_scope: Literal["line", "hub"]
    stop_words: _Words
    start_words: _Words
    help_words: _Words
    group_sends: Literal["block", "allow"]
    new_conversations_per_hour: _Count
    new_conversations_per_day: _Count
    warm_up_per_day: Annotated[tuple[_Count, ...], LengthBetween(0, 365)]
    messages_per_day: _Count
    quiet_hours: Annotated[
        tuple[Annotated[str, Matching(WINDOW_PATTERN, WINDOW_FORM, "21:00-08:00")], ...], LengthBetween(0, 14)
    ]
    unanswered_warning: Annotated[int, Between(0, 1000)]
    ratio_warning: Annotated[float, Between(0, 1000)]
    failed_warning: Ratio
    undelivered_warning: Ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Uploads and attachments."""

    max_bytes: Annotated[int, Between(1024, 5 * 2**30)]
    quota_bytes: Annotated[int, Between(0, 10**14)]
    unused_days: Days
    link_hours: Annotated[int, Between(1, 8760)]
    presign_minutes: Annotated[int, Between(1, 10_080)]
    upload_seconds: Annotated[float, Between(1, _DAY_SECONDS)]
    idle_seconds: Annotated[float, Between(1, 3600)]
    fetch_seconds: Annotated[float, Between(1, _DAY_SECONDS)]
    storage: Literal["folder", "s3"]
    s3_bucket: Annotated[str, Matching(r"|[A-Za-z0-9][A-Za-z0-9._-]{1,254}", "a bucket's name", "hub-files")]
    s3_prefix: Annotated[
        str,
        Matching(
            r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*", "names between slashes", "hub"
        ),
    ]
    s3_region: Annotated[str, Matching(r"[a-z0-9-]{1,64}", "a region's name", "eu-central-1")]
    s3_endpoint: Annotated[
        str, Url(schemes=("http", "https"), example="https://s3.example.com", may_be_empty=True)
    ]
    s3_access_key: Annotated[str, Matching(r"[!-~]{0,256}", "printable ASCII without spaces", "AKIA…")]
    s3_secret_key: Annotated[
        str, Matching(r"[!-~]{0,256}", "printable ASCII without spaces", "the secret of the access key")
    ] = secret()
    s3_secret_key_file: str
    s3_virtual_hosted: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Contacts:
    """People we know."""

    availability_hours: Annotated[int, Between(0, 8760)]
    default_region: Annotated[
        str, Matching(r"([A-Z]{2})?", "two capital letters of ISO 3166, or empty", "DE")
    ]
    import_max_bytes: Annotated[int, Between(1024, 2**30)]
    number_places: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Ai:
    """The language model that drafts answers."""

    provider: Literal["none", "anthropic", "openai", "openai_compatible"]
    base_url: Annotated[
        str, Url(schemes=("http", "https"), example="https://api.openai.com/v1", may_be_empty=True)
    ]
    model: Annotated[str, Matching(r"[!-~]{0,200}", "printable ASCII without spaces", "gpt-4.1-mini")]
    api_key: Annotated[str, Matching(r"[!-~]{0,512}", "printable ASCII without spaces", "sk-…")] = secret()
    api_key_file: str
    system_prompt: Annotated[str, Matching(r"(?s).{0,20000}", "at most 20,000 characters", "Answer briefly.")]
    timeout_seconds: Annotated[float, Between(1, 600)]
    max_output_tokens: Annotated[int, Between(1, 32_768)]
    max_input_chars: Annotated[int, Between(100, 1_000_000)]
    requests_per_hour: Annotated[int, Between(0, 1_000_000)]
    daily_tokens: Annotated[int, Between(0, 10**12)]
    input_price: Annotated[float, Between(0, 1_000_000)]
    output_price: Annotated[float, Between(0, 1_000_000)]
    daily_cost: Annotated[float, Between(0, 10**9)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sandbox:
    """The sandbox bridge."""

    enabled: bool
    line: Annotated[
        str,
        Matching(
            r"\+[1-9][0-9]{6,14}", "a number in international form, + and 7 to 15 digits", "+15550100000"
        ),
    ]
    pace_seconds: Seconds
    delivered_after_ms: Annotated[int, Between(0, 600_000)]
    read_after_ms: Annotated[int, Between(0, 600_000)]
    without: tuple[Annotated[str, Matching("|".join(CAPABILITIES), "a capability", "edit")], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Streams:
    """Readers who follow events."""

    per_key: Annotated[int, Between(1, 100_000)]
    total: Annotated[int, Between(1, 100_000)]
    buffer_events: Annotated[int, Between(1, 100_000)]
    heartbeat_seconds: Annotated[float, Between(0.05, 300)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What one caller may ask for."""

    requests_per_hour: Annotated[int, Between(0, 10**9)]
    routes: Annotated[int, Between(0, 100_000)]
    json_depth: Annotated[int, Between(4, 512)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How long finished records are kept."""

    events_days: Days
    messages_days: Annotated[int, Between(0, 36_500)]
    deliveries_days: Days
    attempts_days: Days
    raw_days: Days
    run_payloads_days: Days
    runs_days: Days
    idempotency_hours: Annotated[int, Between(1, 8760)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """Log lines."""

    level: Literal["debug", "info", "warning", "error"]
    format: Literal["text", "json"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """Prometheus metrics."""

    enabled: bool
    token: Annotated[str, Matching(r"[!-~]*", "printable ASCII without spaces", "32 random letters")] = (
        secret()
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Routes:
    """Routes in YAML, and their runs."""

    folder: Path
    blueprints: Path
    reload_seconds: Annotated[float, Between(0, 3600)]
    runs_at_once: Annotated[int, Between(1, 10_000)]
    test_connections: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """Workers, embedded or run apart."""

    shards_lease_seconds: Annotated[float, Between(1, 600)]
    sweep_seconds: Annotated[float, Between(0.1, 600)]
    listen: Annotated[str, HostAndPort(may_be_empty=True)]
    drain_seconds: Annotated[int, Between(0, 600)]


def _reachable(host: str) -> str:
    """Return a host for links: an address that means "any" is reached as this machine."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104 - compared, not bound
    return f"[{host}]" if ":" in host else host
