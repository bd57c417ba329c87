"""Addresses of files for those who have no API key: signed, absolute, expiring (hub.rules.links).

They lead to this hub whatever keeps the bytes, so a bucket may stay private. The expiry is a whole hour, so that
reading a message twice gives the same address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hub.flow.ports import Clock
from hub.model.ids import Prefix, id_text
from hub.rules.links import LinkAction, Verdict, judge_link, sign_link

HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLinks:
    """Makes and judges addresses."""

    #: From hub.rules.links.link_key.
    key: bytes = field(repr=False)
    #: Under which the hub is reached, without a slash at its end.
    base_url: str
    #: How long an address for reading works at least.
    lasts_ms: int
    clock: Clock

    def read_url(self, file_id: int | str) -> str:
        """Give an address that anybody can read the file at, by its id or by the id's text."""
        text = file_id if isinstance(file_id, str) else id_text(Prefix.FILE, file_id)
        expires_at = (self.clock.now_ms() // HOUR_MS + 1) * HOUR_MS + self.lasts_ms
        return self._url(LinkAction.READ, text, expires_at)

    def upload_url(self, file_id: int, *, expires_at: int) -> str:
        """Give an address that the announced bytes can be put to."""
        return self._url(LinkAction.UPLOAD, id_text(Prefix.FILE, file_id), expires_at)

    def judge(self, action: LinkAction, file_id: int, *, expires_at: int, signature: str) -> Verdict:
        """Tell whether an address that somebody shows is ours and still holds."""
        return judge_link(
            self.key,
            action,
            id_text(Prefix.FILE, file_id),
            expires_at=expires_at,
            signature=signature,
            now_ms=self.clock.now_ms(),
        )

    def _url(self, action: LinkAction, file_id: str, expires_at: int) -> str:
        signature = sign_link(self.key, action, file_id, expires_at=expires_at)
        return f"{self.base_url}/v1/files/{file_id}/content?expires={expires_at}&signature={signature}"
