"""The versions of a review package: how a result grew, what changed since one of them, and releases, written once."""

from __future__ import annotations

import datetime
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from balm import __version__
from balm.actions.review import Review, package_bytes, write_whole
from balm.report.released_results import released_standings, results_json
from balm.report.review_report import build_report
from balm.report.version_forest import forest_by_version
from balm.report.version_words import changes_text
from balm.review.living import release as frozen
from balm.review.living.changed import Changes, changes_between
from balm.review.living.grown import Grown, analyses_alone, grown
from balm.review.living.history import (
    MILESTONE,
    VERSION,
    as_of,
    last_before,
    own_versions,
    version_called,
    version_problems,
)
from balm.review.living.release import FOLDER, MANIFEST, PACKAGE, RESULTS, Release
from balm.review.living.standing import Standing
from balm.review.living.update import begin_update as update_begun
from balm.review.living.update import first_version
from balm.review.package import Package
from balm.review.reading import read_package
from balm.review.records.workbook import check_archive
from balm.review.schema import TABLE_BY_FILE
from balm.review.synthesis import Synthesis, synthesise
from balm.review.tables import read_cells, write_table
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError, Problem

TABLE = TABLE_BY_FILE["versions.csv"]


def result_by_version(review: Review, analysis: str, *, forest: str | Path | None = None) -> tuple[Grown, ...]:
    """The analysis at every version and milestone of the review; its plot is written to ``forest``."""
    steps = grown(review.package, analysis)
    if forest is not None:
        figure = forest_by_version(steps)
        if figure is None:
            raise InputError(f"no version had a study with usable numbers for {analysis!r}: there is nothing to draw")
        figure.save(forest)
    return steps


def released_results(review: Review, analysis: str) -> dict[str, Standing]:
    """Version -> what the analysis said when it was released."""
    results = {version: files[RESULTS] for version, files in releases_in(review.folder).items() if RESULTS in files}
    return released_standings(results, analysis)


def changes_since(review: Review, version: str) -> Changes:
    """What changed since ``version``: since its release where it was released, else since the studies that it had."""
    at = version_called(review.package, version)
    released = releases_in(review.folder).get(at.version)
    return changes_of(review.package, review.synthesise(), at, released)


def changes_since_last(review: Review) -> Changes | None:
    """What changed since the version before the latest; nothing to compare with in a review's first version."""
    before = last_before(review.package)
    return changes_since(review, before.version) if before else None


def changes_of(
    package: Package, synthesis: Synthesis, at: ReviewVersion, released: Mapping[str, bytes] | None
) -> Changes:
    """What changed since ``at``. ``released`` holds the files of its release; one that was tampered with is refused."""
    if released is None or at.kind == MILESTONE:
        return changes_between(analyses_alone(as_of(package, at)), synthesis, since=at.label, frozen=False)
    if problems := frozen.release_problems(released, at.version):
        raise InputError(problems)
    then, problems_then = read_package(frozen.package_part(released), Path(FOLDER) / at.version)
    if then is None:
        raise InputError(problems_then)
    return changes_between(synthesise(then), synthesis, since=at.label, frozen=True)


def check_releasable(package: Package, version: str, released: Mapping[str, Mapping[str, bytes]]) -> ReviewVersion:
    """The version that can be released now: the latest, once, and only where no earlier release was tampered with."""
    first = first_version(package)
    if first is not None and version not in {first.version, *(v.version for v in package.versions)}:
        raise InputError(f"the first version of this review is {first.version!r}, of review.toml; got {version!r}")
    at = first if first is not None and first.version == version else version_called(package, version)
    if at.kind == MILESTONE:
        raise InputError(f"{version!r} is a milestone of others; only a version of this review can be released")
    if at.version in released:
        raise InputError(
            Problem(
                "was released already; a release is never replaced: give versions.csv a new version",
                f"{FOLDER}/{version}",
            )
        )
    last = first or own_versions(package)[-1]
    if at.version != last.version:
        raise InputError(f"the review stands at version {last.version!r}: {version!r} cannot be frozen any more")
    if problems := frozen.chain_problems(released):
        raise InputError(problems)
    return at


def released_files(
    files: Mapping[str, bytes], synthesis: Synthesis, report: str, changes: Changes | None
) -> dict[str, bytes]:
    """What a release holds beside its manifest: package, results, report, and what changed since the one before."""
    made = {f"{PACKAGE}{path}": data for path, data in files.items()}
    made[RESULTS] = results_json(synthesis).encode()
    made["report.html"] = report.encode()
    if changes is not None:
        made["changes.txt"] = (changes_text(changes, synthesis.package) + "\n").encode()
    return made


def begin_update(
    folder: str | Path,
    version: str,
    *,
    label: str | None = None,
    trigger: str | None = None,
    searched: str | None = None,
    on: str | None = None,
) -> ReviewVersion:
    """Begin an update of the package in ``folder``: a row of ``versions.csv``, to which new searches and studies come.

    What no version held so far is written to the last one, so that nothing moves. Search exports imported from now on
    are the update's, and only those of their records that no earlier search found are screened.
    """
    package = Review.load(folder).package
    day = on or datetime.date.today().isoformat()
    new = version_row(package, version, label=label or "", trigger=trigger or "", searched=searched or "", on=day)
    _write_versions(Path(folder), update_begun(package, new))
    return new


def _write_versions(root: Path, rows: tuple[ReviewVersion, ...]) -> None:
    try:
        write_whole(root / TABLE.file, write_table(rows, TABLE))
    except OSError as error:
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", TABLE.file)) from None


def version_row(
    package: Package, version: str, *, label: str = "", trigger: str = "", searched: str = "", on: str
) -> ReviewVersion:
    """The row of an update from what a person wrote, read as a cell of the table is; refused where it does not fit."""
    cells = {"version": version, "kind": VERSION, "label": label or f"Version {version}", "trigger": trigger,
             "searched": searched, "date": on}  # fmt: skip
    given = {name: text.strip() for name, text in cells.items() if text.strip()}
    values, problems = read_cells(given, TABLE, row=len(package.versions) + 1)
    if not problems:
        rows = [*package.versions, ReviewVersion(**values, row=len(package.versions) + 1)]
        problems = version_problems(rows)
    if problems:
        raise InputError(problems)
    return ReviewVersion(**values)


def release(folder: str | Path, version: str, *, by: str, on: str | None = None) -> Release:
    """Freeze the latest version: its data, results and report, under ``releases/<version>``, whole or not at all.

    by : who releases it.
    on : the date, as YYYY-MM-DD; today when not given.

    Nothing is ever replaced: a version is released once, and its hash covers every byte and the release before it. A
    review without a version gets its first one, under the version that ``review.toml`` names.
    """
    if not by.strip():
        raise InputError("by: say who releases the version")
    root = Path(folder)
    review = Review.load(root)
    package = review.package
    before = releases_in(root)
    at = check_releasable(package, version, before)
    if at not in package.versions:
        _write_versions(root, (*package.versions, at))
        review = Review.load(root)
        package = review.package
    previous = frozen.latest(before)
    changes = changes_since(review, previous.version) if previous and _known(package, previous.version) else None
    report = build_report(review.synthesise(), review.flow(), changes=changes_since_last(review))
    files = released_files(package_bytes(root), review.synthesise(), report, changes)
    made = frozen.make_release(
        files,
        version=at.version,
        label=at.label,
        released=on or datetime.date.today().isoformat(),
        by=by.strip(),
        software=f"balm {__version__}",
        before=previous,
        beside=_raw_exports(root),
    )
    _write(root / FOLDER, at.version, files | {MANIFEST: frozen.as_bytes(made)})
    return made


def releases_in(folder: str | Path) -> dict[str, dict[str, bytes]]:
    """Every release of a package: version -> path -> bytes."""
    root = Path(folder) / FOLDER
    if not root.is_dir():
        return {}
    return {
        one.name: _folder_bytes(one, f"{FOLDER}/{one.name}")
        for one in sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    }


def _folder_bytes(folder: Path, name: str) -> dict[str, bytes]:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() or p.is_symlink())
    if any(p.is_symlink() for p in paths):
        raise InputError(Problem("holds a link; a release holds files", file=name))
    try:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in paths}
    except OSError as error:
        raise InputError(Problem(f"cannot be read: {error.strerror or error}", name)) from None


def release_bytes(folder: str | Path) -> dict[str, bytes]:
    """Every file of every release, by its path in the package."""
    return {
        f"{FOLDER}/{name}/{path}": data for name, files in releases_in(folder).items() for path, data in files.items()
    }


def check_releases(folder: str | Path) -> list[Release]:
    """The releases in their order; :class:`InputError` naming every file that is not as it was released.

    folder : a review package; or one release that was taken out of it, as a folder or as a zip.
    """
    root = Path(folder)
    if root.is_file() or (root / MANIFEST).is_file():
        alone = _zip_bytes(root) if root.is_file() else _folder_bytes(root, root.name)
        if problems := frozen.release_problems(alone):
            raise InputError(problems)
        found = {"": alone}
    else:
        if not root.is_dir():
            raise InputError(Problem("there is no such folder or file", str(folder)))
        found = releases_in(root)
        if not found and not (root / "review.toml").is_file():
            raise InputError(Problem("is neither a review package nor a release of one", str(folder)))
        if problems := frozen.chain_problems(found):
            raise InputError(problems)
    known = (frozen.read_release(files[MANIFEST]) for files in found.values())
    return sorted((r for r in known if r is not None), key=lambda r: r.number)


def _zip_bytes(path: Path) -> dict[str, bytes]:
    """The files of a release that was downloaded; in a folder of their own, too."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, path.name)
            files = {i.filename: archive.read(i) for i in archive.infolist() if not i.is_dir()}
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise InputError(Problem(f"cannot be read as a zip: {error}", path.name)) from None
    inner = f"{path.stem}/"
    if MANIFEST not in files and files and all(name.startswith(inner) for name in files):
        files = {name.removeprefix(inner): data for name, data in files.items()}
    return files


def _known(package: Package, version: str) -> bool:
    return any(v.version == version for v in package.versions)


def _raw_exports(root: Path) -> dict[str, str]:
    raw = root / "searches"
    if not raw.is_dir():
        return {}
    return {f"searches/{p.name}": frozen.digest(p.read_bytes()) for p in sorted(raw.iterdir()) if p.is_file()}


def _write(root: Path, version: str, files: Mapping[str, bytes]) -> None:
    """The whole folder beside its place first, then one rename: a failure leaves no release."""
    made_root = not root.exists()
    beside = None
    try:
        root.mkdir(exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".release-", dir=root))
        for path, data in files.items():
            target = beside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
        beside.chmod(0o755)
        beside.rename(root / version)
    except OSError as error:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)
        if made_root:
            shutil.rmtree(root, ignore_errors=True)
        raise InputError(Problem(f"cannot be written: {error.strerror or error}", f"{FOLDER}/{version}")) from None
