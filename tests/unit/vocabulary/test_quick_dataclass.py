"""The quick data classes beside the standard ones: the same behaviour, seen from everywhere it is looked at."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys

import pytest

from balm.vocabulary import quick_dataclass as quick


def classes(decorate, field):
    @decorate(frozen=True)
    class Arm:
        """An arm."""

        events: int
        n: int = 10
        notes: list[str] = field(default_factory=list)

    @decorate()
    class Open:
        """One that may change."""

        a: int
        b: int = 2

    @decorate(frozen=True, eq=False)
    class Identity:
        """Equal to itself alone."""

        a: int

    return Arm, Open, Identity


QUICK = classes(quick.dataclass, quick.field)
STANDARD = classes(dataclasses.dataclass, dataclasses.field)


@quick.dataclass(frozen=True, slots=True)
class Pair:
    """Known by its name, so that it can be pickled."""

    low: float
    high: float = 1.0


def answers(of, *given, **named):
    """The instance in words, or the kind of error."""
    try:
        return repr(of(*given, **named)).rpartition(".")[2]
    except TypeError:
        return "TypeError"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ((1,), {}),
        ((1, 2), {}),
        ((1, 2, ["x"]), {}),
        ((), {"events": 1}),
        ((1,), {"notes": ["y"]}),
        ((), {"n": 3, "notes": [], "events": 1}),
        ((), {}),
        ((), {"n": 3}),
        ((1,), {"events": 1}),
        ((1, 2), {"events": 1}),
        ((1,), {"other": 1}),
        ((1, 2), {"other": 1}),
        ((1, 2, [], 4), {}),
    ],
)
def test_instances_are_made_and_refused_as_by_the_standard_one(given, named):
    assert answers(QUICK[0], *given, **named) == answers(STANDARD[0], *given, **named)


@pytest.mark.parametrize(("arm", "open_one", "identity"), [QUICK, STANDARD], ids=["quick", "standard"])
def test_equality_order_of_fields_and_freezing(arm, open_one, identity):
    assert arm(1, 2) == arm(events=1, n=2)
    assert arm(1, 2) != arm(1, 3)
    assert arm(1, 2) != open_one(1, 2)
    assert arm(1).notes is not arm(1).notes
    assert identity(1) != identity(1)
    assert len({identity(1), identity(1)}) == 2
    with pytest.raises(TypeError):
        hash(open_one(1))
    one = open_one(1)
    one.b = 5
    assert one == open_one(1, 5)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'n'"):
        arm(1).n = 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'n'"):
        del arm(1).n


@pytest.mark.parametrize(("arm", "open_one", "identity"), [QUICK, STANDARD], ids=["quick", "standard"])
def test_the_standard_library_sees_a_data_class(arm, open_one, identity):
    assert dataclasses.is_dataclass(arm)
    assert [f.name for f in dataclasses.fields(arm)] == ["events", "n", "notes"]
    assert [f.name for f in dataclasses.fields(arm(1))] == ["events", "n", "notes"]
    assert dataclasses.replace(arm(1), n=7) == arm(1, 7)
    assert quick.replace(arm(1), n=7) == arm(1, 7)
    assert dataclasses.asdict(open_one(1)) == {"a": 1, "b": 2}
    assert list(inspect.signature(arm).parameters) == ["events", "n", "notes"]
    assert inspect.signature(arm).parameters["n"].default == 10
    match open_one(1, 4):
        case open_one(a, b):
            assert (a, b) == (1, 4)


def test_copies_and_pickles():
    pair = Pair(0.5)
    assert hash(pair) == hash(Pair(0.5, 1.0))
    assert copy.copy(pair) == copy.deepcopy(pair) == pickle.loads(pickle.dumps(pair)) == pair
    assert repr(pair) == "Pair(low=0.5, high=1.0)"


def test_declaring_one_imports_nothing_slow():
    code = "import sys; from balm.vocabulary.interval import Interval; Interval(0.0, 1.0, 0.95)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect"} & set(done.stdout.split())
