"""Take it home: the package for every member, the archive for a lead who screens in no open stage."""

from __future__ import annotations

import io
import zipfile

from django.db.models import CharField, TextField

from balm.actions.team.archive import archive
from balm.actions.team.screening import close_stage, open_stage
from balm.store.events.models import SERVER, Event
from balm.store.reviews.package_rows import package_files
from balm.store.risk_of_bias.models import Assessment
from tests.web.conftest import Team


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}/archive/{rest}"


def test_every_member_downloads_the_package(team: Team) -> None:
    for someone in (team.owner, team.teammate, team.reader):
        assert someone.client.get(address(team)).status_code == 200
        response = someone.client.get(address(team, "package.zip"))
        assert response.headers["Content-Disposition"] == f'attachment; filename="{team.review.slug}.zip"'
        with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
            assert {n: packed.read(n) for n in packed.namelist()} == package_files(team.review)


def test_a_lead_takes_the_archive_home_and_it_is_noted(team: Team) -> None:
    assert "Take the archive home" in team.owner.client.get(address(team)).content.decode()
    response = team.owner.client.post(address(team, "take-home/"))
    assert response.status_code == 200
    assert response.content == archive(team.owner.acting)
    assert Event.objects.filter(chain=SERVER, action="take review home", actor="olga").count() == 2


def test_nobody_else_does(team: Team) -> None:
    for someone in (team.teammate, team.arbiter, team.statistician, team.reader):
        assert "A lead of the review can take it home" in someone.client.get(address(team)).content.decode()
        assert someone.client.post(address(team, "take-home/")).status_code == 403
    for rest in ("", "package.zip"):
        assert team.stranger.client.get(address(team, rest)).status_code == 404
        assert team.anonymous.get(address(team, rest)).status_code == 302
    assert team.stranger.client.post(address(team, "take-home/")).status_code == 404
    assert team.owner.client.get(address(team, "take-home/")).status_code == 405
    assert not Event.objects.filter(chain=SERVER, action="take review home").exists()


def test_a_lead_who_screens_waits_until_the_stage_is_closed(team: Team) -> None:
    open_stage(team.owner.acting, "title-abstract", ["olga", "tariq"])
    page = team.owner.client.get(address(team)).content.decode()
    assert "Not now: olga screens at title-abstract, which is open" in page
    assert "Take the archive home" not in page
    assert team.owner.client.post(address(team, "take-home/")).status_code == 403
    assert team.owner.client.get(address(team, "package.zip")).status_code == 200
    close_stage(team.owner.acting, "title-abstract")
    assert team.owner.client.post(address(team, "take-home/")).status_code == 200


def test_a_lead_who_assesses_waits_until_it_is_compared(team: Team) -> None:
    target = {"study": "sigtermans2009", "domain": "randomisation", "answers": {}, "judgement": "low"}
    fields = {f.name: "" for f in Assessment._meta.concrete_fields if isinstance(f, CharField | TextField)}
    Assessment.objects.create(review=team.review, member=team.owner.member, **fields | target)
    page = team.owner.client.get(address(team)).content.decode()
    assert "Not now: olga assesses sigtermans2009, which is not compared yet" in page
    assert team.owner.client.post(address(team, "take-home/")).status_code == 403
