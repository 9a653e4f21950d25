"""The list of reviews and a review's home: for members; a stranger sees the same as for no review."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from balm.store.reviews.models import StoredFile
from balm.store.reviews.package_rows import package_files, package_of
from tests.web.conftest import Team


def test_a_member_sees_the_review_and_its_home(team: Team) -> None:
    for someone in (team.owner, team.teammate, team.reader):
        assert team.review.title in someone.client.get("/").content.decode()
        assert someone.client.get(f"/reviews/{team.review.slug}/").status_code == 200


def test_a_stranger_is_not_told_that_it_exists(team: Team) -> None:
    assert team.review.title not in team.stranger.client.get("/").content.decode()
    there = team.stranger.client.get(f"/reviews/{team.review.slug}/")
    nowhere = team.stranger.client.get("/reviews/no-such-review/")
    assert there.status_code == nowhere.status_code == 404
    assert there.content == nowhere.content


def test_nobody_who_has_not_signed_in_sees_anything(team: Team) -> None:
    for address in ("/", f"/reviews/{team.review.slug}/"):
        response = team.anonymous.get(address)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("/account/login/")


def test_every_response_carries_the_strict_policy(team: Team) -> None:
    policy = team.owner.client.get("/").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_package_is_read_without_the_bytes_of_full_texts(team: Team) -> None:
    pdf = b"%PDF-1.7 " + b"x" * 1000
    for path in ("full-texts/noppers2011.pdf", "searches/medline.ris"):
        StoredFile.objects.create(review=team.review, path=path, content=pdf, sha256="0" * 64)
    with CaptureQueriesContext(connection) as asked:
        package = package_of(team.review)
    assert {"full-texts/noppers2011.pdf", "searches/medline.ris", "review.toml"} <= package.present
    contents = [q["sql"] for q in asked if '"content"' in q["sql"]]
    assert contents and all("guidance/" in sql for sql in contents)
    assert package_files(team.review)["full-texts/noppers2011.pdf"] == pdf
