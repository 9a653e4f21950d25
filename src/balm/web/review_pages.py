"""The report of a review package as a page that follows its files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from balm.actions.review import Review
from balm.actions.versions import changes_since_last
from balm.report.review_report import build_report
from balm.vocabulary.problems import InputError, Problem
from balm.web.serve import HOST, PORT, serve_forever


def serve_review(folder: str | Path, *, host: str = HOST, port: int = PORT, say: Callable[[str], None] = print) -> None:
    """Serve the report of the package in ``folder`` until Ctrl-C. A package with problems is refused at the start."""
    if not (Path(folder) / "review.toml").is_file():
        raise InputError(
            Problem(
                "holds no review.toml; give the folder of a review package, or start one with `balm new`", str(folder)
            )
        )
    page = following(folder)
    page()
    serve_forever(page, host=host, port=port, say=say)


def following(folder: str | Path) -> Callable[[], str]:
    """A function that returns the report, made again only when a file of the package has changed."""
    made: dict[str, object] = {}

    def page() -> str:
        now = stamp(folder)
        if made.get("stamp") != now:
            made["page"] = report_page(folder)
            made["stamp"] = now
        return str(made["page"])

    return page


def report_page(folder: str | Path) -> str:
    """The report of the package in ``folder`` as HTML; nothing is written."""
    review = Review.load(folder)
    return build_report(review.synthesise(), review.flow(), changes=changes_since_last(review))


def stamp(folder: str | Path) -> tuple[tuple[str, int, int], ...]:
    """What tells one state of the folder from the next: each file with its size and time of change."""
    found = []
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            status = path.stat()
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return tuple(found)
