"""Topics, grounds and reasons as shipped: whole, consistent, and each leading to a unit."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.cases import reference
from minsheng.cases.choices import RequestKind
from minsheng.cases.models.reference import ReasonCode, ReasonList, RefusalGround, Topic
from minsheng.cases.reference_queries import find_topics, reason_choices, refusal_grounds, topic_tree
from minsheng.cases.reference_rules import resolve_assisting, resolve_lead, validate_required_fields, validate_rules
from minsheng.errors import Refused
from minsheng.organisations.loading import cells, read_csv
from minsheng.organisations.models import Place, Unit
from minsheng.organisations.queries import dispatchable_units

AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LEAVES = [row for row in read_csv(reference.DATA / "topics.csv") if reference.level_of(row["code"]) == 3]
GROUNDS = list(read_csv(reference.DATA / "refusal_grounds.csv"))
BLAMING = re.compile("无理|胡闹|纠缠|缠访|刁民|恶意|骚扰|你必须|您必须|不归我们|与我们无关|自己解决|不予理睬|拒绝")


@pytest.fixture(scope="module")
def data(kept_transaction: None) -> None:
    """All reference data, loaded once."""
    reference.load_reference(actor=None, at=AT)


@pytest.fixture
def loaded(data: None, db: None) -> None:
    """All of it; what a test changes is rolled back after the test."""


def topic(name: str) -> Topic:
    return Topic.objects.get(name=name, level=3)


def place(code: str) -> Place:
    return Place.objects.select_related("parent").get(code=code)


# the files


def test_the_tree_is_near_to_life_and_of_a_usable_size() -> None:
    levels = Counter(reference.level_of(row["code"]) for row in read_csv(reference.DATA / "topics.csv"))
    assert 14 <= levels[1] <= 18
    assert 80 <= levels[2] <= 120
    assert 260 <= levels[3] <= 340


def test_codes_are_six_digits_each_under_a_parent_that_is_there() -> None:
    rows = list(read_csv(reference.DATA / "topics.csv"))
    codes = [row["code"] for row in rows]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"(?!00)[0-9]{6}", code) for code in codes)
    assert all(reference.parent_code(code) in {None, *codes} for code in codes)
    with_children = {reference.parent_code(code) for code in codes}
    assert all(row["code"] in with_children for row in rows if reference.level_of(row["code"]) < 3)


def test_every_row_of_the_law_table_has_a_leaf_and_every_leaf_a_source() -> None:
    assert {int(row["law_row"]) for row in LEAVES if row["law_row"]} == set(range(1, 103))
    assert all(row["source"] for row in LEAVES)
    assert all(row["legal_basis"] for row in LEAVES if row["law_row"] and row["name"] != "文化场馆与演出")
    assert all("无出处" in row["source"] for row in LEAVES if not row["law_row"])


def test_names_and_aliases_belong_to_one_leaf_and_keywords_to_two_at_most() -> None:
    names = Counter(name for row in LEAVES for name in {row["name"], *cells(row["aliases"])})
    assert [name for name, count in names.items() if count > 1] == []
    keywords = Counter(word for row in LEAVES for word in cells(row["keywords"]))
    assert max(keywords.values()) <= 2
    assert all(3 <= len(cells(row["keywords"])) <= 8 for row in LEAVES)


def test_a_leaf_has_a_kind_and_either_a_lead_or_a_route() -> None:
    for row in LEAVES:
        assert row["default_kind"] in RequestKind.values, row["name"]
        assert bool(row["route"]) != bool(row["lead_rule"]), row["name"]
        if row["lead_rule"] in ("city", "urban"):
            assert row["default_lead"], row["name"]


@pytest.mark.parametrize(
    ("number", "flags"),
    [
        (1, {"urgent", "convenience"}), (8, set()), (12, {"convenience", "confidential"}), (31, {"urgent", "convenience"}),
        (56, {"confidential"}), (58, {"confidential"}), (85, {"urgent", "confidential"}), (87, {"confidential"}),
    ],
)  # fmt: skip
def test_flags_of_the_law_table_stand(number: int, flags: set[str]) -> None:
    row = next(row for row in LEAVES if row["law_row"] == str(number))
    assert {flag for flag in ("urgent", "convenience", "confidential") if row[flag]} == flags


def test_grounds_are_told_kindly_and_say_where_to_go() -> None:
    assert len({row["code"] for row in GROUNDS}) == len(GROUNDS) >= 15
    for row in GROUNDS:
        assert row["text"].startswith("您好"), row["code"]
        assert 40 <= len(row["text"]) <= 200, row["code"]
        assert not BLAMING.search(row["text"]), row["code"]
        assert row["legal_route"], row["code"]
        assert row["basis"], row["code"]
        assert row["source"], row["code"]
        assert all(re.fullmatch(r"1[0-9]{2,4}", number) for number in cells(row["hotlines"])), row["code"]
    reviewed = {row["code"] for row in GROUNDS if row["requires_leader_review"]}
    assert {"litigation", "criminal"} <= reviewed


def test_reasons_of_the_handbook_are_all_there() -> None:
    rows = list(read_csv(reference.DATA / "reasons.csv"))
    labels = [row["label"] for row in rows if row["list"] == "reply_refusal"]
    assert labels == [
        "答非所问",
        "无办理过程",
        "承诺无时限",
        "无依据",
        "未联系诉求人",
        "泄露隐私",
        "推诿表述",
        "绝对化承诺",
    ]
    assert [row["label"] for row in rows if row["list"] == "return"] == [
        "管辖地错误", "职责不符", "信息不全", "重复件", "已立案",
    ]  # fmt: skip
    assert {"110", "119", "120", "122", "12368"} <= {row["code"] for row in rows if row["list"] == "transfer"}
    assert {row["list"] for row in rows} == set(ReasonList.values)


@pytest.mark.parametrize("rules", [["nonsense"], ["bureau:nonsense"], ["unit:"], ["bureau:"], [""]])
def test_unknown_rules_are_refused(rules: list[str]) -> None:
    with pytest.raises(ValidationError):
        validate_rules(rules)


@pytest.mark.parametrize(
    "fields", [{}, [1], [{"name": "a"}], [{"name": "1a", "label": "x"}], [{"name": "a", "label": ""}]]
)
def test_malformed_required_fields_are_refused(fields: Any) -> None:
    with pytest.raises(ValidationError):
        validate_required_fields(fields)


# the rows


def test_every_dispatched_leaf_leads_to_a_live_unit_in_every_county_and_without_a_place(loaded: None) -> None:
    leaves = list(Topic.objects.filter(level=3, route="").select_related("default_lead"))
    by_rule = {(t.lead_rule, t.default_lead_id): t for t in leaves}
    spots = list(Place.objects.filter(dispatchable=True, level="county"))
    spots += [p.children.select_related("parent").first() for p in spots]  # type: ignore[misc]
    units = list(dispatchable_units(at=AT))
    for leaf in by_rule.values():
        assert resolve_lead(leaf, spots[0], at=AT) == resolve_lead(leaf, spots[0], at=AT, among=units), "read or given, it is the same"
        for spot in [None, *spots]:
            lead, reason = resolve_lead(leaf, spot, at=AT, among=units)
            assert lead is not None, (leaf.name, spot, reason)
            assert lead.dispatchable, leaf.name
            assert lead.is_valid(AT)
            assert leaf.name in reason
            assert lead.name in reason


def test_every_assisting_rule_means_a_unit_somewhere(loaded: None) -> None:
    spot = place("350104008")
    for leaf in Topic.objects.filter(level=3, route=""):
        lead = resolve_lead(leaf, spot, at=AT).unit
        assisting = [unit for unit, _ in resolve_assisting(leaf, spot, at=AT)]
        assert lead not in assisting
        assert len(set(assisting)) == len(assisting) >= len(set(leaf.assisting_rules)) - 1


def test_night_noise_in_cangshan_goes_to_its_enforcement_bureau_with_ecology_assisting(
    loaded: None, django_assert_num_queries: Any
) -> None:
    leaf, spot = topic("夜间施工噪声"), place("350104008")
    with django_assert_num_queries(1):
        lead, reason = resolve_lead(leaf, spot, at=AT)
    assert lead is not None
    assert lead.short_name == "仓山区城管局"
    assert reason == "夜间施工噪声 → 属地城管部门（仓山区城市管理局）：噪声法§43、§77"
    with django_assert_num_queries(1):
        assisting = resolve_assisting(leaf, spot, at=AT)
    assert "仓山生态环境局" in [unit.short_name for unit, _ in assisting if unit]


@pytest.mark.parametrize(
    ("name", "code", "lead"),
    [
        ("停水", "350104008", "福州水务"), ("停水", "350181", "福清市政府"), ("违法建设（村庄）", "350104101", "城门镇"),
        ("违法建设（村庄）", "350104", "仓山区政府"), ("河道侵占与采砂", "350102001", "市水利局"),
        ("拖欠农民工工资", "350121107", "闽侯县人社局"), ("机动车违停", "350105001", "马尾交警大队"),
    ],
)  # fmt: skip
def test_leads_by_place(name: str, code: str, lead: str, loaded: None) -> None:
    unit, reason = resolve_lead(topic(name), place(code), at=AT)
    assert unit is not None
    assert unit.short_name == lead, reason


def test_what_is_not_dispatched_says_what_to_do(loaded: None) -> None:
    assert resolve_lead(topic("餐饮油烟"), place("350128001"), at=AT) == (
        None,
        "海坛街道：由平潭综合实验区管理，本市热线不派单，请告知诉求人转平潭综合实验区办理",
    )
    unit, reason = resolve_lead(topic("家庭暴力"), place("350104"), at=AT)
    assert unit is None
    assert "110" in reason
    assert resolve_assisting(topic("家庭暴力"), place("350104"), at=AT) == []
    unit, reason = resolve_lead(Topic.objects.get(code="010000"), None, at=AT)
    assert unit is None
    assert "更细的主题" in reason


def test_a_dissolved_city_lead_gives_way_to_its_successor(loaded: None) -> None:
    old, new = Unit.objects.get(code="3501-YZGL"), Unit.objects.get(code="3501-JTJ")
    Unit.objects.filter(pk=old.pk).update(valid_to=date(2026, 1, 1), successor=new)
    assert resolve_lead(topic("快递丢失损毁"), None, at=AT).unit == new
    Unit.objects.filter(pk=old.pk).update(successor=None)
    unit, reason = resolve_lead(topic("快递丢失损毁"), None, at=AT)
    assert unit is None
    assert "没有承继单位" in reason


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("半夜打桩", "夜间施工噪声"), ("楼上漏水", "楼上漏水"), ("欠工资", "一般欠薪与加班费"), ("yjsgzs", "夜间施工噪声"),
        ("我家小区电梯坏了好几天没人修，老人下不了楼", "电梯故障停运"), ("楼下饭店油烟太大，熏得睡不着", "餐饮油烟"),
    ],
)  # fmt: skip
def test_a_topic_is_found_by_what_people_say(
    typed: str, name: str, loaded: None, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(2):
        found = find_topics(typed, at=AT)
    assert found[0].name == name


def test_reads_for_forms(loaded: None) -> None:
    assert find_topics("", at=AT) == []
    tree = topic_tree(at=AT)
    assert [t.tree_depth for t in tree[:3]] == [0, 1, 2]
    assert {reason for reason, _ in reason_choices(ReasonList.RETURN, at=AT)} >= {"wrong_place", "not_duty"}
    RefusalGround.objects.filter(code="unclear").update(valid_to=date(2026, 11, 23))
    assert "unclear" not in {ground.code for ground in refusal_grounds(at=AT)}
    assert "unclear" in {ground.code for ground in refusal_grounds(at=AT - timedelta(days=1))}


def test_loading_again_changes_nothing_and_a_broken_file_nothing_at_all(
    loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = reference.load_reference(actor=None, at=AT)
    assert {(c.created, c.updated, c.kept) for c in again.values()} == {(0, 0, 0)}
    ReasonCode.objects.all().delete()
    monkeypatch.setattr(reference, "load_topics", lambda: (_ for _ in ()).throw(ValueError("broken")))
    with pytest.raises(ValueError, match="broken"):
        reference.load_reference(actor=None, at=AT)
    assert not ReasonCode.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"code": "990101"}, {"route": "nowhere", "lead_rule": ""}, {"route": "110"}, {"lead_rule": ""},
     {"lead_rule": "city", "default_lead": None}, {"assisting_rules": ["unit:nobody"]}, {"lead_rule": "bureau:x"}],
)  # fmt: skip
def test_a_topic_that_contradicts_itself_is_refused(wrong: dict[str, Any], loaded: None) -> None:
    administrator = User.objects.create_user("admin.system", roles=[Role.SYSTEM_ADMIN])
    leaf = topic("夜间施工噪声")
    for name, value in wrong.items():
        setattr(leaf, name, value)
    with pytest.raises(Refused) as refused:
        reference.save_topic(actor=administrator, at=AT, topic=leaf)
    assert refused.value.code == "invalid"


def test_a_topic_is_saved_and_found_by_its_new_word(loaded: None) -> None:
    administrator = User.objects.create_user("admin.system", roles=[Role.SYSTEM_ADMIN])
    leaf = topic("夜间施工噪声")
    leaf.keywords = [*leaf.keywords, "通宵打桩"]
    reference.save_topic(actor=administrator, at=AT, topic=leaf)
    assert find_topics("tongxiaodazhuang", at=AT) == [leaf]
    assert reference.load_reference(actor=None, at=AT)["主题"].kept == 1
    assert "通宵打桩" in topic("夜间施工噪声").keywords
