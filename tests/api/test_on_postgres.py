"""The surface does on PostgreSQL what it does on SQLite: where the database could make a difference."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hub.store import migration
from tests.api import (
    test_assignments,
    test_bad_input,
    test_bridges_and_lines,
    test_bulk,
    test_chat_address,
    test_chats,
    test_checklist,
    test_consents,
    test_contact_files,
    test_contact_groups,
    test_contacts,
    test_deliveries,
    test_delivery_logs,
    test_enrolments,
    test_event_explain,
    test_events,
    test_hooks,
    test_idempotency,
    test_keys,
    test_line_safety,
    test_offsets,
    test_polls_and_more,
    test_queue,
    test_repeats,
    test_route_writing,
    test_sandbox,
    test_sent_files,
    test_webhooks,
)
from tests.support.emptying import empty
from tests.support.hub_world import HubWorld, open_world
from tests.support.postgres import running_postgres

Case = Callable[[HubWorld], Awaitable[None]]

CASES: list[Case] = [
    test_assignments.test_it_is_handed_on_and_let_go,
    test_assignments.test_who_has_it_already_is_told_once,
    test_bridges_and_lines.test_a_bridge_with_lines_is_kept,
    test_bridges_and_lines.test_changes_of_a_bridge_at_once_all_count,
    test_bridges_and_lines.test_changes_of_a_line_at_once_all_count,
    test_bridges_and_lines.test_two_at_once_make_one_bridge,
    test_bridges_and_lines.test_two_at_once_make_one_line,
    test_bulk.test_a_place_that_nobody_has_ends_the_list,
    test_chat_address.test_every_event_of_a_send_says_whom_it_went_to,
    test_chats.test_chats_are_looked_up,
    test_chats.test_marks_of_reading_are_kept_once_the_network_took_them,
    test_chats.test_pages_of_all_lines_neither_skip_nor_repeat,
    test_checklist.test_11_outbox,
    test_checklist.test_18_messages_page_newest_first,
    test_consents.test_a_consent_for_every_line,
    test_consents.test_a_group_with_somebody_who_opted_out_is_not_written_to,
    test_consents.test_a_key_sees_the_consents_of_its_lines,
    test_consents.test_a_refused_send_does_not_use_up_its_idempotency_key,
    test_consents.test_an_export_can_be_imported_elsewhere,
    test_consents.test_consents_are_listed_in_pages,
    test_consents.test_one_refusal_among_many_at_once,
    test_consents.test_who_said_stop_is_not_sent_to,
    test_contact_files.test_mode_create_leaves_what_exists_alone,
    test_contact_files.test_other_requests_are_answered_while_a_file_is_taken_in,
    test_contact_files.test_rows_of_one_file_with_the_same_handle_are_one_contact,
    test_contact_groups.test_members_come_and_go,
    test_contact_groups.test_names_are_taken_once,
    test_contacts.test_a_change_leaves_the_rest_and_null_clears,
    test_contacts.test_a_restricted_key_sees_those_whom_its_lines_write_with,
    test_contacts.test_a_taken_handle_is_a_conflict_that_names_its_contact,
    test_contacts.test_of_two_at_once_one_gets_the_handle,
    test_contacts.test_tags_are_added_once_and_taken_off,
    test_deliveries.test_a_range_reaches_a_webhook_that_never_had_it,
    test_deliveries.test_dead_letters_are_purged_by_a_job,
    test_deliveries.test_dead_letters_are_requeued_by_a_job,
    test_deliveries.test_filters,
    test_deliveries.test_jobs_are_listed_and_cancelled,
    test_deliveries.test_one_event_keeps_its_delivery,
    test_deliveries.test_what_was_missed_while_disabled,
    test_delivery_logs.test_the_deliveries_of_an_event,
    test_delivery_logs.test_the_log_of_a_webhook_shows_the_last_attempt,
    test_enrolments.test_a_token_works_once,
    test_enrolments.test_another_machine_takes_a_bridge_over,
    test_event_explain.test_each_webhook_is_explained,
    test_event_explain.test_explanations_page_and_can_be_of_one,
    test_events.test_a_range_of_time_is_that_of_the_recording,
    test_events.test_a_restricted_key_sees_its_lines_only,
    test_events.test_an_event_that_is_gone_stands_for_its_time,
    test_events.test_filters,
    test_events.test_newest_first_with_all_that_a_webhook_gets,
    test_events.test_what_comes_is_answered_at_once,
    test_events.test_what_does_not_fit_ends_no_wait,
    test_events.test_whoever_has_read_all_goes_on_from_there,
    test_hooks.test_a_repeat_is_answered_alike_and_adds_nothing,
    test_hooks.test_an_id_is_forgotten_after_its_time,
    test_hooks.test_the_same_at_once_is_one_event,
    test_hooks.test_what_is_told_is_an_event,
    test_hooks.test_what_was_turned_away_is_kept_with_the_reason_and_masked,
    test_idempotency.test_a_repeat_gets_the_first_answer,
    test_idempotency.test_another_body_is_a_conflict,
    test_idempotency.test_concurrent_duplicates_send_once,
    test_keys.test_keys_page,
    test_keys.test_rotation_gives_the_same_rights_and_ends_the_old_key_later,
    test_line_safety.test_a_repeat_counts_once,
    test_line_safety.test_health_tells_state_figures_and_budgets,
    test_line_safety.test_no_more_than_the_budget_goes_out_at_once,
    test_line_safety.test_only_what_is_said_changes,
    test_offsets.test_a_chat_is_found_by_its_contact_if_the_key_may_see_contacts,
    test_offsets.test_a_restricted_key_counts_what_it_may_see,
    test_offsets.test_by_offset_lists_are_the_same_as_by_cursor,
    test_offsets.test_chats_are_counted_if_that_is_asked_for,
    test_offsets.test_groups_are_listed_by_name_whatever_the_case,
    test_offsets.test_usage_is_told_by_line_and_altogether,
    test_offsets.test_what_came_in_on_all_lines_is_polled,
    test_polls_and_more.test_contacts_vote_change_their_vote_and_take_it_back,
    test_queue.test_what_waits_is_counted,
    test_repeats.test_a_process_that_dies_leaves_a_key_that_is_not_done_twice,
    test_repeats.test_a_repeat_gets_the_same_thing_under_its_own_request_id,
    test_repeats.test_an_upload_is_stored_once,
    test_repeats.test_simultaneous_repeats_are_done_once,
    test_repeats.test_the_key_of_a_send_stands_for_nothing_else,
    test_route_writing.test_a_replacement_is_whole_and_a_new_revision,
    test_route_writing.test_deleted_it_starts_nothing_and_its_id_is_free,
    test_route_writing.test_files_and_what_was_made_here_leave_one_another_alone,
    test_route_writing.test_no_more_are_made_when_many_ask_at_once,
    test_route_writing.test_of_two_who_take_one_id_at_once_one_gets_it,
    test_route_writing.test_runs_page_by_number,
    test_sandbox.test_a_contact_reads_our_message,
    test_sandbox.test_every_act,
    test_sent_files.test_a_file_that_is_to_go_once_goes_once,
    test_sent_files.test_a_repeat_of_a_first_use_is_no_second_use,
    test_sent_files.test_a_file_says_which_message_it_went_with,
    test_webhooks.test_a_test_reaches_this_webhook_alone,
    test_webhooks.test_change,
    test_webhooks.test_every_field_comes_back,
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a migrated database on a server of our own."""
    with running_postgres() as server:
        made = server.create_database("hub_api")
        with ThreadPoolExecutor(1) as thread:  # the fixture may be made from within a running loop
            thread.submit(asyncio.run, migration.migrate(made)).result()
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.removeprefix("test_"))
async def test_it_holds(url: str, case: Case) -> None:
    await empty(url)
    async with open_world(url) as world:
        await case(world)


@pytest.mark.slow
async def test_no_request_is_answered_with_a_5xx(url: str) -> None:
    await empty(url)
    async with open_world(url, requests_per_hour=0) as world:
        await test_bad_input.ask_anything(world, examples=300)
