"""Web and worker of a new hub in one process, left alone for a while; prints which modules they loaded.

    python -m tests.support.idle_hub FOLDER

Nothing answers where Redis should be; that is no reason to load anything.
"""

from __future__ import annotations

import asyncio
import sys
from typing import NoReturn

from hub.app.port import with_free_port
from hub.app.prepare import prepare
from hub.app.web import serve
from hub.app.worker import work
from hub.config.settings import Settings, load_settings

#: Routes are asked for, and their folder is looked at, more often than that.
IDLE_SECONDS = 3.0


async def idle(settings: Settings, redis_url: str) -> None:
    await prepare(settings)
    parts = {
        asyncio.ensure_future(serve(settings, name="idle", redis_url=redis_url)),
        asyncio.ensure_future(work(settings, name="idle", redis_url=redis_url)),
    }
    ended, _ = await asyncio.wait(parts, timeout=IDLE_SECONDS)
    for part in ended:
        part.result()
        raise AssertionError("a part ended by itself")


def main() -> NoReturn:
    folder = sys.argv[1]
    settings = with_free_port(load_settings(None, {"HUB_DATA_FOLDER": folder, "HUB_WEB__PORT": "0"}))
    asyncio.run(idle(settings, f"unix://{folder}/nobody.sock"))
    print(*sys.modules)
    sys.exit(0)


if __name__ == "__main__":
    main()
