"""The RQ worker: forks for every job, loads nothing heavy itself, and its child dies with it.

The speech model lives in a process of its own beside it (`qa.jobs.model_process`), started when the
first job comes.
"""

import ctypes
import signal

from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from qa.jobs.announce import LedgerJob, connect, queue
from qa.jobs.model_process import ModelProcess
from qa.settings import Settings

PR_SET_PDEATHSIG = 1
LISTENING: ModelProcess | None = None  # of the worker; forked jobs inherit it


def die_with_parent(sign: int = signal.SIGKILL) -> None:
    """Linux: this process gets the signal when its parent ends, however it ends."""
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, sign)
    except (OSError, AttributeError):
        return  # not Linux: the lease and the fence protect the data all the same


def run_task(task_id: int) -> None:
    """The one function that jobs may name."""
    die_with_parent()
    from qa.jobs.service import work_once
    from qa.settings import load
    from qa.wiring import Wiring

    work_once(Wiring.build(load(), listener=LISTENING.place if LISTENING else None), task_id)


class ModelProcessWorker(Worker):
    """Sees before every fork that the listening process is there."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        if LISTENING is not None:
            LISTENING.ensure()
        super().execute_job(job, queue)


def work(settings: Settings, *, burst: bool = False) -> None:
    """Serve the queue until stopped.

    One queue per worker: on two, a job can be lost between pop and start.
    """
    # light modules once here, so that every forked job starts at once
    import qa.jobs.service  # noqa: F401

    global LISTENING
    connection = connect(settings)
    worker = ModelProcessWorker(
        [queue(connection)],
        connection=connection,
        serializer=JSONSerializer,
        job_class=LedgerJob,
        worker_ttl=60,
    )
    LISTENING = ModelProcess()
    try:
        worker.work(burst=burst, with_scheduler=False, logging_level="WARNING")
    finally:
        LISTENING.end()
