"""PRISMA flow: addresses under ``/reviews/<slug>/flow/``."""

from __future__ import annotations

from django.urls import path

from balm.web.flow import views

urlpatterns = [
    path("", views.page, name="flow"),
    path("prisma-flow.csv", views.table, name="flow_table"),
    path("prisma-flow.<slug:ending>", views.figure, name="flow_figure"),
]
