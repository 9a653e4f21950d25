"""Tables larger than memory: the same numbers as pool_many, whatever the batches, the engine and the workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import balm
from balm.actions import pool_stream
from balm.actions.pool_stream import pool_table
from balm.stats.pooling.pool_many import pool_many
from balm.vocabulary.problems import InputError


def long_table(groups: int, seed: int = 1) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    k = rng.integers(1, 9, groups)
    n = int(k.sum())
    return {
        "g": np.repeat(np.arange(groups), k),
        "effect": rng.normal(0.2, 0.5, n),
        "variance": np.exp(rng.normal(-2.0, 0.8, n)),
    }


def write(path: Path, table: dict[str, Any], row_group: int = 100) -> Path:
    pq.write_table(pa.table(table), path, row_group_size=row_group)
    return path


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_stream, "BATCH", 37)
    monkeypatch.setattr(pool_stream, "WRITTEN_AT_ONCE", 50)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_streamed_file_has_the_numbers_of_pool_many(tmp_path: Path, ending: str) -> None:
    table = long_table(180)
    source = tmp_path / f"in.{ending}"
    if ending == "parquet":
        write(source, table)
    else:
        csv.write_csv(pa.table(table), source)
    done = pool_table(source, by="g", out=tmp_path / "out.parquet", tau2="REML", tau2_interval="q-profile")
    assert (done.groups, done.studies, done.marked) == (180, len(table["g"]), 0)
    got = pq.read_table(tmp_path / "out.parquet")
    want = balm.pool_many(table["effect"], table["variance"], table["g"], tau2="REML", tau2_interval="q-profile")
    assert got.column("g").to_pylist() == list(want.group)
    for name in ("estimate", "se", "tau2", "p", "pi_low", "tau2_high"):
        assert np.allclose(got.column(name).to_numpy(), getattr(want, name), rtol=1e-12, equal_nan=True), name


@pytest.mark.usefixtures("small_batches")
def test_the_bytes_do_not_depend_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path / "in.parquet", long_table(150))
    pool_table(source, by="g", out=tmp_path / "a.parquet")
    monkeypatch.setattr(pool_stream, "BATCH", 1000)
    pool_table(source, by="g", out=tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_units_of_row_groups_join_without_seams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = long_table(120)
    table["g"][200:260] = table["g"][200]  # one analysis that spans several row groups
    keep = np.ones(len(table["g"]), dtype=bool)
    keep[260:] = table["g"][260:] > table["g"][200]
    table = {n: c[keep] for n, c in table.items()}
    source = write(tmp_path / "in.parquet", table, row_group=25)
    plan = pool_stream.Plan(str(source), "g", {"effect": "effect", "variance": "variance"}, None, {"invalid": "mark"})
    groups = pq.ParquetFile(source).metadata.num_row_groups
    parts = [pool_stream._unit(plan, i, min(i + 2, groups)) for i in range(0, groups, 2)]
    joined = pa.concat_tables([p for p in parts if p is not None])
    assert joined.to_pandas().equals(pool_table(source, by="g").to_pandas())


def test_dask_gives_the_same_bytes_with_one_worker_and_with_two(tmp_path: Path) -> None:
    import warnings

    distributed = pytest.importorskip("distributed")
    source = write(tmp_path / "in.parquet", long_table(300), row_group=60)
    pool_table(source, by="g", out=tmp_path / "stream.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for workers in (1, 2):
            with distributed.Client(
                n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=None
            ) as client:
                out = tmp_path / f"{workers}.parquet"
                pool_table(source, by="g", out=out, engine="dask", client=client)
                assert out.read_bytes() == (tmp_path / "stream.parquet").read_bytes()


def test_listed_tables_need_no_group_column(tmp_path: Path) -> None:
    source = tmp_path / "lists.parquet"
    pq.write_table(pa.table({"effect": [[0.1, 0.3], [0.2]], "variance": [[0.02, 0.03], [0.02]]}), source)
    got = pool_table(source, tau2="DL")
    assert got.column("group").to_pylist() == [1, 2]
    assert got.column("k").to_pylist() == [2, 1]
    assert got.column("reason").to_pylist()[1]


def test_an_empty_list_takes_nothing_from_its_neighbours(tmp_path: Path) -> None:
    source = tmp_path / "lists.parquet"
    lists = {"effect": [[0.1, 0.3], [], [0.2, 0.6]], "variance": [[0.02, 0.03], [], [0.02, 0.02]]}
    pq.write_table(pa.table(lists), source)
    got, alone = pool_table(source), pool_many([0.1, 0.3, 0.2, 0.6], [0.02, 0.03, 0.02, 0.02], [1, 1, 3, 3])
    assert got.column("k").to_pylist() == [2, 0, 2]
    assert got.column("reason").to_pylist() == [None, "no usable study", None]
    for name in ("estimate", "tau2", "q", "p"):
        first, none, last = got.column(name).to_pylist()
        assert [first, last] == getattr(alone, name).tolist() and np.isnan(none), name


def test_counts_become_effects_on_the_way() -> None:
    table = {"g": ["a", "a"], "events_1": [4, 6], "n_1": [123, 306], "events_2": [11, 29], "n_2": [139, 303]}
    got = pool_table(table, by="g", measure="RR", tau2="DL")
    es = balm.effect_sizes("RR", data=table, events_1="events_1", n_1="n_1", events_2="events_2", n_2="n_2")
    assert got.column("estimate")[0].as_py() == pytest.approx(balm.pool(es, tau2="DL").estimate, rel=1e-12)


def test_unusable_rows_leave_their_analysis_empty_with_a_reason() -> None:
    table = {"g": ["a", "a", "b"], "effect": [0.1, np.nan, 0.2], "variance": [0.1, 0.1, 0.1]}
    got = pool_table(table, by="g")
    assert np.isnan(got.column("estimate")[0].as_py())
    assert "missing" in got.column("reason")[0].as_py()
    with pytest.raises(InputError, match="missing or not finite"):
        pool_table(table, by="g", invalid="raise")


def test_rows_that_are_not_neighbours_are_refused() -> None:
    table = {"g": [1, 2, 1, 1], "effect": [0.1, 0.2, 0.3, 0.1], "variance": [0.1] * 4}
    with pytest.raises(InputError, match=r"analysis 1 .*not neighbours.*sort the table by 'g'"):
        pool_table(table, by="g")


@pytest.mark.usefixtures("small_batches")
def test_names_need_not_be_sorted_only_together() -> None:
    names = [f"review {i}" for i in (9, 10, 2, 33, 1) for _ in range(20)]
    table = {"g": names, "effect": [0.1, 0.2] * 50, "variance": [0.1] * 100}
    assert pool_table(table, by="g").column("k").to_pylist() == [20] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"source": "no.parquet", "by": "g"}, "no such file"),
        ({"source": "table.xlsx", "by": "g"}, "must end in one of"),
        ({"source": {"effect": [1.0], "variance": [1.0]}, "by": "g"}, "g"),
        ({"source": {"g": ["a"], "effect": ["x"], "variance": [1.0]}, "by": "g"}, "not a number"),
        ({"source": {"g": ["a"], "effect": [1.0], "variance": [1.0]}, "by": "g", "engine": "ray"}, "engine must be"),
        ({"source": {"g": ["a"], "effect": [1.0], "variance": [1.0]}, "by": "g", "out": "o.xlsx"}, "out must end"),
        ({"source": {"effect": [1.0], "variance": [1.0]}}, "one number a row"),
    ],
)
def test_bad_input_is_one_clear_error(call: dict[str, Any], message: str) -> None:
    source = call.pop("source")
    with pytest.raises(InputError, match=message):
        pool_table(source, **call)


def test_a_failed_run_leaves_nothing_behind(tmp_path: Path) -> None:
    source = write(tmp_path / "in.parquet", {"g": [1, 2, 1], "effect": [0.1, 0.2, 0.3], "variance": [0.1] * 3})
    with pytest.raises(InputError):
        pool_table(source, by="g", out=tmp_path / "out.parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["in.parquet"]
