"""Versions of a review on the server: an update begun, a version released, what changed since."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from balm import __version__
from balm.actions.team.acting import Acting
from balm.actions.team.changes import changes_since, package_now, releases_of
from balm.actions.team.publishing import report_of
from balm.actions.team.rows import put_row
from balm.actions.team.shown_package import shown_files
from balm.actions.team.synthesis import current_synthesis
from balm.actions.versions import TABLE, check_releasable, released_files, version_row
from balm.report.released_results import released_standings
from balm.review.living import release as frozen
from balm.review.living.release import FOLDER, MANIFEST, RESULTS, Release
from balm.review.living.standing import Standing
from balm.review.living.update import begin_update as update_begun
from balm.review.plan import FILE
from balm.review.schema import TABLE_BY_FILE
from balm.review.tables import as_cell
from balm.store.events.chain import append_event, lock_chain
from balm.store.reviews.models import Review, StoredFile
from balm.store.synthesis.current import current_package
from balm.store.versions.models import Released
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError, Problem


@transaction.atomic
def begin_update(acting: Acting, version: str, *, label: str = "", trigger: str = "", searched: str = "") -> None:
    """Begin an update: what no version held so far is written to the last one; new searches and studies are its own."""
    acting.check("set up")
    review = acting.review
    lock_chain(review.key)
    package = package_now(review)
    new = version_row(
        package, version, label=label, trigger=trigger, searched=searched, on=timezone.now().date().isoformat()
    )
    before = {v.version: v for v in package.versions}
    for row in update_begun(package, new):
        if before.get(row.version) != row:
            put_row(acting, TABLE.file, _cells(row), reason=f"version {version} begins")


def _cells(row: ReviewVersion) -> dict[str, str]:
    return {c.name: text for c in TABLE.columns if (text := as_cell(getattr(row, c.name)))}


@transaction.atomic
def release_version(acting: Acting, version: str, *, submission: str) -> Released:
    """Freeze the latest version: package, results and report as they stand, under one hash; once and for all."""
    acting.check("release")
    if not submission or len(submission) > 64 or not submission.isascii():
        raise InputError(Problem("the page sent no submission id; reload it and try again", column="submission"))
    review = acting.review
    lock_chain(review.key)
    if known := Released.objects.filter(member=acting.member, submission=submission).first():
        return known
    package, before = current_package(review), releases_of(review)
    at = check_releasable(package, version, before)
    if at not in package.versions:
        put_row(acting, TABLE.file, _cells(at), reason=f"version {at.version} is released")
        package = current_package(review)
    synthesis = current_synthesis(review)
    previous = frozen.latest(before)
    changes = None
    if previous is not None and any(v.version == previous.version for v in package.versions):
        changes = changes_since(review, previous.version)
    whole = shown_files(review)
    kept = {path: data for path, data in whole.items() if _of_the_format(path)}
    files = released_files(kept, synthesis, report_of(review), changes)
    made = frozen.make_release(
        files,
        version=at.version,
        label=at.label,
        released=timezone.now().date().isoformat(),
        by=acting.member.code,
        software=f"balm {__version__}",
        before=previous,
        beside={p: frozen.digest(d) for p, d in whole.items() if p not in kept and not p.startswith(f"{FOLDER}/")},
    )
    StoredFile.objects.bulk_create(
        StoredFile(review=review, path=f"{FOLDER}/{at.version}/{path}", content=data, sha256=frozen.digest(data))
        for path, data in (files | {MANIFEST: frozen.as_bytes(made)}).items()
    )
    row = Released.objects.create(
        review=review, member=acting.member, version=at.version, hash=made.hash, submission=submission
    )
    append_event(
        review.key, acting.actor, "release version", "version", at.version,
        after={"number": made.number, "hash": made.hash, "files": len(made.files), "previous": made.previous},
    )  # fmt: skip
    return row


def _of_the_format(path: str) -> bool:
    return path == FILE or path in TABLE_BY_FILE or (path.startswith("guidance/") and path.endswith(".toml"))


def manifests_of(review: Review) -> list[Release]:
    """What the releases of a review say of themselves, the first first; their files are not read."""
    files = StoredFile.objects.filter(review=review, path__startswith=f"{FOLDER}/", path__endswith=f"/{MANIFEST}")
    known = (frozen.read_release(bytes(file.content)) for file in files)
    return sorted((r for r in known if r is not None), key=lambda r: r.number)


def released_results(review: Review, analysis: str) -> dict[str, Standing]:
    """Version -> what the analysis said when it was released."""
    files = StoredFile.objects.filter(review=review, path__startswith=f"{FOLDER}/", path__endswith=f"/{RESULTS}")
    results = {file.path.split("/", 2)[1]: bytes(file.content) for file in files if file.path.count("/") == 2}
    return released_standings(results, analysis)


def check_releases(review: Review) -> tuple[Problem, ...]:
    """Everything that is not as it was released: files, their chain, and the hashes noted when they were released."""
    releases = releases_of(review)
    problems = frozen.chain_problems(releases)
    hashes = {name: frozen.read_release(files.get(MANIFEST, b"")) for name, files in releases.items()}
    for row in Released.objects.filter(review=review):
        made = hashes.get(row.version)
        if made is None or made.hash != row.hash:
            problems.append(
                Problem(f"is not the release noted when it was made ({row.hash})", f"{FOLDER}/{row.version}")
            )
    return tuple(problems)
