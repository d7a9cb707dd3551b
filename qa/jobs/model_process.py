"""The listening process of a worker: `python -m qa.jobs.model_process SOCKET`.

It loads the speech model once and ends with its worker.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path


class ModelProcess:
    """Starts the process, and again when it has died.

    `place` is its socket, in a folder that only this user may enter.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="earshot-")
        self.place = Path(self._folder.name) / "listen.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def ensure(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "qa.jobs.model_process", str(self.place)],
                stdin=subprocess.PIPE,
            )

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=10)
        self._folder.cleanup()


def main() -> None:
    from qa.engines.model_server import serve
    from qa.jobs.worker import die_with_parent
    from qa.settings import load
    from qa.wiring import AudioEngine

    def end_with_starter() -> None:
        sys.stdin.buffer.read()  # closes when the worker ends, however it ends
        os._exit(0)

    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_starter, daemon=True).start()
    serve(Path(sys.argv[1]), AudioEngine(load()).listen)


if __name__ == "__main__":
    main()
