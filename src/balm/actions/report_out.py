"""The report of a review written to a file: HTML, Word or PDF by the ending of its name, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from balm.actions.whole_file import whole_file
from balm.review.flow import Flow
from balm.review.living.changed import Changes
from balm.review.synthesis import Synthesis
from balm.vocabulary.problems import refuse

HTML = (".html", ".htm")
#: Endings of a report; the first of each form is the one we write of.
ENDINGS = (*HTML, ".docx", ".pdf")


def check_report_target(path: Path, **look: Any) -> None:
    """The ending is one we write, the folder exists and the options belong to the form; asked before computing."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        refuse(f"the report must end in one of ['.html', '.docx', '.pdf']; got {str(path)!r}")
    if not path.parent.is_dir():
        refuse(f"{str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    if path.is_dir():
        refuse(f"{str(path)!r} is a folder; give a file in it")
    for name, given in look.items():
        if given is not None and ending in HTML:
            refuse(f"{name} belongs to .docx and .pdf; a page in a browser is as wide as its window")


def write_report(
    synthesis: Synthesis,
    flow: Flow,
    path: Path,
    changes: Changes | None = None,
    **look: Any,
) -> Path:
    """Write the report to ``path``, replacing what is there; nothing is left half-written.

    ``changes``: what changed since the last version, of a review that has one.
    ``look``: ``journal``, ``figure_width``, ``font_size`` and ``font`` of a Word file or a PDF.
    """
    check_report_target(path, **look)
    data = report_bytes(synthesis, flow, path.suffix.lower(), changes=changes, **look)
    with whole_file(path, "wb") as out:
        out.write(data)
    return path


def report_bytes(
    synthesis: Synthesis,
    flow: Flow,
    ending: str,
    *,
    contradictions: str = "refuse",
    earlier: Sequence[Flow] | None = None,
    changes: Changes | None = None,
    **look: Any,
) -> bytes:
    """The report in the form of ``ending``; ``contradictions``, ``earlier`` and ``changes`` as for it."""
    if ending in HTML:
        from balm.report.review_report import build_report

        return build_report(synthesis, flow, contradictions=contradictions, earlier=earlier, changes=changes).encode(
            "utf-8"
        )
    from balm.report.document.look import look_of
    from balm.report.document.whole import document

    chosen = look_of(**look)
    made = document(synthesis, flow, contradictions=contradictions, earlier=earlier, changes=changes)
    if ending == ".docx":
        from balm.report.document.word import word

        return word(made, chosen)
    from balm.report.document.typeset import pdf

    return pdf(made, chosen)
