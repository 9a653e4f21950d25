"""Every address of the application, found by asking the resolver: a view that is new is walked without being listed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, UUIDConverter
from django.urls.resolvers import RegexPattern

from balm.store.reviews.models import Review, Row

#: Columns that name a row, and the table in which a real one is found: a walk with real ids gets further.
REAL = {
    "record": "records.csv",
    "report": "reports.csv",
    "study": "studies.csv",
    "result": "results.csv",
    "search": "searches.csv",
    "contrast": "contrasts.csv",
}


@dataclass(frozen=True)
class Address:
    """One pattern of the resolver: its route, its view, and what its route asks for."""

    route: str
    view: Callable[..., Any]
    asks: dict[str, Any]

    @property
    def act(self) -> str:
        """What the view says one must be allowed to do; empty where it says nothing."""
        return getattr(self.view, "act", "")

    @property
    def of_a_library(self) -> bool:
        """Whether the view belongs to the account pages of allauth or to the API, which have rules of their own."""
        return self.view.__module__.startswith(("allauth.", "ninja.")) or self.route.startswith("api/")

    def path(self, review: Review) -> str:
        """The address with a value in each place."""
        path = self.route
        for name, (placeholder, converter) in self.asks.items():
            path = path.replace(placeholder, value_for(name, converter, review), 1)
        return f"/{path}"


def value_for(name: str, converter: Any, review: Review) -> str:
    """A value for a place of an address: a real one where there is one."""
    if name == "slug":
        return review.slug
    if name == "code":
        return "tariq"
    if name in REAL:
        row = Row.objects.filter(review=review, table=REAL[name]).order_by("position").first()
        if row is not None and not isinstance(converter, IntConverter):
            return row.key.split("\x1f")[0]
    if isinstance(converter, IntConverter):
        return "1"
    if isinstance(converter, UUIDConverter):
        return "00000000-0000-4000-8000-000000000000"
    choices = ["x", "1", *converter.regex.strip("()").removeprefix("?:").split("|")]
    return next(choice for choice in choices if re.fullmatch(converter.regex, choice))


def addresses() -> list[Address]:
    """Every address there is, in the resolver's order."""
    return list(_walk(get_resolver().url_patterns, "", {}))


def _walk(patterns: list[Any], before: str, asked: dict[str, Any]) -> Iterator[Address]:
    for one in patterns:
        if isinstance(one.pattern, RegexPattern):
            continue  # the links in mails of the account library; test_accounts follows them
        route = before + str(one.pattern)
        asks = asked | {
            name: (_placeholder(str(one.pattern), name), converter)
            for name, converter in one.pattern.converters.items()
        }
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route, asks)
        elif isinstance(one, URLPattern):
            yield Address(route, one.callback, asks)


def _placeholder(route: str, name: str) -> str:
    for part in route.split("<")[1:]:
        inside = part.split(">")[0]
        if inside.split(":")[-1] == name:
            return f"<{inside}>"
    raise AssertionError(f"{route} asks for no {name}")
