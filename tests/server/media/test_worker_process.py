"""Work in a process of its own: started on demand, ended when idle, replaced when it dies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.foundation.clock import SystemClock
from server.foundation.errors import LimitExceeded, Refused
from server.foundation.worker_process import WorkerError, WorkerLimits, WorkerProcess

JOBS = "tests.server.media.sample_jobs:"


@dataclass
class _Alarm:
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class HandClock(SystemClock):
    """A clock whose alarms go off when the test says so."""

    alarms: dict[float, list[_Alarm]] = field(default_factory=dict)

    def call_later(self, seconds: float, callback: Callable[[], object]) -> _Alarm:
        self.alarms.setdefault(seconds, []).append(_Alarm(callback))
        return self.alarms[seconds][-1]

    def ring(self, seconds: float) -> None:
        for alarm in self.alarms.pop(seconds, []):
            if not alarm.cancelled:
                alarm.callback()


LIMITS = WorkerLimits(memory_mb=300, job_s=7, idle_s=9.0, max_waiting=3)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def worker(clock: HandClock) -> AsyncIterator[WorkerProcess]:
    made = WorkerProcess(clock, "test", LIMITS)
    yield made
    await made.close()


async def test_a_job_gets_its_values_and_its_bytes_and_answers_both(worker: WorkerProcess) -> None:
    assert worker.process_id is None
    data = os.urandom(3_000_000)
    answer = await worker.run(JOBS + "echo", {"name": "花子"}, data)
    assert answer.values["name"] == "花子"
    assert answer.data == data
    assert answer.values["process"] == worker.process_id != os.getpid()


async def test_the_worker_knows_nothing_of_the_nodes_environment(
    worker: WorkerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAIRAN_SECRET", "x")
    environment = (await worker.run(JOBS + "echo", {})).values["environment"]
    assert "KAIRAN_SECRET" not in environment


async def test_one_process_serves_all_jobs_one_after_the_other(worker: WorkerProcess) -> None:
    answers = await asyncio.gather(*(worker.run(JOBS + "echo", {"n": n}, bytes([n])) for n in range(3)))
    assert [answer.values["n"] for answer in answers] == [0, 1, 2]
    assert len({answer.values["process"] for answer in answers}) == 1


async def test_what_a_library_prints_does_not_disturb_the_answers(worker: WorkerProcess) -> None:
    assert (await worker.run(JOBS + "chatter", {})).data == b"fine"


async def test_a_refusal_comes_through_as_it_was(worker: WorkerProcess) -> None:
    with pytest.raises(Refused) as refusal:
        await worker.run(JOBS + "refuse", {})
    assert (refusal.value.code, refusal.value.status, refusal.value.reason) == ("M_INVALID_PARAM", 400, "not like this")
    with pytest.raises(Refused) as refusal:
        await worker.run(JOBS + "refuse", {"large": True})
    assert refusal.value.status == 413


@pytest.mark.parametrize("job", ["fail", "crash", "devour", "no_such_job", "lie"])
async def test_a_job_that_fails_is_told_of_and_the_next_one_works(worker: WorkerProcess, job: str) -> None:
    with pytest.raises(WorkerError) as fault:
        await worker.run(JOBS + job, {})
    assert "花子" not in str(fault.value)
    assert (await worker.run(JOBS + "echo", {}, b"again")).data == b"again"


async def test_a_job_that_takes_too_long_is_killed(worker: WorkerProcess, clock: HandClock) -> None:
    async with asyncio.TaskGroup() as group:
        job = group.create_task(_outcome(worker, "hang"))
        await _until(lambda: worker.process_id is not None and LIMITS.job_s in clock.alarms)
        clock.ring(LIMITS.job_s)
    assert isinstance(job.result(), WorkerError)
    assert (await worker.run(JOBS + "echo", {}, b"again")).data == b"again"


async def test_too_many_jobs_are_sent_away(worker: WorkerProcess) -> None:
    outcomes = await asyncio.gather(*(_outcome(worker, "echo") for _ in range(LIMITS.max_waiting + 2)))
    assert [type(outcome) for outcome in outcomes].count(LimitExceeded) == 2
    assert await _outcome(worker, "echo") is None


async def test_an_idle_worker_ends_and_a_new_one_comes_when_needed(worker: WorkerProcess, clock: HandClock) -> None:
    first = (await worker.run(JOBS + "echo", {})).values["process"]
    clock.ring(LIMITS.idle_s)
    assert worker.process_id is None
    await _until(lambda: not Path(f"/proc/{first}").exists())
    assert (await worker.run(JOBS + "echo", {})).values["process"] != first


async def test_a_caller_who_goes_away_does_not_leave_his_answer_to_the_next(worker: WorkerProcess) -> None:
    async with asyncio.TaskGroup() as group:
        job = group.create_task(worker.run(JOBS + "hang", {}))
        await _until(lambda: worker.process_id is not None)
        job.cancel()
    assert (await worker.run(JOBS + "echo", {"n": 2})).values["n"] == 2


async def test_the_worker_writes_no_files(worker: WorkerProcess, tmp_path: Path) -> None:
    with pytest.raises(WorkerError):
        await worker.run(JOBS + "write_a_file", {"path": str(tmp_path / "x")})
    assert not (tmp_path / "x").exists() or (tmp_path / "x").stat().st_size == 0


async def _outcome(worker: WorkerProcess, job: str) -> Exception | None:
    try:
        await worker.run(JOBS + job, {})
    except Exception as fault:
        return fault
    return None


async def _until(condition: Callable[[], bool]) -> None:
    for _ in range(50_000):
        if await asyncio.to_thread(condition):
            return
    raise AssertionError("it did not come to pass")
