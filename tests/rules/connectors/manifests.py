"""Manifests for tests: written as YAML, read as strictly as those that ship."""

from __future__ import annotations

from typing import Any

from hub.config.loader import load_document
from hub.config.plain import plain
from hub.rules.connectors.model import Manifest
from hub.rules.connectors.reading import read_manifest

MANIFEST = """
manifest: 1
id: acme
title: Acme
docs: https://acme.example
checked: 2026-08-21
base_url: https://api.acme.example
vars: { api: v1 }
auth:
  key: { fields: { key: { secret: true }, region: { default: us } }, apply: { bearer: "{{ auth.key }}" } }
errors:
  - { status: 400, class: invalid, message: "{{ body.message }}" }
actions:
  add:
    title: Add a note
    kind: write
    idempotent: false
    input:
      type: object
      required: [person]
      properties: { person: { type: string }, text: { type: string } }
    request:
      method: POST
      path: "/{{ vars.api }}/notes/{{ input.person }}"
      json: { text: "{{ input.text | default(omit) }}" }
    output: { id: "{{ body.id }}" }
    sample: { id: n1 }
"""


def document(text: str = MANIFEST) -> Any:
    """Give a manifest as plain values."""
    return plain(load_document(text, source="manifest.yaml", is_prose=True))


def manifest(text: str = MANIFEST) -> Manifest:
    """Read a manifest that is sound."""
    found = read_manifest(document(text))
    assert isinstance(found, Manifest), "\n".join(map(str, found))
    return found
