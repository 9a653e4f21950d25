"""A planned network on the analysis page: what the report says, figures and tables, roles."""

from __future__ import annotations

import csv
import io
import math
import zipfile
from html import unescape

import pytest

from balm.actions.network_certainty import write_planned_cinema, write_planned_summary
from balm.actions.team.packages import start_review
from balm.report.network_files import comparisons_csv
from balm.review.synthesis import synthesise
from balm.store.reviews.models import Member, Review, StoredFile
from balm.store.synthesis.current import current_package, forget
from tests.made_network import NETWORK, TRIANGLE, VERSIONS, network_files, network_package
from tests.web.conftest import Team

PARTS = (*TRIANGLE, ("s8", "F", 3, 10), ("s8", "G", 1, 12))


@pytest.fixture
def review(team: Team) -> Review:
    made = start_review(network_files(PARTS), user=team.owner.user, code="olga", name="Olga")
    Member.objects.create(review=made, user=team.reader.user, code="rita", name="Rita", role="viewer")
    return made


def address(review: Review, more: str = "") -> str:
    return f"/reviews/{review.slug}/synthesis/{more}"


def test_the_page_says_what_the_report_says_and_leads_to_it(team: Team, review: Review) -> None:
    first = unescape(team.owner.client.get(address(review)).content.decode())
    assert "Its network meta-analyses" in first and "network/?network=relief-network" in first
    response = team.owner.client.get(address(review, "network/?network=relief-network"))
    page = unescape(response.content.decode())
    assert response.status_code == 200 and 'aria-current="page"' in page
    assert "falls into two parts" in page and "2.94 (1.86 to 4.66)" in page and "League table" in page
    assert f"/reviews/{review.slug}/report/#at:relief-network:B--Placebo" in page
    assert team.owner.client.get(address(review, "network/?network=x")).status_code == 404


def test_figures_and_tables_are_taken_away_by_who_may(team: Team, review: Review) -> None:
    for kind, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        for name in ("network-relief-network-1-graph", "network-relief-network-2-forest"):
            body = team.owner.client.get(address(review, f"network/{name}.{kind}?download=1"))
            assert body.status_code == 200 and body.content.startswith(start)
    assert team.owner.client.get(address(review, "network/nothing.svg")).status_code == 404
    table = address(review, "network/table/comparisons.csv")
    rows = list(csv.DictReader(io.StringIO(team.owner.client.get(table).content.decode("utf-8-sig"))))
    assert len(rows) == 7 and rows[0]["treatment"] == "B"
    for path in (table, address(review, "network/"), address(review, "network/network-relief-network-1-graph.svg")):
        assert team.stranger.client.get(path).status_code == 404
        assert team.anonymous.get(path).status_code == 302
    assert team.reader.client.get(address(review, "network/")).status_code == 200


def test_the_summary_and_the_files_for_cinema_are_those_of_the_command(team: Team, review: Review, tmp_path) -> None:
    client = team.owner.client
    page = unescape(client.get(address(review, "network/")).content.decode())
    assert "the plan does not state" in page and "cinema.zip" not in page
    refused = client.get(address(review, "network/table/cinema.zip"))
    assert refused.status_code == 422 and "smallest effect that matters" in refused.content.decode()
    plan = StoredFile.objects.get(review=review, path="review.toml")
    stated = 'reference = "Placebo"\nimportant = 1.25\nimportant_source = "the team"\n'
    plan.content = bytes(plan.content).replace(b'reference = "Placebo"\n', stated.encode())
    plan.sha256 = "1" * 64
    plan.save()
    forget()
    page = unescape(client.get(address(review, "network/")).content.decode())
    assert "table/cinema.zip" in page and "Summary of findings: Relief, all drugs, part 2" in page
    assert "Nobody has decided on these comparisons yet" in page and f"/reviews/{review.slug}/certainty/" in page
    package = current_package(review)
    result = synthesise(package).networks[0]
    written = write_planned_cinema(package, result, tmp_path / "cinema")
    with zipfile.ZipFile(io.BytesIO(client.get(address(review, "network/table/cinema.zip")).content)) as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {p.name: p.read_bytes() for p in written}
    for ending in ("csv", "html", "docx"):
        path = write_planned_summary(package, result, tmp_path / f"sof.{ending}")
        answer = client.get(address(review, f"network/table/summary.{ending}"))
        assert "-summary." in answer.headers["Content-Disposition"]
        assert ending == "docx" or answer.content == path.read_bytes()
    for path in ("network/table/summary.pdf", "network/table/cinema.csv", "network/table/comparisons.zip"):
        assert client.get(address(review, path)).status_code == 404
    assert team.stranger.client.get(address(review, "network/table/cinema.zip")).status_code == 404


def test_the_table_is_the_engine_and_the_script_gives_its_numbers_again(team: Team, review: Review, capsys) -> None:
    result = synthesise(network_package(PARTS, networks=NETWORK)).networks[0]
    rows = list(csv.DictReader(io.StringIO(comparisons_csv(result).decode("utf-8-sig"))))
    one = next(r for r in rows if (r["treatment"], r["against"]) == ("B", "Placebo"))
    assert float(one["estimate"]) == math.exp(result.fit.compare("B").estimate)
    body = team.owner.client.get(address(review, "network/table/comparisons.py")).content
    exec(compile(body, "comparisons.py", "exec"), {})
    said = capsys.readouterr().out
    assert said.count(" same") == 2 + 3 + 1 and "differs" not in said


def test_what_changed_since_a_version_names_the_trial_that_moved_each_comparison(team: Team) -> None:
    files = network_files(TRIANGLE, more={"versions.csv": VERSIONS})
    made = start_review(files, user=team.owner.user, code="olga", name="Olga")
    page = " ".join(unescape(team.owner.client.get(f"/reviews/{made.slug}/versions/since/1/").content.decode()).split())
    assert "<li>Relief, all drugs [relief-network]<ul>" in page and "new treatments: C" in page
    assert "C against Placebo: then: not compared: nothing joins the two; now: OR 2.41 [0.80, 7.29]" in page
    assert "the trial that moved it: S5 2020, by 0.026 on the scale of pooling (log)" in page
