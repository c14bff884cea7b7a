"""An administrator's save: allowed, versioned, audited, kept in the history; and its screens."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.urls import reverse

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.audit.models import AuditEntry
from minsheng.cases import reference
from minsheng.errors import Refused
from minsheng.organisations import history
from minsheng.organisations.actions import save_reference_row
from minsheng.organisations.models import Place, Unit

pytestmark = pytest.mark.usefixtures("loaded")
AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def at() -> datetime:
    """A Monday morning in Fuzhou."""
    return AT


@pytest.fixture(scope="module")
def data(kept_transaction: None) -> None:
    """All reference data, loaded once."""
    reference.load_reference(actor=None, at=AT)


@pytest.fixture
def loaded(data: None, db: None) -> None:
    """All of it; what a test changes is rolled back after the test."""


@pytest.fixture
def administrator() -> User:
    return User.objects.create_user("admin.system", display_name="系统管理员", roles=[Role.SYSTEM_ADMIN])


def test_a_save_is_versioned_audited_and_in_the_history(administrator: User, at: datetime) -> None:
    unit = Unit.objects.get(code="350104-CGJ")
    unit.short_name = "仓山城管局"
    save_reference_row(actor=administrator, at=at, row=unit)
    unit.refresh_from_db()
    assert unit.version == 2
    assert "csqcgj" not in unit.search_key.split("\n")
    assert "cscgj" in unit.search_key
    entry = AuditEntry.objects.get(code="reference.saved")
    assert entry.detail == {"short_name": ["仓山区城管局", "仓山城管局"]}
    newest, oldest = history.versions(unit)
    assert newest.who == "系统管理员"
    assert [(c.label, c.before, c.after) for c in newest.changes] == [("简称", "仓山区城管局", "仓山城管局")]
    assert oldest.who == "系统装入"


def test_only_the_system_administrator_saves(at: datetime) -> None:
    agent = User.objects.create_user("agent", roles=[Role.AGENT])
    with pytest.raises(Refused) as refused:
        save_reference_row(actor=agent, at=at, row=Unit.objects.get(code="3501-CGW"))
    assert refused.value.code == "forbidden"


def test_a_stale_save_is_refused(administrator: User, at: datetime) -> None:
    mine, theirs = Unit.objects.get(code="3501-CGW"), Unit.objects.get(code="3501-CGW")
    save_reference_row(actor=administrator, at=at, row=theirs)
    with pytest.raises(Refused) as refused:
        save_reference_row(actor=administrator, at=at, row=mine)
    assert refused.value.code == "stale"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"kind": "nonsense"},
        {"valid_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)},
        {"loop": True},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(wrong: dict[str, Any], administrator: User, at: datetime) -> None:
    unit = Unit.objects.get(code="350104")
    if wrong.pop("loop", False):
        wrong = {"parent": Unit.objects.get(code="350104-CGJ")}
    for name, value in wrong.items():
        setattr(unit, name, value)
    with pytest.raises(Refused) as refused:
        save_reference_row(actor=administrator, at=at, row=unit)
    assert refused.value.code == "invalid"
    assert refused.value.details["message"]


@pytest.fixture
def screens(client: Any, administrator: User, settings: Any) -> Any:
    """The configuration screens, without the desks above this floor."""
    settings.MIDDLEWARE = [
        name
        for name in settings.MIDDLEWARE
        if name.startswith(("django.", "csp.")) or name.endswith("AccountMiddleware")
    ]
    client.force_login(administrator, backend="minsheng.accounts.backends.RoleBackend")
    return client


@pytest.mark.parametrize(
    ("table", "typed", "found"),
    [
        ("organisations_place", "cangshan", "仓山区"), ("organisations_unit", "csqcgj", "仓山区城市管理局"),
        ("cases_topic", "yjsgzs", "夜间施工噪声"), ("cases_refusalground", "12368", "涉法涉诉"),
        ("cases_reasoncode", "推诿", "推诿表述"),
    ],
)  # fmt: skip
def test_lists_are_searched_by_name_and_pinyin(table: str, typed: str, found: str, screens: Any) -> None:
    page = screens.get(reverse(f"admin:{table}_changelist"), {"q": typed})
    assert page.status_code == 200
    assert found in page.content.decode()


@pytest.mark.parametrize("table", ["organisations_unit", "cases_topic", "cases_refusalground", "cases_reasoncode"])
def test_forms_of_new_rows_open(table: str, screens: Any) -> None:
    assert screens.get(reverse(f"admin:{table}_add")).status_code == 200


def test_a_form_saves_by_the_action_and_history_shows_it(screens: Any) -> None:
    place = Place.objects.get(code="350104008")
    address = reverse("admin:organisations_place_change", args=[place.pk])
    drawn = screens.get(address).context["adminform"].form
    values = {name: drawn.initial.get(name) for name in drawn.fields}
    posted = {name: value for name, value in values.items() if value not in (None, False)}
    posted |= {"drawn_version": place.version, "source": "区划调整通知"}
    answer = screens.post(address, posted)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    place.refresh_from_db()
    assert (place.source, place.version) == ("区划调整通知", 2)
    page = screens.get(reverse("admin:organisations_place_history", args=[place.pk])).content.decode()
    assert "区划调整通知" in page
    assert "系统管理员" in page


def test_a_form_drawn_before_anothers_save_is_refused(screens: Any, administrator: User, at: datetime) -> None:
    place = Place.objects.get(code="350104008")
    save_reference_row(actor=administrator, at=at, row=Place.objects.get(pk=place.pk))
    posted = {
        "name": "金山",
        "level": "street",
        "parent": place.parent_id,
        "dispatchable": "on",
        "drawn_version": place.version,
    }
    with pytest.raises(Refused, match="stale"):
        screens.post(reverse("admin:organisations_place_change", args=[place.pk]), posted)


def test_nothing_is_deleted(screens: Any) -> None:
    unit = Unit.objects.get(code="3501-CGW")
    assert screens.post(reverse("admin:organisations_unit_delete", args=[unit.pk]), {"post": "yes"}).status_code == 403
