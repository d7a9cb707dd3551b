"""Wake workers.

The broker holds nothing that matters: what it loses, the reconciler announces again.
"""

from collections.abc import Iterable

import redis
import structlog
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from qa.settings import Settings

QUEUE = "earshot"
RUN_TASK = "qa.jobs.worker.run_task"
log = structlog.get_logger()


class LedgerJob(Job):
    """A job that can only be our one function: whoever writes to the broker cannot run anything
    else.
    """

    def perform(self):  # type: ignore[no-untyped-def]  # RQ's signature
        if self.func_name != RUN_TASK:
            raise PermissionError(f"refused to run {self.func_name}")
        return super().perform()


def connect(settings: Settings) -> "redis.Redis":
    return redis.Redis.from_url(settings.broker, socket_connect_timeout=2)


def queue(connection: "redis.Redis") -> Queue:
    return Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=LedgerJob)


def announce(settings: Settings, task_ids: Iterable[int]) -> bool:
    """Tell the workers about tasks they have not been told of yet; false where there is no broker
    just now, which is no error.
    """
    task_ids = list(task_ids)
    if not task_ids or (not settings.redis_url and not settings.broker_socket.exists()):
        return False
    try:
        target = queue(connect(settings))
        waiting = set(target.job_ids)
        for task_id in task_ids:
            if (name := f"task-{task_id}") not in waiting:
                target.enqueue(
                    RUN_TASK,
                    task_id,
                    job_id=name,
                    job_timeout=4 * 3600,
                    result_ttl=0,
                    failure_ttl=24 * 3600,
                )
    except redis.RedisError as error:
        log.warning("broker not reached; the reconciler will announce again", error=str(error))
        return False
    return True
