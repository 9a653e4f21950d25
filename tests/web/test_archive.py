"""Archive, empty server, archive: the same bytes; and what is wrong with an archive is said before anything is kept."""

from __future__ import annotations

import io
import zipfile

import pytest

from balm.actions.team.acting import Acting, Refused
from balm.actions.team.archive import archive, bring_archive, unpack
from balm.actions.team.rows import put_row
from balm.store.reviews.models import Member, Review, Row
from balm.vocabulary.problems import InputError
from tests.web.conftest import Team, person
from tests.web.unguarded import unguarded

GAP = {"gap": "g-new", "priority": "1", "missing": "=1+1, \u201eSD\u201c und\u2028mehr"}


def moved(review: Review) -> None:
    """As if the server were empty: the review stands under another key and address."""
    Review.objects.filter(pk=review.pk).update(key=f"old-{review.pk}", slug=f"old-{review.pk}")


def test_the_archive_of_a_brought_back_review_is_the_same_file(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    put_row(team.owner.acting, "gaps.csv", GAP | {"priority": "2"}, reason="read again")
    formula = "=cmd|' /C calc'!A0"
    Member.objects.filter(review=team.review, code="olga").update(name=formula)
    first = archive(team.owner.acting)
    assert archive(team.owner.acting) == first
    with zipfile.ZipFile(io.BytesIO(first)) as files:
        gaps, members = files.read("gaps.csv").decode(), files.read("team/members.csv").decode()
    assert "\"'=1+1, " in gaps  # no formula in the file; the row has the words
    assert f"olga,'{formula}," in members
    key = team.review.key
    moved(team.review)
    _forget_chain(key)
    someone = person("new@example.org", "New")
    review = bring_archive(first, user=someone.user, claim="olga")
    assert review.key == key
    member = Member.objects.get(review=review, user=someone.user)
    assert member.name == formula
    assert archive(Acting(review, member)) == first
    assert Row.objects.get(review=review, key="g-new").cells["missing"] == GAP["missing"]


def _forget_chain(key: str) -> None:
    from django.db import connection

    unguarded("events_event")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM events_event WHERE chain = %s", [key])
        cursor.execute("DELETE FROM events_chainhead WHERE chain = %s", [key])


def test_only_a_lead_takes_it_home(team: Team) -> None:
    with pytest.raises(Refused, match="a viewer may not take home"):
        archive(team.reader.acting)


def test_a_tampered_archive_is_refused(team: Team) -> None:
    put_row(team.owner.acting, "gaps.csv", GAP)
    data = archive(team.owner.acting)
    key = team.review.key
    moved(team.review)
    _forget_chain(key)
    files = unpack(data)
    files["team/events.jsonl"] = files["team/events.jsonl"].replace(b'"priority":"1"', b'"priority":"3"')
    with pytest.raises(InputError, match="was changed after it was written"):
        bring_archive(zipped(files), user=team.owner.user, claim="olga")
    assert not Review.objects.filter(key=key).exists()


def test_the_same_review_is_not_brought_twice(team: Team) -> None:
    with pytest.raises(InputError, match="on this server already"):
        bring_archive(archive(team.owner.acting), user=team.owner.user, claim="olga")


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not a zip"),
        (b"PK\x03\x04 and nothing", "not a zip"),
        (zipped({"../../etc/passwd": b"x"}), "leads out of its folder"),
        (zipped({"/etc/passwd": b"x"}), "leads out of its folder"),
        (zipped({"review.toml": b"x"}), "is missing"),
    ],
)
def test_what_is_no_archive_is_refused_in_one_sentence(db: None, data: bytes, why: str) -> None:
    with pytest.raises(InputError, match=why):
        bring_archive(data, user=None, claim="olga")


@pytest.mark.parametrize(
    ("file", "data", "why"),
    [
        ("team/certainty_agreed.jsonl", b"[1]\n", "damaged"),
        ("team/certainty_agreed.jsonl", b"{}\n", "damaged"),
        ("team/screening_vote.jsonl", b"[" * 100_000, "damaged"),
        ("team/review.json", b'{"key": 1, "slug": []}', "damaged"),
        ("team/members.csv", b"\xff\n", "not readable as a table"),
        ("team/members.csv", b"code,name\nolga,Olga\n", "must have the columns"),
        ("team/members.csv", b"code,name,role,interests,active\nolga,Olga\n", "row 1: has a cell too many"),
        ("team/events.jsonl", b"", "holds no event"),
        ("team/events.jsonl", b'{"chain": "\\ud800"}\n', "another review"),
    ],
)
def test_an_archive_altered_by_hand_is_refused_whole(team: Team, file: str, data: bytes, why: str) -> None:
    good = unpack(archive(team.owner.acting))
    moved(team.review)
    _forget_chain(team.review.key)
    before = Review.objects.count()
    with pytest.raises(InputError, match=why):
        bring_archive(zipped(good | {file: data}), user=team.owner.user, claim="olga")
    assert Review.objects.count() == before


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("balm.actions.team.archive.RATIO_FROM", 1000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.ris", b"x" * 100_000)
    with pytest.raises(InputError, match="more than 200 times its size"):
        unpack(out.getvalue())
    broken = bytearray(zipped({"a.ris": b"x"}))
    broken[8] = broken[broken.find(b"PK\x01\x02") + 10] = 8  # said to be deflated, and is not
    with pytest.raises(InputError, match="not a zip that can be read"):
        unpack(bytes(broken))
