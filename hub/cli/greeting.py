"""What `hub up` prints once everything answers: where things are, and commands that work as pasted."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.config.settings import CONFIG_VARIABLE, Settings

if TYPE_CHECKING:
    from hub.app.prepare import Prepared

CONTACT: Final = "+15550100001"
#: Where the receiver of the printed commands listens, or the next port that is free.
RECEIVER_PORT: Final = 9000


def greeting(settings: Settings, prepared: Prepared) -> str:
    """Write it. At the first start the key stands in each command; later the commands take it from HUB_KEY."""
    url, line, key = settings.web.public_url, prepared.sandbox_line, prepared.first_key
    lines = [
        "",
        f"  Hub is ready at {url}",
        "",
        f"  API key       {f'{key}   (shown this once; keep it)' if key else 'made at the first start'}",
        f"  Sandbox line  {line or 'off (sandbox.enabled)'}",
        f"  Data          {settings.data_folder.absolute()}",
        f"  Metrics       {url}/metrics      API  {url}/docs",
        "",
    ]
    if line:
        lines += _commands(settings, line, key)
    return "\n".join([*lines, "  Ctrl-C drains and stops.", ""])


def _commands(settings: Settings, line: str, key: str | None) -> list[str]:
    url, hub, port = settings.web.public_url, hub_command(settings), _free_port(RECEIVER_PORT)
    bearer = f"-H 'Authorization: Bearer {key}'" if key else '-H "Authorization: Bearer $HUB_KEY"'
    make_key = [
        "  # your API key; this makes a new one",
        f"  export HUB_KEY=$({hub} keys create --name me)",
        "",
    ]
    return [
        "  Paste into a second terminal:",
        "",
        *([] if key else make_key),
        "  # 0. a receiver that checks signatures and prints what arrives",
        f"  {hub} listen --port {port} &",
        "",
        *_curl("1. register it as a webhook", f"{url}/v1/webhooks", bearer,
               {"from": line, "url": f"http://127.0.0.1:{port}/", "events": ["*"]}),
        *_curl("2. let a sandbox contact text us", f"{url}/v1/sandbox/say", bearer,
               {"contact": CONTACT, "text": "Hello, Hub!"}),
        *_curl("3. send a message back", f"{url}/v1/messages", bearer,
               {"from": line, "to": CONTACT, "text": "Hello back"}),
        "  # or with the command itself",
        f"  alias hub={shlex.quote(hub)}",
        "  hub listen --register      hub sandbox say Hi      hub events      hub explain ID",
        "",
    ]  # fmt: skip


def _curl(what: str, url: str, bearer: str, body: Mapping[str, object]) -> list[str]:
    return [
        f"  # {what}",
        f"  curl -sS {url} {bearer} \\",
        f"    -d {shlex.quote(json.dumps(body))}; echo",
        "",
    ]


def hub_command(settings: Settings) -> str:
    """Write the command `hub` so that it finds this hub from any folder, without the variables of this shell."""
    words = [f"HUB_DATA_FOLDER={shlex.quote(str(settings.data_folder.expanduser().absolute()))}"]
    config = _config_file()
    if config is not None:
        words.append(f"{CONFIG_VARIABLE}={shlex.quote(str(config.expanduser().absolute()))}")
    return " ".join([*words, _program()])


def _config_file() -> Path | None:
    context = click.get_current_context(silent=True)
    given: Path | None = context.find_root().params.get("config") if context else None
    named = os.environ.get(CONFIG_VARIABLE)
    return given or (Path(named) if named else None)


def _program() -> str:
    """Name the program as this shell found it, or by its path where a new shell would not."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m hub"
    found = shutil.which(called.name)
    if found and Path(found).resolve() == called.resolve():
        return called.name
    return shlex.quote(str(called.absolute()))


def _free_port(first: int) -> int:
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return first
