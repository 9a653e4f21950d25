"""The list of reviews and a review's home: for members; a stranger sees the same as for no review."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from balm.actions.team.screening import open_stage, sitting
from balm.review.schema import TABLE_BY_FILE
from balm.store.reviews.models import StoredFile
from balm.store.reviews.package_rows import add_rows, package_files, package_of
from tests.web.conftest import Someone, Team
from tests.web.test_screening_actions import TA, vote, with_records


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


def home(who: Someone, team: Team) -> str:
    return who.client.get(f"/reviews/{team.review.slug}/").content.decode()


def test_the_home_of_a_review_counts_what_waits_for_oneself(team: Team) -> None:
    with_records(team.review)
    assert "12 records, 12 without duplicates" in home(team.reader, team)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    for who in (team.teammate, team.second):
        sitting(who.acting, TA)
    vote(team.teammate, "r1", "include")
    vote(team.teammate, "r2", "include")
    vote(team.teammate, "r2", "withdrawn")
    assert "Titles and abstracts: 1 of 12 decided by you" in home(team.teammate, team)
    assert "Titles and abstracts: 0 of 12 decided by you" in home(team.second, team)
    assert "Screening</a>: Titles and abstracts: 1 of 12 decided by you</li>" in home(team.teammate, team)
    assert "decided by you" not in home(team.arbiter, team)
    assert "to settle" not in home(team.arbiter, team)
    vote(team.second, "r1", "exclude")
    for who in (team.teammate, team.second, team.arbiter):
        assert "Titles and abstracts: 1 conflict to settle" in home(who, team)
        assert "Conflicts (1)</a>" in who.client.get(f"/reviews/{team.review.slug}/screening/").content.decode()


def test_of_records_merged_after_they_were_read_one_counts_wherever_it_is_counted(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    sitting(team.teammate.acting, TA)
    for record in ("r1", "r2", "r3"):
        vote(team.teammate, record, "include")
    rows = [{"record_1": "r1", "record_2": "r2", "decision": "duplicate", "person": "olga"}]
    add_rows(team.review, TABLE_BY_FILE["duplicates.csv"], rows)
    assert "Titles and abstracts: 2 of 11 decided by you" in home(team.teammate, team)
    sat = sitting(team.teammate.acting, TA)
    assert sat is not None
    assert sat.own == 2


def test_who_reads_a_share_is_told_no_whole_that_others_could_be_counted_from(team: Team) -> None:
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia", "olga"])
    record = sitting(team.teammate.acting, TA)
    assert record is not None
    vote(team.teammate, record.left[0], "include")
    assert "Titles and abstracts: 1 decided by you" in home(team.teammate, team)


def test_the_home_asks_for_interests_until_they_are_stated(team: Team) -> None:
    assert "State your conflicts of interest" in home(team.arbiter, team)
    team.arbiter.client.post(f"/reviews/{team.review.slug}/members/interests/", {"interests": "none"})
    assert "State your conflicts of interest" not in home(team.arbiter, team)
    assert "Waits for you" in home(team.teammate, team)
    assert "Waits for you" not in home(team.arbiter, team), "nothing else does"
