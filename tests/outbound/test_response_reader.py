"""The reader alone: however an answer is cut into pieces, it reads the same."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.outbound.response_reader import ResponseReader

ANSWERS = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-T: 1\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\nX-A:\r\n\r\n",
    b"HTTP/1.1 503 Busy\nRetry-After: 5\nContent-Length: 0\n\n",
)


def read(reader: ResponseReader, data: bytes, cuts: list[int], *, cap: int = 1000) -> tuple[object, ...]:
    reader.begin(max_body_bytes=cap)
    edges = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        reader.feed(data[start:end])
    return (
        reader.status,
        tuple(reader.headers),
        reader.body,
        reader.is_over,
        reader.is_truncated,
        reader.is_reusable,
    )


@given(st.sampled_from(ANSWERS), st.lists(st.integers(0, 500), max_size=30))
def test_an_answer_reads_the_same_in_any_pieces(answer: bytes, cuts: list[int]) -> None:
    whole = read(ResponseReader(10_000), answer, [])

    assert read(ResponseReader(10_000), answer, cuts) == whole
    assert whole[3:] == (True, False, True)


@given(st.lists(st.tuples(st.sampled_from(ANSWERS), st.lists(st.integers(0, 500), max_size=5)), max_size=6))
def test_one_reader_reads_many_answers(answers: list[tuple[bytes, list[int]]]) -> None:
    reader = ResponseReader(10_000)

    assert [read(reader, answer, cuts) for answer, cuts in answers] == [
        read(ResponseReader(10_000), answer, []) for answer, _ in answers
    ]


@given(st.binary(max_size=400), st.lists(st.integers(0, 500), max_size=5), st.booleans())
def test_any_bytes_give_an_answer_an_error_or_more_to_read(
    data: bytes, cuts: list[int], has_prefix: bool
) -> None:
    reader = ResponseReader(200)
    read(reader, (b"HTTP/1.1 200 OK\r\n" if has_prefix else b"") + data, cuts, cap=50)
    reader.feed_eof()

    assert reader.is_over
    assert len(reader.body) <= 50
    assert reader.problem is not None or 101 <= reader.status <= 999


@given(st.integers(0, 200), st.integers(1, 200), st.lists(st.integers(0, 500), max_size=5))
def test_a_body_never_exceeds_the_cap(size: int, cap: int, cuts: list[int]) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size
    _, _, body, is_over, is_truncated, _ = read(ResponseReader(10_000), answer, cuts, cap=cap)

    assert (body, is_over, is_truncated) == (b"x" * min(size, cap), True, size > cap)
