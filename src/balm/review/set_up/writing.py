"""Write a change of the plan into the text of ``review.toml`` and leave every other byte of meaning as it was.

Comments, the order of fields and what the pages do not know stay. The result is parsed again and compared with what
was meant: where the writer cannot keep a file whole, nothing is written and the error says so.
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from balm.review.plan import FILE
from balm.review.set_up.sections import Section, held
from balm.vocabulary.problems import InputError, Problem

#: A list longer than this stands one item a line.
SHORT_LIST = 3
LOSS = "cannot be changed here without loss; change the plan as a whole, as text"


def with_table(text: str, section: Section, values: Mapping[str, Any]) -> str:
    """``text`` with the fields of a section set to ``values`` (field name -> value; ``None`` takes the field out)."""
    import tomlkit

    meant = tomllib.loads(text)
    if not held(meant, section) and all(value is None for value in values.values()):
        return text
    document = tomlkit.parse(text)
    _set(_reach(document, section.path, tomlkit.table), values, tomlkit.table)
    _set(_reach(meant, section.path, dict), values, dict)
    return _checked(tomlkit.dumps(document), meant)


def with_list(text: str, section: Section, items: Sequence[tuple[int | None, Mapping[str, Any]]]) -> str:
    """``text`` with a section that is a list: each item is its place in the list as it stands, or ``None`` for a new
    one, and its values. Items not named are taken out; the order is the order given."""
    meant = tomllib.loads(text)
    if not items and not held(meant, section):
        return text
    try:
        return _checked(*_relisted(text, meant, section.path, items))
    except (ValueError, TypeError, AttributeError) as error:  # a list in braces, tables scattered over the file
        if isinstance(error, InputError):
            raise
        raise InputError(Problem(LOSS, FILE)) from None


def _relisted(
    text: str, meant: dict[str, Any], path: Sequence[str], items: Sequence[tuple[int | None, Mapping[str, Any]]]
) -> tuple[str, dict[str, Any]]:
    """The text with the list as it shall be, and what it must then say."""
    import tomlkit
    from tomlkit.items import Whitespace

    document = tomlkit.parse(text)
    holder, plain_holder = _reach(document, path[:-1], tomlkit.table), _reach(meant, path[:-1], dict)
    name = path[-1]
    old, plain_old = list(holder.get(name, ())), list(plain_holder.get(name, ()))
    tails = [_take_tail(table) for table in old]
    made, plain = [], []
    for was, values in items:
        table, plain_table = (tomlkit.table(), {}) if was is None else (old[was], copy.deepcopy(plain_old[was]))
        _set(table, values, tomlkit.table)
        _set(plain_table, values, dict)
        made.append(table)
        plain.append(plain_table)
    array = tomlkit.aot()
    for table in made:
        array.append(table)
    for table, tail in zip(old[:-1], tails[:-1], strict=True):
        while tail and isinstance(tail[-1], Whitespace):
            tail.pop()  # the next item brings its blank line along
        place = next((i for i, one in enumerate(made) if one is table), None)
        if place is not None and tail:
            _put_tail(table, tail)
            for following in made[place + 1 : place + 2]:
                following.trivia.indent = following.trivia.indent.lstrip("\n")
    if made and old:
        holder[name] = array
    elif made:
        holder.append(name, array)
    elif name in holder:
        holder.remove(name)
    if tails:  # what stands between the last item and the next section stays there
        _put_tail(made[-1] if made else document, tails[-1])
    if plain:
        plain_holder[name] = plain
    else:
        plain_holder.pop(name, None)
    return tomlkit.dumps(document), meant


def _body(table: Any) -> Any:
    """The items of a table, or of the last table inside it: where text that follows it is kept."""
    from tomlkit.items import AoT, Table

    body = table.value.body if hasattr(table, "value") and hasattr(table.value, "body") else table.body
    last = body[-1][1] if body else None
    if isinstance(last, AoT) and len(last):
        last = last[-1]
    return _body(last) if isinstance(last, Table) else body


def _take_tail(table: Any) -> list[Any]:
    """Take blank lines and comments off the end of a table."""
    body = _body(table)
    tail: list[Any] = []
    while body and body[-1][0] is None:
        tail.insert(0, body.pop()[1])
    return tail


def _put_tail(table: Any, tail: Sequence[Any]) -> None:
    _body(table).extend((None, item) for item in tail)


def _reach(container: Any, path: Sequence[str], make: Any) -> Any:
    for name in path:
        if name not in container:
            container[name] = make()
        container = container[name]
    return container


def _set(table: Any, values: Mapping[str, Any], make: Any) -> None:
    for name, value in values.items():
        *path, last = name.split(".")
        if value is None:
            inner = table
            for part in path:
                inner = inner.get(part, {})
            if last in inner:
                del inner[last]
            continue
        inner = _reach(table, path, make)
        if last in inner and _same(inner[last], value):
            continue
        inner[last] = _item(value) if make is not dict else value
    for name in {n.split(".")[0] for n in values if "." in n}:
        if name in table and not len(table[name]):
            del table[name]


def _same(old: Any, new: Any) -> bool:
    plain = old.unwrap() if hasattr(old, "unwrap") else old
    return bool(plain == new) and isinstance(plain, bool) == isinstance(new, bool)


def _item(value: Any) -> Any:
    import tomlkit

    if isinstance(value, list):
        array = tomlkit.array()
        array.extend(value)
        return array.multiline(len(value) > SHORT_LIST)
    if isinstance(value, str) and "\n" in value:
        return tomlkit.string(value, multiline='"""' not in value)
    return tomlkit.item(value)


def _checked(text: str, meant: Mapping[str, Any]) -> str:
    try:
        if tomllib.loads(text) == meant:
            return text
    except tomllib.TOMLDecodeError:
        pass
    raise InputError(Problem(LOSS, FILE))
