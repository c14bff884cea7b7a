"""Where a case happened: kept with it, judged, shown to whom the address is shown; streets learned and proposed; the map."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.cases import actions, filters, mapping, streets
from minsheng.cases.actions.confidentiality import make_confidential
from minsheng.cases.models import Case, StreetWord
from minsheng.cases.panels.intake import details_of
from minsheng.cases.tests.world import World, fresh
from minsheng.errors import Refused
from minsheng.organisations.coordinates import Point

HERE = Point.of("119.271149", "26.041351")  # 建新镇
ELSEWHERE = Point.of("118.089400", "24.479800")  # Xiamen


@pytest.fixture(autouse=True)
def fresh_counts() -> None:
    cache.clear()


# --- kept and judged ---------------------------------------------------------------------------------------------


def test_a_point_comes_with_the_case_and_can_be_corrected_and_taken_away(world: World) -> None:
    case = world.submitted(point=HERE)
    assert fresh(case).point == HERE
    moved = Point.of("119.280000", "26.050000")
    actions.correct_case(actor=world["agent"], at=world.later(minutes=1), case=case, details=details_of(fresh(case), point=moved))
    assert fresh(case).point == moved
    actions.correct_case(actor=world["agent"], at=world.later(minutes=1), case=case, details=details_of(fresh(case), point=None))
    assert (fresh(case).longitude, fresh(case).latitude) == (None, None)


def test_what_is_corrected_beside_it_leaves_the_point(world: World) -> None:
    case = world.submitted(point=HERE)
    actions.correct_case(actor=world["agent"], at=world.later(minutes=1), case=case, details=details_of(fresh(case), kind="help"))
    assert fresh(case).point == HERE


def test_a_point_in_another_city_is_refused_in_a_sentence(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.submitted(point=ELSEWHERE)
    assert refused.value.code == "outside_city" and "福州市" in refused.value.sentence
    assert not Case.objects.exists()


@pytest.mark.parametrize(("longitude", "latitude"), [("119.3", None), (None, "26.0"), ("119.3", "91")])
def test_half_a_point_or_none_on_earth_never_gets_into_the_database(world: World, longitude: Any, latitude: Any) -> None:
    case = world.submitted()
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(longitude=longitude, latitude=latitude)


def test_the_agents_form_keeps_the_point_and_says_what_is_wrong_with_one(client: Client, world: World) -> None:
    sign_in(client, world["agent"])
    given = {
        "step": "submit", "submission": "6d1f7f0c-6b0e-4f43-9b0e-5c6a4f0f6b11", "channel": "phone", "applicant_kind": "person",
        "text": "路灯不亮。", "kind": "help", "urgency": "normal", "title": "",
    }  # fmt: skip
    wrong = client.post("/cases/new/", given | {"point": "118.0894,24.4798"})
    assert wrong.status_code == 422 and "不在福州市范围内" in wrong.content.decode() and "118.0894,24.4798" in wrong.content.decode()
    assert client.post("/cases/new/", given | {"point": "somewhere"}).status_code == 422
    assert client.post("/cases/new/", given | {"point": str(HERE)}).status_code == 302
    assert Case.objects.get().point == HERE


# --- shown -------------------------------------------------------------------------------------------------------


def page(client: Client, world: World, who: str, case: Case) -> str:
    return sign_in(client, world[who]).get(f"/cases/{case.number}/").content.decode()


def test_the_point_is_shown_as_the_address_is(client: Client, world: World) -> None:
    case = world.handling(point=HERE)
    for who in ("dispatcher", "城管联络"):
        assert 'data-at="119.271149,26.041351"' in page(client, world, who, case), who
    redacted = page(client, world, "analyst", case)
    assert 'data-at="119.27,26.04"' in redacted and "data-near" in redacted and "119.271" not in redacted
    make_confidential(actor=world["team_leader"], at=world.later(minutes=1), case=case, reason="诉求人要求保密")
    assert "data-at" not in page(client, world, "城管联络", case)
    assert 'data-at="119.271149,26.041351"' in page(client, world, "dispatcher", case)


def points(client: Client, world: World, who: str, query: str = "any=1") -> list[list[Any]]:
    answer = sign_in(client, world[who]).get(f"/cases/map/points.json?{query}")
    assert answer.status_code == 200
    found: list[list[Any]] = json.loads(answer.content)["points"]
    return found


def test_points_are_those_that_one_may_see_and_no_more_exact_than_one_may_see(client: Client, world: World) -> None:
    world.now = timezone.now() - timedelta(hours=1)  # the map has the real clock, and none of the case's has come near its end
    case = world.handling(point=HERE)
    world.submitted()
    assert points(client, world, "dispatcher") == [[119.271149, 26.041351, 0, case.number]]
    assert points(client, world, "城管联络") == [[119.271149, 26.041351, 0, case.number]]
    assert points(client, world, "analyst") == [[119.27, 26.04, 0, case.number]]
    assert points(client, world, "鼓楼城管联络") == []
    make_confidential(actor=world["team_leader"], at=world.later(minutes=1), case=case, reason="诉求人要求保密")
    assert points(client, world, "城管联络") == [] and points(client, world, "analyst") == []
    assert len(points(client, world, "dispatcher")) == 1
    counts = mapping.by_county(world["城管联络"], filters.read(_query("any=1"), at=timezone.now()))[0]
    assert [(one.place.name, one.points, one.others) for one in counts if one.total] == [("仓山区", 0, 1)]


@pytest.mark.parametrize("who", ["system_admin", "security_admin", "audit_admin"])
def test_who_sees_no_cases_has_no_map(client: Client, world: World, who: str) -> None:
    sign_in(client, world[who])
    for url in ("/cases/map/", "/cases/map/points.json", "/cases/map/rows/"):
        assert client.get(url).status_code == 404, url


def _query(text: str) -> Any:
    from django.http import QueryDict

    return QueryDict(text)


def test_the_same_filters_as_the_lists_and_the_lights_of_their_rows(client: Client, world: World) -> None:
    world.now = timezone.now() - timedelta(days=40)
    late = world.dispatched(point=HERE)
    world.now = timezone.now() - timedelta(minutes=1)
    new = world.submitted(point=HERE, kind="help")
    assert [row[3] for row in points(client, world, "dispatcher")] == [new.number, late.number]
    assert points(client, world, "dispatcher", "light=red") == [[119.271149, 26.041351, 3, late.number]]
    assert [row[3] for row in points(client, world, "dispatcher", "kind=help")] == [new.number]
    place = world.places["鼓楼区"].pk
    assert points(client, world, "dispatcher", f"place={place}") == []
    text = client.get("/cases/map/?light=red").content.decode()
    assert late.number in text and new.number not in text and "红灯" in text
    text = client.get("/cases/map/").content.decode()  # the last 30 days, where nothing is asked
    assert late.number not in text and new.number in text and "近 30 天" in text
    text = client.get("/cases/map/?view=0").content.decode()
    assert late.number in text and new.number in text


def test_more_points_than_can_be_drawn_are_left_out_and_it_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "MOST", 2)
    made = [world.submitted(point=HERE) for _ in range(3) if world.later(minutes=1)]
    found, more = mapping.points(world["dispatcher"], filters.read(_query("any=1"), at=timezone.now()))
    assert more and [row[3] for row in found] == [made[2].number, made[1].number]


def test_rows_in_sight_are_those_that_one_may_see(client: Client, world: World) -> None:
    case, other = world.handling(point=HERE), world.submitted(point=HERE)
    url = f"/cases/map/rows/?n={case.number}&n={other.number}&n=%00&n=nothing"
    for who, expected in (("dispatcher", {case, other}), ("城管联络", {case}), ("鼓楼城管联络", set())):
        text = sign_in(client, world[who]).get(url).content.decode()
        assert {one for one in (case, other) if f"row-{one.number}" in text} == expected, who


def test_the_outlines_are_everybodys_and_kept_for_a_day(client: Client, world: World) -> None:
    answer = client.get("/places/counties.json")
    found = {one["code"]: one for one in json.loads(answer.content)["counties"]}
    assert len(found) == 13 and found["350104"]["name"] == "仓山区"
    assert "max-age=86400" in answer["Cache-Control"]
    assert client.get("/places/counties.json", headers={"If-None-Match": answer["ETag"]}).status_code == 304


# --- streets -----------------------------------------------------------------------------------------------------


def test_a_road_that_many_cases_name_teaches_its_street(world: World) -> None:
    for number in range(5):
        world.submitted(address=f"金山大道 {number} 号")
    world.submitted(address="五四路 3 号")
    for _ in range(5):
        world.submitted(address="保密路 1 号", confidential=True)
    assert streets.learn_streets(at=world.later(days=1)) == 1
    row = StreetWord.objects.get()
    assert (row.word, row.place, row.cases) == ("金山大道", world.places["建新镇"], 5)
    assert streets.learn_streets(at=world.later(days=400)) == 0


def test_proposals_are_posted_and_say_why(client: Client, world: World) -> None:
    StreetWord.objects.create(word="金山大道", place=world.places["建新镇"], cases=12)
    sign_in(client, world["agent"])
    answer = client.post("/cases/lookups/streets/", {"address": "金山大道 618 号", "point": ""}).json()
    assert [(one["name"], one["county"], one["reason"]) for one in answer["proposals"]] == [
        ("建新镇", "仓山区", "近一年地址里有“金山大道”的诉求多在这里（12 件）")
    ]
    assert client.get("/cases/lookups/streets/?address=x").status_code == 405
    by_point = client.post("/cases/lookups/streets/", {"address": "", "point": str(HERE)}).json()
    assert [one["name"] for one in by_point["proposals"]] == ["仓山区"] and by_point["county"] == "仓山区"
    outside = client.post("/cases/lookups/streets/", {"address": "", "point": str(ELSEWHERE)}).json()
    assert outside["outside"] and not outside["proposals"]
    assert client.post("/cases/lookups/streets/", {"address": "\0" * 500, "point": "nan,nan"}).json()["unreadable"]


def test_a_citizen_is_proposed_the_same_without_signing_in(client: Client, world: World) -> None:
    answer = client.post("/file/streets/", {"address": "仓山区建新镇", "point": str(HERE)})
    assert [one["street_code"] for one in answer.json()["proposals"]] == ["350104100"]
    assert "no-store" in answer["Cache-Control"]


# --- tiles -------------------------------------------------------------------------------------------------------


def test_only_hosts_of_tiles_that_a_setting_names_get_into_the_policy() -> None:
    from minsheng.organisations.maps import tile_origins

    assert tile_origins([]) == []
    assert tile_origins(["https://t{s}.tianditu.gov.cn/DataServer?T=vec_w&x={x}&y={y}&l={z}"]) == ["https://*.tianditu.gov.cn"]
    assert tile_origins(["http://tiles.local.example:8080/{z}/{x}/{y}.png"]) == ["http://tiles.local.example:8080"]
    for wrong in ("tiles/{z}", "javascript:alert(1)", "https://{s}.cn/{z}", "https://a.example;script-src *"):
        with pytest.raises(ValueError, match="MINSHENG_MAP"):
            tile_origins([wrong])
