"""`qa up`: broker, workers, scheduler and web as one, each restarted when it dies, all ended
together.
"""

import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import click

from qa.jobs.broker import BrokerBusy, embedded_broker
from qa.jobs.broker import start as start_broker
from qa.jobs.processes import die_with_parent
from qa.settings import Settings
from qa.wiring import Wiring

RESTART_PAUSE = 2.0


def serve(settings: Settings) -> None:
    """The web server, until stopped."""
    import logging

    from waitress import serve as listen

    from qa.app import create_app

    if settings.demo and not settings.is_loopback:
        raise click.ClickException(
            "QA_DEMO offers sign-in without passwords and is refused on an address that others"
            " reach; set QA_HOST=127.0.0.1"
        )
    # it reports every request that waits a moment
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    # a page being laid out gives way to a save that holds the database
    sys.setswitchinterval(0.0005)
    app = create_app(settings)
    shared = (
        {"sockets": [_shared_port(settings)]}
        if settings.web_process_count > 1
        else {"host": settings.host, "port": settings.port}
    )
    listen(
        app,
        threads=8,
        ident=None,
        max_request_body_size=settings.max_upload_megabytes << 20,
        **shared,
    )


def _shared_port(settings: Settings) -> socket.socket:
    """The port, shared with the other web processes: the system deals incoming connections out
    among them.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((settings.host, settings.port))
    return listening


def run(settings: Settings, *, demo: bool) -> None:
    """Everything in one; returns after Ctrl-C or SIGTERM."""
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    from qa.setup import initialise

    if not _is_free(settings):
        raise click.ClickException(
            f"port {settings.port} of {settings.host} is taken; stop what listens there or set"
            " QA_PORT"
        )
    wiring = Wiring.build(settings)
    initialise(wiring)
    try:
        with embedded_broker(settings) as broker:
            if demo:
                prepare_demo(wiring)
            children = {name: _child(command) for name, command in _commands(settings).items()}
            click.echo(f"Earshot is at http://{settings.host}:{settings.port}", err=True)
            while not stopping:
                time.sleep(0.3)
                if broker is not None and broker.poll() is not None and not stopping:
                    click.echo("the broker ended; starting it again", err=True)
                    broker = start_broker(settings)
                for name, child in children.items():
                    if child.poll() is not None and not stopping:
                        click.echo(
                            f"{name} ended with {child.returncode}; starting it again", err=True
                        )
                        time.sleep(RESTART_PAUSE)
                        children[name] = _child(_commands(settings)[name])
            _end(list(children.values()))
            if broker is not None and broker.poll() is None:
                broker.terminate()
    except BrokerBusy as error:
        raise click.ClickException(f"`qa up` runs already on this data folder ({error})") from error
    click.echo("stopped", err=True)


def prepare_demo(wiring: Wiring) -> None:
    """The demo centre: sample calls imported and drawn, one user per role.

    What is there is not done again.
    """
    from datetime import timedelta

    from qa.intake import store as calls
    from qa.jobs.service import import_recordings, request
    from qa.pipeline import draw, steps_after_draw
    from qa.progress import progress
    from qa.setup import add_demo_people, demo_plan, demo_recordings

    demo_plan(wiring)
    outcomes = import_recordings(wiring, demo_recordings(), manifest=None, progress=progress)
    add_demo_people(wiring)
    if any(o.is_new_call for o in outcomes):
        with wiring.database.read() as session:
            span = calls.days_with_calls(session)
        zone = wiring.settings.zone
        day, last = (t.astimezone(zone).date() for t in span) if span else (None, None)
        while day is not None and last is not None and day <= last:
            with wiring.database.write() as session:
                made = draw(wiring, session, day)
                request(session, steps_after_draw(session, made), at=wiring.clock())
            day += timedelta(days=1)
    # in a process of its own: native libraries that ran here would make every later fork unsafe
    subprocess.run([sys.executable, "-m", "qa", "work", "--drain"], check=True)


def _is_free(settings: Settings) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


def _commands(settings: Settings) -> dict[str, list[str]]:
    qa = [sys.executable, "-m", "qa"]
    commands = {"scheduler": [*qa, "scheduler"]} | {
        f"web {i + 1}": [*qa, "web"] for i in range(settings.web_process_count)
    }
    return commands | {f"worker {i + 1}": [*qa, "worker"] for i in range(settings.workers)}


def _child(command: list[str]) -> "subprocess.Popen[bytes]":
    """A child in a session of its own: Ctrl-C reaches this process alone, which then ends them in
    order.
    """
    return subprocess.Popen(
        command, start_new_session=True, preexec_fn=lambda: die_with_parent(signal.SIGTERM)
    )


def _end(children: "list[subprocess.Popen[bytes]]") -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + 15
    for child in children:
        try:
            child.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
