"""A review package on disk: loaded whole, checked, synthesised, reported. The only room here that opens files."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from balm.actions.whole_file import whole_file
from balm.review.flow import Flow
from balm.review.flow_ways_out import flow_problems
from balm.review.living.update import living_flow
from balm.review.package import Package
from balm.review.plan import FILE
from balm.review.reading import read_package
from balm.review.schema import TABLES
from balm.review.synthesis import Synthesis, synthesise
from balm.vocabulary.problems import InputError, Problem

#: A file of a package is small, records.csv apart. What is larger is most likely the wrong file, and is refused by its
#: size, before it is read.
MAX_BYTES = 64 * 1024 * 1024
#: Files that grow with the search: records.csv with its abstracts has some 2 kB a record, 200 MB at 100,000 records.
LARGER = {"records.csv": 512 * 1024 * 1024}
#: Guideline files read from ``guidance/``.
MAX_GUIDELINES = 500


@dataclass(frozen=True)
class Review:
    """A review package. :meth:`load` reads it whole; what is wrong with it is in :meth:`problems`.

    >>> from balm.actions.review import Review
    >>> review = Review.load("reviews/ketamine-chronic-pain")  # doctest: +SKIP
    >>> review.problems()  # doctest: +SKIP
    ()
    >>> review.synthesise().analysis("responders-immediate").fit  # doctest: +SKIP
    """

    folder: Path
    _package: Package | None = None
    _problems: tuple[Problem, ...] = field(default=(), repr=False)

    @classmethod
    def load(cls, folder: str | Path) -> Review:
        """Read the package in ``folder``. A folder that is not there is an error; wrong cells are :meth:`problems`."""
        path = Path(folder)
        try:
            if not path.exists():
                raise InputError(Problem("there is no such folder; `balm new` starts a package", file=str(folder)))
            if not path.is_dir():
                raise InputError(Problem("is not a folder; give the folder that holds review.toml", file=str(folder)))
            files, problems = _files(path)
        except OSError as error:
            raise InputError(Problem(f"cannot be read: {error.strerror or error}", file=str(folder))) from None
        refused = {p.file for p in problems}
        package, wrong = read_package(files, path)
        problems += [p for p in wrong if not (p.file in refused and p.reason.startswith("the file is missing"))]
        return cls(path, None if problems else package, tuple(problems))

    @staticmethod
    def new(folder: str | Path) -> tuple[Path, ...]:
        """Start a package: the plan with a place for every answer, and every table with its header."""
        from balm.actions.new_review import new_review

        return new_review(folder)

    def problems(self) -> tuple[Problem, ...]:
        """Everything wrong with the package, each with file, row, column and reason; empty when nothing is."""
        return self._problems

    @property
    def package(self) -> Package:
        """The rows and the plan; :class:`InputError` with every problem when there is one."""
        if self._package is None:
            raise InputError(self._problems)
        return self._package

    @cached_property
    def _synthesis(self) -> Synthesis:
        return synthesise(self.package)

    def synthesise(self) -> Synthesis:
        """Every planned analysis carried out, with published results and claims recomputed."""
        return self._synthesis

    def flow(self) -> Flow:
        """The PRISMA 2020 flow, of an update with previous and new studies; counts that are not known stay so."""
        return living_flow(self.package, self.synthesise().pooled_studies)

    def flow_problems(self) -> tuple[Problem, ...]:
        """Every contradiction of the flow with its way out; :meth:`report` refuses while there is one."""
        return flow_problems(self.package, living_flow(self.package))

    def report(
        self,
        path: str | Path,
        *,
        journal: str | None = None,
        figure_width: float | None = None,
        font_size: float | None = None,
        font: str | None = None,
    ) -> Path:
        """Write the report to ``path``: whole, or not at all. The package itself is not touched.

        Refused while counts of the flow contradict each other (:meth:`flow_problems`).

        path         : its ending chooses among ``.html``, ``.docx`` and ``.pdf``.
        journal      : "jama", "lancet", "nature" or "plos": size and font of their figures; what follows changes it.
        figure_width : of the widest figure in a Word file or a PDF, in millimetres; 170 when not given.
        font_size    : of the text in a Word file or a PDF, in points; 10 when not given.
        font         : "sans" (default) or "serif".
        """
        from balm.actions.report_out import write_report
        from balm.actions.versions import changes_since_last

        if wrong := self.flow_problems():
            raise InputError(wrong)
        look = {"journal": journal, "figure_width": figure_width, "font_size": font_size, "font": font}
        return write_report(self.synthesise(), self.flow(), Path(path), changes_since_last(self), **look)


def package_bytes(folder: str | Path) -> dict[str, bytes]:
    """The bytes of every file of the package format in ``folder``; :class:`InputError` where one is refused."""
    files, problems = _files(Path(folder))
    if problems:
        raise InputError(problems)
    return files


def write_whole(path: Path, text: str) -> Path:
    """Write ``text`` to ``path`` so that nobody ever sees half of it."""
    with whole_file(path, "w", encoding="utf-8", newline="\n") as out:
        out.write(text)
    return path


def _files(folder: Path) -> tuple[dict[str, bytes], list[Problem]]:
    """The bytes of every file of the format that is there, and those that are refused."""
    names = [FILE, *(t.file for t in TABLES)]
    problems: list[Problem] = []
    guidance = folder / "guidance"
    if guidance.is_dir():
        found = sorted(p.name for p in guidance.iterdir() if p.name.endswith(".toml") and not p.name.startswith("."))
        if len(found) > MAX_GUIDELINES:
            problems.append(Problem(f"holds {len(found)} files; the limit is {MAX_GUIDELINES}", file="guidance"))
            found = found[:MAX_GUIDELINES]
        names += [f"guidance/{name}" for name in found]
    root = folder.resolve()
    files: dict[str, bytes] = {}
    for name in names:
        data, reason = _read(folder / name, root)
        if reason:
            problems.append(Problem(reason, file=name))
        elif data is not None:
            files[name] = data
    return files, problems


def _read(path: Path, root: Path) -> tuple[bytes | None, str]:
    """The bytes of one file, ``None`` when it is not there, or the reason why it is refused."""
    if not os.path.lexists(path):
        return None, ""
    try:
        if not path.resolve(strict=True).is_relative_to(root):
            return None, "is a link that leads out of the package; put the file itself here"
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return None, "is not a file"
        most = LARGER.get(path.name, MAX_BYTES)
        if status.st_size > most:
            size, limit = status.st_size / 1024**2, most // 1024**2
            return None, f"is {size:,.0f} MB; the limit is {limit} MB, and it was not read"
        with path.open("rb") as source:
            data = source.read(most + 1)
        return (data, "") if len(data) <= most else (None, f"grew past the limit of {most // 1024**2} MB")
    except (FileNotFoundError, RuntimeError):
        return None, "is a link that leads nowhere"
    except OSError as error:
        return None, f"cannot be read: {error.strerror or error}"
