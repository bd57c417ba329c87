"""Settings: layers, the environment, and every way to get a key wrong."""

import contextlib
import operator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config.problems import ConfigError, Problem
from hub.config.settings import Settings, load_settings


def load(text: str, tmp_path: Path, **environ: str) -> Settings:
    path = tmp_path / "my.yaml"
    path.write_text(text, "utf-8")
    return load_settings(path, environ)


def refused(text: str, tmp_path: Path, **environ: str) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path, **environ)
    return caught.value.problems


def test_without_a_file_the_documented_defaults_hold() -> None:
    found = load_settings(None, {})

    assert list(found.delivery.schedule_seconds) == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert Path("data") == found.data_folder
    assert list(found.outbound.allow) == ["loopback"]
    assert found.sandbox.line == "+15550100000"
    assert found.web.public_url == "http://127.0.0.1:8080"


def test_a_file_changes_only_the_keys_it_names(tmp_path: Path) -> None:
    found = load("web:\n  port: 9000\n", tmp_path)

    assert found.web.port == 9000
    assert load_settings(None, {}).web.host == found.web.host
    assert load_settings(None, {}).delivery == found.delivery


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    found = load("web:\n  port: 9000\n  host: 0.0.0.0\n", tmp_path, HUB_WEB__PORT="9001")

    assert (found.web.port, found.web.host) == (9001, "0.0.0.0")


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "named.yaml"
    path.write_text("instance_name: named\n")

    assert load_settings(None, {"HUB_CONFIG": str(path)}).instance_name == "named"


def test_a_section_with_nothing_in_it_is_left_as_it_was(tmp_path: Path) -> None:
    assert load_settings(None, {}) == load("web:\nstore:\n  # url: x\n", tmp_path)


@pytest.mark.parametrize(
    ("variable", "text", "key", "expected"),
    [
        ("HUB_DATA_FOLDER", "/var/lib/hub", "data_folder", Path("/var/lib/hub")),
        ("HUB_STORE__URL", "postgresql://u:p@h/d", "store.url", "postgresql://u:p@h/d"),
        ("HUB_STORE__URL", "postgresql://u@/d?host=/run/pg", "store.url", "postgresql://u@/d?host=/run/pg"),
        ("HUB_STORE__URL", "", "store.url", ""),
        ("HUB_WEB__BASE_URL", "null", "web.base_url", None),
        ("HUB_WEB__BASE_URL", "https://hub.example.com/", "web.base_url", "https://hub.example.com/"),
        ("HUB_SANDBOX__ENABLED", "no", "sandbox.enabled", False),
        ("HUB_SANDBOX__LINE", "+4915510000", "sandbox.line", "+4915510000"),
        ("HUB_DELIVERY__TIMEOUT_SECONDS", "2.5", "delivery.timeout_seconds", 2.5),
        ("HUB_DELIVERY__SCHEDULE_SECONDS", "1, 2,3", "delivery.schedule_seconds", (1.0, 2.0, 3.0)),
        ("HUB_DELIVERY__SCHEDULE_SECONDS", "[1, 2]", "delivery.schedule_seconds", (1.0, 2.0)),
        ("HUB_OUTBOUND__ALLOW", "", "outbound.allow", ()),
        ("HUB_OUTBOUND__ALLOW", "loopback,10.0.0.0/8,a.internal", "outbound.allow",
         ("loopback", "10.0.0.0/8", "a.internal")),
        ("HUB_WEB__CORS_ORIGINS", "*", "web.cors_origins", ("*",)),
        ("HUB_LOG__FORMAT", "json", "log.format", "json"),
    ],
)  # fmt: skip
def test_a_variable_is_read_as_its_key_expects(variable: str, text: str, key: str, expected: object) -> None:
    found = operator.attrgetter(key)(load_settings(None, {variable: text}))

    assert found == expected


@pytest.mark.parametrize(
    ("text", "position", "key", "words"),
    [
        ("web:\n  prot: 1\n", (2, 3), "web.prot", "did you mean web.port?"),
        ("wbe:\n  port: 1\n", (1, 1), "wbe", "did you mean web?"),
        ("port: 1\n", (1, 1), "port", "did you mean web.port?"),
        ("colour: red\n", (1, 1), "colour", "remove it"),
        ("web: 8080\n", (1, 6), "web", "keys are expected"),
        ("- web\n", (1, 1), "", "keys are expected"),
        ("web:\n  port: many\n", (2, 9), "web.port", "a whole number"),
        ("web:\n  port: '80'\n", (2, 9), "web.port", "without quotes"),
        ("web:\n  port: 0x50\n", (2, 9), "web.port", "digits only"),
        ("web:\n  port: 0080\n", (2, 9), "web.port", "digits only"),
        ("web:\n  port: 8_080\n", (2, 9), "web.port", "digits only"),
        ("web:\n  port: 80.0\n", (2, 9), "web.port", "digits only"),
        ("web:\n  port: 65536\n", (2, 9), "web.port", "0 to 65535"),
        ("web:\n  port: -1\n", (2, 9), "web.port", "0 to 65535"),
        ("web:\n  port:\n", (2, 8), "web.port", "nothing"),
        ("web:\n  port: [80]\n", (2, 9), "web.port", "a list"),
        ("web:\n  port: {a: 1}\n", (2, 9), "web.port", "a group of keys"),
        ("web:\n  host: http://x\n", (2, 9), "web.host", "a host name"),
        ("web:\n  host: 999.1.1.1\n", (2, 9), "web.host", "an IP address"),
        ("web:\n  base_url: hub.example.com\n", (2, 13), "web.base_url", "http://"),
        ("web:\n  base_url: https://\n", (2, 13), "web.base_url", "http://"),
        ("web:\n  cors_origins: [https://a.com/x]\n", (2, 18), "web.cors_origins", "without a path"),
        ("web:\n  cors_origins: https://a.com\n", (2, 17), "web.cors_origins", "a list is expected"),
        ("sandbox:\n  enabled: 1\n", (2, 12), "sandbox.enabled", "true or false"),
        ("sandbox:\n  enabled: 'true'\n", (2, 12), "sandbox.enabled", "without quotes"),
        ("sandbox:\n  line: 5550100\n", (2, 9), "sandbox.line", "international form"),
        ("log:\n  level: verbose\n", (2, 10), "log.level", "debug, info, warning, error"),
        ("delivery:\n  schedule_seconds: [5, soon]\n", (2, 25), "delivery.schedule_seconds", "a number"),
        ("delivery:\n  schedule_seconds: [.inf]\n", (2, 22), "delivery.schedule_seconds", "a number"),
        ("delivery:\n  jitter_ratio: 1e400\n", (2, 17), "delivery.jitter_ratio", "a number"),
        ("delivery:\n  jitter_ratio: 10%\n", (2, 17), "delivery.jitter_ratio", "a number"),
        ("delivery:\n  breaker_open_seconds: 1000\n", (1, 1), "delivery.breaker_open_max_seconds",
         "below delivery.breaker_open_seconds"),
        ("sandbox:\n  read_after_ms: 1\n", (2, 18), "sandbox.read_after_ms", "1"),
        ("files:\n  storage: s3\n", (2, 12), "files.s3_bucket", "name the bucket"),
        ("files:\n  storage: ftp\n", (2, 12), "files.storage", "folder"),
        ("files:\n  s3_access_key: AKIA\n", (2, 18), "files.s3_access_key", "give both"),
        ("files:\n  s3_bucket: a/b\n", (2, 14), "files.s3_bucket", "a bucket's name"),
        ("files:\n  s3_prefix: ''\n", (2, 14), "files.s3_prefix", "names between slashes"),
        ("files:\n  s3_endpoint: s3.example.com\n", (2, 16), "files.s3_endpoint", "https://"),
        ("store:\n  url: mysql://h/d\n", (2, 8), "store.url", "postgresql://"),
        ("redis:\n  url: unix://\n", (2, 8), "redis.url", "unix://"),
        ("outbound:\n  allow: [10.0.0.1/8]\n", (2, 11), "outbound.allow", "host bits"),
        ("outbound:\n  allow: [http://a]\n", (2, 11), "outbound.allow", "without scheme"),
        ("outbound:\n  allow: [a..b]\n", (2, 11), "outbound.allow", "no host name"),
        ("outbound:\n  allow: [127.1]\n", (2, 11), "outbound.allow", "neither"),
        ("worker:\n  listen: '8081'\n", (2, 11), "worker.listen", "a host and a port"),
        ("worker:\n  listen: h:99999\n", (2, 11), "worker.listen", "a host and a port"),
        ("secrets:\n  encryption_key: abc\n", (2, 19), "secrets.encryption_key", "openssl rand"),
        ("metrics:\n  token: a b\n", (2, 10), "metrics.token", "without spaces"),
        ("instance_name: a b\n", (1, 16), "instance_name", "letters"),
        ("data_folder: ''\n", (1, 14), "data_folder", "a path"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_place_key_and_advice(
    tmp_path: Path, text: str, position: tuple[int, int], key: str, words: str
) -> None:
    (problem,) = refused(text, tmp_path)

    assert key == problem.key
    assert words in str(problem)
    # These stand in the defaults, not in this file.
    if key not in {"delivery.breaker_open_max_seconds", "files.s3_bucket"} or "s3_bucket" in text:
        assert (str(tmp_path / "my.yaml"), *position) == (problem.path, problem.line, problem.column)


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("HUB_WEB__PROT", "1", "did you mean HUB_WEB__PORT?"),
        ("HUB_WEB_PORT", "8080", "did you mean HUB_WEB__PORT?"),
        ("HUB_DATA__FOLDER", "/x", "did you mean HUB_DATA_FOLDER?"),
        ("HUB_COLOUR__OF__MONEY", "green", "remove it"),
        ("HUB_WEB__PORT", "80a", "a whole number is expected"),
        ("HUB_OUTBOUND__ALLOW", "[loopback", "not valid YAML"),
        ("HUB_OUTBOUND__ALLOW", "a,,b", "text is expected"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(variable: str, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(None, {variable: text})

    assert f"environment variable {variable}" in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("HUB_WEB_PORT", "tcp://10.0.0.1:80"),
        ("HUB_SERVICE_HOST", "10.0.0.1"),
        ("HUB_API_KEY", "hub_live_x"),
        ("HUBERT", "x"),
        ("OTHER__THING", "x"),
    ],
)
def test_other_peoples_variables_are_left_alone(variable: str, text: str) -> None:
    assert load_settings(None, {}) == load_settings(None, {variable: text})


def test_all_problems_of_all_sources_are_told_at_once(tmp_path: Path) -> None:
    text = "web:\n  port: x\n  port: 1\nlog:\n  level: loud\nnope: 1\n"

    problems = refused(text, tmp_path, HUB_WEB__HOST="a b", HUB_NO__SUCH="1")

    in_the_file = [(each.line, each.key) for each in problems if each.line]
    assert in_the_file == [(2, "web.port"), (3, ""), (5, "log.level"), (6, "nope")]
    assert len(problems) == 6


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: the file cannot be read"):
        load_settings(tmp_path / "gone.yaml", {})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("HUB_STORE__URL", "mysql://u:hunter2@h/d"),
        ("HUB_REDIS__URL", "http://:hunter2@h"),
        ("HUB_SECRETS__ENCRYPTION_KEY", "hunter2"),
        ("HUB_OUTBOUND__PROXY", "socks5://u:hunter2@h:1"),
        ("HUB_METRICS__TOKEN", "hunter2 hunter2"),
    ],
)
def test_a_wrong_secret_is_refused_without_showing_it(key: str, value: str, tmp_path: Path) -> None:
    section, name = key.removeprefix("HUB_").lower().split("__")
    (by_variable,) = refused("", tmp_path, **{key: value})
    (by_file,) = refused(f'{section}:\n  {name}: "{value}"\n', tmp_path)

    assert "hunter2" not in str(by_variable) + repr(by_variable)
    assert "hunter2" not in str(by_file) + repr(by_file)


def test_secrets_do_not_show_in_a_repr(tmp_path: Path) -> None:
    found = load(
        "store:\n  url: postgresql://u:hunter2@h/d\nmetrics:\n  token: hunter2\n",
        tmp_path,
        HUB_REDIS__URL="redis://:hunter2@h",
        HUB_OUTBOUND__PROXY="http://u:hunter2@proxy:3128",
    )

    assert "hunter2" not in repr(found)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://[::1]:1"),
        ("fd00::1", "http://[fd00::1]:1"),
        ("hub.internal", "http://hub.internal:1"),
    ],
)
def test_the_public_url_can_be_reached(host: str, expected: str) -> None:
    assert expected == load_settings(None, {"HUB_WEB__HOST": host, "HUB_WEB__PORT": "1"}).web.public_url


def test_the_public_url_is_the_one_given() -> None:
    assert load_settings(None, {"HUB_WEB__BASE_URL": "https://h/x/"}).web.public_url == "https://h/x"


@given(
    st.dictionaries(
        st.sampled_from(
            ["HUB_WEB__PORT", "HUB_WEB__HOST", "HUB_OUTBOUND__ALLOW", "HUB_STORE__URL", "HUB_X__Y"]
        ),
        st.text(max_size=40),
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_the_environment_holds_it_is_read_or_refused(environ: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        load_settings(None, environ)
