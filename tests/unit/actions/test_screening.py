"""Screening on disk and on the command line: a package's order, test and agreement; labelled tables simulated."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from balm.actions.new_review import new_review
from balm.actions.screening import rank_review, screening_of, simulate_table
from balm.cli.main import main
from balm.plots.screening import recall_curve
from balm.vocabulary.problems import InputError

TITLES = ["Ketamine infusion for pain", "Ketamine tablets", "Asthma inhaler", "Asthma steroids", "Diet", "Pain scale"]


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "review"
    new_review(root)
    with (root / "searches.csv").open("a", newline="") as out:
        header = (root / "searches.csv").read_text().split("\n")[0].strip().split(",")
        row = {"search": "s1", "kind": "database", "source": "MEDLINE", "retrieved": "60"}
        csv.writer(out).writerow([row.get(name, "") for name in header])
    with (root / "records.csv").open("a", newline="") as out:
        header = (root / "records.csv").read_text().split("\n")[0].strip().split(",")
        for i in range(60):
            row = {"record": f"r{i}", "search": "s1", "title": f"{TITLES[i % 6]} number{i}"}
            csv.writer(out).writerow([row.get(name, "") for name in header])
    return root


def vote(root, record, who, decision, kind="vote"):
    with (root / "screening.csv").open("a", newline="") as out:
        csv.writer(out).writerow([record, "title-abstract", who, decision, kind, "", ""])


def protocol(plan, screening):
    """The plan with another [screening]."""
    head, _, rest = plan.partition("[screening]\n")
    return f"{head}[screening]\n{screening}\n{rest[rest.index('[[') :]}"


def test_a_new_plan_settles_screening_before_it_begins(folder):
    assert "[screening]\nreviewers = 2\ntarget_recall = 0.95\nalpha = 0.05\n" in (folder / "review.toml").read_text()
    plan = screening_of(folder).plan
    assert (plan.reviewers, plan.target_recall, plan.alpha, plan.bias) == (2, 0.95, 0.05, 1.0)


def test_before_any_vote_the_protocol_orders(folder):
    _, ranking = rank_review(folder, question="ketamine")
    assert ranking.basis == "likeness" and len(ranking) == 60
    assert all(int(str(i)[1:]) % 6 in (0, 1) for i in ranking.ids[:20])


def test_the_vote_of_one_of_two_reviewers_is_not_learned(folder):
    before = rank_review(folder)[1]
    vote(folder, "r0", "A", "include")
    vote(folder, "r2", "A", "exclude")
    assert rank_review(folder)[1].ids == before.ids
    vote(folder, "r0", "B", "include")
    vote(folder, "r2", "B", "exclude")
    after = rank_review(folder)[1]
    assert after.basis == "decisions" and len(after) == 58


def test_the_protocol_sets_target_and_alpha(folder):
    plan = folder / "review.toml"
    plan.write_text(protocol(plan.read_text(), "reviewers = 1\ntarget_recall = 0.8\nalpha = 0.1\n"))
    for i in range(60):
        vote(folder, f"r{i}", "A", "include" if i < 12 else "exclude")
    test = screening_of(folder).test()
    assert (test.target, test.alpha, test.screened, test.included) == (0.8, 0.1, 60, 12)
    assert test.reached and test.recall_bound == 1.0


def test_a_wrong_protocol_is_named(folder, capsys):
    plan = folder / "review.toml"
    plan.write_text(protocol(plan.read_text(), "reviewers = 0\ntarget_recall = 95\nstop = true\n"))
    assert main(["screen", "stop", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "screening.reviewers" in said and "between 0 and 1; got 95" in said and "screening.stop" in said


def test_agreement_of_a_package(folder, capsys):
    for i in range(10):
        vote(folder, f"r{i}", "A", "include" if i < 3 else "exclude")
        vote(folder, f"r{i}", "B", "include" if i < 2 else "exclude")
    vote(folder, "r2", "C", "include", "adjudication")
    assert main(["screen", "agreement", str(folder), "--json"]) == 0
    (pair,) = json.loads(capsys.readouterr().out)["pairs"]
    assert (pair["first"], pair["second"], pair["n"], pair["table"]) == ("A", "B", 10, [[2, 1], [0, 7]])
    assert pair["observed agreement"]["estimate"] == pytest.approx(0.9)


def test_a_conflict_is_not_settled_and_not_offered_again(folder):
    vote(folder, "r0", "A", "include")
    vote(folder, "r0", "B", "exclude")
    screened, ranking = rank_review(folder)
    assert "r0" not in ranking.ids and ranking.n_included == 0
    assert screened.found == (True,)


@pytest.mark.parametrize("task", ["rank", "stop", "agreement"])
def test_every_task_prints_and_gives_json(folder, capsys, task):
    assert main(["screen", task, str(folder)]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["screen", task, str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stage"] == "title-abstract"


def labelled(path, rows=40):
    lines = [["title", "Abstract", "keep"]]
    lines += [[f"{TITLES[i % 6]} number{i}", "An abstract,\nof two lines", str(int(i % 6 == 0))] for i in range(rows)]
    data = "\ufeff" + "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in lines)
    path.write_bytes(gzip.compress(data.encode()) if path.suffix == ".gz" else data.encode())
    return path


def test_simulate_prints_the_keys_of_the_contract(tmp_path, capsys):
    path = labelled(tmp_path / "set.csv.gz")
    words = ["--labels", "keep", "--prior-included", "0", "--prior-excluded", "2", "--schedule", "2%", "--json"]
    assert main(["screen", "simulate", str(path), *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"n", "n_included", "wss95", "recall10", "atd", "loss", "seconds", "order"} <= set(found)
    assert (found["n"], found["n_included"], found["prior_included"]) == (40, 7, [0])
    assert sorted([*found["order"], 0, 2]) == list(range(40))
    assert found["wss95"] > 0.5


def test_simulate_prints_a_table_and_writes_the_plot(tmp_path, capsys):
    path, plot = labelled(tmp_path / "set.csv"), tmp_path / "found.svg"
    assert main(["screen", "simulate", str(path), "--labels", "keep", "--plot", str(plot)]) == 0
    assert "WSS@95" in capsys.readouterr().out
    assert "<svg" in plot.read_text()


@pytest.mark.parametrize(
    "yes, no, none",
    [
        ("1", "0", ""),
        ("yes", "no", "-1"),
        ("Included", "Excluded", " "),
        ("TRUE", "False", "NA"),
        ("y", "N", "null"),
        ("1.0", "0.0", "nan"),
        ("Maybe", "irrelevant", "Not_seen"),
    ],
)
def test_labels_as_people_write_them_and_rows_without_one(tmp_path, yes, no, none):
    """Unlabelled rows are left out, rows keep the numbers of the file, and a record may lack its abstract."""
    lines = ["title,abstract,keep"]
    for i in range(24):
        label = none if i % 4 == 3 else yes if i % 6 == 0 else no
        lines.append(f"{TITLES[i % 6]} number{i},{'' if i % 2 else 'some words'},{label}")
    path = tmp_path / "set.csv"
    path.write_text("\n".join(lines) + "\n")
    done = simulate_table(path, labels="keep", prior_included=12, prior_excluded=[1, 2])
    assert (done.n, done.n_included, done.unlabelled) == (18, 4, 6)
    assert (done.prior_included, done.prior_excluded) == ((12,), (1, 2))
    assert sorted([*done.order.tolist(), 12, 1, 2]) == [i for i in range(24) if i % 4 != 3]
    assert set(done.order[done.found].tolist()) == {0, 6, 18}
    for options, said in (
        ({"prior_included": 3}, "row 3 has no label"),
        ({"prior_included": 4}, "row 4 is not"),
        ({"prior_excluded": 24}, "from 0 to 23; got 24"),
    ):
        with pytest.raises(InputError, match=said):
            simulate_table(path, labels="keep", **options)


def test_a_single_included_record_among_many_leaves_nothing_to_measure(tmp_path, capsys):
    path = tmp_path / "set.csv"
    path.write_text("title,keep\n" + "".join(f"{TITLES[i % 6]} number{i},{int(i == 7)}\n" for i in range(400)))
    assert main(["screen", "simulate", str(path), "--labels", "keep"]) == 0
    said = capsys.readouterr().out
    assert "nothing is left to find" in said and "not estimable" in said and "nan" not in said
    assert main(["screen", "simulate", str(path), "--labels", "keep", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["n_included"], found["wss95"], found["atd"]) == (400, 1, None, None)
    assert len(found["order"]) == 398


def test_two_included_among_many_are_found(tmp_path):
    path = tmp_path / "set.csv"
    rows = [f"{TITLES[2 + i % 4]} number{i},0\n" for i in range(600)]
    rows[100], rows[500] = "Ketamine infusion for pain,1\n", "Ketamine infusion in pain clinics,1\n"
    path.write_text("title,keep\n" + "".join(rows))
    done = simulate_table(path, labels="keep")
    assert done.read <= 3 and done.wss95 > 0.9


@pytest.mark.parametrize(
    "content, labels, said",
    [
        (b"title,keep\na,0\nb,0\n", "keep", "no record is included"),
        (b"title,keep\na,\nb,-1\n", "keep", "has no label in any row"),
        (b"title,keep,keep\na,0,1\n", "keep", "has 2 columns 'keep'"),
        (b"", "keep", "is empty"),
        (b"title,keep\n", "keep", "no rows"),
        (b"name,keep\na,1\n", "keep", "needs a column title or abstract"),
        (b"title,keep\na,1\n", "kept", "no column 'kept'"),
        (b"title,keep\na,1\nb,?\n", "keep", "row 2, column keep"),
        (b"title,keep\na,1\nb,0,extra\n", "keep", "has 3 cells"),
        (b"title,keep\na,1\nb,1\n", "keep", "no record is excluded"),
        (b"\x00\x01\x02", "keep", "not a text table"),
        (b"\x1f\x8bbroken", "keep", "cannot be read"),
    ],
)
def test_tables_that_cannot_be_simulated_say_why(tmp_path, content, labels, said):
    path = tmp_path / "set.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        simulate_table(path, labels=labels)


@pytest.mark.parametrize(
    "words, said",
    [
        (["rank", ".", "--labels", "x"], "belongs to simulate"),
        (["simulate", "x.csv"], "needs --labels"),
        (["rank", ".", "--seed", "-1"], "0 or more"),
        (["guess", "."], "invalid choice"),
    ],
)
def test_wrong_usage_is_status_two(words, said, capsys):
    assert main(["screen", *words]) == 2
    assert said in capsys.readouterr().err


def test_the_plot_says_what_it_shows(folder):
    plan = folder / "review.toml"
    plan.write_text(protocol(plan.read_text(), "reviewers = 1\n"))
    for i in range(58):
        vote(folder, f"r{i}", "A", "include" if i < 12 else "exclude")
    screened = screening_of(folder)
    drawn = recall_curve(screened.found, n=60, tests=(*screened.history(), screened.test()))
    assert "12 included records found among 58 of 60 screened; recall at least" in drawn.description
    assert "in random order" not in drawn.svg
    with pytest.raises(InputError, match="nothing to draw"):
        recall_curve([])
