"""What is kept of a request of a bridge's network that could not be read, or was not believed."""

from __future__ import annotations

from hub.flow.bridge_kinds import HookReply, HookRequest
from hub.model.refused import Form, Origin, RefusalCode, Refused


def of_hook(request: HookRequest, reply: HookReply) -> Refused | None:
    """Say what is kept of a request, by what its reader made of it; None where all is well.

    What was not believed is counted and not kept: anybody may have sent it.
    """
    reason = reply.reason or "no reason was given"
    if reply.status in {401, 403}:
        code = RefusalCode.UNBELIEVED
        return Refused(code=code, reason=reason, origin=Origin.HOOK, same_as=code, size=len(request.body))
    if reply.status == 413:
        code = RefusalCode.TOO_LARGE
        return Refused(code=code, reason=reason, origin=Origin.HOOK, same_as=code, size=len(request.body))
    if reply.refusal is None:
        return None
    return _kept(request, reply.refusal, reason, Form.REQUEST)


def of_broken_reader(request: HookRequest, error: str) -> Refused:
    """Say what is kept of a request over which its reader broke: nobody knows whether it was believed."""
    reason = f"The bridge's reader broke over it ({error}): a fault of the hub; its log has more."
    return _kept(request, RefusalCode.READER_BROKE, reason, Form.OTHER)


def _kept(request: HookRequest, code: RefusalCode, reason: str, form: Form) -> Refused:
    return Refused(
        code=code,
        reason=reason,
        origin=Origin.HOOK,
        raw=request.body,
        form=form,
        query=tuple(request.query),
        content_type=request.headers.get("content-type", ""),
    )
