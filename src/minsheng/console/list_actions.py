"""What a person keeps for a list: its columns, saved views, which one opens first, and whom it is shared with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict

from minsheng.accounts.choices import CENTRE_ROLES, UNIT_ROLES, Role
from minsheng.accounts.models import User
from minsheng.cases import columns as cols
from minsheng.cases import lists
from minsheng.cases.lists import CaseList, Preferences
from minsheng.console.models import ListSetting, SavedView
from minsheng.errors import Refused

SHARERS = frozenset({Role.TEAM_LEADER, Role.SUPERVISOR, Role.HOTLINE_LEADER, Role.UNIT_LEADER})
LONGEST_NAME = 20


def preferences(user: User, code: str) -> Preferences:
    """What this person keeps for this list, for `cases.lists`. Two queries."""
    setting = ListSetting.objects.filter(user=user, list_code=code).first()
    views = list(SavedView.objects.filter(offered_to(user), list_code=code).order_by("name", "id"))
    first = next((view for view in views if setting is not None and view.pk == setting.first_id), None)
    return Preferences(
        columns=tuple(setting.columns) if setting else (),
        views=tuple(
            lists.Kept(view.pk, view.name, view.query, tuple(view.columns), view.owner_id != user.pk) for view in views
        ),
        first=first.pk if first else None,
    )


def offered_to(user: User) -> Q:
    """One's own views, and those shared with a role of one's own: by the centre to the centre, by a unit within itself."""
    shared = Q(shared_role__in=user.roles, owner__is_active=True)
    same = Q(owner__unit=user.unit_id) if user.unit_id else Q(owner__unit__isnull=True)
    return Q(owner=user) | (shared & same)


def may_share_with(user: User) -> list[Role]:
    """The roles that this person's views may be shared with."""
    if not user.has_any(SHARERS):
        return []
    wanted = UNIT_ROLES if user.unit_id else CENTRE_ROLES
    return [role for role in Role if role in wanted]


def _named(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name or len(name) > LONGEST_NAME:
        raise Refused("invalid", message=f"请给视图起个名字，最多 {LONGEST_NAME} 个字。")
    return name


def _own(actor: User, key: int) -> SavedView:
    view = SavedView.objects.select_for_update().filter(pk=key, owner=actor).first()
    if view is None:
        raise Refused("not_found")
    return view


def _setting(actor: User, code: str) -> ListSetting:
    return ListSetting.objects.get_or_create(user=actor, list_code=code)[0]


@transaction.atomic
def save_view(*, actor: User, at: datetime, spec: CaseList, name: str, query: str, first: bool = False) -> SavedView:
    """Keep a list's filters, sort and columns under a name; one's own view of that name is replaced.

    Errors: invalid (no name, or too many kept).
    """
    name = _named(name)
    User.objects.select_for_update().get(pk=actor.pk)  # two presses at once count the same views
    asked = lists.asked_for(actor, spec, QueryDict(query[:2000]), at, preferences(actor, spec.code))
    kept = SavedView.objects.filter(owner=actor)
    view = kept.filter(list_code=spec.code, name=name).first()
    if view is None and kept.count() >= settings.LISTS["views_per_person"]:
        raise Refused("invalid", message=f"最多保存 {settings.LISTS['views_per_person']} 个视图，请先在“管理视图”里删掉不用的。")
    view = view or SavedView(owner=actor, list_code=spec.code, name=name)
    view.query, view.at = asked.kept_query(), at
    view.columns = [column.code for column in asked.columns]
    view.save()
    if first:
        _put_first(actor, view)
    return view


def _put_first(actor: User, view: SavedView | None, code: str = "") -> None:
    setting = _setting(actor, view.list_code if view else code)
    setting.first = view
    setting.save(update_fields=["first"])


@transaction.atomic
def change_view(*, actor: User, at: datetime, key: int, name: str, shared_role: str) -> SavedView:
    """Rename one's own view, and say whom it is shared with. Errors: not_found, invalid, forbidden."""
    view, name = _own(actor, key), _named(name)
    if SavedView.objects.filter(owner=actor, list_code=view.list_code, name=name).exclude(pk=key).exists():
        raise Refused("invalid", message=f"已经有一个叫“{name}”的视图，请换个名字。")
    if shared_role and shared_role not in may_share_with(actor):
        raise Refused("forbidden", action="共享视图")
    view.name, view.shared_role, view.at = name, shared_role, at
    view.save(update_fields=["name", "shared_role", "at"])
    return view


@transaction.atomic
def delete_view(*, actor: User, key: int) -> None:
    """Forget one's own view; lists that opened with it open as they are. Errors: not_found."""
    _own(actor, key).delete()


@transaction.atomic
def open_first(*, actor: User, key: int, first: bool) -> None:
    """Whether a list opens with this view. Errors: not_found."""
    view = SavedView.objects.filter(offered_to(actor), pk=key).first()
    if view is None:
        raise Refused("not_found")
    setting = _setting(actor, view.list_code)
    if first or setting.first_id == view.pk:
        _put_first(actor, view if first else None, view.list_code)


@transaction.atomic
def choose_columns(*, actor: User, at: datetime, spec: CaseList, codes: Sequence[str], view: int | None = None) -> None:
    """Add these columns to the list; where one's own view is in use, to that view. Errors: invalid (too many)."""
    if len(set(codes)) > cols.MOST:
        raise Refused("invalid", message=f"最多再加 {cols.MOST} 列，标题才放得下。请去掉几列。")
    wanted = [column.code for column in cols.known(codes, actor)]
    if view is not None and SavedView.objects.filter(pk=view, owner=actor, list_code=spec.code).update(columns=wanted, at=at):
        return
    setting = _setting(actor, spec.code)
    setting.columns = wanted
    setting.save(update_fields=["columns"])
