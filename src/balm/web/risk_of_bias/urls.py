"""Risk of bias: addresses under ``/reviews/<slug>/risk-of-bias/``."""

from __future__ import annotations

from django.urls import path

from balm.web.risk_of_bias import views

_TARGET = "<slug:name>/<str:study>/<str:place>/"

urlpatterns = [
    path("", views.index, name="risk_of_bias"),
    path("figures/<int:number>/<slug:kind>.<slug:ending>", views.figure, name="risk_of_bias_figure"),
    path(_TARGET, views.assessment, name="risk_of_bias_assessment"),
    path(f"{_TARGET}finish/", views.finish, name="risk_of_bias_finish"),
    path(f"{_TARGET}domains/<str:step>/", views.domain, name="risk_of_bias_domain"),
    path(f"{_TARGET}domains/<str:step>/proposal/", views.proposal, name="risk_of_bias_proposal"),
    path(f"{_TARGET}consensus/", views.consensus, name="risk_of_bias_consensus"),
    path(f"{_TARGET}consensus/accept/", views.accept, name="risk_of_bias_accept"),
    path(f"{_TARGET}consensus/<str:step>/", views.decide, name="risk_of_bias_decide"),
]
