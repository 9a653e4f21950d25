"""The bytes of an archive: the same for the same files, on any day."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping

from balm.vocabulary.problems import InputError, Problem

#: Zip stores no earlier date; a date of its own in each archive would make two archives of the same differ.
EPOCH = (1980, 1, 1, 0, 0, 0)
#: A line a file: its SHA-256 and its name, as ``sha256sum -c`` reads them.
SUMS = "SHA256SUMS"


def zipped(files: Mapping[str, bytes], *, mode: int = 0o644) -> bytes:
    """The files as a zip, in the order of their names, each with the permissions ``mode``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, mode << 16
            packed.writestr(info, files[name], compresslevel=6)
    return out.getvalue()


def zipped_with_sums(files: Mapping[str, bytes]) -> bytes:
    """The files and their :data:`SUMS` as a zip that only its owner may read."""
    sums = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return zipped({**files, SUMS: sums.encode()}, mode=0o600)


def check_sums(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files without their sums, each as its sum says; a missing, changed or added file is refused by name."""
    if SUMS not in files:
        raise InputError(Problem("is missing: this is no archive of a clinic", SUMS))
    said = {}
    for line in files[SUMS].decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        said[name] = digest
    found = {name: data for name, data in files.items() if name != SUMS}
    problems = [Problem("is missing from the archive", name) for name in said if name not in found]
    problems += [Problem("is not named in the sums of the archive", name) for name in found if name not in said]
    problems += [
        Problem("is not as it was written: its SHA-256 differs", name)
        for name, data in found.items()
        if name in said and hashlib.sha256(data).hexdigest() != said[name]
    ]
    if problems:
        raise InputError(problems)
    return found


def json_line(value: object) -> str:
    """One value as a line, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def json_lines(values: Iterable[object]) -> bytes:
    """A line a value."""
    return "".join(f"{json_line(value)}\n" for value in values).encode()


def read_lines(files: Mapping[str, bytes], name: str) -> list[dict[str, object]]:
    """The values of a file of lines."""
    if name not in files:
        raise InputError(Problem("is missing from the archive", name))
    found = []
    for number, line in enumerate(files[name].decode("utf-8", "replace").split("\n"), start=1):
        if line:
            try:
                found.append(json.loads(line))
            except ValueError:
                raise InputError(Problem("is no line of JSON", name, line=number)) from None
    return found
