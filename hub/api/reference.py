"""Write docs/reference from the tables: `python -m hub.api.reference docs/reference`. A test ties the two."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from hub.api.calls import AnyDescribed, NoBody, NoQuery, StreamBody
from hub.api.errors import ERROR_CODES
from hub.api.openapi import described, document_json
from hub.api.openapi_document import error_codes, reply_shapes, request_headers

_INTRODUCTION: Final = """# REST surface

Generated from the endpoint tables (`python -m hub.api.reference docs/reference`); `GET /v1/openapi.json` is the same
for machines.

- Base: the hub's address; every path below `/v1` takes and gives JSON in UTF-8. Instants are integer Unix
  milliseconds, UTC.
- `Authorization: Bearer sk_live_…`. Make keys with `hub keys create` or `POST /v1/keys`. `admin` carries every scope. A
  key may be restricted to lines; the sandbox line is open to every key. A revoked key may pass for one more second in
  processes other than the one that revoked it.
- Every answer has a `request_id`, also as `X-Request-Id`. Errors: [errors.md](errors.md).
- Lists: `{"data": […], "has_more", "next_cursor", "request_id"}`; `limit` 1 to 100, default 50; give `next_cursor` as
  `cursor`. `/v1/lines`, `/v1/bridges`, `/v1/reactions`, `/v1/typing` and `/v1/receipts` come whole, `/v1/webhooks` too
  unless `limit` is given. Lists that take `offset` and `include_total=true` go by number, too, and tell the `total`.
- Rate limit: per key and hour (`limits.requests_per_hour`, or the key's own), counted from the key's first request;
  `X-RateLimit-Limit`, `-Remaining`, `-Reset` (Unix seconds) on every answer, 429 with `Retry-After` beyond it.
- `Idempotency-Key` on every POST: the same request under the same key is done once and answered alike, marked
  `Idempotent-Replayed: true`; another request under it is a 409. Remembered for `retention.idempotency_hours`.
- Every JSON that is read has an `ETag`: `If-None-Match` gets 304 while nothing changed, `If-Match` on a change of a
  single thing gets 412 once somebody else changed it. Answers over 1 KB come as gzip to who asks (`Accept-Encoding`).
- More on all of these: [api-conventions.md](../api-conventions.md).
- Endpoints of the messages.dev API ignore unknown fields, as that API does; ours refuse them.
- `HEAD` works wherever `GET` does; `OPTIONS` names the methods. CORS: `web.cors_origins`.
"""


def api_markdown() -> str:
    """Render the reference of all endpoints, by tag."""
    by_tag: dict[str, list[AnyDescribed]] = {}
    for each in sorted(described(), key=lambda one: (one.tag, one.path, one.method)):
        by_tag.setdefault(each.tag, []).append(each)
    sections = [f"## {tag}\n\n" + "\n".join(map(_endpoint, found)) for tag, found in by_tag.items()]
    return _INTRODUCTION + "\n" + "\n".join(sections)


def errors_markdown() -> str:
    """Render the table of error codes."""
    head = """# Errors

Generated from `hub/api/errors.py` (`python -m hub.api.reference docs/reference`).

    {"error": {"type": "invalid_request_error", "code": "missing_required_parameter",
               "message": "The 'from' field is required.", "param": "from"}, "request_id": "req_…"}

`param` is left out where it does not apply. `code` is stable; `message` is for people and may change.

| HTTP | type | code | it means | what to do |
|---|---|---|---|---|
"""
    rows = (
        f"| {each.status} | {each.type} | `{each.code}` | {each.meaning} | {each.fix} |\n"
        for each in ERROR_CODES
    )
    return head + "".join(rows)


def _endpoint(endpoint: AnyDescribed) -> str:
    lines = [f"### {endpoint.method} {endpoint.path}\n", endpoint.summary]
    if endpoint.description:
        lines.append("\n" + endpoint.description)
    scope = "none, open to anybody" if endpoint.scope is None else f"`{endpoint.scope}`"
    if "webhook-signature" in endpoint.headers:
        scope = "none; signed by the bridge"
    others = "".join(f", or {status} ({meaning})" for status, meaning in endpoint.other_statuses.items())
    lines.append(f"\nScope: {scope}. Answers {endpoint.status}{others}.\n")
    if endpoint.query is not NoQuery:
        lines.append(f"Query: {_fields(endpoint.query)}.\n")
    headers = request_headers(endpoint)
    if headers:
        lines.append(f"Headers: {', '.join(f'`{name}`' for name in headers)}.\n")
    if endpoint.body is StreamBody:
        lines.append(f"Body: {', '.join(f'`{kind}`' for kind in endpoint.request_content)}.\n")
    elif endpoint.body is not NoBody:
        optional = " (may be left out)" if endpoint.is_body_optional else ""
        lines.append(f"Body{optional}: {_fields(endpoint.body)}.\n")
    if endpoint.example:
        example = msgspec.json.encode(dict(endpoint.example)).decode()
        lines.append(f"    {example}\n")
    if endpoint.reply_content:
        lines.append(f"Answer: {', '.join(f'`{kind}`' for kind in endpoint.reply_content)}.\n")
    elif endpoint.reply not in (bytes, None):
        lines.append(f"Answer: {'; or '.join(map(_answer, reply_shapes(endpoint)))}.\n")
    codes = ", ".join(f"`{code}`" for code in sorted(error_codes(endpoint)))
    lines.append(f"Errors: {codes}.\n")
    return "\n".join(lines)


def _answer(shape: Any) -> str:
    listed = get_args(shape)
    return f"a list of {_fields(listed[0], mark=False)}" if listed else _fields(shape, mark=False)


def _fields(shape: Any, *, mark: bool = True) -> str:
    fields: Iterable[Any] = msgspec.structs.fields(shape)
    return ", ".join(f"`{each.encode_name}`{'*' if mark and each.required else ''}" for each in fields)


def files() -> dict[str, bytes]:
    """Give every file of docs/reference that is generated here."""
    return {
        "api.md": api_markdown().encode(),
        "errors.md": errors_markdown().encode(),
        "openapi.json": document_json() + b"\n",
    }


def main(folder: Path) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
