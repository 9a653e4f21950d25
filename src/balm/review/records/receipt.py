"""The receipt of a reading: what the files hold, what was read, what was repaired and where, what was rejected and why.

Always ``read + rejected == held``: every record a file shows is in one of the two, and a reader that cannot place one
says so here.
"""

from __future__ import annotations

from collections.abc import Callable

from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.quick_dataclass import dataclass, field

#: Repairs of one kind listed line by line; the rest of that kind is counted in one further line, as nobody reads 5,000.
LISTED = 25
#: Rejections listed line by line, with the text that was rejected.
LISTED_REJECTIONS = 1000
#: So many rejected one after the other, with none read between them, are no export: a small archive can hold hundreds
#: of millions of them.
MAX_REJECTED = 100_000
#: Of a rejected record, so much text is kept beside its line.
RAW_KEPT = 4000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a receipt: where, ``"repaired"`` or ``"rejected"``, why, and the rejected text."""

    file: str
    line: int | None
    what: str
    why: str
    raw: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.what}: {self.why}"


@dataclass(frozen=True, slots=True)
class FileReceipt:
    """The receipt of one file; ``stated`` is the number of records the file itself says it holds, where it does."""

    file: str
    format: str
    encoding: str
    read: int
    rejected: int
    repaired: int
    stated: int | None = None

    @property
    def held(self) -> int:
        """How many records the file shows it has."""
        return self.read + self.rejected


@dataclass(frozen=True, slots=True)
class Receipt:
    """The receipt of several files read together.

    ``repaired`` counts repairs: of a record (one for each record and kind) or of a file (its encoding, its line ends).

    >>> Receipt().held
    0
    """

    files: tuple[FileReceipt, ...] = ()
    problems: tuple[Entry, ...] = ()

    @property
    def read(self) -> int:
        """Records read."""
        return sum(f.read for f in self.files)

    @property
    def rejected(self) -> int:
        """Records found but not read; each stands in ``problems`` with its line and reason."""
        return sum(f.rejected for f in self.files)

    @property
    def repaired(self) -> int:
        """Repairs made; each kind stands in ``problems`` with its lines."""
        return sum(f.repaired for f in self.files)

    @property
    def held(self) -> int:
        """Records the files show they have: ``read + rejected``."""
        return self.read + self.rejected

    def __str__(self) -> str:
        lines = [
            f"{f.file}: {f.format}, holds {f.held:,}: read {f.read:,}, rejected {f.rejected:,}; repairs {f.repaired:,}"
            + ("" if f.stated is None or f.stated == f.held else f" (the file says it is of {f.stated:,})")
            for f in self.files
        ]
        return "\n".join([*lines, *(f"  {entry}" for entry in self.problems)])

    def to_dict(self) -> dict[str, object]:
        """For machines: the counts, one entry a file, and every problem."""
        return {
            "read": self.read,
            "rejected": self.rejected,
            "repaired": self.repaired,
            "files": [
                {n: getattr(f, n) for n in ("file", "format", "encoding", "read", "rejected", "repaired", "stated")}
                for f in self.files
            ],
            "problems": [{n: getattr(p, n) for n in ("file", "line", "what", "why")} for p in self.problems],
        }


@dataclass(slots=True)
class Tally:
    """What a reader counts while it reads one file; it becomes a :class:`FileReceipt` at the end.

    ``taken`` holds the ids given so far, shared by files read together; ``None`` (streaming) leaves ids unchecked, so
    that memory stays constant.
    """

    file: str
    format: str = ""
    encoding: str = "UTF-8"
    read: int = 0
    rejected: int = 0
    repaired: int = 0
    stated: int | None = None
    taken: set[str] | None = None
    progress: Callable[[int], None] | None = None
    entries: list[Entry] = field(default_factory=list)
    _kinds: dict[str, int] = field(default_factory=dict)
    _read_before: int = 0
    _since: int = 0
    _renamed: int = 0
    _first_renamed: int | None = None

    @property
    def ordinal(self) -> int:
        """The place in the file (from 1) of the record now being read."""
        return self.read + self.rejected + 1

    def repair(self, line: int | None, kind: str, detail: str = "") -> None:
        """List a repair; those of one ``kind`` beyond :data:`LISTED` are only counted."""
        self.repaired += 1
        seen = self._kinds[kind] = self._kinds.get(kind, 0) + 1
        if seen <= LISTED:
            self.entries.append(Entry(self.file, line, "repaired", f"{kind}: {detail}" if detail else kind))

    def reject(self, line: int | None, why: str, raw: str = "") -> None:
        """Count a record that cannot be read, with its text; far too many in a row are an :class:`InputError`."""
        self.rejected += 1
        if self.read != self._read_before:
            self._read_before, self._since = self.read, self.rejected - 1
        if self.rejected - self._since > MAX_REJECTED:
            place = "" if line is None else f" up to line {line:,}"
            reason = f"more than {MAX_REJECTED:,} records in a row{place} cannot be read ({why}): no export of records"
            raise InputError(Problem(reason, file=self.file, line=line))
        if self.rejected <= LISTED_REJECTIONS:
            self.entries.append(Entry(self.file, line, "rejected", why, raw[:RAW_KEPT]))

    def name(self, own: str | None, line: int | None = None) -> str:
        """The id of the record now being read: its own where it is free, else ``file:ordinal``."""
        if own:
            if self.taken is None:
                return own
            if own not in self.taken:
                self.taken.add(own)
                return own
            self._renamed += 1
            if self._first_renamed is None:
                self._first_renamed = line
        made = f"{self.file}:{self.ordinal}"
        if self.taken is not None:
            while made in self.taken:
                made += "+"
            self.taken.add(made)
        return made

    def close(self) -> FileReceipt:
        """The receipt of this file; kinds that were cut short get the line that counts the rest."""
        for kind, count in self._kinds.items():
            if count > LISTED:
                why = f"{kind}: {count - LISTED:,} more of {count:,}"
                self.entries.append(Entry(self.file, None, "repaired", why))
        if self.rejected > LISTED_REJECTIONS:
            why = f"{self.rejected - LISTED_REJECTIONS:,} more of {self.rejected:,}"
            self.entries.append(Entry(self.file, None, "rejected", why))
        if self._renamed:
            self.repaired += self._renamed
            why = f"{self._renamed:,} ids were taken already; those records are named after the file and their place"
            self.entries.append(Entry(self.file, self._first_renamed, "repaired", why))
        return FileReceipt(self.file, self.format, self.encoding, self.read, self.rejected, self.repaired, self.stated)
