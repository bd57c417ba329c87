"""Messages as a process of its own: writes a conversation into a chat.db while somebody watches.

Run as: writer.py PATH COUNT SECONDS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bridge.chatdb.builder import Builder, apple


def main() -> int:
    path, count, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    builder, at_ms = Builder(path), 1_800_000_000_000
    chat = builder.chat("+15550100001")
    for number in range(count):
        # As Messages: the row alone, then its chat, then what becomes of it.
        came = builder.message(None, f"in {number}", sender="+15550100001", at_ms=at_ms + number)
        builder.join(chat, came)
        ours = builder.message(chat, f"out {number}", at_ms=at_ms + number, is_sent=0)
        builder.update("message", ours, is_sent=1, is_delivered=1, date_delivered=apple(at_ms + number + 1))
        if number % 10 == 9:
            builder.update("message", ours, date_read=apple(at_ms + number + 2))
            builder.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        time.sleep(seconds / count)
    builder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
