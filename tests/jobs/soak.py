"""Rotations for minutes, under work, with runners that are killed: `make soak`, `python -m tests.jobs.soak`.

Applications write, read, change and delete through the keys of two processes; one rotation after another is asked for;
runners are killed at random and others take over.  Ends with 1 when an acknowledged change was lost, a cell does not
open, something wrong was read, an operation failed, or a rotation left something behind.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

from proxy.keywork.operation import OperationKind, OperationState, Target
from tests.jobs.conftest import Jobs, make_jobs
from tests.jobs.test_killed import CHILD
from tests.rotation.making import SEALED
from tests.rotation.test_rotate import require_rotated
from tests.rotation.working import Application, all_opened, holding
from tests.support.servers import fresh_database, postgres_18, running


async def killed_runners(jobs: Jobs, until: asyncio.Event, chance: random.Random) -> int:
    """One runner after the other, each killed after a while; the last one stays until everything has ended."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    killed = 0
    while not until.is_set():
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", CHILD, "no step", jobs.shop.database.url(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(jobs.shop.kek.hex().encode() + b"\n")
        try:
            await asyncio.wait_for(until.wait(), chance.uniform(8, 25))
        except TimeoutError:
            killed += 1
        process.send_signal(signal.SIGKILL)
        await process.wait()
    return killed


async def rotate_until(jobs: Jobs, deadline: float, chance: random.Random) -> list[str]:
    """One rotation after another: of each, what went wrong, or nothing."""
    problems = []
    while time.monotonic() < deadline:
        name = chance.choice([*(field.name for field in SEALED), "public.people.*"])
        asked = await jobs.ask(OperationKind.ROTATE_DATA_KEY, Target("shop", name))
        ended = await jobs.reached(asked, OperationState.DONE, OperationState.FAILED)
        problems.append(ended.problem or "")
    return problems


async def soak(minutes: float) -> list[str]:
    """What is wrong."""
    chance, deadline = random.Random(), time.monotonic() + 60 * minutes
    with running(postgres_18()) as server, fresh_database(server) as database:
        jobs = await make_jobs(database)
        connection = await database.connect_async()
        await connection.execute("DELETE FROM people")
        done, over = asyncio.Event(), asyncio.Event()
        async with holding(jobs.shop) as one, holding(jobs.shop) as two:
            applications = [
                Application(holder, await database.connect_async(), n, 4)
                for n, holder in enumerate((one, one, two, two))
            ]
            working = [asyncio.create_task(a.run(done, 3000)) for a in applications]
            runners = asyncio.create_task(killed_runners(jobs, over, chance))
            rotating = asyncio.create_task(rotate_until(jobs, deadline, chance))
            await asyncio.wait({rotating, runners, *working}, return_when=asyncio.FIRST_COMPLETED)
            problems = await rotating if not runners.done() else [f"runners ended: {runners.exception()}"]
            over.set()
            killed = await runners
            done.set()
            await asyncio.gather(*working)
        wrong = [each for each in problems if each]
        wrong += [told for a in applications for told in a.wrong]
        ledger = {number: values for a in applications for number, values in a.ledger.items()}
        if await all_opened(jobs.shop, connection) != ledger:
            wrong.append("what the database holds is not what was acknowledged")
        await require_rotated(jobs.shop, connection, *SEALED)
        writes, retries = sum(a.writes for a in applications), sum(a.retries for a in applications)
        print(
            f"{len(problems)} rotations, {killed} runners killed, {writes} writes acknowledged, {retries} tried again"
        )
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5)
    options, _ = parser.parse_known_args()
    wrong = asyncio.run(soak(options.minutes))
    print("\n".join(wrong) or "nothing wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
