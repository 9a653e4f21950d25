"""Where the pieces of the work run: one after the other here, or beside each other on a Dask cluster.

A piece is one blocking key, or one chunk of pairs with the records it is about. The functions are the same in both
places and each pair is judged by itself, so the outcome is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from balm.vocabulary.problems import InputError, check_option

ENGINES = ("local", "dask")
#: Calls a function with each tuple of arguments and yields what it returns, in the same order.
Each = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], Iterator[Any]]


def one_by_one(function: Callable[..., Any], pieces: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """Here, one after the other."""
    for arguments in pieces:
        yield function(*arguments)


@contextmanager
def engine_named(engine: str, client: Any = None) -> Iterator[Each]:
    """The engine called ``engine``; ``client`` is a Dask client, and without one a cluster of this computer is made."""
    check_option("engine", engine, ENGINES)
    if engine == "local":
        if client is not None:
            raise InputError('client is the cluster of engine="dask"; leave it out, or name that engine')
        yield one_by_one
        return
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise InputError("engine=\"dask\" needs Dask: pip install 'balm[cluster]'") from None
    own = client is None
    if own:
        client = distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None)
    try:
        yield lambda function, pieces: _on_cluster(client, function, pieces)
    finally:
        if own:
            client.shutdown()


def _on_cluster(client: Any, function: Callable[..., Any], pieces: Iterable[tuple[Any, ...]]) -> Iterator[Any]:
    """A few pieces ahead of the one being read, so that neither side holds all of them."""
    ahead = max(4, 2 * len(client.scheduler_info()["workers"]))
    waiting: list[Any] = []
    for arguments in pieces:
        waiting.append(client.submit(function, *arguments, pure=False))
        if len(waiting) >= ahead:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()
