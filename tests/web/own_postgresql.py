"""A PostgreSQL server of a test's own, in a folder that is thrown away: to be killed while somebody writes."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

#: Where Debian and Ubuntu keep the programs of a server; ``initdb`` is not on their path.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


def programs() -> Path | None:
    """The folder with ``initdb``, or ``None``."""
    found = shutil.which("initdb")
    return Path(found).parent if found else PROGRAMS[-1] if PROGRAMS else None


@dataclass
class OwnPostgreSQL:
    """``postgres`` on a port of its own; as root it runs for the account ``postgres``, as it refuses root."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="balm-postgresql-")))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if self.user:
            shutil.chown(self.folder, self.user)
        self._run("initdb", "-D", str(self.data), "-U", "balm", "-A", "trust", "-E", "UTF8", "--locale", "C")

    @property
    def user(self) -> str | None:
        """The account it runs for, where that is not our own."""
        return "postgres" if os.getuid() == 0 else None

    @property
    def data(self) -> Path:
        """Its files."""
        return self.folder / "data"

    @property
    def address(self) -> str:
        """As ``DATABASE_URL`` names it."""
        return f"postgres://balm@127.0.0.1:{self.port}/postgres"

    def _command(self, name: str, *arguments: str) -> list[str]:
        found = programs()
        assert found is not None
        return [str(found / name), *arguments]

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(self._command(name, *arguments), user=self.user, capture_output=True, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))

    def start(self) -> None:
        """Start it, after whatever became of it, and wait until it answers."""
        options = ["-D", str(self.data), "-p", str(self.port), "-h", "127.0.0.1", "-k", str(self.folder)]
        for _ in range(600):  # after a kill it refuses until the last of its old processes has ended
            self.process = subprocess.Popen(
                self._command("postgres", *options), user=self.user, cwd=self.folder,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            while self.process.poll() is None:
                if self.answers():
                    return
                time.sleep(0.05)
            time.sleep(0.1)
        raise RuntimeError("PostgreSQL did not start")

    def answers(self) -> bool:
        """Whether somebody can connect."""
        import psycopg

        try:
            psycopg.connect(self.address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def writers(self) -> list[int]:
        """The processes that serve a connection of the application's now, one in a transaction first."""
        import psycopg

        busy = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        with psycopg.connect(self.address) as connection:
            return [pid for (pid,) in connection.execute(f"{busy} ORDER BY xact_start NULLS LAST")]

    def kill(self) -> None:
        """``kill -9`` to the first of its processes: the others notice and end."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop_at_once(self) -> None:
        """``pg_ctl stop -m immediate``: connections are cut in mid-write, and it recovers from its log."""
        assert self.process is not None
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def remove(self) -> None:
        """End it, and throw its files away."""
        if self.process is not None and self.process.poll() is None:
            self.stop_at_once()
        shutil.rmtree(self.folder, ignore_errors=True)
