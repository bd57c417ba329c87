"""The files that a send names: there, ready, and open to the key; with what its bridge and its readers need of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hub.api.calls import Call
from hub.flow.files import file_id_text
from hub.model.file import File

#: Codes that naming a file can be answered with.
FILE_ERRORS: Final = ("file_not_found", "file_not_ready", "file_unavailable")


async def find_files(call: Call[Any, Any], named: Sequence[tuple[str, str]]) -> list[File]:
    """Find the files that a request names, each with the field that names it.

    Raises:
        InvalidRequest: invalid_parameter_value, file_not_found, line_not_accessible, file_not_ready or
            file_unavailable, with the field.
    """
    return await call.uses.files.require(call.key, named)


def resolved_files(files: Sequence[File]) -> dict[str, object]:
    """Give what is added to the request that the outbox keeps (hub.flow.sent_parts)."""
    if not files:
        return {}
    known = {
        file_id_text(file): {"filename": file.filename, "mime_type": file.mime_type, "size": file.size}
        for file in files
    }
    return {"files": known}
