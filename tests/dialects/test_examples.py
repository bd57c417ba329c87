"""Every endpoint with a body shows one that works; that it gets through is seen in test_other_lines."""

from __future__ import annotations

import msgspec
import pytest

from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from tests.dialects.vendors import ENDPOINTS

WITH_A_BODY = [
    endpoint
    for _, endpoint in ENDPOINTS
    if endpoint.body not in {NoBody, StreamBody} and msgspec.structs.fields(endpoint.body)
]


@pytest.mark.parametrize("endpoint", WITH_A_BODY, ids=lambda each: each.name)
def test_it_shows_a_body_that_fits_with_no_field_that_is_not_read(endpoint: AnyEndpoint) -> None:
    named = {each.encode_name for each in msgspec.structs.fields(endpoint.body)}

    assert endpoint.example
    assert set(endpoint.example) <= named
    msgspec.convert(dict(endpoint.example), endpoint.body)
