"""What the server calls its events: those about a row, and those that mean nothing to a hub."""

from __future__ import annotations

from typing import Final

#: Events that are about a row, whatever they say of it.
ABOUT_ROWS: Final = frozenset(
    {
        "group-icon-changed",
        "group-icon-removed",
        "group-name-change",
        "message-send-error",
        "new-message",
        "participant-added",
        "participant-left",
        "participant-removed",
        "updated-message",
    }
)
#: Events that mean nothing to a hub. `chat-read-status-changed` says that *we* read, on another device.
KNOWN_AND_PASSED: Final = frozenset(
    {
        "chat-read-status-changed",
        "exception",
        "ft-call-status-changed",
        "hello-world",
        "incoming-facetime",
        "new-findmy-location",
        "scheduled-message-created",
        "scheduled-message-deleted",
        "scheduled-message-error",
        "scheduled-message-sent",
        "scheduled-message-updated",
        "server-update",
        "server-update-downloading",
        "server-update-installing",
        "settings-backup-created",
        "settings-backup-deleted",
        "settings-backup-updated",
        "theme-backup-created",
        "theme-backup-deleted",
        "theme-backup-updated",
    }
)
#: 1.9.9 emits the plural, and offers the singular for webhooks.
ALIASES: Final = frozenset({"imessage-alias-removed", "imessage-aliases-removed"})
