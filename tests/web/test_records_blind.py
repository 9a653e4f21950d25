"""The pages of records and duplicates say nothing of votes: worlds that differ only in them look the same."""

from __future__ import annotations

import re

import pytest
from django.db import transaction

from balm.actions.team.deduplication import canonical_ids, questions
from balm.actions.team.records import withdraw
from balm.actions.team.screening import cast_vote, open_stage, sitting
from balm.vocabulary.problems import InputError
from tests.web.conftest import Someone, Team
from tests.web.test_records_import import DOUBTFUL, EMBASE, MEDLINE, bring

TA = "title-abstract"
PAGES = (
    "records/", "records/all/", "records/all/?q=ketamine", "records/searches/medline/", "records/searches/medline/raw/",
    "records/download/ris/", "records/download/csv/", "records/download/bib/", "deduplication/groups/",
    "deduplication/decisions/", "deduplication/",
)  # fmt: skip
#: What differs with every request, whoever voted.
OWN = re.compile(rb'csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"|name="submission" value="[^"]*"')


class Back(Exception):
    """Ends a world: everything in it is rolled back."""


def seen(team: Team, who: Someone) -> dict[str, object]:
    base = f"/reviews/{team.review.slug}/"
    pages = [*PAGES, *(f"records/all/{record}/" for record in canonical_ids(team.review))]
    out: dict[str, object] = {}
    for page in pages:
        answer = who.client.get(base + page)
        out[page] = (answer.status_code, OWN.sub(b"", answer.content))
    for page, data in (
        ("records/searches/medline/withdraw/", {"reason": "wrong"}),
        ("deduplication/groups/take-out/", {"record": "nobody"}),
    ):
        answer = who.client.post(base + page, data, follow=True)  # and reads what it is told
        out["POST " + page] = (answer.status_code, OWN.sub(b"", answer.content))
    return out


@pytest.mark.parametrize("who", ["owner", "teammate", "arbiter", "statistician", "reader"])
def test_nobody_learns_of_a_vote_from_these_pages(team: Team, who: str) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE), ("a.ris", DOUBTFUL[0]), ("b.ris", DOUBTFUL[1]))
    assert questions(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    records = sitting(team.second.acting, TA)
    assert records is not None
    worlds = []
    for decision in (None, "include", "exclude"):
        try:
            with transaction.atomic():
                for k, record in enumerate(records.left if decision else ()):
                    cast_vote(
                        team.second.acting,
                        stage=TA,
                        record=record,
                        decision=str(decision),
                        submission=f"submission-{k}",
                    )
                worlds.append(seen(team, getattr(team, who)))
                raise Back
        except Back:
            pass
    assert worlds[0] == worlds[1] == worlds[2]


def test_an_import_handed_out_for_screening_stays(team: Team) -> None:
    bring(team.owner, ("medline.ris", MEDLINE), ("embase.ris", EMBASE))
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    assert sitting(team.second.acting, TA)
    with pytest.raises(InputError, match="was handed out for screening"):
        withdraw(team.owner.acting, "embase", reason="wrong export")
