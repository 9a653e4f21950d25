"""Frozen batches of a package, and what a reviewer may see of the other's votes: nothing."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from balm.actions.new_review import new_review
from balm.actions.screening import screening_of
from balm.actions.screening_batches import freeze_batch
from balm.cli.main import main
from balm.vocabulary.problems import InputError

TITLES = ["Ketamine infusion for pain", "Ketamine tablets", "Asthma inhaler", "Asthma steroids", "Diet", "Pain scale"]
N, SIZE = 30, 6


def started(root):
    new_review(root)
    header = (root / "records.csv").read_text().split("\n")[0].strip().split(",")
    with (root / "records.csv").open("a", newline="") as out:
        for i in range(N):
            row = {"record": f"r{i}", "title": f"{TITLES[i % 6]} number{i}"}
            csv.writer(out).writerow([row.get(name, "") for name in header])
    return root


@pytest.fixture
def folder(tmp_path):
    return started(tmp_path / "review")


def vote(root, record, who, decision, kind="vote"):
    with (root / "screening.csv").open("a", newline="") as out:
        csv.writer(out).writerow([record, "title-abstract", who, decision, kind, "", ""])


def test_a_batch_is_appended_and_what_stood_there_stays(folder):
    _, one = freeze_batch(folder, size=SIZE, question="ketamine")
    before = (folder / "batches.csv").read_bytes()
    assert len(one.records) == SIZE and one.basis == "likeness"
    _, two = freeze_batch(folder, size=SIZE, question="ketamine")
    assert (folder / "batches.csv").read_bytes().startswith(before)
    assert not set(one.records) & set(two.records)
    assert [b.records for b in screening_of(folder).batches] == [one.records, two.records]
    assert main(["check", str(folder)]) == 0


def test_the_next_batch_learns_a_finished_one_and_nothing_of_an_open_one(folder):
    _, one = freeze_batch(folder, size=SIZE)
    for record in one.records:
        vote(folder, record, "A", "include" if "r0" in record else "exclude")
    _, two = freeze_batch(folder, size=SIZE)
    assert two.learned == ()
    for record in one.records:
        vote(folder, record, "B", "exclude")
    _, three = freeze_batch(folder, size=SIZE)
    assert set(three.learned) <= set(one.records) and len(three.learned) >= SIZE - 1


def test_batches_end_with_the_records(folder):
    freeze_batch(folder, size=N - 1)
    assert len(freeze_batch(folder, size=SIZE)[1].records) == 1
    with pytest.raises(InputError, match="no record is left"):
        freeze_batch(folder)


def test_rank_goes_on_with_the_frozen_batches(folder, capsys):
    assert main(["screen", "rank", str(folder), "--batch", "4", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["batches"] == [{"batch": 1, "read": 0, "records": 4}] and len(first["to_read"]) == 4
    assert len(first["order"]) == N - 4
    assert not set(first["to_read"]) & {row["record"] for row in first["order"]}
    vote(folder, first["to_read"][0], "A", "include")
    assert main(["screen", "rank", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["to_read"] == first["to_read"]
    assert main(["screen", "rank", str(folder), "--reviewer", "A"]) == 0
    said = capsys.readouterr().out
    assert "Batch 1: 1 of 4 records read by A" in said and f"   1  {first['to_read'][1]}  " in said


def test_a_record_set_aside_is_not_read_any_more(folder):
    _, batch = freeze_batch(folder, size=2)
    with (folder / "duplicates.csv").open("a", newline="") as out:
        keep = next(f"r{i}" for i in range(N) if f"r{i}" not in batch.records)
        csv.writer(out).writerow([keep, batch.records[0], "duplicate", "", "A", ""])
    assert screening_of(folder).to_read() == batch.records[1:]


@pytest.mark.parametrize(
    "words, said",
    [(["rank", "--batch", "0"], "1 or more"), (["stop", "--batch", "5"], "belongs to rank")],
)
def test_wrong_usage_is_status_two(folder, words, said, capsys):
    assert main(["screen", words[0], str(folder), *words[1:]]) == 2
    assert said in capsys.readouterr().err


DECISIONS = st.sampled_from(["include", "exclude", "maybe"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_a_reviewer_sees_changes_with_the_others_open_votes(tmp_path_factory, capsys, data):
    """Batch 1 finished by both, batch 2 open: B's votes on what A has not read yet change nothing that is printed."""
    root = started(tmp_path_factory.mktemp("blind") / "review")
    one = freeze_batch(root, size=SIZE, question="ketamine")[1]
    for record in one.records:
        vote(root, record, "A", data.draw(DECISIONS))
        vote(root, record, "B", data.draw(DECISIONS))
    two = freeze_batch(root, size=SIZE, question="ketamine")[1]
    read_by_a = data.draw(st.integers(0, SIZE - 1))
    for record in two.records[:read_by_a]:
        vote(root, record, "A", data.draw(DECISIONS))
    before = (root / "screening.csv").read_bytes()
    unread = data.draw(st.lists(st.sampled_from(two.records[read_by_a:]), min_size=1, unique=True))

    def printed(reviewer):
        shown = []
        for words in (["rank", *reviewer], ["rank", "--json", *reviewer], ["stop", "--json"], ["agreement", "--json"]):
            assert main(["screen", words[0], str(root), *words[1:]]) == 0
            shown.append(capsys.readouterr().out)
        return shown

    alone, everyone = printed(["--reviewer", "A"]), printed([])
    for decision in ("include", "exclude"):
        (root / "screening.csv").write_bytes(before)
        for record in unread:
            vote(root, record, "B", decision)
        assert printed(["--reviewer", "A"]) == alone
        assert printed([]) == everyone
        third = freeze_batch(root, size=SIZE, question="ketamine")[1]
        assert set(third.learned) <= set(one.records)
        rows = (root / "batches.csv").read_text().splitlines(keepends=True)
        (root / "batches.csv").write_text("".join(rows[: 1 + 2 * SIZE]))


def test_an_order_that_learned_open_votes_would_be_seen(folder, capsys):
    """The property can fail: once both have voted on the whole batch, what they said does change the order."""
    batch = freeze_batch(folder, size=SIZE, question="ketamine")[1]
    shown = []
    before = (folder / "screening.csv").read_bytes()
    for decision in ("include", "exclude"):
        (folder / "screening.csv").write_bytes(before)
        for i, record in enumerate(batch.records):
            for who in "AB":
                vote(folder, record, who, decision if i else "include")
        assert main(["screen", "rank", str(folder), "--json"]) == 0
        shown.append(json.loads(capsys.readouterr().out)["order"])
    assert shown[0] != shown[1]
