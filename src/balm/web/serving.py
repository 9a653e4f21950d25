"""Start the web application on this computer: set up its database, bring in a package, serve until Ctrl-C."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from balm.vocabulary.problems import InputError, Problem
from balm.web.serve import HOST, PORT, why_not
from balm.web.warming import post_worker_init

#: Processes and threads of a server on one computer: a slow page (a report) never stops a quick one (a vote).
WORKERS, THREADS = 2, 4

#: What the extra ``server`` brings, by the names to import.
PARTS = (
    "allauth", "argon2", "axes", "dj_database_url", "django", "django_htmx", "gunicorn", "ninja", "template_partials",
    "whitenoise",
)  # fmt: skip


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
    _check_parts()
    listening = _socket(host, port)
    shown = f"[{host}]" if ":" in host else "127.0.0.1" if host == "0.0.0.0" else host
    address = f"http://{shown}:{listening.getsockname()[1]}/"
    if host not in ("127.0.0.1", "localhost", "::1"):
        os.environ.setdefault("BALM_HOSTS", "*")
    try:
        _set_up()
        lines = _first_account(address) if folder is None else _demonstration(folder)
        for line in lines:
            say(line)
        _run(listening, lambda: say(f"Serving on {address} (Ctrl-C stops)"))
    finally:
        listening.close()  # of no effect once gunicorn has taken it over
    say("Stopped.")


def _check_parts() -> None:
    """The extra ``server`` is there; what it lacks is named before anything else is said or done."""
    missing = [name for name in PARTS if find_spec(name) is None]
    if missing:
        raise InputError(
            f"the web application needs the extra `server` (missing: {', '.join(missing)}): pip install "
            "'balm[server]'; `balm serve DIR --report` shows a report without it"
        )


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balm.web.settings")
    try:
        import django
        from django.core.management import call_command
        from django.db import OperationalError

        django.setup()
    except OSError as error:
        raise InputError(f"BALM_HOME: {error.strerror}: {error.filename}; give a folder that can be written") from None
    except ValueError as error:  # an address that dj-database-url cannot read
        raise InputError(
            f"DATABASE_URL: {str(error).splitlines()[0]}; write postgres://user:password@host/name"
        ) from None
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError as error:
        why = " ".join(str(error).split())
        raise InputError(f"the database cannot be used ({why}); look at DATABASE_URL or BALM_HOME") from None


def _demonstration(folder: str | Path) -> Iterator[str]:
    from balm.actions.clinic.demonstration import demonstration_clinic
    from balm.actions.team.demonstration import demonstration_review
    from balm.web.settings import home

    shown = demonstration_review(folder, home() / "demonstration-accounts.txt")
    yield f"{shown.review.title}: {'a demonstration review' if shown.accounts else 'a review on this server'}"
    for account in shown.accounts:
        yield f"  {account.email:<30} {account.password:<14} {account.role}"
    if shown.folder_changed:
        yield f"  {folder} has changed since it was brought in; what is shown is the server's own copy in {home()}"
    if shown.accounts:
        clinic = demonstration_clinic(home() / "demonstration-clinic-accounts.txt")
        yield "A simulated clinic (SIMULATED: no patient, no clinic), beside the review"
        for account in clinic:
            yield f"  {account.email:<30} {account.password:<14} {account.role}"


def _first_account(address: str) -> Iterator[str]:
    from django.urls import reverse

    from balm.actions.team.accounts import SET_UP_HOURS, first_account_link
    from balm.store.accounts.models import User

    if not User.objects.exists():
        yield f"Nobody has an account here yet. This link makes the first one, once, within {SET_UP_HOURS} hours:"
        yield f"  {address.rstrip('/')}{reverse('first_account', args=[first_account_link()])}"


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
    ours, descriptor = os.getpid(), listening.detach()

    def answers(worker: Any) -> None:
        """The last of the first processes is up: whoever is told now is answered, and what ends it is heard by all."""
        if worker.age == WORKERS:
            ready()
        post_worker_init(worker)

    class Application(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"fd://{descriptor}")
            self.cfg.set("workers", WORKERS)
            self.cfg.set("threads", THREADS)
            self.cfg.set("preload_app", True)  # loaded once for all processes, and before it says that it serves
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("timeout", 120)
            self.cfg.set("graceful_timeout", 30)
            self.cfg.set("limit_request_line", 8190)  # a search in any script fits, as it does in nginx
            self.cfg.set("control_socket_disable", True)
            self.cfg.set("loglevel", "error")
            self.cfg.set("post_worker_init", answers)

        def load(self) -> object:
            from balm.web.wsgi import application

            return application

    try:
        Application().run()
    except SystemExit as end:  # how gunicorn ends after Ctrl-C or SIGTERM
        if os.getpid() != ours:
            raise  # a process that answers ends here too
        if end.code:
            raise InputError("the server's processes could not be started; the lines above say why") from None
