"""Versions for programs: the history, an update begun, a release and its files, what changed since, a result grown."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from pydantic import Field

from balm.actions.archive_zip import zipped
from balm.actions.team import versions as actions
from balm.actions.team.changes import changes_since, package_now, releases_of
from balm.report.version_words import changes_plain, grown_plain, history_plain
from balm.review.living.grown import grown
from balm.store.synthesis.current import current_package
from balm.web.api.interface import ZIP, entered, router
from balm.web.api.reading import WRONG
from balm.web.api.submissions import NOT_EMPTY, Body, Done, Submission


class UpdateIn(Body):
    """A version to begin: its id (letters, digits, dots) and what is known of it."""

    version: str = Field(..., max_length=200, json_schema_extra=NOT_EMPTY)
    label: str = Field("", max_length=2000)
    trigger: str = Field("", max_length=2000, description="why the review is updated")
    searched: str = Field("", max_length=20, description="date of its search, as YYYY-MM-DD")


class ReleaseIn(Body):
    """The latest version, to be frozen."""

    version: str = Field(..., max_length=200, json_schema_extra=NOT_EMPTY)
    submission: str = Submission


@router.get("/reviews/{slug}/versions", response={200: list[dict[str, Any]], **WRONG}, summary="Versions")
def history(request: HttpRequest, slug: str) -> Any:
    """Versions and milestones in the order of time, with the studies each had; ``release`` is its hash, if released."""
    review = entered(request, slug, "view").review
    released = {r.version: r.hash for r in actions.manifests_of(review)}
    return [it | {"release": released.get(it["version"])} for it in history_plain(package_now(review))]


@router.post("/reviews/{slug}/versions", response={200: Done, **WRONG}, summary="Begin an update")
def begin(request: HttpRequest, slug: str, given: UpdateIn) -> Any:
    """What came so far is written to the version before; searches and studies from now on are the new one's."""
    actions.begin_update(entered(request, slug, "set up"), **given.model_dump())
    return {"done": given.version}


@router.post("/reviews/{slug}/versions/releases", response={200: Done, **WRONG}, summary="Release a version")
def release(request: HttpRequest, slug: str, given: ReleaseIn) -> Any:
    """Freeze the latest version: data, results and report under one hash, once and for all; ``done`` is the hash."""
    made = actions.release_version(entered(request, slug, "release"), given.version, submission=given.submission)
    return {"done": made.hash}


@router.get(
    "/reviews/{slug}/versions/releases/{version}.zip", response={200: None, **WRONG}, summary="A release",
    openapi_extra=ZIP,
)  # fmt: skip
def released(request: HttpRequest, slug: str, version: str) -> HttpResponse:
    """Its files byte for byte; ``balm versions FILE --verify`` tells whether they are as they were released."""
    files = releases_of(entered(request, slug, "download").review, version).get(version)
    if files is None:
        raise Http404
    return HttpResponse(zipped(files), content_type="application/zip")


@router.get(
    "/reviews/{slug}/versions/{version}/changes", response={200: dict[str, Any], **WRONG}, summary="What changed"
)
def since(request: HttpRequest, slug: str, version: str) -> Any:
    """What changed since a version, from the search to the recommendation, and what is to be judged again."""
    review = entered(request, slug, "view").review
    if version not in {v.version for v in current_package(review).versions}:
        raise Http404
    return changes_plain(changes_since(review, version))


@router.get(
    "/reviews/{slug}/analyses/{analysis}/versions", response={200: list[dict[str, Any]], **WRONG},
    summary="One analysis by version",
)  # fmt: skip
def by_version(request: HttpRequest, slug: str, analysis: str) -> Any:
    """The result with the studies that each version had, from the rows as they are today."""
    package = package_now(entered(request, slug, "view").review)
    if analysis not in {a.id for a in package.meta.analyses}:
        raise Http404
    return grown_plain(grown(package, analysis))
