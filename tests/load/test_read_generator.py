"""The reads that are measured are the reads that were made, each answered once."""

import asyncio

from tests.load.read_generator import ReadOrder, read_all


async def test_every_read_is_answered_and_counted() -> None:
    asked: list[bytes] = []
    connections: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            asked.append(head.split(b" ")[1])
            status = b"404 Not Found" if b"/lost" in head else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 2\r\n\r\n{}")

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(asyncio.current_task())
        try:
            await serve(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    order = ReadOrder(port=port, key="k", paths=("/one", "/lost"), rate=2000, count=20, connections=3)
    result = await read_all(order)
    server.close()
    await asyncio.gather(*filter(None, connections))

    assert result.answers == {"200": 10, "404": 10}
    assert len(result.latencies_ns) == 20
    assert all(taken > 0 for taken in result.latencies_ns)
    assert sorted(asked) == [b"/lost"] * 10 + [b"/one"] * 10
