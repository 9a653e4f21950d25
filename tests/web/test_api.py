"""The interface for programs: tokens, who may, blindness, and the same acts as the pages."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from balm.actions.review import Review as Folder
from balm.actions.team.extraction import finish, take
from balm.actions.team.screening import open_stage
from balm.actions.team.tokens import make_token, revoke_token
from balm.store.api.models import Token
from balm.store.events.models import SERVER, Event
from balm.store.reviews.package_rows import package_files
from balm.vocabulary.problems import InputError
from balm.web.api.interface import api
from tests.web.conftest import KETAMINE, Someone, Team
from tests.web.test_extraction_actions import STUDY, result
from tests.web.test_full_texts import pdf
from tests.web.test_risk_of_bias_pages import LOW, TARGET, WORSE
from tests.web.test_risk_of_bias_pages import assess as judge

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


#: What stands in the addresses of the calls; ``slug`` is the review's.
PLACES = {
    "stage": "title-abstract", "study": "sigtermans2009", "record": "r1", "report": "noppers2011", "table": "studies",
    "analysis": "x", "code": "tariq", "search": "medline", "number": "1", "version": "0.1",
}  # fmt: skip


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_learns_nothing_from_any_call(team: Team, method: str) -> None:
    program = Program(team.stranger)
    there = PLACES | {"slug": team.review.slug}
    nowhere = there | {"slug": "no-such-review"}
    for path in paths(method):
        if "{slug}" not in path:
            continue
        ask = getattr(program, method)
        one, other = (ask(path.format(**values)) for values in (there, nowhere))
        assert (one.status_code, one.content) == (other.status_code, other.content), path
        assert one.status_code in (404, 422), path


def test_a_token_that_reads_changes_nothing(team: Team) -> None:
    program = Program(team.owner, "read")
    before = Event.objects.count()
    for path in paths("post"):
        answer = program.post(path.format(**PLACES, slug=team.review.slug), {"record": "x"})
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
        values = PLACES | {"slug": team.review.slug, "record": record, "report": record}
        return [sofia.get(p.format(**values)).content for p in paths("get")] + [
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


def test_every_refusal_is_json_and_says_what_was_wrong(team: Team) -> None:
    call = Program(team.owner).client
    for method, path, status in (("get", "/nonsense", 404), ("put", "/me", 405)):
        answer = getattr(call, method)(f"/api/v1{path}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
        assert answer.json()["problems"][0]["reason"]
    assert call.put("/api/v1/me").headers["Allow"] == "GET"
    plan = f"/api/v1{address(team)}/plan"
    large = call.generic("POST", plan, b"", "application/json", CONTENT_LENGTH=str(6 * 1024**2))
    assert large.status_code == 413 and "5 MB" in large.json()["problems"][0]["reason"]


def test_a_misspelt_field_or_another_type_is_refused_not_passed_over(team: Team) -> None:
    program = Program(team.owner)
    for given, column in (
        ({"public": True, "raeson": "x"}, "raeson"), ({"public": "yes"}, "public"), ({"public": 1}, "public")
    ):  # fmt: skip
        answer = program.post(address(team, "/report"), given)
        assert answer.status_code == 422 and answer.json()["problems"][0]["column"].endswith(column), answer.content
    team.review.refresh_from_db()
    assert not team.review.public


def test_files_are_described_as_files() -> None:
    described = api.get_openapi_schema()["paths"]
    kinds = {
        path.rsplit("/", 1)[-1]: list(call["responses"][200]["content"])
        for path, methods in described.items() for call in methods.values()
        if "binary" in str(call["responses"][200].get("content"))
    }  # fmt: skip
    zipped = {name: ["application/zip"] for name in ("package.zip", "archive", "{version}.zip")}
    assert kinds == {**zipped, "paper": ["application/pdf"]}


def test_a_conflict_is_discussed_and_settled_through_the_interface(team: Team) -> None:
    tariq, sofia = screening(team)
    arno = Program(team.arbiter)
    stage = address(team, "/screening/title-abstract")
    record, second = tariq.post(f"{stage}/queue").json()["left"][:2]
    assert arno.get(f"{stage}/records/{record}").status_code == 404
    for who, decision in ((tariq, "include"), (sofia, "exclude")):
        for at, one in enumerate((record, second)):
            sent = {"record": one, "decision": decision, "submission": f"{decision}-{at}", "note": "as I read it"}
            assert who.post(f"{stage}/votes", sent).status_code == 200
    waiting = [{"record": one, "settled": ""} for one in (record, second)]
    assert arno.get(f"{stage}/conflicts").json() == waiting
    assert tariq.post(f"{stage}/records/{record}/remarks", {"text": "dose?", "submission": "tariq-said-1"}).json() == {
        "done": "said"
    }
    for who, at in ((tariq, 1), (sofia, 2)):
        proposal = {"text": "agreed", "decision": "include", "submission": f"proposal-{at}"}
        assert who.post(f"{stage}/records/{record}/remarks", proposal).json() == {"done": "proposed"}
    found = arno.get(f"{stage}/records/{record}").json()
    assert (found["outcome"], [a["decision"] for a in found["adjudications"]]) == ("settled in", ["include"])
    assert {v["by"]: v["text"] for v in found["votes"]} == {"tariq": "as I read it", "sofia": "as I read it"}
    decision = {"decision": "exclude", "note": "rats", "submission": "arno-decides"}
    assert tariq.post(f"{stage}/records/{second}/decisions", decision).status_code == 403
    assert arno.post(f"{stage}/records/{second}/decisions", decision).json() == {"done": "exclude"}
    assert arno.get(f"{stage}/conflicts").json() == [
        {"record": record, "settled": "include"}, {"record": second, "settled": "exclude"},
    ]  # fmt: skip


def test_full_texts_come_and_reports_are_linked_through_the_interface(team: Team) -> None:
    tariq = Program(team.teammate)
    reports = tariq.get(address(team, "/full-texts"), size=1000).json()
    report = reports["rows"][0]["id"]
    one = address(team, f"/full-texts/{report}")
    attempt = {"status": "not retrieved", "on": "2026-11-02", "submission": "attempt-1"}
    assert tariq.post(f"{one}/attempts", attempt).status_code == 422
    assert tariq.post(f"{one}/attempts", attempt | {"note": "no answer"}).json() == {"done": "not retrieved"}
    data = {"paper": SimpleUploadedFile("a.pdf", pdf("Ketamine")), "submission": "paper-001"}
    assert tariq.client.post(f"/api/v1{one}/paper", data).json() == {"done": "kept, 1 pages"}
    told = tariq.get(one).json()
    assert (told["status"], told["pages"], told["paper"]) == ("obtained", 1, True)
    assert [a["note"] for a in told["attempts"]] == ["PDF uploaded", "no answer"]
    assert tariq.get(f"{one}/paper").content.startswith(b"%PDF")
    assert Program(team.reader).post(f"{one}/attempts", attempt).status_code == 403
    assert tariq.get(address(team, "/full-texts/nothing")).status_code == 404
    wrong = {"report": "nothing", "submission": "link-0001"}
    assert "not included at full text" in tariq.post(address(team, "/studies/links"), wrong).content.decode()


def test_a_review_is_set_up_through_the_interface(team: Team) -> None:
    lead = Program(team.owner)
    plan = lead.get(address(team, "/plan")).json()
    changed = plan["text"].replace('title = "', 'title = "A better title: ', 1)
    body = {"text": changed, "seen": plan["seen"], "reason": "clearer"}
    assert lead.post(address(team, "/plan"), body).json() == {"done": "changed"}
    assert "somebody else" in lead.post(address(team, "/plan"), body).content.decode()
    assert Program(team.reader).post(address(team, "/plan"), body).status_code == 403
    sent = lead.post(
        address(team, "/members"), {"email": "new@example.org", "name": "Nadia", "role": "reviewer"}
    ).json()
    assert team.anonymous.get(sent["link"]).status_code == 200
    assert lead.post(address(team, f"/invitations/{sent['number']}/withdraw")).json() == {"done": "withdrawn"}
    assert team.anonymous.get(sent["link"]).status_code != 200
    stage = address(team, "/screening/title-abstract")
    assert lead.post(f"{stage}/opening", {"screeners": ["tariq", "sofia"]}).json() == {"done": "open"}
    assert lead.get(stage).json()["screeners"] == ["tariq", "sofia"]
    assert lead.post(f"{stage}/closing", {}).json() == {"done": "closed"}
    role = {"role": "viewer", "reason": "moves on"}
    assert lead.post(address(team, "/members/sofia/role"), role).json() == {"done": "viewer"}
    assert lead.post(address(team, "/members/sofia/removal"), {"reason": "has left"}).json() == {"done": "removed"}
    assert lead.post(address(team, "/interests"), {"interests": "none"}).json() == {"done": "declared"}
    assert lead.post(address(team, "/report"), {"public": True, "reason": "ready"}).json() == {"done": "public"}
    with zipfile.ZipFile(io.BytesIO(lead.post(address(team, "/archive")).content)) as packed:
        assert "team/events.jsonl" in packed.namelist()
    assert tuple(Program(team.teammate).post(address(team, rest)).status_code for rest in ("/archive", "/report")) == (
        403, 422,
    )  # fmt: skip


def test_an_import_and_a_duplicate_are_taken_back_through_the_interface(team: Team) -> None:
    lead = Program(team.owner)
    data = {"files": SimpleUploadedFile("export.ris", RIS), "submission": "import-001"}
    assert lead.client.post(f"/api/v1{address(team, '/imports')}", data).status_code == 200
    (search,) = (i["search"] for i in lead.get(address(team, "/imports")).json() if i["file"] == "export.ris")
    one, other = (r["id"] for r in lead.get(address(team, "/records")).json()["rows"][:2])
    pair = {"record_1": one, "record_2": other}
    assert lead.post(address(team, "/duplicates/undo"), pair | {"time": "never"}).json() == {
        "done": "it does not stand any more"
    }
    assert lead.post(address(team, "/duplicates/taken-out"), {"record": one}).json() == {"done": "it is in no group"}
    about = {"source": "MEDLINE", "kind": "database", "reason": "forgotten"}
    assert lead.post(address(team, f"/imports/{search}/about"), about).json() == {"done": "changed"}
    assert lead.post(address(team, f"/imports/{search}/withdraw"), {"reason": "wrong file"}).json() == {
        "done": "withdrawn"
    }
    assert lead.get(address(team, "/records")).json()["total"] == 0


def test_extraction_stays_hidden_and_is_settled_through_the_interface(team: Team) -> None:
    tariq, sofia, arno = Program(team.teammate), Program(team.second), Program(team.arbiter)
    study = address(team, f"/extraction/{STUDY}")
    for who in (team.teammate, team.second):
        take(who.acting, STUDY)
    key = result(team.second, mean="3")

    def seen() -> list[bytes]:
        target = dataclasses.asdict(TARGET)
        values = PLACES | {"slug": team.review.slug}
        return [sofia.get(p.format(**values), **target).content for p in paths("get")]

    before = seen()
    result(team.teammate, mean="4")
    assert tariq.post(f"{study}/finish", {"submission": "tariq-ends"}).json() == {"done": "finished"}
    assert tariq.post(f"{study}/reopen", {"submission": "tariq-again"}).json() == {"done": "open again"}
    assert tariq.post(f"{study}/finish", {"submission": "tariq-end-2"}).json() == {"done": "finished"}
    judge(team.teammate, LOW)
    assert seen() == before
    assert arno.get(f"{study}/comparison").status_code == 422
    finish(team.second.acting, STUDY, submission="sofia-ends")
    found = arno.get(f"{study}/comparison").json()
    (cell,) = (c for c in found["cells"] if c["open"])
    assert {who: g["value"] for who, g in cell["given"].items()} == {"tariq": "4", "sofia": "3"}
    settled = {n: cell[n] for n in ("table", "key", "column")} | {
        "value": "3",
        "reason": "table 2",
        "submission": "a" * 9,
    }
    assert arno.post(f"{study}/settlements", settled).json() == {"done": "decision"}
    assert arno.post(f"{study}/written").json() == {"done": "1 in results.csv"}
    rows = arno.get(address(team, "/tables/results"), size=1000).json()["rows"]
    assert any(row.get("mean") == "3" and row["study"] == STUDY for row in rows), key
    states = {s["study"]: s["state"] for s in sofia.get(address(team, "/extraction")).json()}
    assert (states[STUDY], states["noppers2011"]) == ("written", "free")


def test_consensus_on_risk_of_bias_through_the_interface(team: Team) -> None:
    arno = Program(team.arbiter)
    target = dataclasses.asdict(TARGET)
    judge(team.teammate, LOW)
    assert Program(team.teammate).get(address(team, "/risk-of-bias/own"), **target).json()["D1"]["judgement"] == "low"
    assert arno.get(address(team, "/risk-of-bias/consensus"), **target).status_code == 422
    judge(team.second, WORSE)
    found = arno.get(address(team, "/risk-of-bias/consensus"), **target).json()
    assert set(found["assessors"]) == {"tariq", "sofia"} and found["agreed"] == {}
    same = arno.post(address(team, "/risk-of-bias/agreements/same"), target | {"submission": "arno-same"}).json()
    assert same == {"done": "3 agreed"}
    body = target | {
        "domain": "D1",
        "answers": LOW["D1"],
        "reason": "sealed",
        "support": "p. 3",
        "submission": "arno-d1-1",
    }
    assert arno.post(address(team, "/risk-of-bias/agreements"), body).json() == {"done": "low"}
    assert Program(team.reader).get(address(team, "/risk-of-bias/consensus"), **target).status_code == 403


def test_two_assessors_settle_a_domain_in_discussion_through_the_interface(team: Team) -> None:
    tariq, sofia = Program(team.teammate), Program(team.second)
    target = dataclasses.asdict(TARGET)
    judge(team.teammate, LOW)
    judge(team.second, WORSE)
    proposals = address(team, "/risk-of-bias/proposals")
    body = target | {"domain": "D1", "answers": LOW["D1"], "reason": "sealed", "support": "p. 3"}
    assert Program(team.arbiter).post(proposals, body | {"submission": "arno-d1-1"}).status_code == 403
    assert tariq.post(proposals, body | {"submission": "tariq-d1-1"}).json() == {"done": "low"}
    found = sofia.get(address(team, "/risk-of-bias/consensus"), **target).json()
    assert found["proposals"]["D1"]["tariq"]["judgement"] == "low" and "D1" not in found["agreed"]
    sofia.post(proposals, body | {"submission": "sofia-d1-1"})
    found = sofia.get(address(team, "/risk-of-bias/consensus"), **target).json()
    assert found["agreed"]["D1"]["judgement"] == "low"


def test_an_analysis_is_chosen_and_pinned_through_the_interface(team: Team) -> None:
    stella = Program(team.statistician)
    at = address(team, "/pinned")
    said = {"name": "Equal effect", "submission": "pin-000001", "choices": {"model": ["common"]}}
    assert stella.post(at, said).json() == {"done": "Equal effect, turn 1"}
    again = {"name": "Equal effect", "submission": "pin-000002"}
    assert stella.post(at, again).json() == {"done": "Equal effect, turn 2"}
    refused = stella.post(at, said | {"submission": "pin-000003", "choices": {"modle": ["common"]}})
    assert refused.status_code == 422 and "modle" in str(refused.json())
    refused = stella.post(at, said | {"submission": "pin-000004", "choices": {"model": ["both"]}})
    assert refused.status_code == 422 and "both" in str(refused.json())


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


def test_a_version_is_released_and_an_update_begun_by_a_program(team: Team) -> None:
    owner, reader = Program(team.owner), Program(team.reader)
    sent = {"version": "0.1", "submission": "release-1"}
    assert reader.post(address(team, "/versions/releases"), sent).status_code == 403
    made = [owner.post(address(team, "/versions/releases"), sent).json() for _ in range(2)]
    assert made[0] == made[1] and len(made[0]["done"]) == 64, "sent twice, it counts once"
    files = zipfile.ZipFile(io.BytesIO(reader.get(address(team, "/versions/releases/0.1.zip")).content))
    assert json.loads(files.read("release.json"))["hash"] == made[0]["done"]
    own = [v for v in reader.get(address(team, "/versions")).json() if v["kind"] == "version"]
    assert [(v["version"], v["release"]) for v in own] == [("0.1", made[0]["done"])]
    changed = reader.get(address(team, "/versions/0.1/changes")).json()
    assert changed["frozen"] and not changed["studies"] and all(a["before"] == a["after"] for a in changed["analyses"])
    assert owner.post(address(team, "/versions"), {"version": "0.2", "trigger": "a new trial"}).json() == {
        "done": "0.2"
    }
    assert owner.post(address(team, "/versions"), {"version": "0.2"}).status_code == 422
    steps = reader.get(address(team, "/analyses/pain-two-trials/versions")).json()
    assert [s["version"] for s in steps][-1] == "0.2" and steps[-1]["new"] == []
    for path in ("/versions/9/changes", "/versions/releases/9.zip", "/analyses/nothing/versions"):
        assert reader.get(address(team, path)).status_code == 404, path


def test_the_guide_lists_every_call() -> None:
    from balm.web.api.interface import api

    guide = (Path(__file__).parents[2] / "docs/how-to/use-the-interface.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(\w+ /\S*)` \| (.*) \|$", guide, re.MULTILINE))
    calls = api.get_openapi_schema()["paths"]
    assert listed == {
        (f"{method.upper()} {path.removeprefix('/api/v1')}", call["summary"])
        for path, methods in calls.items()
        for method, call in methods.items()
    }
