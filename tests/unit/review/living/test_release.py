"""A release is found out by its hash: any byte changed, any file gone or added, any release put in between."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.living.release import (
    MANIFEST,
    Release,
    as_bytes,
    chain_problems,
    make_release,
    read_release,
    release_problems,
)

FILES = st.dictionaries(
    st.sampled_from(["report.html", "results.json", "package/review.toml", "package/results.csv"]),
    st.binary(max_size=20),
    min_size=1,
)


def released(files: dict[str, bytes], before: Release | None = None, version: str = "1") -> Release:
    return make_release(
        files, version=version, label="First", released="2026-01-01", by="ana", software="balm 0", before=before
    )


def whole(files: dict[str, bytes], release: Release) -> dict[str, bytes]:
    return files | {MANIFEST: as_bytes(release)}


@settings(max_examples=150, deadline=None)
@given(FILES, st.data())
def test_any_byte_changes_the_hash_and_is_found(files: dict[str, bytes], data: st.DataObject) -> None:
    release = released(files)
    there = whole(files, release)
    assert release_problems(there, "1") == []
    path = data.draw(st.sampled_from(sorted(there)))
    was = there[path]
    place = data.draw(st.integers(0, len(was)))
    byte = bytes([data.draw(st.integers(0, 255))])
    now = was[:place] + byte + was[place + data.draw(st.integers(0, 1)) :]
    if now == was:
        return
    problems = release_problems(there | {path: now}, "1")
    assert [p.file for p in problems] == [f"releases/1/{path}"]
    if path != MANIFEST:
        assert released(files | {path: now}).hash != release.hash


@given(FILES, FILES)
def test_the_hash_covers_the_release_before(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    one = released(first)
    two = released(second, one, "2")
    chain = {"1": whole(first, one), "2": whole(second, two)}
    assert chain_problems(chain) == [] and (one.number, two.number) == (1, 2)
    other = released(first | {"report.html": b"another text, longer than any that is drawn"})
    assert other.hash != one.hash and released(second, other, "2").hash != two.hash
    anew = chain | {"1": whole(first | {"report.html": b"another text, longer than any that is drawn"}, other)}
    assert [p.reason for p in chain_problems(anew)] == ["does not follow the release before it"]
    assert "release 1 is expected" in chain_problems({"2": chain["2"]})[0].reason


def test_a_manifest_that_was_changed_is_the_only_one_blamed() -> None:
    files = {"a": b"1"}
    one, two, three = (first := released(files)), (second := released(files, first, "2")), released(files, second, "3")
    chain = {r.version: whole(files, r) for r in (one, two, three)}
    for name in chain:
        changed = chain | {name: chain[name] | {MANIFEST: chain[name][MANIFEST].replace(b"ana", b"ben")}}
        assert [p.file for p in chain_problems(changed)] == [f"releases/{name}/{MANIFEST}"]
    gone = {name: files for name, files in chain.items() if name != "2"}
    assert [p.file for p in chain_problems(gone)] == ["releases/3/release.json"]


def test_files_that_went_or_came_are_named() -> None:
    files = {"a": b"1", "b": b"2"}
    there = whole(files, released(files))
    assert [p.reason for p in release_problems({k: v for k, v in there.items() if k != "a"}, "1")] == [
        "is missing: it was part of the release"
    ]
    assert [p.reason for p in release_problems(there | {"c": b""}, "1")] == ["was not part of the release"]
    assert "is that of version 1" in release_problems(there, "2")[0].reason
    assert "is not whole" in release_problems(files, "1")[0].reason


def test_a_manifest_reads_back_and_no_other_text_does() -> None:
    one = released({"a": b"1"})
    assert read_release(as_bytes(one)) == one
    for text in (b"", b"[]", b"{}", b"\xff", as_bytes(one).replace(b"ana", b"ben"), as_bytes(one) + b" "):
        assert read_release(text) is None
