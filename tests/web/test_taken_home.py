"""Who took the archive home is no second person on what was hidden in it; who leaves is followed at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from balm.actions.team.archive import archive
from balm.actions.team.extraction import take
from balm.actions.team.members import change_role, remove
from balm.actions.team.risk_of_bias import assess
from balm.actions.team.screening import open_stage, sitting
from balm.review.risk_of_bias.targets import targets_of
from balm.store.events.models import Event
from balm.store.reviews.package_rows import package_of
from balm.store.screening.models import Batch
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team
from tests.web.test_extraction_actions import STUDY, result
from tests.web.test_risk_of_bias_pages import LOW, TARGET
from tests.web.test_risk_of_bias_pages import assess as judge
from tests.web.test_screening_actions import TA, vote, with_records


def dealt(team: Team) -> None:
    """Twelve records dealt out to tariq and sofia."""
    with_records(team.review)
    open_stage(team.owner.acting, TA, ["tariq", "sofia"])
    assert sitting(team.teammate.acting, TA)


@pytest.mark.parametrize("votes", [0, 1, 2])
def test_the_lead_does_not_screen_what_was_hidden_in_the_archive(team: Team, votes: int) -> None:
    dealt(team)
    for record in ("r1", "r2")[:votes]:
        vote(team.teammate, record, "include")
    archive(team.owner.acting)
    events = Event.objects.filter(chain=team.review.key).count()
    with pytest.raises(InputError) as refused:
        open_stage(team.owner.acting, TA, ["tariq", "olga"], reason="sofia is ill")
    told = str(refused.value).replace(f"{datetime.now(UTC):%Y-%m-%d}", "today")
    # The same words whether or not there is a hidden vote: it rests on what was dealt out.
    assert told.endswith(
        "olga took the archive home on today, when records at title-abstract were dealt out that are not revealed yet: "
        "it may hold votes that are hidden from who screens. Name somebody else, or wait until these records are "
        "revealed"
    )
    assert Event.objects.filter(chain=team.review.key).count() == events


def test_the_lead_screens_when_what_was_dealt_is_revealed_or_was_dealt_later(team: Team) -> None:
    archive(team.owner.acting)  # before anything is dealt out
    dealt(team)
    open_stage(team.owner.acting, TA, ["tariq", "olga", "sofia"], reason="more hands")
    open_stage(team.owner.acting, TA, ["tariq", "sofia"], reason="fewer hands")
    archive(team.owner.acting)
    for k in range(1, 13):
        vote(team.teammate, f"r{k}", "include")
        if k < 12:
            vote(team.second, f"r{k}", "include")
    with pytest.raises(InputError, match="olga took the archive home"):
        open_stage(team.owner.acting, TA, ["tariq", "olga"], reason="sofia is ill")
    vote(team.second, "r12", "exclude")
    open_stage(team.owner.acting, TA, ["tariq", "olga"], reason="sofia is ill")


def test_a_study_that_somebody_else_had_begun_is_not_extracted(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    archive(team.owner.acting)  # taken, and nothing entered yet
    take(team.owner.acting, STUDY)


def test_entries_that_were_in_the_archive_keep_the_lead_out(team: Team) -> None:
    take(team.teammate.acting, STUDY)
    result(team.teammate, mean="3")
    archive(team.owner.acting)
    with pytest.raises(InputError, match=f"you took the archive home on .*{STUDY}; another person does it"):
        take(team.owner.acting, STUDY)
    take(team.second.acting, STUDY)


def test_a_result_that_somebody_else_had_judged_is_not_assessed(team: Team) -> None:
    judge(team.teammate, LOW, end=False, only="D1")
    archive(team.owner.acting)
    with pytest.raises(InputError, match="you took the archive home"):
        judge(team.owner, LOW, end=False, only="D1")
    other = next(t for t in targets_of(package_of(team.review), TARGET.instrument) if t.study != TARGET.study)
    assess(team.owner.acting, other, "D1", submission="another-study", answers=LOW["D1"], support="p. 3")


def test_who_leaves_is_followed_at_once_by_who_is_there(team: Team) -> None:
    with_records(team.review, 4)
    open_stage(team.owner.acting, TA, ["tariq", "sofia", "olga"])
    assert sitting(team.teammate.acting, TA)
    mine = Batch.objects.get().readers
    waited = {record for record, who in mine.items() if "sofia" in who}
    vote(team.second, min(waited), "include")
    remove(team.owner.acting, "sofia", reason="has left the department")
    again = Batch.objects.get(again=True)  # nobody has asked for a batch since
    assert set(again.records) == waited - {min(waited)}
    assert {who for readers in again.readers.values() for who in readers} <= {"tariq", "olga"}
    assert [e.action for e in Event.objects.filter(chain=team.review.key).order_by("-seq")[:2]] == [
        "give out again", "remove member",
    ]  # fmt: skip


def test_a_role_that_may_not_screen_is_followed_as_well_and_too_few_readers_wait(team: Team) -> None:
    dealt(team)
    change_role(team.owner.acting, "sofia", "viewer", reason="changed sides")
    assert not Batch.objects.filter(again=True).exists()  # tariq alone cannot read twice
    open_stage(team.owner.acting, TA, ["tariq", "olga"], reason="sofia is a viewer now")
    assert len(Batch.objects.get(again=True).records) == 12
