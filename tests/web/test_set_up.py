"""Set up: the plan changed through forms, whole or not at all, with an event that says what was there before."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from balm.actions.team import set_up
from balm.actions.team.acting import Refused
from balm.review.set_up.sections import SECTION_BY_KEY, SECTIONS, held
from balm.store.events.models import Event
from balm.store.reviews.models import Review
from balm.store.reviews.package_rows import package_of
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/set-up/{rest}"


def shown_form(team: Team, section: str) -> dict[str, Any]:
    """What a browser would send for a section's form, unchanged."""
    from html.parser import HTMLParser

    sent: dict[str, Any] = {}

    class Reader(HTMLParser):
        inside: str | None = None
        options: str | None = None

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            a = dict(attrs)
            name = a.get("name")
            if tag == "input" and name:
                if a.get("type") == "checkbox":
                    if "checked" in a:
                        sent.setdefault(name, []).append(a.get("value") or "on")
                else:
                    sent[name] = a.get("value") or ""
            elif tag == "textarea" and name:
                self.inside, sent[name] = name, ""
            elif tag == "select" and name:
                self.options, sent[name] = name, ""
            elif tag == "option" and "selected" in a and self.options:
                sent[self.options] = a.get("value") or ""

        def handle_data(self, data: str) -> None:
            if self.inside:
                sent[self.inside] += data

        def handle_endtag(self, tag: str) -> None:
            if tag == "textarea" and self.inside:
                sent[self.inside] = sent[self.inside].removeprefix("\n").removeprefix("\r\n")
                self.inside = None

    page = team.owner.client.get(address(team, f"{section}/"))
    assert page.status_code == 200, page
    reader = Reader()
    reader.feed(page.content.decode())
    sent.pop("again", None)
    return sent


def events(team: Team) -> list[Event]:
    return list(Event.objects.filter(chain=team.review.key, entity="plan").order_by("seq"))


def plan(team: Team) -> dict[str, Any]:
    return tomllib.loads(set_up.plan_text(team.review)[0])


@pytest.mark.parametrize("section", [s.key for s in SECTIONS])
def test_a_form_sent_back_as_it_came_changes_nothing(team: Team, section: str) -> None:
    before = set_up.plan_text(team.review)
    response = team.owner.client.post(address(team, f"{section}/"), shown_form(team, section) | {"reason": "none"})
    assert response.status_code == 302, re.findall(r'class="error".*|<li>.*', response.content.decode())
    assert set_up.plan_text(team.review) == before
    assert events(team) == []


def test_the_question_is_changed_with_a_reason_and_everything_else_stays(team: Team) -> None:
    before = set_up.plan_text(team.review)[0]
    sent = shown_form(team, "question") | {"population": 'Adults "with"\npain <b>'}
    refused = team.owner.client.post(address(team, "question/"), sent)
    assert refused.status_code == 422, "work has begun: a change needs a reason"
    assert set_up.plan_text(team.review)[0] == before
    assert team.owner.client.post(address(team, "question/"), sent | {"reason": "amended"}).status_code == 302
    after = set_up.plan_text(team.review)[0]
    assert package_of(team.review).meta.question.population == 'Adults "with"\npain <b>'
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert [line.split(" =")[0] for line in gone] == ["population"], "comments, order and other lines stay"
    (event,) = events(team)
    assert (event.actor, event.action, event.entity_id, event.reason) == ("olga", "change plan", "question", "amended")
    assert event.before["population"] != event.after["population"] == 'Adults "with"\npain <b>'


def test_reasons_are_kept_in_their_order(team: Team) -> None:
    given = {"exclusion_reasons": "Wrong population\r\n\r\n Wrong design \r\nNo data", "reason": "protocol"}
    team.owner.client.post(address(team, "reasons/"), shown_form(team, "reasons") | given)
    assert package_of(team.review).meta.screening.exclusion_reasons == ("Wrong population", "Wrong design", "No data")
    twice = {"exclusion_reasons": "A\nA", "reason": "x"}
    response = team.owner.client.post(address(team, "reasons/"), shown_form(team, "reasons") | twice)
    assert response.status_code == 422
    assert "holds &#x27;A&#x27; twice" in response.content.decode()


def test_words_and_named_lists(team: Team) -> None:
    given = {"include": "random\nplacebo", "exclude": "rats", "reason": "pilot"}
    team.owner.client.post(address(team, "highlights/"), shown_form(team, "highlights") | given)
    for name, colour in (("Drug", "purple"), ("Pain", "blue")):
        sent = shown_form(team, "word-lists")
        number = len(held(plan(team), SECTION_BY_KEY["word-lists"]))
        new = {f"{number}-name": name, f"{number}-colour": colour, f"{number}-words": "ketamine\nesketamine"}
        assert team.owner.client.post(address(team, "word-lists/"), sent | new | {"reason": "pilot"}).status_code == 302
    found = package_of(team.review).meta.screening.highlights
    assert (found.include, found.exclude) == (("random", "placebo"), ("rats",))
    assert [(one.name, one.colour) for one in found.lists] == [("Drug", "purple"), ("Pain", "blue")]


def test_criteria_are_added_moved_and_taken_out(team: Team) -> None:
    names = [c.name for c in package_of(team.review).meta.eligibility]
    sent = shown_form(team, "eligibility")
    n = len(names)
    new = {f"{n}-name": "Language", f"{n}-include": "Any", "0-place": "3", "1-remove": "on", "reason": "refined"}
    assert team.owner.client.post(address(team, "eligibility/"), sent | new).status_code == 302
    after = [c.name for c in package_of(team.review).meta.eligibility]
    assert after == [names[2], names[0], *names[3:], "Language"]
    assert "# ---- scales" in set_up.plan_text(team.review)[0]


def test_an_outcome_that_results_refer_to_is_not_taken_out(team: Team) -> None:
    before = set_up.plan_text(team.review)
    sent = shown_form(team, "outcomes") | {"0-remove": "on", "reason": "x"}
    response = team.owner.client.post(address(team, "outcomes/"), sent)
    assert response.status_code == 422
    assert "pain-intensity" in response.content.decode()
    assert set_up.plan_text(team.review) == before
    assert events(team) == []


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("screening", {"reviewers": "0"}, "whole number from 1 to 10"),
        ("screening", {"target_recall": "nan"}, "Give a number"),
        ("screening", {"alpha": "two"}, "Give a number"),
        ("scales", {"0-high": "-1"}, "must be above low"),
        ("outcomes", {"0-id": ""}, "This field is required"),
        ("outcomes", {"0-kind": "ordinal"}, "Select a valid choice"),
        ("outcomes", {"0-favours": "one label"}, "must be two labels"),
        ("question", {"population": " "}, "This field is required"),
        ("comparisons", {"0-roles_1": []}, "This field is required"),
    ],
)
def test_bad_input_gives_one_clear_message_and_saves_nothing(
    team: Team, section: str, change: dict[str, Any], said: str
) -> None:
    before = set_up.plan_text(team.review)
    sent = shown_form(team, section) | change | {"reason": "x"}
    response = team.owner.client.post(address(team, f"{section}/"), sent)
    assert response.status_code == 422
    assert said in response.content.decode()
    assert set_up.plan_text(team.review) == before
    assert events(team) == []


def test_two_people_do_not_overwrite_each_other(team: Team) -> None:
    first, second = shown_form(team, "question"), shown_form(team, "eligibility")
    team.owner.client.post(address(team, "question/"), first | {"designs": "Trials", "reason": "x"})
    response = team.owner.client.post(address(team, "eligibility/"), second | {"0-name": "Who", "reason": "y"})
    assert response.status_code == 422
    assert "changed by somebody else since you opened it" in response.content.decode()
    assert len(events(team)) == 1


def test_the_whole_plan_as_text(team: Team) -> None:
    text, seen = set_up.plan_text(team.review)
    sent = {"text": text.replace("\n", "\r\n"), "reason": "x", "seen": seen}
    assert team.owner.client.post(address(team, "text/"), sent).status_code == 302
    assert set_up.plan_text(team.review) == (text, seen), "a browser's line ends change nothing"
    broken = sent | {"text": text + "\n[unknown]\nx = 1\n"}
    response = team.owner.client.post(address(team, "text/"), broken)
    assert response.status_code == 422
    assert "unknown" in response.content.decode()
    renamed = sent | {"text": text.replace('title = "Intravenous ketamine', 'title = "IV ketamine', 1)}
    assert team.owner.client.post(address(team, "text/"), renamed).status_code == 302
    assert Review.objects.get().title.startswith("IV ketamine"), "the title of the review follows its plan"
    other = {"text": renamed["text"].replace('id = "ketamine-chronic-pain"', 'id = "other"'), "reason": "x"}
    with pytest.raises(InputError, match="the id of a review stays"):
        set_up.change_text(team.owner.acting, other["text"], reason="x", seen=set_up.plan_text(team.review)[1])


def test_the_plan_is_for_members_and_changed_by_leads(team: Team) -> None:
    assert "Adults with chronic pain" in team.reader.client.get(address(team)).content.decode()
    assert "/set-up/question/" not in team.reader.client.get(address(team)).content.decode()
    sent = shown_form(team, "question") | {"population": "x", "reason": "x"}
    for someone, status in ((team.teammate, 403), (team.statistician, 403), (team.stranger, 404)):
        assert someone.client.post(address(team, "question/"), sent).status_code == status
    with pytest.raises(Refused, match="a reviewer may not set up"):
        set_up.change_text(team.teammate.acting, "", reason="x", seen="")
    assert team.owner.client.get(address(team, "no-such-section/")).status_code == 404


def test_a_new_item_takes_its_id_from_its_name_and_only_what_may_be_left_out_is_optional(team: Team) -> None:
    n = len(package_of(team.review).meta.windows)
    for wanted in ("up-to-a-year", "up-to-a-year-2"):
        sent = shown_form(team, "windows")
        new = {f"{n}-name": "Up to a year", f"{n}-after": "180", f"{n}-until": "365", "reason": "protocol"}
        assert team.owner.client.post(address(team, "windows/"), sent | new).status_code == 302
        assert package_of(team.review).meta.windows[-1].id == wanted
        n += 1
    page = team.owner.client.get(address(team, "windows/")).content.decode()
    assert f'<label for="id_{n}-id">Id</label>' in page and f'<label for="id_{n}-name">Name</label>' in page
    n = len(plan(team)["analyses"])
    new = {f"{n}-title": "Pain at a year", f"{n}-outcome": "pain-intensity", "reason": "protocol"}
    response = team.owner.client.post(address(team, "analyses/"), shown_form(team, "analyses") | new)
    said = re.findall(r'class="error"[^>]*><p>(.*?)</p>', response.content.decode())
    assert response.status_code == 422
    assert said == ["Give the comparison; it is needed.", "Give the measure; it is needed."]


def test_the_plan_is_offered_and_shown_in_words(team: Team) -> None:
    form = team.owner.client.get(address(team, "analyses/")).content.decode()
    for value, words in (
        ("pain-intensity", "Pain intensity"),
        ("ketamine-placebo", "Ketamine against placebo or active placebo"),
        ("RR", "Risk ratio (RR)"),
        ("hartung-knapp-guarded", "Hartung-Knapp, guarded"),
    ):
        assert re.search(rf'<option value="{value}"( selected)?>{re.escape(words)}</option>', form), words
    assert re.search(r'value="immediate"[^>]*>\s*immediate \(during the infusion', form)
    glance = team.reader.client.get(address(team)).content.decode()
    assert "Risk ratio (RR)" in glance and "<dd>ketamine-placebo</dd>" not in glance.partition("analyses-title")[2]
