"""Forms of members."""

from __future__ import annotations

from django import forms

from balm.review.members.roles import ROLES


class RoleForm(forms.Form):
    """A role, each with what it is."""

    role = forms.ChoiceField(
        label="Role",
        choices=[(role, f"{role}: {about}") for role, about in ROLES.items()],
        widget=forms.RadioSelect,
        initial="reviewer",
    )


class AgainForm(RoleForm):
    """An invitation for somebody who has a place already."""

    email = forms.EmailField(label="E-mail address", max_length=254)
    field_order = ("email", "role")


class InviteForm(AgainForm):
    """An invitation for somebody new."""

    name = forms.CharField(label="Name", max_length=200, help_text="As the team knows them; their code comes from it.")
    field_order = ("email", "name", "role")


class ReasonForm(forms.Form):
    """Why."""

    reason = forms.CharField(label="Reason", max_length=1000)


class ChangeRoleForm(RoleForm, ReasonForm):
    """Another role, and why."""

    field_order = ("role", "reason")


class InterestsForm(forms.Form):
    """One's own conflicts of interest."""

    interests = forms.CharField(
        label="What they are",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Financial and other; authors of a study that may be included say so here. Write “none” if there "
        "are none. The team sees it, and it is printed with the review.",
    )
