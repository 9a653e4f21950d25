"""Start the web application on this computer: set up its database, bring in a package, serve until Ctrl-C."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from balm.vocabulary.problems import InputError, Problem
from balm.web.serve import HOST, PORT, why_not

#: Processes and threads of a server on one computer: a slow page (a report) never stops a quick one (a vote).
WORKERS, THREADS = 2, 4


def serve_team(
    folder: str | Path | None = None,
    *,
    host: str = HOST,
    port: int = PORT,
    say: Callable[[str], None] = print,
) -> None:
    """Serve the web application; with ``folder``, its package is there as a demonstration review."""
    if folder is not None and not (Path(folder) / "review.toml").is_file():
        reason = "holds no review.toml; give the folder of a review package, or start one with `balm new`"
        raise InputError(Problem(reason, str(folder)))
    listening = _socket(host, port)
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    if host not in ("127.0.0.1", "localhost", "::1"):
        os.environ.setdefault("BALM_HOSTS", "*")
    _set_up()
    if folder is not None:
        from django.conf import settings

        from balm.actions.team.demonstration import demonstration_review
        from balm.web.settings import home

        assert settings.configured
        review, accounts = demonstration_review(folder, home() / "demonstration-accounts.txt")
        say(f"{review.title}: a demonstration review with three accounts")
        for account in accounts:
            say(f"  {account.email:<30} {account.password:<14} {account.role}")
    _run(listening, lambda: say(f"Serving on {address} (Ctrl-C stops)"))


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def _socket(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OverflowError:
        raise InputError(f"port must lie between 0 and 65535; got {port}") from None
    except OSError as error:
        listening.close()
        raise InputError(why_not(error, host, port)) from None
    listening.listen(128)
    listening.set_inheritable(True)
    return listening


def _run(listening: socket.socket, ready: Callable[[], None]) -> None:
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    connections.close_all()  # a connection is never shared with the processes that answer

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"fd://{listening.fileno()}")
            self.cfg.set("workers", WORKERS)
            self.cfg.set("threads", THREADS)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("timeout", 120)
            self.cfg.set("loglevel", "error")
            self.cfg.set("when_ready", lambda server: ready())

        def load(self) -> object:
            from balm.web.wsgi import application

            return application

    Application().run()
