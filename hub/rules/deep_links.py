"""Links with which a contact writes first: they open the contact's own app with the line and the words filled in.

- `sms:` of RFC 5724, with the words percent-encoded in `?body=`: Android and most others.
- Apple's phones take the words only after `&body=`; a mail address works there as well as a number.
- `imessage:` is Apple's own scheme, for Mac and phone.
- A QR code for a number holds `SMSTO:number:words` with the words as they are, which cameras of both kinds read.

Not here: drawing the code (hub.api.deep_links).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

#: RFC 3986: what may stand in a mail address of a URI's path unescaped, beside letters and digits.
_IN_ADDRESS: Final = "@.-_~!$'*+"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeepLinks:
    """The links of one line; None where the line cannot be reached so."""

    #: RFC 5724.
    sms: str | None
    #: Apple's form of it.
    sms_ios: str
    imessage: str | None
    whatsapp: str | None
    #: What a QR code should hold.
    qr_text: str


def deep_links(handle: str, *, service: str, text: str = "") -> DeepLinks:
    """Make the links.

    Args:
        handle: The line's: a number in international form, or a mail address.
        service: The line's: `imessage`, `sms`, `auto` or `whatsapp`.
        text: The words to fill in; empty for none.
    """
    is_number = "@" not in handle
    address = quote(handle, safe=_IN_ADDRESS)
    body = quote(text, safe="")
    standard = f"sms:{address}" + (f"?body={body}" if body else "")
    apple = address + (f"&body={body}" if body else "")
    imessage = f"imessage:{apple}" if service in ("imessage", "auto") else None
    whatsapp = None
    if service == "whatsapp":
        whatsapp = f"https://wa.me/{handle.removeprefix('+')}" + (f"?text={body}" if body else "")
    return DeepLinks(
        sms=standard if is_number else None,
        sms_ios=f"sms:{apple}",
        imessage=imessage,
        whatsapp=whatsapp,
        qr_text=whatsapp or (f"SMSTO:{handle}:{text}" if is_number else imessage or f"sms:{apple}"),
    )
