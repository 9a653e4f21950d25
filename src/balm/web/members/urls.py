"""Members and invitations: addresses under ``/reviews/<slug>/members/``."""

from __future__ import annotations

from django.urls import path

from balm.web.members import views

urlpatterns = [
    path("", views.members, name="members"),
    path("invite/", views.invite, name="members_invite"),
    path("interests/", views.interests, name="members_interests"),
    path("invitations/<int:number>/withdraw/", views.withdraw, name="members_withdraw"),
    path("<slug:code>/", views.member, name="members_member"),
    path("<slug:code>/role/", views.role, name="members_role"),
    path("<slug:code>/remove/", views.remove, name="members_remove"),
    path("<slug:code>/invite-again/", views.invite_again, name="members_invite_again"),
]
