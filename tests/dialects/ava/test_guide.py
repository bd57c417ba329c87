"""The commands in docs/migrating-from-ava.md do what the page says."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import hub
from tests.support.asgi import Caller

PAGE = (Path(hub.__file__).parent.parent / "docs" / "migrating-from-ava.md").read_text("utf-8")


async def test_each_command_works(api: Caller) -> None:
    answers = []
    for line in re.findall(r"^ {7}(curl .+)$", PAGE, re.MULTILINE):
        words = shlex.split(line)
        options = dict(itertools.pairwise(words))
        path = next(word for word in words if word.startswith("$HUB")).removeprefix("$HUB")
        body = options.get("-d")
        answers.append(await (api.get(path) if body is None else api.post(path, json.loads(body))))

    assert [each.status for each in answers] == [200, 200, 200]
    assert answers[1].json["total"] == 1
