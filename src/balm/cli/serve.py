"""``balm serve``: the web application, or one report, in the browser."""

from __future__ import annotations

import argparse
from importlib import import_module

from balm.cli.command import Command

#: The rooms ``web`` and ``cli`` do not use each other; the command knows the address of what it starts.
APPLICATION, REPORT = "balm.web.serving:serve_team", "balm.web.review_pages:serve_review"


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="DIR",
        help="review package to bring in as a demonstration review with three accounts (default: none; the reviews "
        "that are there)",
    )
    parser.add_argument(
        "--report", action="store_true", help="only show the report of DIR (default: this folder); nothing is stored"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this computer)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="port to listen on; 0 takes a free one (default: 8000)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    module, _, function = (REPORT if arguments.report else APPLICATION).partition(":")
    folder = arguments.folder or ("." if arguments.report else None)
    getattr(import_module(module), function)(
        folder, host=arguments.host, port=arguments.port, say=lambda line: print(line, flush=True)
    )
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number between 0 and 65535; got {text!r}")
    return int(text)


SERVE = Command(
    about=(
        "Start the web application: a review team's pages, database and accounts. With DIR, the package in that\n"
        "folder is there as a demonstration review, with three accounts that are printed; a second start finds\n"
        "everything again. What the server keeps is in the folder BALM_HOME, or in the PostgreSQL database of\n"
        "DATABASE_URL.\n\n"
        "With --report, only the report of the package is shown, read only and without the extra `server`; it is made\n"
        "again when a file of the package changes.\n\n"
        "Only this computer can reach it unless --host says otherwise. Ctrl-C stops."
    ),
    example="balm serve reviews/ketamine-chronic-pain --port 8000",
    configure=configure,
    run=run,
)
