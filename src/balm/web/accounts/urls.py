"""Accounts, the links that begin them, and the start of a review."""

from __future__ import annotations

from django.urls import path

from balm.web.accounts import views

urlpatterns = [
    path("account/", views.account, name="account"),
    path("set-up/<str:secret>/", views.first_account, name="first_account"),
    path("invitations/<str:secret>/", views.invitation, name="invitation"),
    path("reviews/new/", views.new_review, name="new_review"),
]
