"""Server-sent events are read alike however the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.sse import SseEvent, SseReader, TooLongEvent

READ = {
    "one event": (b"data: hello\n\n", [("message", "hello")]),
    "a named one": (b"event: delta\ndata: x\n\n", [("delta", "x")]),
    "several lines of data": (b"data: a\ndata: b\n\n", [("message", "a\nb")]),
    "no space after the colon": (b"data:a\n\n", [("message", "a")]),
    "only one space is taken": (b"data:  a\n\n", [("message", " a")]),
    "carriage returns": (b"data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("message", x) for x in "abc"]),
    "comments": (b": ping\n\ndata: a\n\n", [("message", "a")]),
    "unknown fields": (b"id: 7\nretry: 5\nfoo\ndata: a\n\n", [("message", "a")]),
    "a name without data is no event": (b"event: ping\n\ndata: a\n\n", [("message", "a")]),
    "empty data is an event": (b"data\n\n", [("message", "")]),
    "a byte order mark": (b"\xef\xbb\xbfdata: a\n\n", [("message", "a")]),
    "an unfinished event is none": (b"data: a\n", []),
    "bytes that are not UTF-8": (b"data: \xff\n\n", [("message", "\ufffd")]),
}


@pytest.mark.parametrize("case", READ)
def test_events_are_read_as_the_standard_says(case: str) -> None:
    sent, events = READ[case]

    assert [SseEvent(*each) for each in events] == SseReader(most_bytes=1000).feed(sent)


def test_the_last_id_is_that_with_which_a_client_comes_back() -> None:
    """Kept over blocks without one, taken from blocks that say nothing else, and only from whole blocks."""
    reader = SseReader(most_bytes=1000)
    seen = []
    for chunk in (
        b"data: a\n\n",
        b"id: 7\ndata: b\n\n",
        b": here\nid: 8\n\n",
        b"data: c\n\n",
        b"id: 9\ndata: d",
    ):
        reader.feed(chunk)
        seen.append(reader.last_id)

    assert seen == ["", "7", "8", "8", "8"]


@given(
    events=st.lists(
        st.tuples(st.sampled_from(["delta", "message"]), st.text(alphabet="aé🙂: \t", max_size=9))
    ),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    data=st.data(),
)
def test_the_cuts_between_chunks_do_not_matter(
    events: list[tuple[str, str]], end: bytes, data: st.DataObject
) -> None:
    sent = b"".join(
        b"event: %s%sdata: %s%s%s" % (name.encode(), end, text.encode(), end, end) for name, text in events
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    chunks = [sent[low:high] for low, high in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    reader = SseReader(most_bytes=1000)

    read = [event for chunk in chunks for event in reader.feed(chunk)] + reader.feed(b":\n")

    assert [SseEvent(*each) for each in events] == read


@pytest.mark.parametrize("sent", [b"data: " + b"x" * 100, b"data: x\n" * 30])
def test_an_event_may_not_grow_without_end(sent: bytes) -> None:
    with pytest.raises(TooLongEvent):
        SseReader(most_bytes=99).feed(sent)
