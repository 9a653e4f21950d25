"""Comparisons of a network rated on the server: as analyses are, and kept in ``network_certainty.csv``."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from django.test import Client

from balm.actions.team import certainty as actions
from balm.actions.team.acting import Acting, Refused
from balm.actions.team.audit import trail
from balm.actions.team.certainty import current_comparisons, current_to_rate, one_to_rate
from balm.actions.team.packages import start_review
from balm.actions.team.rows import put_row
from balm.actions.team.shown_package import shown_files
from balm.actions.team.tokens import make_token
from balm.review.certainty.planned_network import NetworkCertainty, network_certainties
from balm.review.certainty.words import OF_DIRECT, OF_NETWORK, OVERALL
from balm.review.networks.analysed import analyse_network
from balm.store.certainty.models import Agreed, Rating
from balm.store.events.models import Event
from balm.store.reviews.models import Member, Review, Row
from balm.store.reviews.package_rows import package_of
from balm.store.synthesis.current import forget
from balm.vocabulary.problems import InputError
from balm.web.certainty.forms import key_of
from tests.made_network import NETWORK, TRIANGLE, network_files
from tests.web.conftest import AROUND, Someone, Team

PLAN = NETWORK + 'important = 1.25\nimportant_source = "the team"\n'
TWO = "\n[certainty]\nraters = 2\n"
PAIR = ("B", "Placebo")


def started(team: Team, plan: str = PLAN) -> Team:
    """The made review with the same people in the same roles."""
    forget()
    review = start_review(network_files(TRIANGLE, networks=plan), user=team.owner.user, code="olga", name="Olga")
    around: dict[str, Someone] = {}
    for name, (code, role) in AROUND.items():
        someone: Someone = getattr(team, name)
        member = Member.objects.filter(review=review, code=code).first()
        if member is None and role:
            member = Member.objects.create(review=review, user=someone.user, code=code, name=code.title(), role=role)
        around[name] = replace(someone, member=member)
    return replace(team, review=review, **around)


@pytest.fixture
def made(team: Team) -> Team:
    return started(team)


def comparison(review: Review, pair: tuple[str, str] = PAIR) -> NetworkCertainty:
    [spec] = package_of(review).meta.networks
    return next(
        it.certainty
        for it in current_comparisons(review, spec).values()
        if (it.certainty.comparison.treatment, it.certainty.comparison.against) == pair
    )


def given(review: Review, *, pair=PAIR, submission: str = "s1", why=None, fields=None, **ratings: str):
    """A form filled as proposed; a rating by domain, with ``why`` where it is not the proposal."""
    now = comparison(review, pair)
    chosen = {d.domain: d.proposal.rating for d in now.domains} | {k.replace("_", " "): v for k, v in ratings.items()}
    return {"submission": submission, "basis": now.basis, "ratings": chosen, "reasons": why or {}} | (fields or {})


def rate(team: Team, who: Someone, **changes: object) -> Rating:
    pair = changes.get("pair", PAIR)
    return actions.rate(who.acting, comparison(team.review, pair).key, **given(team.review, **changes))


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/certainty/{rest}"


def text(response) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def form(team: Team, **changes: object) -> dict[str, str]:
    now = given(team.review, **changes)
    filled = {f"rating-{key_of(d)}": r for d, r in now["ratings"].items()}
    filled |= {f"reason-{key_of(d)}": r for d, r in now["reasons"].items()}
    return filled | {"submission": now["submission"], "basis": now["basis"]}


def test_where_domains_lead_is_what_the_network_says_once_they_are_decided(made: Team) -> None:
    [spec] = package_of(made.review).meta.networks
    found = current_comparisons(made.review, spec)
    assert len(found) == 6
    for it in found.values():
        assert it.certainty.leads_to({}) == it.certainty.follows == it.certainty.proposed
        assert it.certainty.leads_to({"imprecision": "awful"}) == it.certainty.follows
    for pair, changed in (
        (PAIR, {"risk of bias": "very serious"}),
        (("A", "B"), {"incoherence": "serious"}),
        (("C", "Placebo"), {"imprecision": "not serious"}),
    ):
        said = comparison(made.review, pair).leads_to(changed)
        why = dict.fromkeys(changed, "because")
        rate(made, made.teammate, pair=pair, submission=str(pair), why=why, **{k.replace(" ", "_"): v for k, v in
             changed.items()})  # fmt: skip
        package = package_of(made.review)
        own = {
            (c.comparison.treatment, c.comparison.against): c
            for c in network_certainties(package, analyse_network(package, spec))
        }
        assert own[pair].follows == own[pair].certainty == said != own[pair].proposed


def test_a_decision_is_kept_with_the_proposal_who_when_and_why(made: Team) -> None:
    row = rate(made, made.teammate, imprecision="serious", why={"imprecision": "Few events"})
    rows = package_of(made.review).network_certainty
    assert [r.domain for r in rows] == [*OF_DIRECT, *OF_NETWORK, OVERALL]
    last, one = rows[-1], rows[-2]
    assert (one.rating, one.reason, one.assessor) == ("serious", "Few events", "tariq")
    assert one.proposed == "not serious" and one.rule.startswith("the interval crosses none of the limits")
    assert last.basis == row.basis and last.time and (last.treatment, last.against) == PAIR
    now = comparison(made.review)
    assert now.certainty == "low" and not now.stale and now.overall == last
    agreed, rated, appended = [Event.objects.filter(chain=made.review.key).order_by("-seq")[i] for i in (1, 2, 0)]
    assert (rated.action, rated.actor, rated.entity_id) == ("rate", "tariq", f"{now.key}/{now.basis}")
    assert agreed.action == "agree" and appended.entity == "network_certainty.csv"
    again = rate(made, made.teammate, submission="s2")
    changed = Event.objects.get(chain=made.review.key, entity="certainty rating", entity_version=again.turn)
    assert '"Few events"' in json.dumps(changed.before) and changed.after["certainty"] == "moderate"
    assert len(package_of(made.review).network_certainty) == 16, "earlier decisions stay on record"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"imprecision": ""}, "decide: the rule only proposes"),
        ({"imprecision": "serious"}, "say why"),
        ({"intransitivity": "extremely serious", "why": {"intransitivity": "x"}}, "got 'extremely serious'"),
        ({"fields": {"certainty": "high"}}, "say why it is 'high'"),
        ({"fields": {"place": "1"}}, "a comparison of a network has none"),
        ({"fields": {"baseline": "100"}}, "a comparison of a network has none"),
        ({"large_effect": "large"}, "is not rated here"),
        ({"pair": ("C", "Placebo"), "risk_of_bias": "serious"}, "is not rated here"),
        ({"why": {"imprecision": "a\x00b"}}, "must be plain text"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(made: Team, changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        rate(made, made.teammate, **changes)
    assert not Rating.objects.exists() and not package_of(made.review).network_certainty


def test_a_decision_is_stale_once_its_data_change_and_an_old_page_is_refused(made: Team) -> None:
    rate(made, made.teammate)
    old = given(made.review, submission="s2")
    result = Row.objects.get(review=made.review, table="results.csv", key="s3-arm1")
    put_row(made.owner.acting, "results.csv", result.cells | {"events": "60"}, reason="misread")
    assert comparison(made.review).stale and comparison(made.review).certainty == "moderate", "kept, and marked"
    page = text(made.reader.client.get(address(made)))
    assert "stale: its data have changed" in page
    with pytest.raises(InputError, match="the data have changed"):
        actions.rate(made.teammate.acting, comparison(made.review).key, **old)


def test_two_raters_are_blind_until_both_are_in(team: Team) -> None:
    made = started(team, PLAN + TWO)
    rate(made, made.teammate, why={"imprecision": "secret words"})
    key, client = comparison(made.review).key, made.second.client
    for path in ("", f"of/{key}/", f"of/{key}/rate/"):
        page = client.get(address(made, path)).content.decode()
        assert "secret words" not in page and "tariq" not in page
    assert "the consensus begins" in text(client.get(address(made, f"of/{key}/consensus/"))).lower()
    assert not [e for e in trail(made.owner.acting).events if "rating" in e.entity]
    assert "rated by you" in text(made.teammate.client.get(address(made)))
    rate(made, made.second, imprecision="serious", why={"imprecision": "Few events"})
    assert not package_of(made.review).network_certainty and "to agree" in text(client.get(address(made)))
    page = text(made.arbiter.client.get(address(made, f"of/{key}/consensus/")))
    assert "secret words" in page and "Few events" in page and "Row of the summary" not in page
    sent = form(made) | {"why": "The interval is clear", "seen": "0"}
    assert made.arbiter.client.post(address(made, f"of/{key}/consensus/"), sent).status_code == 302
    assert package_of(made.review).network_certainty[-1].assessor == "consensus of tariq and sofia"
    assert Agreed.objects.get().reason == "The interval is clear"


def test_pages_show_every_comparison_and_save_a_rating(made: Team) -> None:
    key = comparison(made.review).key
    assert re.fullmatch(r"relief-network:b--placebo-[0-9a-f]{8}", key)
    page = text(made.teammate.client.get(address(made)))
    assert page.count(" against ") == 12 and "those with its reference first" in page
    one = text(made.reader.client.get(address(made, f"of/{key}/")))
    assert "Odds ratio 2.94 (1.86 to 4.66), 95% interval" in one
    assert "Direct evidence moderate, indirect evidence moderate (before imprecision); 74% of" in one
    assert "100% unclear or not assessed" in one and "Incoherence" in one and "Target" not in one
    assert "Begins" not in one and "The team" not in one and "1.25 (the team)" in one
    client = made.teammate.client
    html = client.get(address(made, f"of/{key}/rate/")).content.decode()
    assert "What is rated" not in html and 'name="place"' not in html and "checked" not in html
    sent = form(made, imprecision="serious", why={"imprecision": "Few events"})
    assert "These ratings lead to low" in text(client.post(address(made, f"of/{key}/proposal/"), sent))
    wrong = client.post(address(made, f"of/{key}/rate/"), sent | {"reason-imprecision": ""})
    assert wrong.status_code == 422 and "Say why" in text(wrong)
    assert client.post(address(made, f"of/{key}/rate/"), sent).status_code == 302
    assert "8 rows of network_certainty.csv are about this" in text(client.get(address(made, f"of/{key}/")))
    assert "Few events" in client.get(address(made, f"of/{key}/rate/")).content.decode()


def test_who_may_not_is_refused(made: Team) -> None:
    key = comparison(made.review).key
    for path, act in ((f"of/{key}/", "GET"), (f"of/{key}/rate/", "GET"), (f"of/{key}/rate/", "POST"),
                      (f"of/{key}/proposal/", "POST"), (f"of/{key}/consensus/", "GET")):  # fmt: skip
        got = {who: getattr(made, who).client.generic(act, address(made, path)).status_code for who in AROUND}
        assert got["stranger"] == 404 and (path.endswith(f"{key}/") or got["reader"] == 403), (path, got)
        assert Client().generic(act, address(made, path)).status_code == 302
    with pytest.raises(Refused):
        rate(made, made.reader)
    for wrong in (f"{key}x", "relief-network:", "relief-network", "x:y"):
        assert made.owner.client.get(address(made, f"of/{wrong}/")).status_code == 404


def test_programs_rate_comparisons_as_they_rate_analyses(made: Team) -> None:
    _, secret = make_token(made.teammate.user, "a program", scope="write")
    head = {"authorization": f"Bearer {secret}"}
    base = f"/api/v1/reviews/{made.review.slug}/certainty"
    client = Client()
    found = client.get(base, headers=head).json()
    assert [one["analysis"] for one in found] == list(current_to_rate(made.review))
    now = next(one for one in found if (one["treatment"], one["against"]) == PAIR)
    sent = {
        "basis": now["basis"], "submission": "program-1",
        "ratings": {d["domain"]: d["proposed"] for d in now["domains"]},
    }  # fmt: skip
    done = client.post(f"{base}/of/{now['analysis']}/ratings", sent, content_type="application/json", headers=head)
    assert done.json() == {"done": "moderate"}
    one = client.get(f"{base}/of/{now['analysis']}", headers=head).json()
    assert one["certainty"] == "moderate" and one["own"]["certainty"] == "moderate" and one["evidence"] == "mixed"
    assert client.get(f"{base}/of/relief-network:x", headers=head).status_code == 404
    refused = client.post(f"{base}/of/{now['analysis']}/ratings", sent | {"submission": "program-2", "place": "1"},
                          content_type="application/json", headers=head)  # fmt: skip
    assert refused.status_code == 422 and "a comparison of a network has none" in refused.content.decode()


def test_ratings_leave_with_the_package_and_come_back_byte_for_byte(made: Team, team: Team) -> None:
    rate(made, made.teammate, imprecision="serious", why={"imprecision": 'Few "events", said Ann'})
    files = shown_files(made.review)
    rows = list(csv.DictReader(io.StringIO(files["network_certainty.csv"].decode())))
    assert len(rows) == 8 and rows[-1]["basis"] == comparison(made.review).basis
    plan = files["review.toml"].replace(b'id = "made"', b'id = "again"', 1)
    again = start_review(files | {"review.toml": plan}, user=team.owner.user, code="olga", name="Olga")
    assert shown_files(again) == files | {"review.toml": plan}
    it = one_to_rate(again, comparison(made.review).key)
    assert it.certainty.certainty == "low" and not it.certainty.stale


def test_names_in_any_alphabet_and_with_slashes_have_addresses(team: Team) -> None:
    names = {"A": "Morphin 2 mg/kg", "B": "Морфин", "C": "ケタミン", "Placebo": "Placebo"}
    arms = [(study, names[str(t)], *numbers) for study, t, *numbers in TRIANGLE]
    forget()
    review = start_review(network_files(arms), user=team.owner.user, code="olga", name="Olga")
    keys = list(current_to_rate(review))
    assert len(set(keys)) == 6 and all(re.fullmatch(r"relief-network:[a-z0-9-]+", key) for key in keys)
    for key in keys:
        assert team.owner.client.get(f"/reviews/{review.slug}/certainty/of/{key}/rate/").status_code == 200
    owner = Acting(review, Member.objects.get(review=review, code="olga"))
    key = comparison(review, ("Морфин", "Placebo")).key
    actions.rate(owner, key, **given(review, pair=("Морфин", "Placebo")))
    assert one_to_rate(review, key).certainty.certainty == one_to_rate(review, key).proposed
