"""The small frozen classes beside the standard ones."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys

import pytest

from balm.review.records.slots import filled
from balm.vocabulary.record import Record, Vote
from balm.vocabulary.slotted import dataclass


def test_a_record_is_what_the_standard_decorator_would_have_made():
    standard = dataclasses.make_dataclass(
        "Record", [(f.name, f.type, f) for f in dataclasses.fields(Record)], frozen=True, slots=True
    )
    assert Record.__slots__ == standard.__slots__
    values = {"id": "a", "title": "Ketamine", "votes": (Vote("A", "include"),)}
    ours, theirs = Record(**values), standard(**values)
    assert repr(ours) == repr(theirs)
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert str(inspect.signature(Record)).partition(" ->")[0] == str(inspect.signature(standard)).partition(" ->")[0]
    assert sys.getsizeof(ours) == sys.getsizeof(theirs)


def test_copies_pickles_and_equality():
    record = Record("a", title="Ketamine", authors=("Lynch ME",))
    for other in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert other == record
        assert hash(other) == hash(record)
    assert dataclasses.replace(record, id="b") == Record("b", title="Ketamine", authors=("Lynch ME",)) != record
    assert filled(*[getattr(record, name) for name in Record.__slots__]) == record


def test_it_cannot_be_written_to():
    record = filled(*[None] * len(Record.__slots__))
    for change in (lambda: setattr(record, "id", "b"), lambda: delattr(record, "id"), lambda: setattr(record, "no", 1)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            change()


def test_a_wrong_call_is_refused_as_python_does():
    @dataclass(frozen=True, slots=True)
    class Arm:
        events: int
        n: int = 10

    for given, named in (((), {}), ((1, 2, 3), {}), ((1,), {"events": 2}), ((1,), {"size": 2})):
        with pytest.raises(TypeError, match=r"^Arm\(\)"):
            Arm(*given, **named)


def test_reading_a_text_file_of_records_needs_nothing_that_looks_at_source_code():
    code = "import sys, balm.actions.records, balm.review.records.ris; print({'inspect', 'ast'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
