"""What is empty says what to do next, with a link to it: a server without accounts, a person without reviews, a review
in which nothing was done yet."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from balm.actions.team.starting import start_from_question
from tests.web.conftest import Someone, person

BEGUN = "/reviews/nerve-blocks/"


@pytest.fixture
def lead(db: None) -> Someone:
    """A lead whose review holds its question alone."""
    lead = person("lea@example.org", "Lea Lead")
    asked = {"population": "Adults", "intervention": "Block", "comparators": "Sham", "outcomes": "Pain", "designs": ""}
    start_from_question(lead.user, title="Nerve blocks", question=asked)
    return lead


@pytest.mark.django_db
def test_a_server_without_accounts_says_where_the_first_comes_from() -> None:
    first = Client().get("/")
    assert first.status_code == 200 and "balm serve" in first.content.decode()
    person("lea@example.org", "Lea Lead")
    assert Client().get("/").headers["Location"].startswith("/account/login/")


def test_who_has_no_review_is_told_how_one_comes(lead: Someone) -> None:
    nobody = person("ann@example.org", "Ann")
    assert "invites you" in nobody.client.get("/").content.decode()
    nobody.user.is_staff = True
    nobody.user.save()
    page = nobody.client.get("/").content.decode()
    assert "Start one from its question" in page and "/reviews/new/" in page and "There is none yet" in page


@pytest.mark.parametrize(
    ("page", "says", "leads"),
    [
        ("", "Not stated yet: eligibility, outcomes, comparisons, analyses", "set-up/"),
        ("deduplication/", "There are no records yet", "records/"),
        ("screening/", "There are no records to read yet", "records/"),
        ("screening/", "Two people read each record", "members/invite/"),
        ("full-texts/", "No record has gone forward yet", "screening/"),
        ("full-texts/studies/", "No report is included yet", "screening/"),
        ("extraction/", "No study is included yet", "full-texts/studies/"),
        ("synthesis/", "No analysis is planned yet", "set-up/outcomes/"),
        ("certainty/", "nothing to rate", "set-up/analyses/"),
        ("certainty/summary/", "no analysis with a control group yet", "set-up/analyses/"),
    ],
)
def test_an_empty_page_of_a_review_leads_to_the_next_step(lead: Someone, page: str, says: str, leads: str) -> None:
    response = lead.client.get(f"{BEGUN}{page}")
    assert response.status_code == 200
    main = re.sub(r"\s+", " ", response.content.decode().partition("<main")[2])
    told = re.search(rf"<(p|li|section|div)[^>]*>(?:(?!</\1>).)*{re.escape(says)}(?:(?!</\1>).)*</\1>", main)
    assert told, main
    assert f'href="{BEGUN}{leads}"' in told[0]
    assert lead.client.get(f"{BEGUN}{leads}").status_code == 200


def test_a_stage_that_nobody_is_chosen_for_says_so_in_words(lead: Someone) -> None:
    response = lead.client.post(f"{BEGUN}screening/title-abstract/open/", {"title-abstract-size": "50"})
    assert response.status_code == 422
    assert "<li>Who screens: Choose at least one person.</li>" in response.content.decode()
