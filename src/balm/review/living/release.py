"""A release: a version frozen with its data, results and reports, named by one hash over all of them.

A release is written once. Its manifest holds the SHA-256 of every file and the hash of the release before it, so that a
changed byte anywhere, a file that came or went and a release put in between are all found (:func:`chain_problems`). Who
keeps the last hash elsewhere (in print, in a register) can also tell a chain that was written anew as a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from balm.review.analysis_data import canonical
from balm.vocabulary.problems import Problem

#: Releases of a package stand here, a folder each.
FOLDER = "releases"
MANIFEST = "release.json"
RESULTS = "results.json"
#: The part of a release that is the review package as it was.
PACKAGE = "package/"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Release:
    """What a manifest says. ``number`` counts from 1; ``files`` maps each path in the release to its SHA-256.

    ``beside``: files of the package that are not copied into the release (raw exports), named and hashed.
    ``previous``: the hash of the release before, empty for the first.
    """

    number: int
    version: str
    label: str
    released: str
    by: str
    software: str
    files: Mapping[str, str]
    beside: Mapping[str, str]
    previous: str
    hash: str


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def make_release(
    files: Mapping[str, bytes],
    *,
    version: str,
    label: str,
    released: str,
    by: str,
    software: str,
    before: Release | None = None,
    beside: Mapping[str, str] | None = None,
) -> Release:
    """The manifest of a release of ``files`` (path -> bytes) that follows ``before``.

    >>> one = make_release({"a": b"1"}, version="1", label="", released="2026-01-01", by="ana", software="balm 0")
    >>> two = make_release({"a": b"2"}, version="1", label="", released="2026-01-01", by="ana", software="balm 0")
    >>> len(one.hash), one.hash == two.hash
    (64, False)
    """
    said: dict[str, Any] = {
        "format": FORMAT,
        "number": 1 if before is None else before.number + 1,
        "version": version,
        "label": label,
        "released": released,
        "by": by,
        "software": software,
        "files": {path: digest(data) for path, data in sorted(files.items())},
        "beside": dict(sorted((beside or {}).items())),
        "previous": "" if before is None else before.hash,
    }
    return _release(said | {"hash": digest(canonical(said).encode())})


def as_bytes(release: Release) -> bytes:
    """The manifest as the file :data:`MANIFEST`."""
    said = {"format": FORMAT} | {name: getattr(release, name) for name in Release.__slots__}
    said["files"], said["beside"] = dict(release.files), dict(release.beside)
    return (json.dumps(said, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_release(data: bytes) -> Release | None:
    """The manifest in ``data``, or ``None`` where it is none or its own hash does not fit: then a byte has changed."""
    try:
        said = json.loads(data)
        found = _release(said)
        whole = {name: value for name, value in said.items() if name != "hash"}
        fits = said["format"] == FORMAT and digest(canonical(whole).encode()) == found.hash
        return found if fits and as_bytes(found) == data else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _release(said: Mapping[str, Any]) -> Release:
    return Release(**{name: said[name] for name in Release.__slots__})


def release_problems(files: Mapping[str, bytes], name: str = "") -> list[Problem]:
    """What is wrong with one release, given as the bytes of its files: changed, missing or added ones, each named.

    ``name`` is the version whose folder it stands in; empty where it was taken out of its review.
    """

    def wrong(path: str, reason: str) -> Problem:
        return Problem(reason, file=f"{FOLDER}/{name}/{path}" if name else path)

    if MANIFEST not in files:
        return [wrong(MANIFEST, "is missing: the release is not whole")]
    release = read_release(files[MANIFEST])
    if release is None:
        return [wrong(MANIFEST, "was changed after the release: its hash does not fit")]
    problems = [] if name in ("", release.version) else [wrong(MANIFEST, f"is that of version {release.version}")]
    for path, sha in release.files.items():
        if path not in files:
            problems.append(wrong(path, "is missing: it was part of the release"))
        elif digest(files[path]) != sha:
            problems.append(wrong(path, "was changed after the release"))
    problems += [wrong(p, "was not part of the release") for p in files if p != MANIFEST and p not in release.files]
    return problems


def chain_problems(releases: Mapping[str, Mapping[str, bytes]]) -> list[Problem]:
    """What is wrong with all releases of a review together: each on its own, and that each follows the one before.

    Where a manifest cannot be read any more, those after it are not blamed for the gap.
    """
    problems = [p for name, files in releases.items() for p in release_problems(files, name)]
    read = [read_release(files.get(MANIFEST, b"")) for files in releases.values()]
    known = sorted((r for r in read if r is not None), key=_number)
    by_number = {r.number: r for r in known}
    for place, release in enumerate(known, start=1):
        before = by_number.get(release.number - 1)
        where = f"{FOLDER}/{release.version}/{MANIFEST}"
        if release.number != place and None not in read:
            problems.append(Problem(f"is release {release.number}, where release {place} is expected", file=where))
        elif (before is not None or release.number == 1) and release.previous != (before.hash if before else ""):
            problems.append(Problem("does not follow the release before it", file=where))
    return problems


def _number(release: Release) -> int:
    return release.number


def latest(releases: Mapping[str, Mapping[str, bytes]]) -> Release | None:
    """The last release, or ``None`` where there is none."""
    known = filter(None, (read_release(files.get(MANIFEST, b"")) for files in releases.values()))
    return max(known, key=_number, default=None)


def package_part(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the review package within a release."""
    return {path.removeprefix(PACKAGE): data for path, data in files.items() if path.startswith(PACKAGE)}
