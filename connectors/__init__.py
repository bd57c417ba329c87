"""Connectors that ship with the hub: a folder each, with its manifest, README and golden exchanges.

They are data; hub.rules.connectors reads them, hub.connectors does what they say. docs/writing-a-connector.md tells how
to add one.
"""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent

#: In the order of the alphabet; each is the name of a folder and the id of its manifest.
CONNECTORS: Final = (
    "airtable",
    "anthropic",
    "attio",
    "close",
    "discord",
    "freshdesk",
    "google_sheets",
    "highlevel",
    "http",
    "hubspot",
    "intercom",
    "mailgun",
    "make",
    "n8n",
    "notion",
    "openai",
    "pipedrive",
    "salesforce",
    "sendgrid",
    "slack",
    "smtp",
    "teams",
    "telegram",
    "twilio",
    "webhook",
    "zapier",
    "zendesk",
    "zoho_crm",
)
