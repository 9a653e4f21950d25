"""Pool every analysis of a table larger than memory: rows stream in, one result a group streams out.

A table is *long* (one row a study, with a column that names the analysis; rows of an analysis are neighbours) or
*listed* (one row an analysis, its effects and variances as lists). It is read in batches, an analysis cut by the end of
a batch is carried into the next one, and results are written in rows of a fixed number of analyses, so the file that
comes out does not depend on how the work was divided.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from balm.actions.arrow_columns import column as arrow_column
from balm.actions.arrow_columns import floats, integers, texts
from balm.actions.whole_file import whole_file
from balm.stats.effect_sizes import effect_sizes
from balm.stats.measures import MEASURES
from balm.stats.pooling.pool_many import COLUMNS, pool_many, pool_ragged
from balm.vocabulary.problems import InputError, Problem, check_option

ENGINES = ("stream", "dask")
ENDINGS = (".parquet", ".csv")

#: Studies read at once: half as many took a tenth more time, twice as many no less and more memory.
BATCH = 1 << 17

#: Analyses in one row group of the result.
WRITTEN_AT_ONCE = 1 << 15

#: Columns of a few whole numbers, written as a dictionary of them; the other numbers are noise in all their digits,
#: which compression only costs time for.
FEW_VALUES = ("k", "df")
COMPRESSION = "snappy"

#: Row groups of the source that make one unit of work on a cluster.
ROW_GROUPS_A_UNIT = 4


@dataclass(frozen=True)
class Streamed:
    """What was done: ``groups`` analyses of ``studies`` studies, ``marked`` without a result, written to ``out``."""

    groups: int
    studies: int
    marked: int
    out: Path | None
    frame: Any = field(default=None, repr=False)

    def __repr__(self) -> str:
        where = "" if self.out is None else f", written to {self.out}"
        left = "" if not self.marked else f"; {self.marked} without a result (column `reason`)"
        return f"{self.groups} analyses of {self.studies} studies{where}{left}"


@dataclass(frozen=True)
class Plan:
    """What to read and how to pool it; small and picklable, so that a cluster is sent paths and never arrays."""

    path: str
    by: str | None
    columns: Mapping[str, str]
    measure: str | None
    options: Mapping[str, Any]


def pool_table(
    source: Any,
    *,
    by: str | None = None,
    out: str | Path | None = None,
    measure: str | None = None,
    effect: str = "effect",
    variance: str = "variance",
    engine: str = "stream",
    client: Any = None,
    progress: Any = None,
    **options: Any,
) -> Any:
    """Pool each group of rows of a Parquet or CSV file (or of a frame), in bounded memory.

    source  : a path ending in .parquet or .csv, or a pandas, polars or Arrow table.
    by      : the column that names the analysis; its rows must be neighbours (sort the table by it first). Leave it out
              when ``effect`` and ``variance`` hold lists, one analysis a row; then a column ``group`` counts the rows.
    out     : where the results go (.parquet or .csv); written beside it first and moved there when whole. Without it
              the results come back as an Arrow table.
    measure : compute effects first, from columns called like the arguments of :func:`balm.effect_sizes`.
    engine  : "stream" reads batch by batch in this process; "dask" gives units of row groups of a Parquet file to a
              Dask cluster (``client``, or a local one) and writes the same bytes, however many workers there are.
    options : those of :func:`balm.pool_many`; ``invalid="mark"`` (the default here) leaves an analysis with an unusable
              row empty and says why in the column ``reason`` instead of stopping.

    Returns :class:`Streamed` with ``out``, else an Arrow table. Needs pyarrow (``pip install 'balm[tables]'``).

    >>> from balm.actions.pool_stream import pool_table
    >>> table = pool_table({"g": ["a", "a", "b"], "effect": [0.1, 0.3, 0.2], "variance": [0.02, 0.03, 0.02]}, by="g")
    >>> table.column("k").to_pylist()
    [2, 1]
    """
    check_option("engine", engine, ENGINES)
    if measure is not None:
        check_option("measure", measure, list(MEASURES))
    target = None if out is None else Path(out)
    if target is not None and target.suffix.lower() not in ENDINGS:
        raise InputError(f"out must end in one of {list(ENDINGS)}; got {str(out)!r}")
    columns = _columns_read(measure, effect, variance)
    options.setdefault("invalid", "mark")
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.suffix.lower() not in ENDINGS:
            raise InputError(f"source must end in one of {list(ENDINGS)}; got {str(source)!r}")
        if not path.is_file():
            raise InputError(Problem("there is no such file", file=str(source)))
        plan = Plan(str(path), by, columns, measure, options)
        if engine == "dask":
            results: Iterable[Any] = _on_cluster(plan, client)
        else:
            results = _results(plan, _batches(plan))
    else:
        if engine == "dask":
            raise InputError('engine="dask" reads a Parquet file; give its path instead of a frame')
        plan = Plan("table", by, columns, measure, options)
        _present(plan, list(_arrow(source).column_names))
        results = _results(plan, _arrow(source).select(_needed(plan)).to_batches(max_chunksize=BATCH))
    return _gather(results, target, progress)


def _columns_read(measure: str | None, effect: str, variance: str) -> dict[str, str]:
    if measure is None:
        return {"effect": effect, "variance": variance}
    if (effect, variance) != ("effect", "variance"):
        raise InputError("effect= and variance= name columns of ready effects; with measure= the effects are computed")
    return {name: name for name in MEASURES[measure].columns}


def _needed(plan: Plan) -> list[str]:
    return [*([plan.by] if plan.by else []), *plan.columns.values()]


def _pyarrow(part: str = "") -> Any:
    try:
        return import_module(f"pyarrow.{part}" if part else "pyarrow")
    except ImportError:
        raise InputError("streaming tables needs pyarrow: pip install 'balm[tables]'") from None


def _arrow(source: Any) -> Any:
    pa = _pyarrow()
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, Mapping):
        return pa.table({str(n): np.asarray(v) for n, v in source.items()})
    if hasattr(source, "to_arrow"):
        return source.to_arrow()
    if hasattr(source, "columns"):
        return pa.Table.from_pandas(source, preserve_index=False)
    raise InputError(f"source must be a path or a table; got {type(source).__name__}")


def _present(plan: Plan, names: list[str]) -> None:
    missing = [n for n in _needed(plan) if n not in names]
    if missing:
        raise InputError(Problem(f"there is no column {missing}; the columns are {names[:30]}", file=plan.path))


def _batches(plan: Plan) -> Iterator[Any]:
    """Record batches of the whole file with the columns needed, about :data:`BATCH` rows each."""
    path = Path(plan.path)
    if path.suffix.lower() == ".parquet":
        file = _parquet(plan)
        yield from file.iter_batches(batch_size=BATCH, columns=_needed(plan))
        return
    csv = _pyarrow("csv")
    try:
        reader = csv.open_csv(
            plan.path,
            read_options=csv.ReadOptions(block_size=8 << 20),
            convert_options=csv.ConvertOptions(include_columns=_needed(plan), null_values=["", "NA", "nan", "NaN"]),
        )
        yield from reader
    except Exception as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(Problem(str(problem).splitlines()[0], file=plan.path)) from None


def _parquet(plan: Plan) -> Any:
    parquet = _pyarrow("parquet")
    try:
        file = parquet.ParquetFile(plan.path, pre_buffer=False)
    except Exception as problem:
        raise InputError(Problem(f"is not a readable Parquet file: {problem}", file=plan.path)) from None
    _present(plan, list(file.schema_arrow.names))
    return file


@dataclass
class _Rows:
    """Rows of whole analyses: labels (long tables) or offsets (listed tables), and the numbers."""

    labels: Any
    values: dict[str, Any]
    offsets: Any = None


def _results(plan: Plan, batches: Iterable[Any], *, first: Any = None, until_start_of: Any = None) -> Iterator[Any]:
    """Result tables of the batches, in order; an analysis cut by a batch's end is carried over."""
    if plan.by is None:
        done = 0
        for batch in batches:
            rows = _listed(plan, batch, done)
            done += batch.num_rows
            yield _pooled(plan, rows)
        return
    seen = _Seen(plan)
    carry: Any = None
    pa = _pyarrow()
    for batch in batches:
        table = pa.Table.from_batches([batch])
        if carry is not None and carry.num_rows:
            table = pa.concat_tables([carry, table])
        if table.num_rows == 0:
            continue
        labels = table.column(plan.by).combine_chunks()
        if labels.null_count:
            raise InputError(
                Problem(
                    f"column {plan.by!r} has an empty cell: every row needs the name of its analysis", file=plan.path
                )
            )
        starts = _starts(labels)
        last = int(starts[-1])
        carry = table.slice(last)
        if last:
            names = labels.take(arrow_column(starts[:-1]))
            seen.check(names)
            yield _pooled(plan, _long(plan, table.slice(0, last), names, starts))
    if carry is not None and carry.num_rows:
        names = carry.column(plan.by).combine_chunks().slice(0, 1)
        seen.check(names)
        yield _pooled(plan, _long(plan, carry, names, np.array([0, carry.num_rows])))


def _starts(labels: Any) -> Any:
    """Where each run of one label begins; ``labels`` has no missing ones."""
    if _pyarrow("types").is_integer(labels.type):
        numbers = integers(labels)
        changed = np.flatnonzero(numbers[1:] != numbers[:-1])
    else:
        compute = _pyarrow("compute")
        unlike = compute.not_equal(labels.slice(1), labels.slice(0, len(labels) - 1))
        changed = integers(compute.indices_nonzero(unlike))
    return np.concatenate(([0], changed + 1))


class _Seen:
    """That no analysis comes back after another one began.

    Numbers that ascend need no memory. Other labels are remembered by their hash; numbers that stop ascending after
    they began so are refused, because what came before is not remembered.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.last: Any = None
        self.ascending: bool | None = None
        self.hashes: set[int] = set()

    def check(self, labels: Any) -> None:
        types = _pyarrow("types")
        if self.ascending is not False and (types.is_integer(labels.type) or types.is_floating(labels.type)):
            values = integers(labels) if types.is_integer(labels.type) else floats(labels)
            down = np.flatnonzero(np.diff(values) <= 0)
            late = self.last is not None and values[0] <= self.last
            if not len(down) and not late:
                self.ascending, self.last = True, values[-1]
                return
            if self.ascending:
                raise InputError(self._problem(values[0 if late else down[0] + 1].item()))
        self.ascending = False
        for name in labels.to_pylist():
            key = hash(name)
            if key in self.hashes:
                raise InputError(self._problem(name))
            self.hashes.add(key)

    def _problem(self, name: Any) -> Problem:
        return Problem(
            f"the rows of analysis {name!r} are not neighbours, or its number stops ascending: "
            f"sort the table by {self.plan.by!r} first",
            file=self.plan.path,
            column=str(self.plan.by),
        )


def _numbers(plan: Plan, name: str, column: Any) -> Any:
    try:
        values = column.combine_chunks() if hasattr(column, "combine_chunks") else column
        return floats(values)
    except Exception:
        raise InputError(
            Problem(f"holds something that is not a number ({column.type})", file=plan.path, column=name)
        ) from None


def _long(plan: Plan, table: Any, names: Any, offsets: Any) -> _Rows:
    return _Rows(names, {n: _numbers(plan, c, table.column(c)) for n, c in plan.columns.items()}, offsets)


def _listed(plan: Plan, batch: Any, done: int) -> _Rows:
    pa = _pyarrow()
    values, offsets = {}, None
    for name, column in plan.columns.items():
        array = batch.column(batch.schema.get_field_index(column))
        if not (pa.types.is_list(array.type) or pa.types.is_large_list(array.type)):
            raise InputError(
                Problem(
                    "holds one number a row: name the analyses with by=, or give lists", file=plan.path, column=column
                )
            )
        here = integers(array.offsets)
        flat = array.values.slice(int(here[0]), int(here[-1] - here[0]))
        values[name] = _numbers(plan, column, flat)
        here = here - here[0]
        if offsets is not None and not np.array_equal(here, offsets):
            raise InputError(Problem("lists of one row differ in length", file=plan.path, column=column))
        offsets = here
    return _Rows(arrow_column(np.arange(done + 1, done + batch.num_rows + 1)), values, offsets)


def _pooled(plan: Plan, rows: _Rows) -> Any:
    """One Arrow table of results for whole analyses."""
    pa = _pyarrow()
    sizes = np.diff(rows.offsets)
    many = _pooled_many(plan, rows, sizes)
    count = len(sizes)
    place = np.empty(0, dtype=np.int64) if many is None else np.asarray(many.group, dtype=np.int64)
    whole = len(place) == count  # each analysis has a result, in the order they came

    def placed(name: str, absent: float) -> Any:
        if many is not None and whole:
            return arrow_column(getattr(many, name))
        full = np.full(count, absent)
        if many is not None:
            full[place] = getattr(many, name)
        return arrow_column(full)

    columns: dict[str, Any] = {plan.by or "group": rows.labels, "k": placed("k", 0)}
    ends = ("tau2_low", "tau2_high") if plan.options.get("tau2_interval") is not None else ()
    columns |= {name: placed(name, math.nan) for name in (*COLUMNS, *ends)}
    reasons: list[str | None] = [None] * count
    if many is not None and many.reasons:
        for i, why in many.reasons.items():
            reasons[int(place[i])] = why.split(": ", 1)[-1] if why.startswith("row ") else why
    for i in np.setdiff1d(np.arange(count), place).tolist() if not whole else ():
        reasons[i] = "no usable study"
    columns["reason"] = texts(reasons) if any(reasons) else pa.nulls(count, pa.string())
    # Numbers are never null (nan where there is none): said in the schema, no level is written for each.
    fields = [
        pa.field(name, column.type, nullable=name not in ("k", *COLUMNS, *ends)) for name, column in columns.items()
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _pooled_many(plan: Plan, rows: _Rows, sizes: Any) -> Any:
    """Results of the analyses that have a study to pool, ``group`` being their places; None where none has."""
    if plan.measure is None and len(sizes) and sizes.min() > 0:
        return pool_ragged(
            rows.values["effect"], rows.values["variance"], rows.offsets, np.arange(len(sizes)), **plan.options
        )
    number = np.repeat(np.arange(len(sizes)), sizes)
    if plan.measure is None:
        y, v = rows.values["effect"], rows.values["variance"]
    else:
        es = effect_sizes(plan.measure, missing="drop", **rows.values)
        keep = np.ones(len(number), dtype=np.bool_)
        if len(es) != len(number):
            keep = np.isfinite(np.column_stack(list(rows.values.values()))).all(axis=1)
        y, v, number = es.effect, es.variance, number[keep]
    return pool_many(y, v, number, **plan.options) if len(number) else None


def _in_row_groups(results: Iterable[Any]) -> Iterator[Any]:
    """The same rows in tables of :data:`WRITTEN_AT_ONCE`, whatever the sizes they came in."""
    pa = _pyarrow()
    waiting: list[Any] = []
    rows = 0
    for table in results:
        waiting.append(table)
        rows += table.num_rows
        while rows >= WRITTEN_AT_ONCE:
            whole = pa.concat_tables(waiting)
            yield whole.slice(0, WRITTEN_AT_ONCE)
            rest = whole.slice(WRITTEN_AT_ONCE)
            waiting, rows = [rest], rest.num_rows
    if rows:
        yield pa.concat_tables(waiting)


def _gather(results: Iterable[Any], target: Path | None, progress: Any) -> Any:
    pa = _pyarrow()
    if target is None:
        tables = list(results)
        if not tables:
            raise InputError("the table is empty: there is nothing to pool")
        return pa.concat_tables(tables).combine_chunks()
    groups = studies = marked = 0
    with whole_file(target) as out:
        writer: Any = None
        try:
            for table in _in_row_groups(results):
                if writer is None:
                    writer = _writer(target, out, table.schema)
                writer.write_table(table)
                groups += table.num_rows
                studies += int(integers(table.column("k").combine_chunks()).sum())
                marked += int(np.isnan(floats(table.column("estimate").combine_chunks())).sum())
                if progress is not None:
                    progress(groups)
        finally:
            if writer is not None:
                writer.close()
        if writer is None:
            raise InputError("the table is empty: there is nothing to pool")
    return Streamed(groups, studies, marked, target)


def _writer(target: Path, out: IO[bytes], schema: Any) -> Any:
    if target.suffix.lower() == ".csv":
        return _pyarrow("csv").CSVWriter(out, schema)
    number = _pyarrow("types").is_primitive
    compression = {name: "none" if number(schema.field(name).type) else COMPRESSION for name in schema.names}
    return _pyarrow("parquet").ParquetWriter(
        out, schema, compression=compression, use_dictionary=list(FEW_VALUES), write_statistics=False
    )


# ---- the same on a Dask cluster ----------------------------------------------------------------------------------


def _unit(plan: Plan, first: int, last: int) -> Any:
    """Results of the analyses that begin in row groups ``first`` to ``last - 1``: one unit, from the path alone."""
    pa = _pyarrow()
    file = _parquet(plan)
    if plan.by is None:
        before = sum(file.metadata.row_group(i).num_rows for i in range(first))
        batches = file.iter_batches(batch_size=BATCH, columns=_needed(plan), row_groups=list(range(first, last)))
        parts = []
        for batch in batches:
            parts.append(_pooled(plan, _listed(plan, batch, before)))
            before += batch.num_rows
        return pa.concat_tables(parts) if parts else None
    began = None
    if first:
        began = file.read_row_group(first - 1, columns=[plan.by]).column(0)[-1].as_py()
    results = _results(plan, _rows_of_unit(plan, file, first, last, began))
    parts = list(results)
    return pa.concat_tables(parts) if parts else None


def _rows_of_unit(plan: Plan, file: Any, first: int, last: int, began: Any) -> Iterator[Any]:
    """Batches without the rows of an analysis that began before, and with those that finish one begun here."""
    skipping = began is not None
    label: Any = None
    index = None
    for batch in file.iter_batches(batch_size=BATCH, columns=_needed(plan), row_groups=list(range(first, last))):
        index = batch.schema.get_field_index(plan.by)
        if skipping:
            names = batch.column(index)
            starts = _starts(names)
            cut = 0
            if names[0].as_py() == began:
                cut = int(starts[1]) if len(starts) > 1 else batch.num_rows
            batch = batch.slice(cut)
            skipping = batch.num_rows == 0
        if batch.num_rows:
            label = batch.column(index)[-1].as_py()
            yield batch
    if label is None:
        return
    for group in range(last, file.metadata.num_row_groups):
        for batch in file.iter_batches(batch_size=BATCH, columns=_needed(plan), row_groups=[group]):
            names = batch.column(batch.schema.get_field_index(plan.by))
            if names[0].as_py() != label:
                return
            starts = _starts(names)
            if len(starts) > 1:
                yield batch.slice(0, int(starts[1]))
                return
            yield batch


def _on_cluster(plan: Plan, client: Any) -> Iterator[Any]:
    """Units of row groups on a Dask cluster, gathered in the file's order, a few ahead of the writer."""
    if Path(plan.path).suffix.lower() != ".parquet":
        raise InputError('engine="dask" reads Parquet; write the CSV as Parquet first (pool_table streams CSV itself)')
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise InputError("engine=\"dask\" needs Dask: pip install 'balm[cluster]'") from None
    groups = _parquet(plan).metadata.num_row_groups
    units = [(i, min(i + ROW_GROUPS_A_UNIT, groups)) for i in range(0, groups, ROW_GROUPS_A_UNIT)]
    plan = Plan(str(Path(plan.path).resolve()), plan.by, plan.columns, plan.measure, plan.options)
    own = client is None
    if own:
        client = distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    try:
        ahead = max(4, 2 * len(client.scheduler_info()["workers"]))
        waiting: list[Any] = []
        for unit in units:
            waiting.append(client.submit(_unit, plan, *unit, pure=False))
            if len(waiting) >= ahead:
                table = waiting.pop(0).result()
                if table is not None:
                    yield table
        for future in waiting:
            table = future.result()
            if table is not None:
                yield table
    finally:
        if own:
            client.shutdown()
