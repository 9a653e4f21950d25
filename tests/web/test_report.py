"""The live report: for members; for anybody once its lead published it; the front page when one review is public."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from balm.actions.review import Review as Folder
from balm.actions.team.acting import Refused
from balm.actions.team.publishing import publish_report, report_of
from balm.actions.team.rows import put_row
from balm.report.review_report import build_report
from balm.store.events.models import Event
from balm.store.reviews.models import Review, Row
from balm.web.report.views import with_bar
from tests.web.conftest import KETAMINE, Team

GAP = {"gap": "g-new", "priority": "1", "missing": "a <trial> of longer infusions"}


def address(team: Team) -> str:
    return f"/reviews/{team.review.slug}/report/"


def test_it_is_the_report_of_the_package(team: Team) -> None:
    folder = Folder.load(KETAMINE)
    assert report_of(team.review) == build_report(folder.synthesise(), folder.flow())


def test_members_read_it_under_a_policy_of_its_own(team: Team) -> None:
    for someone in (team.owner, team.teammate, team.statistician, team.reader):
        response = someone.client.get(address(team))
        assert response.status_code == 200
        assert team.review.title in response.content.decode()
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'none'" in policy and "default-src 'none'" in policy
        assert "Back to the review" in response.content.decode()


def test_members_take_it_away_as_word_and_pdf(team: Team) -> None:
    page = team.reader.client.get(address(team)).content.decode()
    for ending, starts in (("docx", b"PK"), ("pdf", b"%PDF")):
        assert f'href="{address(team)}report.{ending}"' in page
        response = team.reader.client.get(f"{address(team)}report.{ending}")
        assert response.status_code == 200 and response.content.startswith(starts)
        assert f"{team.review.slug}-report.{ending}" in response.headers["Content-Disposition"]
        assert response.content == team.owner.client.get(f"{address(team)}report.{ending}").content
    assert team.reader.client.get(address(team) + "report.exe").status_code == 404
    assert team.stranger.client.get(address(team) + "report.pdf").status_code == 404
    publish_report(team.owner.acting, True)
    assert "report.pdf" not in team.anonymous.get(address(team)).content.decode(), "files are for members"


def test_it_is_live(team: Team) -> None:
    before = team.reader.client.get(address(team))
    same = team.reader.client.get(address(team), headers={"If-None-Match": before.headers["ETag"]})
    assert same.status_code == 304 and not same.content
    put_row(team.owner.acting, "gaps.csv", GAP)
    after = team.reader.client.get(address(team), headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "a &lt;trial&gt; of longer infusions" in after.content.decode()
    assert "a <trial>" not in after.content.decode()


def test_others_are_not_told_that_it_exists(team: Team) -> None:
    there, nowhere = team.stranger.client.get(address(team)), team.stranger.client.get("/reviews/none/report/")
    assert there.status_code == nowhere.status_code == 404 and there.content == nowhere.content
    for path in (address(team), "/reviews/none/report/"):
        response = team.anonymous.get(path)
        assert response.status_code == 302 and response.headers["Location"].startswith("/account/login/")


def test_the_lead_publishes_it_and_withdraws_it(team: Team) -> None:
    team.owner.client.post(address(team) + "publish/", {"public": "yes", "reason": "accepted"})
    for browser, way in ((team.anonymous, "Sign in"), (team.stranger.client, "Your reviews")):
        page = browser.get(address(team))
        assert page.status_code == 200 and way in page.content.decode()
    team.owner.client.post(address(team) + "publish/", {"public": "no"})
    assert team.anonymous.get(address(team)).status_code == 302
    said = Event.objects.filter(chain=team.review.key).order_by("seq").values_list("action", "actor", "reason")
    assert [*said][-2:] == [("publish report", "olga", "accepted"), ("withdraw report", "olga", "")]


def test_saying_it_twice_is_one_event(team: Team) -> None:
    publish_report(team.owner.acting, True)
    count = Event.objects.count()
    publish_report(team.owner.acting, True)
    assert Event.objects.count() == count


@pytest.mark.parametrize("who", ["teammate", "arbiter", "statistician", "reader"])
def test_nobody_else_publishes_it(team: Team, who: str) -> None:
    someone = getattr(team, who)
    assert someone.client.post(address(team) + "publish/", {"public": "yes"}).status_code == 403
    with pytest.raises(Refused):
        publish_report(someone.acting, True)
    assert not Review.objects.get(pk=team.review.pk).public


def test_publishing_is_refused_to_strangers_and_by_get(team: Team) -> None:
    assert team.stranger.client.post(address(team) + "publish/", {"public": "yes"}).status_code == 404
    assert team.owner.client.get(address(team) + "publish/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(team.owner.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strict.post(address(team) + "publish/", {"public": "yes"}).status_code == 403
    assert not Review.objects.get(pk=team.review.pk).public


def test_the_front_page_is_the_report_of_the_one_public_review(team: Team) -> None:
    assert team.anonymous.get("/").status_code == 302
    publish_report(team.owner.acting, True)
    page = team.anonymous.get("/").content.decode()
    assert page == team.anonymous.get(address(team)).content.decode()
    assert '<a href="/account/login/">Sign in</a>' in page
    assert "Your reviews" in team.reader.client.get("/").content.decode()


def test_two_public_reviews_are_listed(team: Team) -> None:
    publish_report(team.owner.acting, True)
    Review.objects.create(slug="another", title="Another <review>", public=True)
    Review.objects.create(slug="private", title="A private one")
    page = team.anonymous.get("/").content.decode()
    assert address(team) in page and "/reviews/another/report/" in page and "Another &lt;review&gt;" in page
    assert "private" not in page.lower().replace("/reviews/another", "")


def test_a_package_with_problems_says_them_to_members_only(team: Team) -> None:
    publish_report(team.owner.acting, True)
    row = Row.objects.filter(review=team.review, table="results.csv").first()
    assert row is not None
    row.cells, row.version = row.cells | {"study": "nobody1999"}, row.version + 1
    row.save()
    put_row(team.owner.acting, "gaps.csv", GAP)
    inside, outside = team.reader.client.get(address(team)), team.anonymous.get(address(team))
    assert inside.status_code == 422 and "nobody1999" in inside.content.decode()
    assert outside.status_code == 503 and "nobody1999" not in outside.content.decode()


def test_the_bar_adds_no_script_and_escapes(team: Team) -> None:
    page = with_bar(report_of(team.review), "<b>", [("/?a&b", '"x"')])
    assert "<script" not in page and "&lt;b&gt;" in page and 'href="/?a&amp;b"' in page
    assert len(re.findall("<body", page)) == 1
    assert page.index('class="skip"') < page.index('class="server-bar"') < page.index('class="masthead"')
