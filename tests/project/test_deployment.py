"""Dockerfile and compose.yaml without an engine: their form, and that all they name exists in the product."""

import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.cli import cli
from hub.config.settings import load_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
HUB_SERVICES = [name for name, service in SERVICES.items() if service["image"] == "hub:local"]
#: What an operator writes into .env.
ENV_FILE = {
    "HUB_SECRETS__ENCRYPTION_KEY": "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=",
    "POSTGRES_PASSWORD": "0123456789abcdef",
}


def interpolated(text: str) -> str:
    """Return a text of compose.yaml with its variables filled in, as the specification says."""

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if match["mark"] == ":?":
            return ENV_FILE[name]
        return ENV_FILE.get(name) or default

    return re.sub(r"\$\{(?P<name>\w+)(?P<mark>:[-?])(?P<default>[^}]*)\}", value, text)


def instructions(text: str) -> list[tuple[str, str]]:
    """Return a Dockerfile's instructions with their arguments."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [
        (name, rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in joined) if name
    ]


DOCKERFILE = instructions((ROOT / "Dockerfile").read_text("utf-8"))
LAST_FROM = max(number for number, (name, _) in enumerate(DOCKERFILE) if name == "FROM")
FINAL_STAGE = DOCKERFILE[LAST_FROM:]


def final(name: str) -> str:
    """Return the argument of an instruction that the final stage has once."""
    (argument,) = (rest for each, rest in FINAL_STAGE if each == name)
    return argument


def image_environment() -> dict[str, str]:
    return dict(part.split("=", 1) for part in final("ENV").split())


def environment_of(service: str) -> dict[str, str]:
    """Return what a process of the service sees."""
    own = {key: interpolated(str(value)) for key, value in SERVICES[service]["environment"].items()}
    return {**image_environment(), **own}


@pytest.mark.slow
def test_compose_yaml_follows_the_compose_specification() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_dockerfile_passes_its_linter() -> None:
    hadolint = Path(sysconfig.get_path("scripts")) / "hadolint"
    result = subprocess.run([hadolint, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("name", HUB_SERVICES)
def test_every_command_of_compose_is_one_of_the_hub(name: str) -> None:
    assert SERVICES[name]["command"][0] in cli.commands


def test_the_images_own_command_is_one_of_the_hub() -> None:
    assert final("ENTRYPOINT") == '["hub"]'
    assert yaml.safe_load(final("CMD"))[0] in cli.commands


def test_health_checks_ask_where_the_processes_listen() -> None:
    web, worker = load_settings(None, environment_of("web")), load_settings(None, environment_of("worker"))
    addresses = {"web": f"127.0.0.1:{web.web.port}", "worker": worker.worker.listen}
    asked = {
        name: re.findall(r"http://(\S+)/readyz", SERVICES[name]["healthcheck"]["test"][-1])
        for name in addresses
    }

    assert asked == {name: [address] for name, address in addresses.items()}
    assert SERVICES["migrate"]["healthcheck"] == {"disable": True}


@pytest.mark.parametrize("name", HUB_SERVICES)
def test_the_settings_of_every_process_are_valid(name: str) -> None:
    found = load_settings(None, environment_of(name))

    assert found.store.url == "postgresql://hub:0123456789abcdef@postgres:5432/hub"
    assert found.redis.url == "redis://valkey:6379/0"
    assert found.web.host == "0.0.0.0"
    assert found.data_folder == Path("/data")
    assert list(found.outbound.allow) == []


def test_the_image_alone_has_valid_settings() -> None:
    assert load_settings(None, image_environment()).data_folder == Path(final("VOLUME"))


def test_addresses_in_settings_are_services_with_that_account() -> None:
    database = SERVICES["postgres"]["environment"]

    assert {"postgres", "valkey"} <= set(SERVICES)
    assert (database["POSTGRES_USER"], database["POSTGRES_DB"]) == ("hub", "hub")
    assert interpolated(database["POSTGRES_PASSWORD"]) == ENV_FILE["POSTGRES_PASSWORD"]


def test_there_are_two_web_processes_and_two_workers_after_one_migration() -> None:
    replicas = {name: SERVICES[name].get("deploy", {}).get("replicas", 1) for name in HUB_SERVICES}
    waits = {name: SERVICES[name]["depends_on"]["migrate"]["condition"] for name in ("web", "worker")}

    assert replicas == {"web": 2, "worker": 2, "migrate": 1}
    assert set(waits.values()) == {"service_completed_successfully"}
    assert SERVICES["migrate"]["restart"] == "no"


def test_each_web_process_gets_a_port_of_its_own() -> None:
    (ports,) = SERVICES["web"]["ports"]
    first, last, inside = map(int, re.fullmatch(r"127\.0\.0\.1:(\d+)-(\d+):(\d+)", ports).groups())  # type: ignore[union-attr]  # no match fails the test as well

    assert last - first + 1 == SERVICES["web"]["deploy"]["replicas"]
    assert inside == load_settings(None, environment_of("web")).web.port == int(final("EXPOSE"))


def test_processes_get_longer_to_stop_than_they_take() -> None:
    found = load_settings(None, environment_of("worker"))
    grace = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))

    assert grace > max(found.worker.drain_seconds, found.web.graceful_shutdown_seconds)


@pytest.mark.parametrize("name", HUB_SERVICES)
def test_hub_processes_have_no_privileges(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_the_image_does_not_run_as_root() -> None:
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", final("USER"))


def test_every_service_but_the_migration_is_watched() -> None:
    unwatched = [name for name, service in SERVICES.items() if "test" not in service["healthcheck"]]

    assert unwatched == ["migrate"]


def test_every_volume_that_is_mounted_is_declared() -> None:
    mounted = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}

    assert mounted == set(COMPOSE["volumes"])


def test_every_variable_that_an_operator_must_give_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    asked = set(re.findall(r"\$\{(\w+):", (ROOT / "compose.yaml").read_text("utf-8")))

    assert asked == set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_what_the_image_is_built_from_is_there_and_not_ignored() -> None:
    """And every package that is installed is copied."""
    copied = [
        path
        for name, rest in DOCKERFILE
        if name == "COPY" and not rest.startswith("--from")
        for path in rest.split()[:-1]
    ]
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line[1:] for line in ignore if line.startswith("!")}
    globs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"][
        "find"
    ]
    packages = [path.parent.name for glob in globs["include"] for path in ROOT.glob(f"{glob}/__init__.py")]

    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert set(copied) == kept
    assert set(packages) <= set(copied)
