"""People in the configuration screens: the system administrator makes and stops them, the security administrator
grants.

Every write goes through an action; who sees what is `accounts/permissions.py`. The admin's own sign-in and password
pages give way
to ours, which know lock-out, second factor and history.
"""

from __future__ import annotations

from typing import Any, cast

from allauth.account.decorators import secure_admin_login
from csp.decorators import csp_update
from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
)

from minsheng.accounts import actions, rules
from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.organisations.models import Unit


def _our_password_page(request: HttpRequest, extra_context: Any = None) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("account_change_password"))


admin.site.unregister(Group)
# The configuration screens take no password of their own: lock-out and second factor are in the one way in.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = _our_password_page  # type: ignore[assignment,method-assign]


class NewPersonForm(forms.ModelForm):
    """Who it is and a first password, which they change at once."""

    password = forms.CharField(
        label="初始密码",
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="首次登录时须更换。",
    )

    class Meta:
        model = User
        fields = ("username", "display_name", "staff_number")

    def clean_username(self) -> str:
        """Lower case, as stored."""
        return str(self.cleaned_data["username"]).strip().lower()


class RolesForm(forms.ModelForm):
    """Which roles, for which unit; and a password for who has forgotten theirs."""

    roles = forms.MultipleChoiceField(
        label="角色", choices=Role.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    password = forms.CharField(
        label="重设密码",
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="留空则不改。本人下次登录时须更换。",
    )
    why = forms.CharField(label="理由", max_length=200, widget=UnfoldAdminTextInputWidget, help_text="写入审计记录。")

    class Meta:
        model = User
        fields = ("roles", "unit")


_admin_view = admin.site.admin_view


def _view_with_unfolds_scripts(view: Any, cacheable: bool = False) -> Any:
    """unfold's Alpine evaluates attributes as JavaScript and htmx adds a style element: these screens alone allow both."""
    return csp_update({"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]})(_admin_view(view, cacheable))


admin.site.admin_view = _view_with_unfolds_scripts  # type: ignore[method-assign]


@admin.register(User)
class UserAdmin(ModelAdmin):
    """One list, two hands."""

    list_display = ("username", "display_name", "staff_number", "role_names", "unit", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("unit",)
    search_fields = ("username", "display_name", "staff_number")
    ordering = ("username",)
    autocomplete_fields = ()
    actions = ("stop", "restore", "unlock", "reset_second_factor")
    show_full_result_count = False

    @admin.display(description="角色")
    def role_names(self, person: User) -> str:
        """In Chinese."""
        return person.role_names

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only what the administrator's role may do."""
        offered = super().get_actions(request)
        wanted = {"stop": "deactivate", "restore": "reactivate"}
        roles = _actor(request).roles
        return {n: a for n, a in offered.items() if n in self.actions and rules.may(roles, wanted.get(n, n))}

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted: what they did stays theirs."""
        return False

    def get_form(self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A new person; a person's name; or a person's roles."""
        if obj is None:
            kwargs["form"] = NewPersonForm
        elif rules.may(_actor(request).roles, "grant_roles"):
            kwargs["form"] = RolesForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """By hand."""
        if obj is None:
            return ("username", "display_name", "staff_number", "password")
        if rules.may(_actor(request).roles, "grant_roles"):
            return ("username", "display_name", "roles", "unit", "password", "why")
        return ("username", "display_name", "staff_number", "role_names", "unit", "is_active", "deactivated_at")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """What is shown and not written here."""
        if obj is None:
            return ()
        if rules.may(_actor(request).roles, "grant_roles"):
            return ("username", "display_name")
        return ("username", "role_names", "unit", "is_active", "deactivated_at")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Units in the order of their codes."""
        if db_field.name == "unit":
            kwargs["queryset"] = Unit.objects.order_by("code")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """By the actions, which check the role again and audit."""
        data = form.cleaned_data
        common: dict[str, Any] = {"actor": _actor(request), "at": timezone.now()}
        if not change:
            made = actions.create_user(
                **common,
                username=data["username"],
                display_name=data["display_name"],
                staff_number=data["staff_number"],
                password=data["password"],
            )
            obj.pk = made.pk
        elif isinstance(form, RolesForm):
            if {"roles", "unit"} & set(form.changed_data):
                actions.grant_roles(**common, user=obj, roles=data["roles"], unit=data["unit"], why=data["why"])
            if data["password"]:
                actions.set_password(**common, user=obj, password=data["password"])
        else:
            actions.edit_person(
                **common, user=obj, display_name=data["display_name"], staff_number=data["staff_number"]
            )

    @admin.action(description="停用")
    def stop(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Deactivate."""
        for user in people:
            actions.deactivate(actor=_actor(request), at=timezone.now(), user=user)

    @admin.action(description="恢复（角色须重新授予）")
    def restore(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Reactivate."""
        for user in people:
            actions.reactivate(actor=_actor(request), at=timezone.now(), user=user)

    @admin.action(description="解除锁定")
    def unlock(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Forget failed sign-ins."""
        for user in people:
            actions.unlock(actor=_actor(request), at=timezone.now(), user=user)

    @admin.action(description="解除两步验证（手机遗失）")
    def reset_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """A lost telephone."""
        for user in people:
            actions.reset_second_factor(actor=_actor(request), at=timezone.now(), user=user)


def _actor(request: HttpRequest) -> User:
    return cast("User", request.user)
