"""A policy with nothing in it that holds anything back, to be changed where a test cares."""

from __future__ import annotations

from hub.model.line_safety import SafetyPolicy

POLICY = SafetyPolicy(
    time_zone="UTC",
    in_service_since=None,
    consent_scope="line",
    stop_words=("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
    start_words=("START", "UNSTOP"),
    help_words=("HELP", "INFO"),
    help_reply=None,
    group_sends="block",
    new_conversations_per_hour=0,
    new_conversations_per_day=0,
    warm_up_per_day=(),
    messages_per_day=0,
    quiet_hours=(),
    unanswered_warning=5,
    ratio_warning=10.0,
    failed_warning=0.2,
    undelivered_warning=0.3,
)
