"""Run the model process of a worker: `python -m qa.jobs.model_process SOCKET`.

It loads the speech model once and ends with its worker.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from qa.jobs.processes import die_with_parent


class ModelProcess:
    """Start the process, and start it again when it has died.

    `socket_path` is in a folder that only this user may enter.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="earshot-")
        self.socket_path = Path(self._folder.name) / "listen.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def ensure_running(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "qa.jobs.model_process", str(self.socket_path)],
                stdin=subprocess.PIPE,
            )

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=10)
        self._folder.cleanup()


def main() -> None:
    from qa.engines.audio_engine import AudioEngine
    from qa.engines.model_server import serve
    from qa.settings import load

    def end_with_starter() -> None:
        sys.stdin.buffer.read()  # closes when the worker ends, however it ends
        os._exit(0)

    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_starter, daemon=True).start()
    serve(Path(sys.argv[1]), AudioEngine(load()))


if __name__ == "__main__":
    main()
