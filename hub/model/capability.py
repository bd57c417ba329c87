"""What a line can do, by its bridge: the one list of names. A line that cannot says so; it never pretends.

Bridges name capabilities in `BridgeAdapter.capabilities`; the rules in hub.rules.capabilities say which operation
needs which.
"""

from __future__ import annotations

from typing import Final

#: Name → what it lets a line do, for people. Alphabetical.
CAPABILITIES: Final[dict[str, str]] = {
    "attachments": "send files",
    "audio": "send voice messages",
    "availability": "say whether a handle is reachable, and how",
    "background": "show and change a chat's background",
    "contact_card": "share the line's name and photo",
    "contact_card_own": "read and change the line's name and photo",
    "delivered": "tell when a message has arrived",
    "edit": "change a message that was sent",
    "effects": "send with an effect (confetti, slam, …)",
    "facetime": "make a FaceTime link or call",
    "focus": "tell whether a contact silences notifications",
    "group_create": "make a group",
    "group_empty": "make a group without first words",
    "group_icon": "set a group's picture",
    "group_leave": "leave a group",
    "group_members": "add and remove members of a group",
    "group_rename": "rename a group",
    "history": "tell what was said while nobody listened",
    "idempotent_send": "drop a repeat of the same send by itself",
    "link_preview": "send a link with a preview of our making",
    "location": "tell where contacts are who share it",
    "mentions": "mention a member of a group",
    "polls": "send a poll and tell its votes",
    "react_emoji": "react with any emoji",
    "react_many": "hold several reactions of one person to one message",
    "react_std": "react with one of the six names",
    "read_in": "tell when a contact has read a message",
    "read_out": "mark a chat as read",
    "reply": "answer one message in a thread",
    "sms_fallback": "send as SMS what the first network refuses",
    "subject": "send with a subject",
    "templates": "send a template that the network has approved",
    "text": "send words",
    "typing_in": "tell when a contact types",
    "typing_out": "show that we type",
    "unread_out": "mark a chat as unread",
    "unsend": "take a message back",
    "whatsapp": "send by WhatsApp",
}
