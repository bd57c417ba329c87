"""`scripts/chaos-sends`: rounds of sends at every step, each with another part killed, for as long as you like."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos.send_round import Fate, Round
from tests.chaos.send_stage import WAYS, apart_stage, embedded_stage
from tests.chaos.test_sends import allowed
from tests.load.tables import terminal_table

_STAGES = {"embedded": embedded_stage, "apart": apart_stage}


def main() -> int:
    """Play rounds until they are done or the time is over; exit 1 if anything was sent twice, or was lost."""
    parser = argparse.ArgumentParser(prog="scripts/chaos-sends", description=__doc__)
    parser.add_argument("--topology", choices=(*_STAGES, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=3, help="of all blows, for each topology")
    parser.add_argument("--minutes", type=float, help="begin no new round after so many minutes")
    parser.add_argument("--seed", type=int, default=1, help="of the order of blows")
    parser.add_argument("--way", choices=(*WAYS,), default="websocket", help="how the agent asks the hub")
    parser.add_argument("--blow", action="append", help="only this one; may be given several times")
    options = parser.parse_args()
    chosen = list(_STAGES) if options.topology == "both" else [options.topology]
    over_at = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    wrong = 0
    for name in chosen:
        fates: Counter[tuple[str, str, Fate]] = Counter()
        dice = random.Random(options.seed)
        with (
            tempfile.TemporaryDirectory(prefix="hub-sends-") as folder,
            _STAGES[name](Path(folder), options.way) as stage,
        ):
            chosen_blows = sorted(set(stage.blows) & set(options.blow or stage.blows))
            for _ in range(options.rounds):
                for blow in dice.sample(chosen_blows, len(chosen_blows)):
                    if time.monotonic() < over_at:
                        wrong += _play(Round(stage=stage, blow=stage.blows[blow]), fates)
        rows = [
            [blow, step, f"{fate.end}, {fate.arrived} arrived", str(count)]
            for (blow, step, fate), count in sorted(fates.items(), key=str)
        ]
        print(f"\n{name}\n\n{terminal_table(['killed', 'step', 'became', 'times'], rows)}", flush=True)
    return 1 if wrong else 0


def _play(played: Round, fates: Counter[tuple[str, str, Fate]]) -> int:
    """Play one; give how much of it was wrong."""
    blow, reckoning = played.blow.name, played.play()
    fates.update((blow, step, fate) for step, fate in reckoning.fates.items())
    bad = [
        *(f"{step}: {fate}" for step, fate in reckoning.fates.items() if fate not in allowed(step, blow)),
        *(f"{words}: {found}" for words, found in reckoning.heard.items() if found != (1, 1)),
        *(f"told twice: {each}" for each in reckoning.doubled),
        *(f"never told: {each}" for each in reckoning.untold),
    ]
    print(f"… {played.name}, {blow}: {'; '.join(bad) or 'as promised'}", flush=True)
    return len(bad)


if __name__ == "__main__":
    sys.exit(main())
