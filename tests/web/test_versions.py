"""Versions on the server: updates screen only what is new, releases are written once, and every number walks back."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import DatabaseError, transaction

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive
from balm.actions.team.flow import current_flow
from balm.actions.team.rows import append_rows, put_row
from balm.actions.team.screening import open_stage
from balm.actions.team.versions import begin_update, check_releases, manifests_of, release_version
from balm.actions.team.who_extracted import extracted_in
from balm.store.events.models import Event
from balm.store.extraction.models import Taken, Written
from balm.store.reviews.models import Member, Row, StoredFile
from balm.store.synthesis.current import forget
from balm.store.versions.models import Released
from tests.web.conftest import Team, person
from tests.web.test_archive import _forget_chain, moved
from tests.web.test_screening_actions import TA, records_of, vote

OWN = re.compile(rb'csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"|name="submission" value="[^"]*"')
PAGES = ("", "since/0.1/", "since/orhurhu-2019/", "of/pain-two-trials/", "of/pain-two-trials/forest.svg",
         "behind/pain-two-trials/")  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    forget()


def address(team: Team, more: str = "") -> str:
    return f"/reviews/{team.review.slug}/versions/{more}"


def page(team: Team, more: str = "") -> str:
    response = team.reader.client.get(address(team, more))
    assert response.status_code == 200, more
    return unescape(response.content.decode())


def test_every_page_is_there_for_a_reader_and_for_no_stranger(team: Team) -> None:
    for more in PAGES:
        assert page(team, more), more
        assert team.stranger.client.get(address(team, more)).status_code == 404
        assert team.anonymous.get(address(team, more)).status_code == 302
    for more in (
        "since/nothing/",
        "of/nothing/",
        "behind/nothing/",
        "released/nothing.zip",
        "of/pain-week-1/forest.gif",
    ):
        assert team.reader.client.get(address(team, more)).status_code == 404, more


def test_the_pages_say_what_the_package_says(team: Team) -> None:
    assert "Orhurhu 2019" in page(team) and "last search 2017-12-16" in page(team)
    assert "the trial that moved it: Pickering 2020, by 1.31" in page(team, "since/orhurhu-2019/")
    assert "MD -2.77 [-4.14, -1.40], 1 study, 60 people" in page(team, "of/pain-two-trials/")
    behind = page(team, "behind/pain-two-trials/")
    assert 'id="at:pain-two-trials:estimate"' in behind and "-1.459330474685925" in behind
    assert f'href="/reviews/{team.review.slug}/report/#result-' in behind


def test_an_update_deals_out_only_what_its_search_brings_anew(team: Team) -> None:
    acting = team.owner.acting
    append_rows(acting, "searches.csv", [{"search": "s1", "kind": "database", "source": "Medline", "retrieved": "2"}])
    append_rows(acting, "records.csv", [{"record": f"r{k}", "search": "s1", "title": f"Trial {k}"} for k in (1, 2)])
    open_stage(acting, TA, ["tariq", "sofia"])
    for who in (team.teammate, team.second):
        assert sorted(records_of(who)) == ["r1", "r2"]
        vote(who, "r1", "include"), vote(who, "r2", "exclude")
    sent = {"version": "0.2", "label": "Second", "trigger": "a new trial", "searched": "2026-12-01"}
    assert team.owner.client.post(address(team, "update/"), sent).status_code == 302
    held = Row.objects.get(review=team.review, table="versions.csv", key="0.1").cells
    assert held["searches"] == "s1" and "pickering2020" in held["studies"]
    append_rows(acting, "searches.csv", [{"search": "s2", "kind": "database", "source": "Medline", "retrieved": "2"}])
    append_rows(acting, "records.csv", [{"record": r, "search": "s2", "title": "Trial"} for r in ("again", "r3")])
    same = {"record_1": "r1", "record_2": "again", "decision": "duplicate", "rule": "same DOI", "time": "2026-12-02"}
    append_rows(acting, "duplicates.csv", [same])
    assert "2 records: 1 of reports found before, 0 further copies, 1 new; 1 to screen" in page(team)
    assert [sorted(records_of(who)) for who in (team.teammate, team.second)] == [["r3"], ["r3"]]
    flow = current_flow(team.review)
    assert flow.is_update and (flow.previous_studies, flow.database_results, flow.duplicates) == (31, 2, 1)
    assert (flow.records_screened, flow.records_waiting) == (0, 1) and flow.problems() == ()


def test_what_cannot_be_is_said_and_saves_nothing(team: Team) -> None:
    before = Event.objects.filter(chain=team.review.key).count()
    for sent, said in (
        ({"version": "0.1"}, "stands in row 7 already"),
        ({"version": "a b"}, "must be an id"),
        ({"version": "0.2", "searched": "May"}, "must be a date as YYYY"),
    ):
        response = team.owner.client.post(address(team, "update/"), sent)
        assert response.status_code == 422
        assert said in unescape(response.content.decode()) or "already" in unescape(response.content.decode()), sent
    for sent, said in (
        ({"version": "orhurhu-2019", "submission": "a"}, "is a milestone of others"),
        ({"version": "0.1"}, "sent no submission id"),
        ({"version": "9", "submission": "a"}, "must be one of"),
    ):
        response = team.owner.client.post(address(team, "release/"), sent)
        assert response.status_code == 422 and said in unescape(response.content.decode()), sent
    for who in (team.reader, team.teammate, team.statistician):
        assert who.client.post(address(team, "release/"), {"version": "0.1", "submission": "a"}).status_code == 403
    with pytest.raises(Refused):
        begin_update(team.reader.acting, "0.2")
    assert Event.objects.filter(chain=team.review.key).count() == before and not Released.objects.exists()


def test_a_release_is_written_once_and_every_change_to_it_is_seen(team: Team) -> None:
    sent = {"version": "0.1", "submission": "one"}
    for _ in range(2):  # a request sent again releases nothing twice
        assert team.owner.client.post(address(team, "release/"), sent).status_code == 302
    made = Released.objects.get(review=team.review)
    (manifest,) = manifests_of(team.review)
    assert "Nothing has changed" in page(team, "since/0.1/")
    assert manifest.hash == made.hash and manifest.by == "olga" and "package/results.csv" in manifest.files
    assert check_releases(team.review) == () and "Every release is as it was released" in page(team)
    again = team.owner.client.post(address(team, "release/"), sent | {"submission": "two"})
    assert again.status_code == 422 and "a release is never replaced" in unescape(again.content.decode())
    assert team.reader.client.get(address(team, "released/0.1.zip")).content[:2] == b"PK"
    row = Row.objects.get(
        review=team.review, table="results.csv", key="noppers2011-responder-15-min-after-infusion-ket"
    )
    put_row(team.owner.acting, "results.csv", row.cells | {"events": "9"}, reason="read again")
    said = page(team, "since/0.1/")
    assert "Compared with the release" in said and "events 8 → 9" in said and "To judge again (stale)" in said
    grown = page(team, "of/responders-immediate/")
    assert grown.count("As it was released: RR ") == 1, "the number was another one then"
    assert "As it was released" not in page(team, "of/pain-two-trials/")
    file = StoredFile.objects.get(review=team.review, path="releases/0.1/package/results.csv")
    file.content = bytes(file.content) + b"\n"
    file.save()
    assert "releases/0.1/package/results.csv: was changed after the release" in page(team)
    with pytest.raises(DatabaseError), transaction.atomic():
        Released.objects.filter(pk=made.pk).update(hash="0" * 64)


def test_a_release_travels_with_the_archive_byte_for_byte(team: Team) -> None:
    release_version(team.owner.acting, "0.1", submission="one")
    first = archive(team.owner.acting)
    key = team.review.key
    moved(team.review)
    _forget_chain(key)
    review = bring_archive(first, user=person("new@example.org", "New").user, claim="olga")
    forget()
    assert archive(Acting(review, Member.objects.get(review=review, code="olga"))) == first
    assert check_releases(review) == () and Released.objects.filter(review=review).count() == 1


def test_no_page_tells_a_vote_that_is_hidden(team: Team) -> None:
    acting = team.owner.acting
    append_rows(acting, "searches.csv", [{"search": "s1", "kind": "database", "source": "Medline", "retrieved": "2"}])
    append_rows(acting, "records.csv", [{"record": f"r{k}", "search": "s1", "title": f"Trial {k}"} for k in (1, 2)])
    open_stage(acting, TA, ["tariq", "sofia"])
    records_of(team.teammate), records_of(team.second)

    def seen() -> list[bytes]:
        return [OWN.sub(b"", team.teammate.client.get(address(team, more)).content) for more in PAGES]

    before = seen()
    vote(team.second, "r1", "exclude")
    assert seen() == before


def test_since_a_release_the_search_is_counted_and_no_hidden_vote(team: Team) -> None:
    acting = team.owner.acting
    append_rows(acting, "searches.csv", [{"search": "s1", "kind": "database", "source": "Medline", "retrieved": "3"}])
    append_rows(acting, "records.csv", [{"record": f"r{k}", "search": "s1", "title": f"Trial {k}"} for k in (1, 2, 3)])
    same = {"record_1": "r1", "record_2": "r3", "decision": "duplicate", "rule": "same DOI", "time": "2026-12-02"}
    append_rows(acting, "duplicates.csv", [same])
    open_stage(acting, TA, ["tariq", "sofia"])
    for who in (team.teammate, team.second):
        assert sorted(records_of(who)) == ["r1", "r2"]
        vote(who, "r1", "include")
    release_version(acting, "0.1", submission="one")
    assert "Nothing has changed" in page(team, "since/0.1/")
    vote(team.second, "r2", "exclude")
    assert "Nothing has changed" in page(team, "since/0.1/"), "nobody may see that vote"
    vote(team.teammate, "r2", "exclude")
    said = page(team, "since/0.1/")
    assert "title and abstract, excluded: 0 then, 1 now" in said, "r3 is a copy: it waited for nobody"
    assert "title and abstract, not screened yet: 1 then, 0 now" in said
    assert "records.csv" not in said and "gone" not in said


def test_a_review_without_a_version_is_released_as_its_first(team: Team) -> None:
    Row.objects.filter(review=team.review, table="versions.csv").delete()
    assert "Its first release, or its first update, makes version 0.1" in page(team)
    assert "Release First version" in unescape(team.owner.client.get(address(team)).content.decode())
    refused = team.owner.client.post(address(team, "release/"), {"version": "2", "submission": "a"})
    assert refused.status_code == 422 and "the first version of this review is" in unescape(refused.content.decode())
    assert team.owner.client.post(address(team, "release/"), {"version": "0.1", "submission": "b"}).status_code == 302
    held = Row.objects.get(review=team.review, table="versions.csv").cells
    assert (held["version"], held["kind"]) == ("0.1", "version") and check_releases(team.review) == ()


def test_who_extracted_is_told_of_what_was_agreed(team: Team) -> None:
    known = [r.key for r in Row.objects.filter(review=team.review, table="results.csv", cells__study="sigtermans2009")]
    own = known[0]
    assert extracted_in(team.review) == {}
    for who in (team.teammate, team.second):
        Taken.objects.create(review=team.review, member=who.member, study="sigtermans2009")
    assert extracted_in(team.review) == {}
    Written.objects.create(
        review=team.review, member=team.owner.member, study="sigtermans2009", rows={"results.csv": [own]}
    )
    assert extracted_in(team.review)[own].startswith("tariq and sofia; agreed and written by olga, 20")
