"""Every code of the native error envelope, once: its HTTP status, its type, what it means and what to do.

The codes down to `webhook_not_found` of contracts: messages.dev §5 are spelt as there; the others are ours.
docs/reference/errors.md is generated from this table, and a test ties the two.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTHENTICATION = "authentication_error"
AUTHORIZATION = "authorization_error"
INVALID = "invalid_request_error"
NOT_FOUND = "not_found_error"
RATE_LIMIT = "rate_limit_error"
OURS = "api_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorCode:
    """One code of the envelope."""

    code: str
    status: int
    type: str
    meaning: str
    fix: str


def _code(status: int, kind: str, code: str, meaning: str, fix: str) -> ErrorCode:
    return ErrorCode(code=code, status=status, type=kind, meaning=meaning, fix=fix)


#: By status, then alphabetical.
ERROR_CODES: tuple[ErrorCode, ...] = (
    _code(
        400, INVALID, "advanced_features_required", "The line cannot do this.",
        "Use a line whose bridge can; the message names what is missing.",
    ),
    _code(
        400, INVALID, "ai_not_configured", "No language model is connected.",
        "Let the operator set ai.provider, ai.model and ai.api_key in hub.yaml.",
    ),
    _code(
        400, INVALID, "empty_file", "The file has no bytes.", "Send the file's bytes as the body.",
    ),
    _code(
        400, INVALID, "fetch_failed", "The address gave no file.",
        "The message says why; check that the address answers 200 to a plain GET, and is not behind a login.",
    ),
    _code(
        400, INVALID, "header_refused",
        "A custom header of a webhook has a reserved name, or a name or value that HTTP forbids.",
        "Choose another name; the message says which rule it breaks.",
    ),
    _code(
        400, INVALID, "invalid_json",
        "The body is not one JSON object in UTF-8, is nested too deeply, or holds NUL, half a surrogate pair or a "
        "number too large to keep.",
        "Send one well-formed JSON object; the message names the place.",
    ),
    _code(
        400, INVALID, "invalid_multipart", "The body is not well-formed multipart/form-data.",
        "Let an HTTP library write the form; the message says what is broken.",
    ),
    _code(
        400, INVALID, "invalid_parameter_value",
        "A field, query parameter or header has the wrong type, is out of range or is not known here.",
        "Mend the field that `param` names.",
    ),
    _code(
        400, INVALID, "missing_required_parameter",
        "A field or query parameter that must be there is not.",
        "Add the field that `param` names.",
    ),
    _code(
        400, INVALID, "sandbox_contact_mismatch",
        "The message named does not belong to the conversation with this simulated contact.",
        "Name a message of that contact's chat, or let the right contact act.",
    ),
    _code(
        400, INVALID, "url_refused",
        "Hub may not call this URL: it is malformed, not HTTPS, or leads to a private or special address.",
        "Use a public https:// URL, or let the operator open the receiver with outbound.allow in hub.yaml.",
    ),
    _code(
        401, AUTHENTICATION, "enrolment_refused",
        "The enrolment token is not known, has been used, or its time is over.",
        "Ask for another: `hub bridges enrol`, or POST /v1/enrolments. A machine that drew its own secret may repeat "
        "its request with it.",
    ),
    _code(
        401, AUTHENTICATION, "invalid_api_key",
        "The API key has the wrong form, is not known, was revoked or has expired.",
        "Check the key for missing characters, or make a new one with `hub keys create` or POST /v1/keys.",
    ),
    _code(
        401, AUTHENTICATION, "invalid_signature",
        "A request of a bridge or a source is not signed, or no signature fits its bytes.",
        "Sign `{webhook-id}.{webhook-timestamp}.{raw body}` with the bridge's secret; of a source, see "
        "`hub sources rejected`.",
    ),
    _code(
        401, AUTHENTICATION, "missing_api_key",
        "The request has no `Authorization` header.",
        "Send `Authorization: Bearer sk_live_…`.",
    ),
    _code(
        401, AUTHENTICATION, "timestamp_out_of_tolerance",
        "A bridge's signature is too old, or lies in the future.",
        "Check the bridge's clock, and sign each attempt anew.",
    ),
    _code(
        403, INVALID, "contact_has_not_messaged",
        "The line may only answer, and nobody in this chat has written to it yet.",
        "Wait for the contact to write first.",
    ),
    _code(
        403, INVALID, "contact_opted_out",
        "The contact, or somebody in the group, has said STOP or was opted out.",
        "Do not write to them. GET /v1/consents/{handle} tells who said what; a START, or a consent that you can "
        "prove and record with POST /v1/consents, undoes it.",
    ),
    _code(
        403, AUTHORIZATION, "insufficient_scope",
        "The key lacks the scope that this endpoint needs.",
        "Use a key with the scope that the message names.",
    ),
    _code(
        403, AUTHORIZATION, "line_not_accessible",
        "The key is restricted to other lines.",
        "Use one of the key's lines, or another key.",
    ),
    _code(
        403, AUTHORIZATION, "link_refused", "The address of a file has expired, or was changed.",
        "Ask for a fresh one: GET /v1/files/{id}, or announce the upload again.",
    ),
    _code(404, NOT_FOUND, "bridge_not_found", "No such bridge.", "List the bridges with GET /v1/bridges."),
    _code(404, NOT_FOUND, "bulk_not_found", "No such bulk send.", "List the bulk sends with GET /v1/bulk."),
    _code(
        404, NOT_FOUND, "call_not_found", "An agent's call is not known, or is not under way.",
        "Leave it: nobody waits for it any more.",
    ),
    _code(
        404, NOT_FOUND, "chat_not_found", "The line has no such chat.",
        "List the line's chats with GET /v1/chats?from=…",
    ),
    _code(
        404, NOT_FOUND, "contact_group_not_found", "No such contact group.",
        "List the groups with GET /v1/contact-groups.",
    ),
    _code(
        404, NOT_FOUND, "contact_not_found",
        "No such contact, or none that the key may see.",
        "Find it with GET /v1/contacts?q=…; a key restricted to lines sees those that its lines write with.",
    ),
    _code(
        404, NOT_FOUND, "delivery_not_found", "No such delivery.",
        "List the deliveries with GET /v1/deliveries; finished ones go after the days of retention.",
    ),
    _code(
        404, NOT_FOUND, "enrolment_not_found", "No such enrolment.", "List the enrolments with GET /v1/enrolments.",
    ),
    _code(
        404, NOT_FOUND, "event_not_found", "No such event.",
        "List the events with GET /v1/events; they go after the days of retention.",
    ),
    _code(
        404, NOT_FOUND, "file_not_found", "No such file.",
        "Check the id; a file that nothing uses goes after `files.unused_days`.",
    ),
    _code(
        404, NOT_FOUND, "file_unavailable", "The bytes of this file could not be had.",
        "The message says why; ask whoever sent it to send it again.",
    ),
    _code(404, NOT_FOUND, "job_not_found", "No such job.", "List the jobs with GET /v1/jobs."),
    _code(404, NOT_FOUND, "key_not_found", "No such API key.", "List the keys with GET /v1/keys."),
    _code(404, NOT_FOUND, "line_not_found", "No such line.", "List the lines with GET /v1/lines."),
    _code(
        404, NOT_FOUND, "location_not_found", "Nobody of this handle shares a location, or the bridge has told none.",
        "Ask the bridge: POST /v1/locations/refresh.",
    ),
    _code(
        404, NOT_FOUND, "message_not_found", "The line has no such message.",
        "List the chat's messages with GET /v1/messages?from=…&to=…",
    ),
    _code(
        404, NOT_FOUND, "outbox_item_not_found", "No such outbox item.",
        "Use the `id` that the send answered; finished ones go after the days of retention.",
    ),
    _code(
        404, NOT_FOUND, "payload_not_found", "No such payload of the bridge, or it is kept no more.",
        "List them with GET /v1/bridges/{id}/refused.",
    ),
    _code(
        404, NOT_FOUND, "poll_not_found", "No such poll, or its network does not have it yet.",
        "Look at its outbox item: GET /v1/outbox?id=…",
    ),
    _code(404, NOT_FOUND, "route_id_not_found", "No route has this id.", "List the routes with GET /v1/routes."),
    _code(
        404, NOT_FOUND, "route_not_found", "No endpoint has this path.",
        "Check the path; GET /v1/openapi.json lists all.",
    ),
    _code(
        404, NOT_FOUND, "run_not_found", "No such run, or it is kept no more.", "List the runs with GET /v1/runs.",
    ),
    _code(
        404, NOT_FOUND, "source_not_found", "No such source is set up.",
        "List them with GET /v1/sources; set one up in connections.yaml.",
    ),
    _code(404, NOT_FOUND, "webhook_not_found", "No such webhook.", "List them with GET /v1/webhooks?from=*."),
    _code(
        405, INVALID, "method_not_allowed", "The path exists, but not with this method.",
        "Use one of the methods in the `Allow` header.",
    ),
    _code(
        408, INVALID, "upload_timeout", "An upload stood still, or took too long.",
        "Send it again; the limits are `files.idle_seconds` and `files.upload_seconds`.",
    ),
    _code(
        409, INVALID, "bridge_in_use", "The bridge still carries lines.",
        "Disable it instead: PATCH /v1/bridges/{id} with {\"is_enabled\": false}.",
    ),
    _code(
        409, INVALID, "bridge_superseded", "Another agent has said hello for this bridge since.",
        "Stop this one; if both machines should run, enrol each as a bridge of its own (docs/agent.md).",
    ),
    _code(
        409, INVALID, "bulk_state_conflict", "The bulk send is not in a state in which this can be done.",
        "The message tells its state; one that is over cannot be changed.",
    ),
    _code(
        409, INVALID, "chat_left", "The line has left this group, or was put out of it.",
        "Have a member bring the line in again, or make another group.",
    ),
    _code(
        409, INVALID, "contact_exists",
        "A handle belongs to another contact already; `existing_id` names it.",
        "Change that contact, or leave the handle out.",
    ),
    _code(
        409, INVALID, "file_already_uploaded", "The bytes of this file are there already.",
        "Announce another file for other bytes.",
    ),
    _code(
        409, INVALID, "file_in_use", "A message, a group or a card uses this file.", "It goes when nothing uses it.",
    ),
    _code(
        409, INVALID, "file_not_ready", "The file has no bytes yet.",
        "Upload them to the address that announcing it gave, or wait until they are fetched: GET /v1/files/{id} shows "
        "its `state`.",
    ),
    _code(
        409, INVALID, "idempotency_answer_lost",
        "The request was begun under this idempotency key before, and its answer is not known: the hub was stopped "
        "in the middle, or the answer was too large to keep.",
        "Look at what is there, then use a fresh key if it has to be done.",
    ),
    _code(
        409, INVALID, "idempotency_in_progress",
        "The same request under this idempotency key is being worked on.",
        "Ask again after `Retry-After` seconds.",
    ),
    _code(
        409, INVALID, "idempotency_key_conflict",
        "The idempotency key was used with another request.",
        "Take a fresh key for each new request; repeat only the identical request under one key.",
    ),
    _code(409, INVALID, "job_finished", "The job is over, so it cannot be cancelled.", "Nothing is left to do."),
    _code(
        409, INVALID, "line_inactive", "The line is switched off and sends nothing.",
        "Switch it on: PATCH /v1/lines/{id} with {\"is_active\": true}.",
    ),
    _code(
        409, INVALID, "message_not_sent",
        "The message waits, or has failed: its network does not know it, so nothing can be done to it there.",
        "Wait until its `status` is `sent`; `Prefer: wait=N` at the send does that for you.",
    ),
    _code(
        409, INVALID, "message_state_conflict",
        "The message is in a state in which this cannot be done: it is sent and cannot be cancelled, it did not fail "
        "and cannot be retried, it is not sent yet and cannot be edited.",
        "Look at its `status` with GET /v1/messages/{id}; the message tells what would be possible.",
    ),
    _code(
        409, INVALID, "name_taken", "Another one has this name or handle.", "Choose another, or change that one.",
    ),
    _code(
        409, INVALID, "not_a_group", "The chat is a direct one; only a group has a name, a picture and members.",
        "Make a group with POST /v1/chats.",
    ),
    _code(
        409, INVALID, "payload_not_readable", "Nothing can read this payload again: it is cut, or no whole event.",
        "docs/bridges.md says what to do about each code; most bridges tell their history again.",
    ),
    _code(
        409, INVALID, "route_in_file", "The route comes from a file, and files alone change what comes from them.",
        "Change or delete it in its file; GET /v1/routes/{id} tells which.",
    ),
    _code(
        409, INVALID, "route_limit_reached", "As many routes were made by the API as may stand at once.",
        "Delete one, put routes into files, or raise limits.routes in hub.yaml.",
    ),
    _code(
        409, INVALID, "route_not_startable",
        "The route is switched off or retired, has no manual trigger, or skips runs while another one is under way.",
        "The message says which; GET /v1/routes/{id} shows the route.",
    ),
    _code(
        409, INVALID, "run_state_conflict",
        "The run is in a state in which this cannot be done: it is over and cannot be cancelled, it is not over and "
        "cannot be replayed, nothing of it failed, or what it knew is kept no more.",
        "The message tells its state, and what would be possible.",
    ),
    _code(
        409, INVALID, "storage_quota_exceeded", "The hub keeps as many bytes of files as it may.",
        "Delete files that nothing needs, or raise `files.quota_bytes`.",
    ),
    _code(
        409, INVALID, "webhook_disabled", "The webhook is disabled, so nothing is delivered to it.",
        "Enable it first: POST /v1/webhooks/{id}/enable.",
    ),
    _code(
        412, INVALID, "precondition_failed",
        "The thing is not any more what `If-Match` says, or is being changed right now.",
        "Read it again, decide anew, and give the `ETag` that you got.",
    ),
    _code(
        413, INVALID, "payload_too_large", "The body is larger than this hub accepts.",
        "Send less; the message names the limit (web.max_body_bytes, bridge.max_body_bytes, files.max_bytes).",
    ),
    _code(
        415, INVALID, "unsupported_media_type",
        "The body's Content-Type cannot be JSON, names another charset than UTF-8, or the body is compressed.",
        "Send `Content-Type: application/json`, uncompressed.",
    ),
    _code(
        416, INVALID, "range_not_satisfiable", "The range lies behind the end of the file.",
        "Ask for a range within the size that `Content-Range` tells.",
    ),
    _code(
        422, INVALID, "ai_refused", "The language model did not take the request, or answered without a word.",
        "Change the context or the instructions; the message passes on what it said.",
    ),
    _code(
        429, RATE_LIMIT, "ai_limit_reached", "The hub has used what it may take from its language model.",
        "Wait as long as `Retry-After` says, or let the operator raise the limits under `ai` in hub.yaml.",
    ),
    _code(
        429, RATE_LIMIT, "message_limit_reached",
        "The line has sent as many messages as it may on one day of its clock.",
        "Wait as many seconds as `Retry-After` says, use another line, or raise `safety.messages_per_day`; `limit` "
        "has the figures.",
    ),
    _code(
        429, RATE_LIMIT, "new_conversation_limit_reached",
        "The line has opened as many conversations as it may within an hour or a day. Existing chats go on.",
        "Wait as many seconds as `Retry-After` says, let contacts write first (GET /v1/deep-links), or raise "
        "`safety.new_conversations_per_day`; `limit` has the figures.",
    ),
    _code(
        429, RATE_LIMIT, "rate_limit_exceeded", "The key has used up its requests of this hour.",
        "Wait as many seconds as `Retry-After` says; raise limits.requests_per_hour or the key's own limit.",
    ),
    _code(
        429, RATE_LIMIT, "too_many_streams", "As many follow or wait as may at once in this process.",
        "End some, or try again after `Retry-After` seconds; raise streams.per_key or streams.total in hub.yaml.",
    ),
    _code(
        500, OURS, "internal_error", "A mistake of ours; nothing is known to have been done.",
        "Try again; if it stays, report the `request_id`.",
    ),
    _code(
        502, OURS, "ai_misconfigured", "The language model refuses the hub's key, model name or address.",
        "Let the operator mend what the message names under `ai` in hub.yaml.",
    ),
    _code(
        503, OURS, "ai_unavailable", "The language model cannot be reached just now, or is overloaded.",
        "Try again after `Retry-After` seconds.",
    ),
    _code(
        503, OURS, "service_unavailable", "The database, or something else this needs, is away.",
        "Try again after `Retry-After` seconds; /readyz says what is missing.",
    ),
)  # fmt: skip

BY_CODE: dict[str, ErrorCode] = {each.code: each for each in ERROR_CODES}
