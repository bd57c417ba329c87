"""A bridge's secret is turned while its agent runs, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.agent.folder import AgentConfig, AgentUnready, find_config, kept_secret, write_config
from hub.agent.link import HubAway, HubRefused
from hub.agent.running import HELLO_SECONDS, LOOK_SECONDS
from hub.app.agent import take_secret
from hub.model.ids import Prefix, id_text
from hub.model.outbox import Disposition
from hub.rules.signing import Secret
from tests.support.agent_stage import AgentStage, Unheard
from tests.support.hourglass import Hourglass
from tests.support.scripted_bridge import ScriptedBridge
from tests.support.served import served
from tests.worker.time_by_hand import eventually

OTHER = Secret.from_bytes(b"another secret, of 32 bytes long").text


async def turned(stage: AgentStage, *, overlap_hours: float) -> str:
    path = f"/v1/bridges/{id_text(Prefix.BRIDGE, stage.bridge.id)}/rotate-secret"
    answered = await stage.world.api.post(path, {"overlap_hours": overlap_hours})
    secret: str = answered.json["secret"]
    return secret


@pytest.mark.parametrize("way", ["long-poll", "websocket"])
async def test_a_running_agent_takes_the_new_secret_over_with_its_next_hello(
    stage: AgentStage, way: str
) -> None:
    """Even where the old one ended at once; a socket that was opened under it is no way round."""
    glass, secrets = Hourglass(HELLO_SECONDS, LOOK_SECONDS), [stage.bridge.secrets[0].text]
    stage.sleep, stage.secret = glass, lambda: secrets[-1]
    if way == "websocket":
        stage.with_sockets()
    network = ScriptedBridge(stage.world.clock)
    async with stage.agent(Unheard(network)):
        secrets.append(await turned(stage, overlap_hours=0))
        stage.world.clock.advance(1)
        await glass.turn(HELLO_SECONDS)
        await eventually(lambda: stage.wire.answered.count("hello") >= 2)
        outcome = await stage.remote().perform(stage.a_send())

    assert outcome.disposition is Disposition.ACCEPTED


async def test_the_old_secret_works_until_its_overlap_is_over(stage: AgentStage) -> None:
    link = stage.link()
    await turned(stage, overlap_hours=1)
    with pytest.raises(HubRefused, match="bridge_superseded"):
        await link.ask("claim", {"fence": 9}, dict)
    stage.world.clock.advance(3_600_001)

    with pytest.raises(HubRefused, match="invalid_signature"):
        await link.ask("claim", {"fence": 9}, dict)


async def test_a_secret_is_kept_when_the_hub_believes_it_and_not_before(stage: AgentStage) -> None:
    clock = stage.world.clock
    bridge, secret = id_text(Prefix.BRIDGE, stage.bridge.id), stage.bridge.secrets[0].text
    async with served(stage.world) as hub:
        config = AgentConfig(hub=hub.url, bridge=bridge, secret=secret, kind="chatdb")
        write_config(stage.folder, config)
        fresh = await turned(stage, overlap_hours=0)
        with pytest.raises(AgentUnready, match="Nothing was changed"):
            await take_secret(stage.folder, "hello")
        with pytest.raises(HubRefused, match="invalid_signature"):
            await take_secret(stage.folder, OTHER, clock=clock)
        before = find_config(stage.folder)
        await take_secret(stage.folder, fresh, clock=clock)
    after = find_config(stage.folder)
    with pytest.raises(HubAway):
        await take_secret(stage.folder, OTHER, clock=clock)

    assert before == config
    assert (
        after
        == find_config(stage.folder)
        == AgentConfig(hub=hub.url, bridge=bridge, secret=fresh, kind="chatdb")
    )
    assert (stage.folder / "agent.json").stat().st_mode & 0o077 == 0


def test_an_agent_takes_no_secret_of_another_bridge_and_none_that_others_could_read(tmp_path: Path) -> None:
    config = AgentConfig(hub="https://hub.example", bridge="brg_1", secret=OTHER, kind="chatdb")
    found = [kept_secret(tmp_path, config)]
    write_config(tmp_path, config)
    found.append(kept_secret(tmp_path, config))
    write_config(tmp_path, AgentConfig(hub=config.hub, bridge="brg_2", secret=OTHER, kind="chatdb"))
    found.append(kept_secret(tmp_path, config))
    write_config(tmp_path, config)
    (tmp_path / "agent.json").chmod(0o644)
    found.append(kept_secret(tmp_path, config))

    assert found == [None, OTHER, None, None]
