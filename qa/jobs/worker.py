"""Run the RQ worker: it forks for every job, loads nothing heavy, and its child dies with it.

The speech model lives in a process of its own beside it (`qa.jobs.model_process`), started when the
first job comes.
"""

from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from qa.jobs.announce import LedgerJob, connect, queue
from qa.jobs.model_process import ModelProcess
from qa.jobs.processes import die_with_parent
from qa.settings import Settings

MODEL_PROCESS: ModelProcess | None = None  # of the worker; forked jobs inherit it


def run_task(task_id: int) -> None:
    """Work on a task; the one function that jobs may name."""
    die_with_parent()
    from qa.jobs.service import work_once
    from qa.settings import load
    from qa.wiring import Wiring

    work_once(
        Wiring.build(load(), model_socket=MODEL_PROCESS.socket_path if MODEL_PROCESS else None),
        task_id,
    )


class ModelProcessWorker(Worker):
    """Make sure before every fork that the model process runs."""

    def execute_job(self, job: Job, queue: Queue) -> None:
        if MODEL_PROCESS is not None:
            MODEL_PROCESS.ensure_running()
        super().execute_job(job, queue)


def work(settings: Settings, *, burst: bool = False) -> None:
    """Serve the queue until stopped.

    One queue per worker: on two, a job can be lost between pop and start.
    """
    # light modules once here, so that every forked job starts at once
    import qa.jobs.service  # noqa: F401

    global MODEL_PROCESS
    connection = connect(settings)
    worker = ModelProcessWorker(
        [queue(connection)],
        connection=connection,
        serializer=JSONSerializer,
        job_class=LedgerJob,
        worker_ttl=60,
    )
    MODEL_PROCESS = ModelProcess()
    try:
        worker.work(burst=burst, with_scheduler=False, logging_level="WARNING")
    finally:
        MODEL_PROCESS.stop()
