"""Synthesis: addresses under ``/reviews/<slug>/synthesis/``."""

from __future__ import annotations

from django.urls import path

from balm.web.synthesis import networks, views

urlpatterns = [
    path("", views.page, name="synthesis"),
    path("network/", networks.page, name="synthesis_network"),
    path("network/<slug:kind>.<slug:ending>", networks.figure, name="synthesis_network_figure"),
    path("network/table/<slug:kind>.<slug:ending>", networks.table, name="synthesis_network_table"),
    path("<slug:kind>.<slug:ending>", views.figure, name="synthesis_figure"),
    path("table/analysis.<slug:ending>", views.table, name="synthesis_table"),
    path("pin/", views.pin, name="synthesis_pin"),
    path("pin-again/", views.again, name="synthesis_pin_again"),
    path("pinned/<int:number>.json", views.pinned_result, name="synthesis_pinned"),
]
