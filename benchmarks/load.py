"""200 evaluators at work: `python -m benchmarks.load [SECONDS] [REQUESTS_A_SECOND] [CALLS]`.

A simulated centre of CALLS calls, the real web server in a process of its own, and people who take
calls, open the workbench, save what they type, look at lists and submit. Requests leave on a
schedule, whatever the answers do, and the time of each is counted from when it should have left.
Printed: times per kind of request and in all, errors, and whether everything that the server said
it kept is in the database.
"""

import collections
import http.client
import os
import random
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from datetime import timedelta
from pathlib import Path

from qa import setup
from qa.assignment import store as queue
from qa.forms import service as forms
from qa.people import service as people
from qa.people import store as people_store
from qa.scoring import store as cards
from qa.settings import Settings
from qa.simulation import simulate_centre
from qa.states import Role
from qa.wiring import Wiring

PEOPLE = 200
SENDERS = 48
# seconds that are not counted: everybody signs in and opens a first call at once, which no working
# day does
WARM_UP = 15
PROCESSES = int(os.environ.get("LOAD_PROCESSES", "2"))


class Person:
    """One evaluator's browser: a cookie, a token, and what they are at."""

    def __init__(self, n: int, token: str) -> None:
        self.n, self.cookie = n, token
        self.csrf = self.card = self.taken = ""
        self.version = 0
        self.answers: dict[str, str] = {}
        self.kept: list[tuple[str, int]] = []  # cards with the version that the server said it kept
        self.busy = threading.Lock()


def main() -> None:
    seconds, rate, calls = (
        float(a) if a else d
        for a, d in zip([*sys.argv[1:4], "", "", ""], (60.0, 100.0, 100_000.0), strict=False)
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=Path(os.environ.get("LOAD_DATA", folder)),
            transcriber="scripted",
            cookie_secure=False,
        )
        crowd, form = prepare(settings, int(calls), places=int(rate * seconds / 8) + PEOPLE)
        port = free_port()
        env = os.environ | {
            "QA_DATA_DIR": str(settings.data_dir),
            "QA_PORT": str(port),
            "QA_WEB_PROCESSES": str(PROCESSES),
        }
        servers = [
            subprocess.Popen([sys.executable, "-m", "qa", "web"], env=env) for _ in range(PROCESSES)
        ]
        try:
            wait_for(port)
            before = resource.getrusage(resource.RUSAGE_SELF)
            times, errors, late = run(crowd, form, port, seconds=seconds, rate=rate)
            sending = resource.getrusage(resource.RUSAGE_SELF)
            report(times, errors, late, lost(settings, crowd), seconds)
        finally:
            [s.terminate() for s in servers]
            [s.wait() for s in servers]
        served = resource.getrusage(resource.RUSAGE_CHILDREN)
        senders = sending.ru_utime + sending.ru_stime - before.ru_utime - before.ru_stime
        each = (served.ru_utime + served.ru_stime) / (seconds * rate) * 1000
        print(
            f"processor: web {each:.1f} ms a request (starting included), senders"
            f" {senders / (seconds * rate) * 1000:.1f} ms, {os.cpu_count()} cores for both"
        )


def prepare(settings: Settings, calls: int, *, places: int) -> tuple[list[Person], dict[str, str]]:
    wiring = Wiring.build(settings)
    setup.initialise(wiring)
    with wiring.database.read() as session:
        from sqlalchemy import text

        have = session.scalar(text("SELECT count(*) FROM call")) or 0
    if have < calls * 0.9:
        simulate_centre(
            wiring,
            agents=200,
            calls=max(1, calls // 600),
            months=3,
            seed=7,
            tick=lambda step, left: None,
        )
    with wiring.database.write() as session:
        from sqlalchemy import text

        version, form = next(
            (i, f) for i, f in forms.current(session) if f.form == "customer_service"
        )
        free = session.execute(
            text("SELECT id FROM call WHERE id NOT IN (SELECT call_id FROM assignment) LIMIT :n"),
            {"n": places},
        ).all()
        for (call_id,) in free:
            queue.add(
                session,
                call_id=call_id,
                form_version_id=version,
                drawn_call_id=None,
                due_at=wiring.clock() + timedelta(days=2),
                at=wiring.clock(),
            )
        crowd = []
        known = {u.username: u for u in people_store.users(session)}
        for n in range(PEOPLE):
            name = f"load{n}"
            user = known.get(name) or people.add_user(
                session,
                username=name,
                display_name=f"Load {n}",
                role=Role.EVALUATOR,
                password=None,
                at=wiring.clock(),
            )
            token = people.new_token()
            ends = wiring.clock() + timedelta(hours=9)
            people_store.save_web_session(
                session,
                people.token_hash(token),
                user_id=user.id,
                content={},
                now=wiring.clock(),
                expires_at=ends,
            )
            crowd.append(Person(n, token))
    wiring.database.engine.dispose()
    return crowd, {c.id: max(c.choices, key=lambda o: o.points).id for c in form.criteria()}


def run(
    crowd: list[Person], best: dict[str, str], port: int, *, seconds: float, rate: float
) -> tuple[dict[str, list[float]], collections.Counter[str], int]:
    """Send on schedule; what each request took, what went wrong, how many left late because every
    sender was busy.
    """
    times: dict[str, list[float]] = collections.defaultdict(list)
    errors: collections.Counter[str] = collections.Counter()
    rng, started, late = random.Random(1), time.perf_counter() + 0.5, 0
    total = int(seconds * rate)
    ticket, turn = iter(range(total)), threading.Lock()

    def sender() -> None:
        nonlocal late
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with turn:
                n = next(ticket, None)
                person = crowd[rng.randrange(PEOPLE)]
            if n is None:
                return
            due = started + n / rate
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            elif wait < -0.05:
                late += 1
            with person.busy:
                kind = act(person, best, line, errors, random.Random(n))
            if n >= WARM_UP * rate:
                times[kind].append(time.perf_counter() - due)

    threads = [threading.Thread(target=sender) for _ in range(SENDERS)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return times, errors, late


def act(
    person: Person,
    best: dict[str, str],
    line: http.client.HTTPConnection,
    errors: collections.Counter[str],
    rng: random.Random,
) -> str:
    """The person's next step, as a kind."""
    if not person.csrf:
        status, body, _ = ask(line, person, "GET", "/token", accept="application/json")
        person.csrf = body.split('"')[3] if status == 200 else ""
        return "token"
    if not person.card:
        kind, fault = open_card(person, line) if person.taken else take_call(person, line)
    elif rng.random() < 0.1:
        kind, fault = look_around(person, line, rng.choice(["/queue", "/calls", "/cards"]))
    elif missing := [c for c in best if f"answer.{c}" not in person.answers]:
        kind, fault = save(person, line, {c: best[c] for c in missing[:3]})
    else:
        kind, fault = submit(person, line)
    if fault:
        errors[fault] += 1
    return kind


def take_call(person: Person, line: http.client.HTTPConnection) -> tuple[str, str]:
    """Ask for the next call; the kind of step, and what went wrong."""
    status, _, where = ask(line, person, "POST", "/queue/next", {})
    if status != 302 or "/workbench/" not in where:
        return "next", f"next {status}"
    person.taken = where
    return "next", ""


def open_card(person: Person, line: http.client.HTTPConnection) -> tuple[str, str]:
    status, body, _ = ask(line, person, "GET", person.taken)
    if status != 200:
        return "workbench", f"workbench {status}"
    person.taken, person.answers = "", {}
    person.card = body.split('action="/cards/')[1].split("/")[0]
    person.version = int(body.split('name="version" value="')[1].split('"')[0])
    return "workbench", ""


def look_around(person: Person, line: http.client.HTTPConnection, page: str) -> tuple[str, str]:
    status, _, _ = ask(line, person, "GET", page)
    return page, "" if status == 200 else f"{page} {status}"


def save(
    person: Person, line: http.client.HTTPConnection, answers: dict[str, str]
) -> tuple[str, str]:
    """Some more answers of the card, as the workbench saves them while somebody works."""
    for c, option in answers.items():
        person.answers |= {f"answer.{c}": option, f"comment.{c}": "heard at the beginning"}
    given = {**person.answers, "version": person.version, "seconds": 5}
    status, body, _ = ask(
        line, person, "POST", f"/cards/{person.card}/draft", given, "application/json"
    )
    if status != 200:
        return "save", f"save {status}"
    person.version = int(body.split('"version":')[1].split("}")[0].split(",")[0])
    person.kept.append((person.card, person.version))
    return "save", ""


def submit(person: Person, line: http.client.HTTPConnection) -> tuple[str, str]:
    status, _, _ = ask(
        line,
        person,
        "POST",
        f"/cards/{person.card}/submit",
        {**person.answers, "version": person.version},
    )
    if status == 302:
        person.kept.append((person.card, -1))
    person.card = ""
    return "submit", "" if status == 302 else f"submit {status}"


def ask(
    line: http.client.HTTPConnection,
    person: Person,
    method: str,
    path: str,
    fields: dict[str, object] | None = None,
    accept: str = "text/html",
):
    body = (
        urllib.parse.urlencode({"csrf_token": person.csrf, **fields})
        if fields is not None
        else None
    )
    headers = {"Cookie": f"earshot={person.cookie}", "Accept": accept}
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    for attempt in (1, 2):
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode(), answer.headers.get("Location", "")
        except (http.client.HTTPException, OSError):
            line.close()
            if attempt == 2:
                return 0, "", ""
    return 0, "", ""


def lost(settings: Settings, crowd: list[Person]) -> int:
    """Saves and submissions that the server acknowledged and the database does not have."""
    wiring, gone = Wiring.build(settings), 0
    with wiring.database.read() as session:
        for person in crowd:
            newest = {}
            for card, version in person.kept:
                newest[card] = version
            for card, version in newest.items():
                found = cards.card(session, int(card))
                gone += (
                    found is None
                    or (version == -1 and found.submitted_at is None)
                    or (version > 0 and found.version < version)
                )
    return gone


def report(
    times: dict[str, list[float]],
    errors: collections.Counter[str],
    late: int,
    gone: int,
    seconds: float,
) -> None:
    everything = sorted(t for ts in times.values() for t in ts)
    print(
        f"{len(everything)} requests in {seconds - WARM_UP:.0f} s after a warm-up, {late} left more"
        f" than 50 ms late, {sum(errors.values())} errors {dict(errors)}, {gone} acknowledged and"
        " lost"
    )
    print(
        f"{'':22} {'n':>6} {'p50':>8} {'p95':>8} {'p99':>8}   ms from the moment the request"
        " was due"
    )
    for kind, ts in [("all", everything), *sorted(times.items())]:
        ts = sorted(ts)
        p50, p95, p99 = (1000 * ts[min(len(ts) - 1, int(len(ts) * q))] for q in (0.5, 0.95, 0.99))
        print(f"{kind:22} {len(ts):6} {p50:8.1f} {p95:8.1f} {p99:8.1f}")


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not come up")


if __name__ == "__main__":
    main()
