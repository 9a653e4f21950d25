"""The interface for programs: tokens, who may, blindness, and the same acts as the pages."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from balm.actions.review import Review as Folder
from balm.actions.team.screening import open_stage
from balm.actions.team.tokens import make_token, revoke_token
from balm.store.api.models import Token
from balm.store.events.models import SERVER, Event
from balm.store.reviews.package_rows import package_files
from balm.vocabulary.problems import InputError
from tests.web.conftest import KETAMINE, Someone, Team

RIS = b"".join(
    b"TY  - JOUR\nTI  - Ketamine for pain, trial %d\nAU  - Author, A\nPY  - 20%02d\nER  - \n\n" % (k, k)
    for k in range(6)
)


class Program:
    """A client with a token."""

    def __init__(self, someone: Someone, scope: str = "write") -> None:
        self.token, self.secret = make_token(someone.user, "a script", scope=scope)
        self.client = Client(headers={"authorization": f"Bearer {self.secret}"}, enforce_csrf_checks=True)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/api/v1{path}", json.dumps(body or {}), content_type="application/json")


def address(team: Team, rest: str = "") -> str:
    return f"/reviews/{team.review.slug}{rest}"


def test_a_token_is_kept_as_a_hash_and_shown_once(team: Team) -> None:
    page = team.owner.client.post("/account/tokens/", {"name": "nightly", "scope": "read", "days": "30"})
    token = Token.objects.get()
    secret = page.content.decode().split('value="balm_')[1].split('"')[0]
    assert token.secret_hash == hashlib.sha256(f"balm_{secret}".encode()).hexdigest()
    assert secret not in team.owner.client.get("/account/tokens/").content.decode()
    assert not any(secret in str(vars(event)) for event in Event.objects.filter(chain=SERVER))
    assert Event.objects.filter(chain=SERVER, action="make token").count() == 1


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": " "}, "needs a name"),
        ({"name": "x", "days": 0}, "from 1 to 366"),
        ({"name": "x", "scope": "all"}, "scope must be one of"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(team: Team, given: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        make_token(team.owner.user, **given)
    assert not Token.objects.exists()


def test_a_token_stops_when_it_is_taken_back_too_old_or_its_person_is_gone(team: Team) -> None:
    program = Program(team.owner)
    assert program.get("/me").json()["name"] == "Olga Owner"
    Token.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert program.get("/me").status_code == 401
    Token.objects.update(expires=timezone.now() + timedelta(days=1))
    team.owner.user.is_active = False
    team.owner.user.save()
    assert program.get("/me").status_code == 401
    team.owner.user.is_active = True
    team.owner.user.save()
    assert program.get("/me").status_code == 200
    assert team.owner.client.post(f"/account/tokens/{program.token.pk}/revoke/").status_code == 302
    assert program.get("/me").status_code == 401


def test_nobody_takes_back_the_token_of_another(team: Team) -> None:
    program = Program(team.owner)
    with pytest.raises(InputError, match="no such token of yours"):
        revoke_token(team.teammate.user, program.token.pk)
    assert team.teammate.client.post(f"/account/tokens/{program.token.pk}/revoke/").status_code == 422
    assert program.get("/me").status_code == 200


def test_cookies_let_nobody_in(team: Team) -> None:
    answer = team.owner.client.get("/api/v1/reviews")
    assert (answer.status_code, answer.json()) == (401, {"problems": [_problem("Unauthorized")]})
    assert team.anonymous.get("/api/v1/reviews").status_code == 401


def _problem(reason: str) -> dict[str, Any]:
    return {"reason": reason, "file": "", "row": None, "column": "", "value": None}


def paths(method: str) -> list[str]:
    from balm.web.api.interface import api

    schema = api.get_openapi_schema()
    return sorted(path.removeprefix("/api/v1") for path, calls in schema["paths"].items() if method in calls)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_learns_nothing_from_any_call(team: Team, method: str) -> None:
    program = Program(team.stranger)
    there = {"slug": team.review.slug, "stage": "title-abstract", "study": "sigtermans2009"}
    nowhere = there | {"slug": "no-such-review"}
    for path in paths(method):
        if "{slug}" not in path:
            continue
        ask = getattr(program, method)
        one, other = (
            ask(path.format(record="r1", table="studies", analysis="x", **values)) for values in (there, nowhere)
        )
        assert (one.status_code, one.content) == (other.status_code, other.content), path
        assert one.status_code in (404, 422), path


def test_a_token_that_reads_changes_nothing(team: Team) -> None:
    program = Program(team.owner, "read")
    before = Event.objects.count()
    for path in paths("post"):
        answer = program.post(
            path.format(slug=team.review.slug, stage="title-abstract", study="sigtermans2009"), {"record": "x"}
        )
        assert answer.status_code == 403, path
        assert "this token may only read" in answer.content.decode()
    assert Event.objects.count() == before


def test_roles_hold_as_on_the_pages(team: Team) -> None:
    reader = Program(team.reader)
    answer = reader.post(address(team, "/screening/title-abstract/queue"))
    assert answer.status_code == 403
    assert answer.json()["problems"][0]["reason"] == "a viewer may not screen; a lead or reviewer may"


def test_the_review_its_people_and_tables(team: Team) -> None:
    program = Program(team.reader, "read")
    assert [r["slug"] for r in program.get("/reviews").json()] == [team.review.slug]
    assert program.get(address(team)).json()["may"][-1] == "view"
    assert {m["code"] for m in program.get(address(team, "/members")).json()} >= {"olga", "tariq", "rita"}
    counts = program.get(address(team, "/tables")).json()
    assert counts["studies"] > 20
    page = program.get(address(team, "/tables/studies"), size=5, page=2).json()
    assert (page["total"], len(page["rows"])) == (counts["studies"], 5)
    assert program.get(address(team, "/tables/nothing")).status_code == 404
    with zipfile.ZipFile(io.BytesIO(program.get(address(team, "/package.zip")).content)) as packed:
        assert {n: packed.read(n) for n in packed.namelist()} == package_files(team.review)


def test_results_come_in_full_precision(team: Team) -> None:
    program = Program(team.reader, "read")
    ours = {a.id: a for a in Folder.load(KETAMINE).synthesise().analyses}
    given = {a["id"]: a for a in program.get(address(team, "/analyses")).json()}
    assert set(given) == set(ours)
    pooled = [name for name, a in ours.items() if a.fit is not None]
    assert pooled
    for name in pooled:
        assert given[name]["fit"]["estimate"] == ours[name].fit.estimate
        assert program.get(address(team, f"/analyses/{name}")).json() == given[name]
    assert "records_screened" in program.get(address(team, "/flow")).json()


def screening(team: Team) -> tuple[Program, Program]:
    """Records brought in through the interface, and a stage open for two."""
    lead = Program(team.owner)
    answer = lead.client.post(
        f"/api/v1{address(team, '/imports')}",
        {
            "files": SimpleUploadedFile("export.ris", RIS),
            "kind": "database",
            "source": "MEDLINE",
            "submission": "i" * 8,
        },
    )
    assert answer.status_code == 200, answer.content
    assert lead.get(address(team, "/imports")).json()[0]["records"] == 6
    assert lead.get(address(team, "/records"), q="ketamine trial").json()["total"] == 6
    open_stage(team.owner.acting, "title-abstract", ["tariq", "sofia"])
    return Program(team.teammate), Program(team.second)


def test_votes_through_the_interface_stay_hidden_until_both_are_in(team: Team) -> None:
    tariq, sofia = screening(team)
    stage = address(team, "/screening/title-abstract")
    queue = tariq.post(f"{stage}/queue").json()
    assert len(queue["left"]) == 6
    record = queue["left"][0]

    def seen() -> list[bytes]:
        skip = ("{record}", "{table}", "{analysis}", "package")
        asked = [p for p in paths("get") if not any(word in p for word in skip)]
        values = {"slug": team.review.slug, "stage": "title-abstract", "study": "sigtermans2009"}
        return [sofia.get(p.format(**values)).content for p in asked] + [
            sofia.get(address(team, f"/tables/{name}")).content for name in ("screening", "batches", "records")
        ]

    before = seen()
    vote = {"record": record, "decision": "include", "note": "mine", "submission": "tariq-0001"}
    answer = tariq.post(f"{stage}/votes", vote)
    assert answer.json() == {"record": record, "decision": "include", "outcome": "waiting", "repeated": False}
    assert tariq.post(f"{stage}/votes", vote).json()["repeated"] is True
    assert seen() == before
    assert [v["record"] for v in tariq.get(f"{stage}/votes").json()] == [record]
    other = sofia.post(f"{stage}/votes", {"record": record, "decision": "exclude", "submission": "sofia-0001"})
    assert other.json()["outcome"] == "conflict"
    (found,) = sofia.get(f"{stage}/outcomes").json()
    assert [(v["reviewer"], v["decision"]) for v in found["votes"]] == [("sofia", "exclude"), ("tariq", "include")]
    assert Event.objects.filter(chain=team.review.key, action="vote", session=f"token {tariq.token.pk}").count() == 1


def test_the_audit_trail_leaves_out_what_is_hidden(team: Team) -> None:
    tariq, _ = screening(team)
    lead = Program(team.owner, "read")
    before = lead.get(address(team, "/events")).json()
    assert {"start review", "open screening"} <= {e["action"] for e in before["events"]}
    assert all(e["seq"] is None and e["hash"] is None for e in before["events"])
    stage = address(team, "/screening/title-abstract")
    record = tariq.post(f"{stage}/queue").json()["left"][0]
    assert tariq.post(f"{stage}/votes", {"record": record, "decision": "include", "submission": "tariq-0001"}).json()
    assert lead.get(address(team, "/events")).json() == before
    assert tariq.get(address(team, "/events")).status_code == 403


def test_what_is_wrong_is_said_as_problems(team: Team) -> None:
    tariq, _ = screening(team)
    votes = address(team, "/screening/title-abstract/votes")
    wrong = tariq.post(votes, {"record": "nobody", "decision": "include", "submission": "tariq-0001"})
    assert wrong.status_code == 422
    assert "nobody" in wrong.json()["problems"][0]["reason"]
    shape = tariq.post(votes, {"record": "x", "decision": "perhaps", "submission": "tariq-0001"})
    assert shape.status_code == 422
    assert any(p["column"].endswith("decision") for p in shape.json()["problems"])
    for body in (b"{", b'{"record": "\\u0000"}', b'{"record": "\\ud800"}', b'{"record": NaN}', b"[" * 100_000):
        answer = tariq.client.post(f"/api/v1{votes}", body, content_type="application/json")
        assert answer.status_code == 400, body[:20]
        assert len(answer.json()["problems"]) == 1
    assert tariq.get(address(team, "/records"), q="a\x00b").status_code == 422
    assert tariq.client.get(f"/api/v1{address(team, '/records/%00')}").status_code in (404, 422)


def test_extraction_and_risk_of_bias_are_the_acts_of_the_pages(team: Team) -> None:
    tariq = Program(team.teammate)
    study = address(team, "/extraction/sigtermans2009")
    assert tariq.post(f"{study}/take").json() == {"done": "taken"}
    body = {
        "table": "studies.csv", "key": "sigtermans2009", "submission": "entry-0001",
        "values": {"country": {"value": "Netherlands", "page": "305", "quote": "Leiden"}},
    }  # fmt: skip
    assert tariq.post(f"{study}/entries", body).json() == {"done": "1 saved"}
    assert tariq.get(study).json()["studies.csv"]["sigtermans2009"]["country"]["value"] == "Netherlands"
    assert Program(team.second).get(study).json() == {}
    judge = {"instrument": "rob2-assignment", "study": "no-such-study", "domain": "D1", "submission": "judge-0001"}
    answer = tariq.post(address(team, "/risk-of-bias/judgements"), judge)
    assert answer.status_code == 422
    assert "no such result or study" in answer.json()["problems"][0]["reason"]
