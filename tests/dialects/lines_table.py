"""What a key of a dialect meets that is restricted to another line: a row for each endpoint.

So that no right changes by accident. The words are those of the native table (tests.api.permission_table); REFUSED is
also what a vendor refuses with a 400.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tests.api.permission_table import Lines
from tests.support.permission_stage import OWN_LINE, SPARE

WHO = "+15550100001"


@dataclass(frozen=True, slots=True)
class Row:
    """One endpoint."""

    #: None where nobody gets anywhere.
    lines: Lines | None
    #: One that could do something, where the endpoint's example does not; of a form, the file.
    body: Any = None


def row(lines: Lines | None, body: Any = None) -> Row:
    """Give a row, short to write."""
    return Row(lines, body)


REFUSED, HIDDEN, LEFT_OUT, OPEN = Lines.REFUSED, Lines.HIDDEN, Lines.LEFT_OUT, Lines.OPEN

TABLE: Final[dict[str, Row]] = {
    "ava_generate": row(OPEN),
    "ava_history": row(LEFT_OUT),
    "ava_poll": row(LEFT_OUT),
    "ava_send": row(OPEN),
    "blooio_add_member": row(HIDDEN),
    "blooio_add_tags": row(HIDDEN),
    "blooio_cancel_message": row(HIDDEN),
    "blooio_change_contact": row(REFUSED),
    "blooio_change_group": row(HIDDEN),
    "blooio_change_webhook": row(HIDDEN),
    "blooio_create_contact": row(REFUSED),
    "blooio_create_group": row(
        REFUSED, {"name": "New", "members": [WHO, "ann@example.com"], "from_number": OWN_LINE}
    ),
    "blooio_delete_contact": row(REFUSED),
    "blooio_delete_group": row(HIDDEN),
    "blooio_delete_webhook": row(HIDDEN),
    "blooio_forward_calls": row(HIDDEN),
    "blooio_get_background": row(HIDDEN),
    "blooio_get_capabilities": row(HIDDEN),
    "blooio_get_card": row(HIDDEN),
    "blooio_get_chat": row(HIDDEN),
    "blooio_get_contact": row(HIDDEN),
    # Nobody shares a location.
    "blooio_get_friend": row(None),
    "blooio_get_group": row(HIDDEN),
    "blooio_get_message": row(HIDDEN),
    "blooio_get_message_status": row(HIDDEN),
    "blooio_get_poll": row(HIDDEN),
    "blooio_get_webhook": row(HIDDEN),
    "blooio_list_chats": row(LEFT_OUT),
    "blooio_list_contacts": row(LEFT_OUT),
    "blooio_list_friends": row(OPEN),
    "blooio_list_groups": row(LEFT_OUT),
    "blooio_list_logs": row(HIDDEN),
    "blooio_list_members": row(HIDDEN),
    "blooio_list_messages": row(HIDDEN),
    "blooio_list_numbers": row(LEFT_OUT),
    "blooio_list_tags": row(HIDDEN),
    "blooio_list_webhooks": row(LEFT_OUT),
    "blooio_look_up_number": row(OPEN),
    "blooio_look_up_number_posted": row(OPEN),
    "blooio_look_up_numbers": row(OPEN),
    "blooio_make_call": row(OPEN),
    "blooio_me": row(LEFT_OUT),
    "blooio_react": row(HIDDEN),
    "blooio_read_chat": row(HIDDEN),
    "blooio_refresh_friends": row(OPEN),
    "blooio_register_webhook": row(OPEN),
    "blooio_remove_background": row(HIDDEN),
    "blooio_remove_group_icon": row(HIDDEN),
    "blooio_remove_member": row(HIDDEN),
    "blooio_remove_tag": row(REFUSED),
    "blooio_replay": row(HIDDEN),
    "blooio_rotate_secret": row(HIDDEN),
    "blooio_send_message": row(REFUSED),
    "blooio_send_poll": row(HIDDEN),
    "blooio_set_background": row(HIDDEN),
    "blooio_set_card": row(HIDDEN),
    "blooio_set_group_icon": row(HIDDEN),
    "blooio_share_contact_card": row(HIDDEN),
    "blooio_start_typing": row(HIDDEN),
    "blooio_stop_typing": row(HIDDEN),
    "coop_add_contact_group_member": row(REFUSED, {"contactId": WHO}),
    "coop_change_contact": row(REFUSED),
    "coop_change_webhook": row(HIDDEN),
    "coop_create_contact": row(REFUSED),
    "coop_create_contact_group": row(REFUSED),
    "coop_create_relay_token": row(REFUSED),
    # A hub is one organisation.
    "coop_create_team": row(None),
    "coop_delete_automation": row(REFUSED),
    "coop_delete_contact": row(REFUSED),
    "coop_delete_webhook": row(HIDDEN),
    "coop_export_contacts": row(LEFT_OUT),
    "coop_get_automation": row(REFUSED),
    "coop_get_bulk": row(HIDDEN),
    "coop_get_contact": row(HIDDEN),
    "coop_get_conversation": row(HIDDEN),
    "coop_get_relay": row(REFUSED),
    "coop_import_contacts": row(REFUSED, b"firstName,phone\nBob,+15550100556\n"),
    "coop_list_attachments": row(HIDDEN),
    "coop_list_automation_executions": row(REFUSED),
    "coop_list_automations": row(REFUSED),
    "coop_list_bulk": row(LEFT_OUT),
    "coop_list_bulk_results": row(HIDDEN),
    "coop_list_contact_groups": row(REFUSED),
    "coop_list_contacts": row(LEFT_OUT),
    "coop_list_conversations": row(LEFT_OUT),
    "coop_list_messages": row(REFUSED),
    "coop_list_relays": row(REFUSED),
    "coop_list_webhooks": row(LEFT_OUT),
    "coop_look_up_conversation": row(HIDDEN),
    "coop_make_automation": row(REFUSED),
    "coop_make_bulk": row(OPEN),
    "coop_register_webhook": row(OPEN),
    "coop_remove_contact_group_member": row(REFUSED),
    "coop_replace_automation": row(REFUSED),
    "coop_send_message": row(REFUSED),
    "coop_show_queue_stats": row(OPEN),
    "coop_show_status": row(HIDDEN),
    "coop_test_automation": row(REFUSED),
    "coop_toggle_automation": row(REFUSED),
    "coop_toggle_webhook": row(HIDDEN),
    "msgbubbles_add_participant": row(HIDDEN),
    "msgbubbles_change_webhook": row(HIDDEN),
    "msgbubbles_create_chat": row(
        REFUSED, {"from_handle": OWN_LINE, "addresses": [WHO, SPARE], "message": "Hi"}
    ),
    "msgbubbles_delete_webhook": row(HIDDEN),
    "msgbubbles_edit_message": row(HIDDEN),
    "msgbubbles_get_attachment": row(HIDDEN),
    "msgbubbles_get_availability": row(OPEN),
    "msgbubbles_get_chat": row(HIDDEN),
    "msgbubbles_get_message": row(HIDDEN),
    "msgbubbles_get_webhook": row(HIDDEN),
    "msgbubbles_list_chats": row(LEFT_OUT),
    "msgbubbles_list_messages": row(HIDDEN),
    "msgbubbles_list_numbers": row(LEFT_OUT),
    "msgbubbles_list_webhooks": row(LEFT_OUT),
    "msgbubbles_presign_attachment": row(OPEN),
    "msgbubbles_react_message": row(HIDDEN),
    "msgbubbles_read_chat": row(HIDDEN),
    "msgbubbles_register_webhook": row(OPEN),
    "msgbubbles_remove_participant": row(HIDDEN),
    "msgbubbles_rename_chat": row(HIDDEN),
    "msgbubbles_retry_message": row(HIDDEN),
    "msgbubbles_rotate_webhook_secret": row(HIDDEN),
    "msgbubbles_send_message": row(REFUSED),
    "msgbubbles_type_in_chat": row(HIDDEN),
    "msgbubbles_unsend_message": row(HIDDEN),
    "msgbubbles_upload_attachments": row(OPEN),
}
