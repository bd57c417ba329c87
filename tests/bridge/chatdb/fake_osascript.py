"""An `osascript` that is none: it writes into chat.db what Messages would, with its faults as switches.

Run as: fake_osascript.py FOLDER -l AppleScript - ROUTE TARGET SERVICE KIND CONTENT, the script on its standard input.
FOLDER holds chat.db, time.json, the script as it is, and switches.json: words, or a file's name, → one of FAULTS.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bridge.chatdb.builder import Builder
from tests.bridge.macos.fast_time import now_in

#: What may happen to one send.
FAULTS = (
    "buddy_unknown",
    "error_22",
    "flips",
    "ghost",
    "hangs_sent",
    "hangs_unsent",
    "late_error",
    "lost",
    "sent_by_sms",
    "midway_sent",
    "midway_unsent",
)
_CODES = {"-600", "-1700", "-1728", "-1743", "-10810"}
_REAL_MOMENT = 0.03


def main() -> int:
    folder, script, data = Path(sys.argv[1]), sys.stdin.read(), sys.argv[5:]
    if sys.argv[2:5] != ["-l", "AppleScript", "-"]:
        return fail("usage", -50)
    if not data:
        return fail("Not authorized to send Apple events to Messages.", -1743) if is_denied(folder) else 0
    if script != (folder / "script").read_text():
        return fail("the script is another one: data are only ever arguments", -2741)
    return send(folder, data)


def is_denied(folder: Path) -> bool:
    return (folder / "denied").exists()


def fail(words: str, number: int) -> int:
    print(f"32:61: execution error: Messages got an error: {words} ({number})", file=sys.stderr)
    return 1


def send(folder: Path, data: list[str]) -> int:
    route, _, service, kind, content = data
    name = content.rpartition("/")[2] if kind == "file" else content
    fault = json.loads((folder / "switches.json").read_text()).get(name, "")
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(data) + "\n")
    if is_denied(folder):
        return fail("Not authorized to send Apple events to Messages.", -1743)
    if fault in _CODES:
        return fail("No.", int(fault))
    if fault == "buddy_unknown" and route == "buddy":
        return fail("No such buddy.", -1728)
    if fault == "sent_by_sms" and service != "SMS":
        fault = "error_22"
    if fault not in {"lost", "hangs_unsent", "midway_unsent"}:
        write(folder, data, fault)
    if fault.startswith("hangs"):
        (folder / "hangs").touch()
        time.sleep(60)
    return fail("The variable is not defined.", -2753) if fault.startswith("midway") else 0


def write(folder: Path, data: list[str], fault: str) -> None:
    """Do as Messages does: the row, then where it is, then what became of it."""
    _, target, service, kind, content = data
    builder, now_ms = Builder(folder / "chat.db"), now_in(folder)
    if fault == "ghost":
        builder.message(None, at_ms=now_ms, service="SMS", is_sent=0)
        return
    identifier = target.rpartition(";")[2]
    chat = builder.chat(identifier, prefix="SMS" if service == "SMS" else "iMessage")
    row = builder.message(
        None,
        "\ufffc" if kind == "file" else content,
        at_ms=now_ms,
        service=service,
        is_sent=0,
        is_from_me=int(fault != "flips"),
        destination_caller_id="+15550100000",
    )
    time.sleep(_REAL_MOMENT if fault == "flips" else 0)
    builder.join(chat, row)
    if kind == "file":
        path = Path(content)
        builder.attachment(row, folder / "Attachments", path.name, path.read_bytes())
    builder.update("message", row, is_from_me=1)
    if fault in {"error_22", "late_error"}:
        time.sleep(_REAL_MOMENT if fault == "late_error" else 0)
        builder.update("message", row, error=22)
    else:
        builder.update("message", row, is_sent=1)
    builder.close()


if __name__ == "__main__":
    sys.exit(main())
