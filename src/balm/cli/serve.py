"""``balm serve``: a review's report in the browser."""

from __future__ import annotations

import argparse
from importlib import import_module

from balm.cli.command import Command

#: The rooms ``web`` and ``cli`` do not use each other; the command knows the address of what it starts.
SERVER = "balm.web.review_pages:serve_review"


def configure(parser: argparse.ArgumentParser) -> None:
    """The arguments."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="review package (default: this folder)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1, this computer)")
    parser.add_argument(
        "--port", type=_port, default=8000, help="port to listen on; 0 takes a free one (default: 8000)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    module, _, function = SERVER.partition(":")
    getattr(import_module(module), function)(
        arguments.folder, host=arguments.host, port=arguments.port, say=lambda line: print(line, flush=True)
    )
    return 0


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"must be a whole number between 0 and 65535; got {text!r}")
    return int(text)


SERVE = Command(
    about=(
        "Show the report of a review package in the browser. Only this computer can reach it unless --host says\n"
        "otherwise; the report is made again when a file of the package changes. Ctrl-C stops."
    ),
    example="balm serve reviews/ketamine-chronic-pain --port 8000",
    configure=configure,
    run=run,
)
