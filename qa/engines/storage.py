"""Store recordings in any fsspec place, a folder by default. Written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import fsspec


class Storage:
    """Named blobs. Keys are made by us (hashes), never by a client."""

    def __init__(self, url: str) -> None:
        self._files, root = fsspec.core.url_to_fs(url)
        self._root = root.rstrip("/")
        self._is_local = (
            self._files.protocol in ("file", ("file", "local"), "local")
            or "file" in self._files.protocol
        )

    def save(self, key: str, content: bytes) -> None:
        """Store a blob under the key: written beside it, flushed to disk, then renamed."""
        target = f"{self._root}/{key}"
        self._files.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        if not self._is_local:
            self._files.pipe_file(target, content)
            return
        temporary = f"{target}.{secrets.token_hex(6)}.part"
        try:
            with Path(temporary).open("xb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
            Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def has(self, key: str) -> bool:
        return bool(self._files.exists(f"{self._root}/{key}"))

    def read(self, key: str) -> bytes:
        """Read the blob; raises FileNotFoundError."""
        return bytes(self._files.cat_file(f"{self._root}/{key}"))

    def open(self, key: str) -> BinaryIO:
        """Open a seekable stream, for range requests."""
        return self._files.open(f"{self._root}/{key}", "rb")  # type: ignore[no-any-return]

    def size(self, key: str) -> int:
        return int(self._files.size(f"{self._root}/{key}"))

    @contextmanager
    def as_file(self, key: str) -> Iterator[Path]:
        """Yield a path on this machine that holds the blob, for programs that want one."""
        if self._is_local:
            yield Path(self._root) / key
            return
        import tempfile

        with tempfile.NamedTemporaryFile(suffix="-" + key.rsplit("/", 1)[-1]) as f:
            f.write(self.read(key))
            f.flush()
            yield Path(f.name)

    def free_share(self) -> float:
        """Compute the share of the disk that is free (0–1); 1 where it is not a local disk."""
        if not self._is_local:
            return 1.0
        Path(self._root).mkdir(parents=True, exist_ok=True)
        disk = os.statvfs(self._root)
        return disk.f_bavail / disk.f_blocks if disk.f_blocks else 1.0
