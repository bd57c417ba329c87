"""`scripts/chaos`: the chaos test for as long as you like, with a table of recoveries and repeats."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.session import apart_session, embedded_session
from tests.chaos.trial import Pace, Reckoning, run_trial
from tests.load.percentiles import Spread
from tests.load.tables import markdown_table, spread_text, terminal_table

_HEAD = ["blow", "recovery, s", "needless repeats", "because"]
_SESSIONS = {"embedded": embedded_session, "apart": apart_session}


def main() -> int:
    """Run rounds until they are done or the time is over; exit 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__)
    parser.add_argument("--topology", choices=(*_SESSIONS, "both"), default="both")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of all blows for each topology")
    parser.add_argument("--minutes", type=float, help="begin no new round after so many minutes")
    parser.add_argument("--rate", type=float, default=300.0, help="events a second")
    parser.add_argument("--settle", type=float, default=4.0, help="seconds between blows")
    parser.add_argument("--seed", type=int, default=1, help="of the order of blows")
    parser.add_argument("--folder", type=Path, help="where data goes (default: a temporary folder)")
    parser.add_argument("--markdown", type=Path, help="also write the tables here")
    options = parser.parse_args()
    chosen = list(_SESSIONS) if options.topology == "both" else [options.topology]
    over_at = time.monotonic() + options.minutes * 60 if options.minutes else float("inf")
    pace = Pace(rate=options.rate, settle_seconds=options.settle, drain_seconds=120)
    texts: list[str] = []
    is_well = True
    for name in chosen:
        with tempfile.TemporaryDirectory(prefix="hub-chaos-", dir=options.folder) as folder:
            reckonings: list[Reckoning] = []
            dice = random.Random(options.seed)
            with _SESSIONS[name](Path(folder)) as (rig, faults):
                while len(reckonings) < options.rounds and time.monotonic() < over_at:
                    reckonings.append(run_trial(rig, dice.sample(faults, len(faults)), pace))
                    print(f"… {name}, round {len(reckonings)}: {_sum(reckonings[-1:])}", flush=True)
        is_well &= all(one.lost == 0 and one.faults == 0 and one.recorded == one.posted for one in reckonings)
        head, rows = _table(reckonings)
        print(f"\n{name}: {_sum(reckonings)}\n\n{terminal_table(head, rows)}", flush=True)
        texts.append(f"**{name}**: {_sum(reckonings)}\n\n{markdown_table(head, rows)}\n")
    if options.markdown:
        options.markdown.write_text("\n".join(texts))
    return 0 if is_well else 1


def _sum(reckonings: list[Reckoning]) -> str:
    again: dict[str, int] = {}
    for one in reckonings:
        for answer, count in one.answers.items():
            again[answer] = again.get(answer, 0) + count
    return (
        f"{sum(one.accepted for one in reckonings):,} of {sum(one.posted for one in reckonings):,} events accepted "
        f"in {len(reckonings)} rounds, {sum(one.lost for one in reckonings)} lost, "
        f"{sum(one.recorded - one.posted for one in reckonings)} recorded twice, "
        f"{sum(one.needless for one in reckonings)} deliveries repeated needlessly; answers {again}"
    )


def _table(reckonings: list[Reckoning]) -> tuple[list[str], list[list[str]]]:
    names = sorted({blow.name for one in reckonings for blow in one.blows})
    rows = []
    for name in names:
        blows = [blow for one in reckonings for blow in one.blows if blow.name == name]
        seconds = [blow.recovery_seconds for blow in blows]
        repeats = sum(blow.needless for blow in blows)
        span = spread_text(Spread.of(seconds))
        rows.append([name, span, str(repeats), blows[0].repeats_because if repeats else ""])
    return _HEAD, rows


if __name__ == "__main__":
    sys.exit(main())
