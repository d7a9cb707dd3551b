"""How fast a call opens: `python -m benchmarks.workbench [MINUTES]`, in the real browser, a call of
MINUTES (60) beside one of a minute.

The recordings are a sample call, once and again and again, with the words of its truth file.
Printed: what the server takes, how large the page is, and how long it takes from the click until
the page can be used: words, both lanes, marks, keys.
"""

import json
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from qa import setup
from qa.app import create_app
from qa.assignment import store as queue
from qa.engines.transcribers import ScriptedTranscriber
from qa.jobs.service import import_recordings, work_once
from qa.people import store as people
from qa.settings import PROJECT_ROOT, Settings
from qa.wiring import Wiring

SAMPLE = "en_router_fault"
ROUNDS = 7


def main() -> None:
    minutes = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        times = {"short": 1, "long": minutes}
        for name, length in times.items():
            repeat(root / "in", name, length * 60)
        settings = Settings(
            data_dir=root / "var",
            transcriber="scripted",
            demo=True,
            double_share=0.0,
            blind_share=0.0,
        )
        wiring = Wiring.build(settings)
        wiring.audio._transcriber = ScriptedTranscriber(root / "in")
        setup.initialise(wiring)
        setup.demo_plan(wiring)
        import_recordings(
            wiring, root / "in", manifest=None, progress=lambda items, what: iter(items)
        )
        while work_once(wiring):
            pass
        setup.add_demo_people(wiring)
        places = reserve(wiring)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        from waitress import create_server

        server = create_server(
            create_app(settings, wiring=wiring), host="127.0.0.1", port=port, threads=8
        )
        threading.Thread(target=server.run, daemon=True).start()
        look(f"http://127.0.0.1:{port}", places)
        server.close()


def repeat(folder: Path, name: str, seconds: int) -> None:
    """A sample call over and over until it is `seconds` long, with its words."""
    folder.mkdir(exist_ok=True)
    truth = json.loads((PROJECT_ROOT / "audio_samples" / "truth" / f"{SAMPLE}.json").read_text())
    sound, rate = soundfile.read(PROJECT_ROOT / "audio_samples" / f"{SAMPLE}.wav", dtype="int16")
    length, times = len(sound) / rate, max(1, round(seconds * rate / len(sound)))
    soundfile.write(folder / f"{name}.wav", np.tile(sound, (times, 1)), rate)
    utterances = [shifted(u, n * length) for n in range(times) for u in truth["utterances"]]
    document = {**truth, "duration": times * length, "utterances": utterances}
    (folder / f"{name}.json").write_text(json.dumps(document))


def shifted(utterance: dict, by: float) -> dict:
    texts, span = utterance["text"].split(), utterance["end"] - utterance["start"]
    words = [
        {
            "text": w,
            "start": by + utterance["start"] + span * i / len(texts),
            "end": by + utterance["start"] + span * (i + 1) / len(texts),
            "confidence": 0.9,
        }
        for i, w in enumerate(texts)
    ]
    return {
        **utterance,
        "start": utterance["start"] + by,
        "end": utterance["end"] + by,
        "words": words,
    }


def reserve(wiring: Wiring) -> dict[str, int]:
    """A place for each of the two calls on the demo evaluator's list."""
    from datetime import timedelta

    from sqlalchemy import text

    places, now = {}, wiring.clock()
    with wiring.database.write() as session:
        evaluator = next(u for u in people.demo_users(session) if u.role.value == "evaluator")
        for call_id, name in session.execute(text("SELECT id, source_name FROM call")).all():
            version = session.scalar(
                text("SELECT form_version_id FROM check_result WHERE call_id = :c"), {"c": call_id}
            )
            session.execute(text("DELETE FROM assignment WHERE call_id = :c"), {"c": call_id})
            added = queue.add(
                session,
                call_id=call_id,
                form_version_id=version,
                drawn_call_id=None,
                due_at=now + timedelta(days=2),
                at=now,
                reserved_for_id=evaluator.id,
            )
            assert added is not None
            places[Path(name).stem] = added
    return places


def look(url: str, places: dict[str, int]) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as p:
        browser = p.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{url}/sign-in")
        page.locator(".roles button", has_text="Evaluator").first.click()
        medians = {}
        for name in ("short", "long"):
            ready, served, size = [], [], 0
            for _ in range(ROUNDS):
                page.goto(f"{url}/queue")
                page.wait_for_load_state("networkidle")
                began = time.perf_counter()
                page.goto(f"{url}/workbench/{places[name]}", wait_until="commit")
                page.wait_for_selector("body[data-ready=yes]", state="attached")
                page.evaluate(
                    "() => new Promise((done) => requestAnimationFrame(() =>"
                    " requestAnimationFrame(done)))"
                )
                ready.append(time.perf_counter() - began)
                timing = page.evaluate(
                    "(() => { const t = performance.getEntriesByType('navigation')[0]; return"
                    " [t.responseStart - t.requestStart, t.decodedBodySize]; })()"
                )
                served.append(timing[0] / 1000)
                size = timing[1]
            words = page.locator(".w").count()
            lanes = page.evaluate(
                "document.querySelector('[data-wave] >"
                " div').shadowRoot.querySelectorAll('canvas').length"
            )
            medians[name] = statistics.median(ready)
            print(
                f"{name:6} {words:6} words, page {size / 1024:8.0f} KiB, server"
                f" {1000 * statistics.median(served):6.0f} ms, can be used after"
                f" {1000 * medians[name]:6.0f} ms ({1000 * max(ready):.0f} at worst), {lanes}"
                " canvases"
            )
        print(f"ratio {medians['long'] / medians['short']:.2f}")
        browser.close()


if __name__ == "__main__":
    main()
