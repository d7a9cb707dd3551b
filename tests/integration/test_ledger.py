"""Tasks: safe twice, fenced, retried, set aside; the broker only wakes workers."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from qa.jobs import rules, service, store
from qa.pipeline import STEPS, PermanentFailure
from qa.states import TaskState
from tests.conftest import add_call, people_of


def ask(wiring, step="step", subject=1):
    with wiring.database.write() as session:
        return store.request(session, [(step, subject)], at=wiring.clock())[0]


def claim(wiring):
    with wiring.database.write() as session:
        return store.claim(
            session,
            owner=rules.this_process(),
            now=wiring.clock(),
            lease_until=rules.lease_end(wiring.clock()),
        )


def state(wiring, task_id):
    with wiring.database.read() as session:
        return next(
            (t for s in TaskState for t in store.tasks(session, state=s) if t.id == task_id), None
        )


@pytest.fixture
def step(monkeypatch):
    """A step of our own in the table; the test says what it does."""

    class Step:
        runs = 0
        does = staticmethod(lambda: None)
        then = ()

        def __call__(self, wiring, subject):
            self.runs += 1
            self.does()
            return lambda session: self.then

    made = Step()
    monkeypatch.setitem(STEPS, "step", made)
    return made


def test_a_task_is_worked_once_and_asks_for_what_comes_next(either, step, monkeypatch):
    monkeypatch.setitem(STEPS, "next", lambda wiring, subject: lambda session: ())
    step.then = [("next", 7)]
    task_id = ask(either)
    assert service.work_once(either).task_id == task_id
    assert service.work_once(either).step == "next"
    assert service.work_once(either) is None
    assert (step.runs, state(either, task_id).state) == (1, TaskState.DONE)


def test_a_failing_task_is_tried_three_times_with_pauses_then_set_aside_for_a_person(
    wiring, step, clock
):
    def fail():
        raise ValueError("no luck")

    step.does = fail
    task_id = ask(wiring)
    for _ in range(3):
        assert service.work_once(wiring) is not None
        assert service.work_once(wiring) is None, "it waits before the next try"
        clock.move(minutes=10)
    assert step.runs == 3
    aside = state(wiring, task_id)
    assert (aside.state, aside.error) == (TaskState.FAILED, "ValueError: no luck")
    step.does = lambda: None
    with wiring.database.write() as session:
        assert store.retry(session, task_id, at=wiring.clock())
    service.work_once(wiring)
    assert state(wiring, task_id).state is TaskState.DONE


def test_what_no_repetition_helps_is_set_aside_at_once(wiring, step):
    def hopeless():
        raise PermanentFailure("publish a form")

    step.does = hopeless
    task_id = ask(wiring)
    service.work_once(wiring)
    assert state(wiring, task_id).state is TaskState.FAILED


def test_a_holder_that_lost_its_lease_cannot_write(either, clock):
    ask(either)
    slow = claim(either)
    clock.move(hours=1)
    quick = claim(either)
    assert quick.fence > slow.fence
    with either.database.write() as session:
        assert not store.finish(session, slow, at=clock())
        assert not store.fail(session, slow, error="late", run_after=None, at=clock())
        assert store.finish(session, quick, at=clock())


def test_asking_again_while_it_runs_takes_it_from_its_holder_and_runs_it_anew(wiring):
    task_id = ask(wiring)
    first = claim(wiring)
    assert ask(wiring) == task_id
    with wiring.database.write() as session:
        assert not store.finish(session, first, at=wiring.clock())
    assert claim(wiring).task_id == task_id


def test_a_dead_process_of_this_machine_loses_its_tasks_at_the_next_reconciliation(wiring):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    owner = rules.this_process().split(":")[0] + f":{child.pid}:{rules._started(child.pid)}"
    assert not rules.is_gone(owner)
    ask(wiring)
    with wiring.database.write() as session:
        held = store.claim(
            session, owner=owner, now=wiring.clock(), lease_until=rules.lease_end(wiring.clock())
        )
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert service.reconcile(wiring) == 1
    with wiring.database.write() as session:
        assert not store.finish(session, held, at=wiring.clock())
    assert claim(wiring) is not None
    assert not rules.is_gone("otherhost:1:1"), "of other hosts nothing is known"


def test_a_call_without_form_is_set_aside_with_what_to_do(wiring, cast):
    call_id = add_call(wiring, cast, agent=cast.agent, seconds=1)
    from qa.transcription import store as transcripts
    from qa.transcription.rules import measure
    from qa.transcription.types import Transcript

    silent = Transcript(language="en", duration=1)
    with wiring.database.write() as session:
        transcripts.save_transcript(
            session,
            call_id=call_id,
            transcript=silent,
            mechanics=measure(silent, (), ()),
            at=wiring.clock(),
        )
    task_id = ask(wiring, "check", call_id)
    service.work_once(wiring)
    assert "publish one" in state(wiring, task_id).error


def test_the_schedule_asks_once_for_every_day_that_ended_and_catches_up(wiring, cast, clock):
    from qa.jobs import periodic

    periodic.run_once(wiring)
    periodic.run_once(wiring)
    with wiring.database.read() as session:
        assert len(store.due(session, now=clock())) == periodic.CATCH_UP_DAYS
    clock.move(days=2)
    periodic.run_once(wiring)
    with wiring.database.read() as session:
        assert len(store.due(session, now=clock())) == periodic.CATCH_UP_DAYS + 2


def test_the_jobs_page_shows_what_was_set_aside_and_retries_it(wiring, cast, visit, step):
    def fail():
        raise PermanentFailure("<b>look</b> at it")

    step.does = fail
    task_id = ask(wiring)
    service.work_once(wiring)
    page = visit(cast.manager).get("/jobs").text
    assert "&lt;b&gt;look&lt;/b&gt;" in page
    step.does = lambda: None
    assert visit(cast.manager).post(f"/jobs/{task_id}/retry").status_code == 302
    assert visit(cast.manager).post("/jobs/99999/retry").status_code == 404
    service.work_once(wiring)
    assert state(wiring, task_id).state is TaskState.DONE


pytestmark = []


@pytest.mark.broker
def test_the_real_broker_wakes_a_real_worker_and_a_wiped_broker_loses_nothing(
    settings, clock, monkeypatch
):
    from datetime import UTC, datetime

    import redis

    from qa.jobs.announce import announce, connect
    from qa.jobs.broker import BrokerBusy, embedded_broker
    from qa.jobs.periodic import DRAW_HOUR
    from qa.jobs.worker import work
    from tests.conftest import build

    assert DRAW_HOUR == 2
    clock.now = datetime.now(UTC)
    wiring = build(settings, clock)
    people_of(wiring)
    monkeypatch.setenv("QA_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("QA_TRANSCRIBER", "scripted")
    with embedded_broker(settings):
        with pytest.raises(BrokerBusy), embedded_broker(settings):
            pass
        ids = [ask(wiring, "sample", clock.now.date().toordinal() - n) for n in range(5)]
        assert announce(settings, ids)
        assert announce(settings, ids)
        from qa.jobs.announce import queue

        assert len(queue(connect(settings)).job_ids) == 5, "told twice, queued once"
        connect(settings).flushall()
        assert service.reconcile(wiring) == 5, "the reconciler announces again what the broker lost"
        work(settings, burst=True)
        assert {state(wiring, i).state for i in ids} == {TaskState.DONE}
        from rq import Queue

        foreign = Queue("earshot", connection=connect(settings)).enqueue("os.system", "true")
        work(settings, burst=True)
        assert connect(settings).hget(foreign.key, "status") in (b"queued", b"failed", None), (
            "only our one function runs"
        )
    assert not announce(settings, [1]), "without a broker nothing breaks"
    with pytest.raises(redis.RedisError):
        connect(settings).ping()


@pytest.mark.slow
@pytest.mark.broker
def test_a_killed_qa_up_leaves_no_process_behind_and_the_next_one_finishes_the_work(tmp_path):
    """kill -9 of everything in the middle, then again to the end: every call in one right state,
    none twice.
    """
    env = {
        **os.environ,
        "QA_DATA_DIR": str(tmp_path / "var"),
        "QA_TRANSCRIBER": "scripted",
        "QA_PORT": "0",
        "QA_DEMO": "1",
    }
    import socket

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        env["QA_PORT"] = str(s.getsockname()[1])
    qa = [sys.executable, "-m", "qa"]
    subprocess.run([*qa, "init"], env=env, check=True, capture_output=True)
    subprocess.run(
        [*qa, "import", "audio_samples/manifest.csv"], env=env, check=True, capture_output=True
    )
    from qa.settings import Settings
    from qa.wiring import Wiring

    wiring = Wiring.build(Settings(data_dir=tmp_path / "var"))

    def done(wanted):
        with wiring.database.read() as session:
            return store.counts(session)[TaskState.DONE] >= wanted

    def until(condition, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.2)
        return condition()

    first = subprocess.Popen(
        [*qa, "up"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert until(lambda: done(3)), "it works"
    pids = _family(first.pid)
    assert len(pids) >= 4
    first.kill()
    first.wait()
    assert until(lambda: not any(_alive(p) for p in pids), 30), "nothing outlives its parent"
    log = (tmp_path / "second.log").open("w+")
    second = subprocess.Popen([*qa, "up"], env=env, stdout=log, stderr=log)
    try:
        broker = next(p for p in until_value(lambda: _named(second.pid, "valkey")) or [])
        os.kill(broker, signal.SIGKILL)
        with wiring.database.read() as session:
            steps = {s for s, _, _ in store.step_counts(session)}
        assert until(lambda: _all_done(wiring)), (
            steps,
            _counts(wiring),
            (tmp_path / "second.log").read_text()[-3000:],
        )
    finally:
        second.terminate()
        assert second.wait(timeout=30) == 0
    from sqlalchemy import func, select

    from qa.tables.results import CheckResultRow, TranscriptRow

    with wiring.database.read() as session:
        assert session.scalar(select(func.count()).select_from(TranscriptRow)) == 12
        assert session.scalar(select(func.count()).select_from(CheckResultRow)) == 12
        assert store.counts(session)[TaskState.FAILED] == 0


def _all_done(wiring):
    counts = _counts(wiring)
    return (
        counts[TaskState.WAITING] == counts[TaskState.RUNNING] == 0 and counts[TaskState.DONE] >= 36
    )


def _counts(wiring):
    with wiring.database.read() as session:
        return store.counts(session)


def until_value(get, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := get()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return found


def _children(pid):
    try:
        with pathlib.Path(f"/proc/{pid}/task/{pid}/children").open() as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def _family(pid):
    return [p for c in _children(pid) for p in (c, *_family(c))]


def _named(pid, name):
    found = []
    for p in _family(pid):
        try:
            with pathlib.Path(f"/proc/{p}/cmdline").open() as f:
                if name in f.read().split("\0")[0]:
                    found.append(p)
        except OSError:
            continue
    return found


def _alive(pid):
    try:
        with pathlib.Path(f"/proc/{pid}/stat").open() as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
