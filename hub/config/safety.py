"""The hub's policy for the safety of its lines, from the settings."""

from hub.config.sections import Safety
from hub.model.line_safety import SafetyPolicy
from hub.rules.quiet_hours import read_window


def safety_policy(safety: Safety) -> SafetyPolicy:
    """Give what holds for a line that wants nothing of its own."""
    return SafetyPolicy(
        time_zone=safety.time_zone,
        in_service_since=None,
        consent_scope=safety.consent_scope,
        stop_words=safety.stop_words,
        start_words=safety.start_words,
        help_words=safety.help_words,
        help_reply=None,
        group_sends=safety.group_sends,
        new_conversations_per_hour=safety.new_conversations_per_hour,
        new_conversations_per_day=safety.new_conversations_per_day,
        warm_up_per_day=safety.warm_up_per_day,
        messages_per_day=safety.messages_per_day,
        quiet_hours=tuple(map(read_window, safety.quiet_hours)),
        unanswered_warning=safety.unanswered_warning,
        ratio_warning=safety.ratio_warning,
        failed_warning=safety.failed_warning,
        undelivered_warning=safety.undelivered_warning,
    )
