"""GeoReport v2: the six methods and discovery, both formats against the specification, and what the public never sees."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.conf import settings as django
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minsheng.api.models import UsageHour
from minsheng.cases.models import Case, Contact
from minsheng.cases.tests.world import World
from minsheng.organisations.coordinates import Point
from minsheng.publishing.actions import withdraw_consent
from minsheng.publishing.tests.made import VERSION, closed, proposed, published

from .conftest import Remote, make_remote
from .georeport import MADE, REQUESTS, TOKEN, valid

pytestmark = pytest.mark.django_db
V2 = "/api/open311/v2"
BOTH = pytest.mark.parametrize("form", ["json", "xml"])
SECRET = ("林小满", "13800138000", "金山大道 618 号", "吵得一家人睡不着")


@pytest.fixture(autouse=True)
def fields(world: World) -> None:
    """One topic asks for more."""
    topic = world.topics["道路塌陷"]
    topic.required_fields = [{"name": "size", "label": "塌陷大小"}, {"name": "lane", "label": "第几车道"}]
    topic.keywords, topic.aliases = ["塌方"], ["路面塌陷"]
    topic.save()


def post(app: Remote, form: str = "json", headers: Any = None, **fields: Any) -> Any:
    sent = {"api_key": app.clear, "service_code": "010101", "address_string": "金山大道 618 号"} | fields
    body = urlencode({name: value for name, value in sent.items() if value is not None}, doseq=True)
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return Client().post(f"{V2}/requests.{form}", body, content_type=kind, headers=headers)


def listed(client: Client, form: str = "json", **query: Any) -> Any:
    return valid(client.get(f"{V2}/requests.{form}", query), "service_requests", REQUESTS)


@BOTH
def test_discovery_services_and_definition(form: str, client: Client) -> None:
    for address in (f"{V2}/discovery.{form}", f"/api/open311/discovery.{form}"):
        told = valid(client.get(address), "discovery")
        assert told["endpoints"][0]["url"] == "http://testserver/api/open311/v2"
    services = valid(client.get(f"{V2}/services.{form}"), "services")
    assert [each["service_code"] for each in services] == ["010101", "010102", "010104"]  # none that is only connected
    collapsed = services[1]
    assert collapsed["metadata"] and collapsed["keywords"] == "路面塌陷,塌方" and collapsed["group"] == "环境噪声"
    told = valid(client.get(f"{V2}/services/010102.{form}"), "service_definition")
    assert [each["code"] for each in told["attributes"]] == ["size", "lane"]
    assert told["attributes"][0]["description"] == "塌陷大小"
    assert valid(client.get(f"{V2}/services/010101.{form}"), "service_definition")["attributes"] == []
    assert client.get(f"{V2}/services/010103.{form}").status_code == 404


@BOTH
def test_a_request_becomes_a_case(form: str, app: Remote, world: World) -> None:
    response = post(
        app, form, service_code="010102", description="路面塌了一个坑。", lat="26.0413", long="119.2711", address_id="350104100",
        last_name="林", first_name="小满", phone="13800138000", email="x@example.org", device_id="d", account_id="7",
        media_url="https://example.org/1.jpg", **{"attribute[size]": "两米", "attribute[lane][]": ["一", "二"], "attribute[other]": "x"},
    )  # fmt: skip
    assert response.status_code == 201
    case = Case.objects.get(number=valid(response, "service_requests", MADE)[0]["service_request_id"])
    assert (case.state, case.channel, case.topic, case.place) == ("to_accept", "app", world.topics["道路塌陷"], world.places["建新镇"])
    assert case.extra == {"size": "两米", "lane": "一、二"}
    assert (case.applicant.name, case.applicant.phone) == ("林小满", "13800138000")
    assert case.text == "路面塌了一个坑。\n\n图片或视频：https://example.org/1.jpg"
    assert case.title == "路面塌了一个坑"
    assert (str(case.point), case.address) == ("119.271100,26.041300", "金山大道 618 号")
    assert case.timeline.get().actor == app.account
    assert Contact.objects.get(case=case).source == "app"


def test_a_request_without_words_says_so(app: Remote) -> None:
    number = valid(post(app), "service_requests", MADE)[0]["service_request_id"]
    assert Case.objects.get(number=number).text == "夜间施工噪声（来件没有文字说明）"


@BOTH
@pytest.mark.parametrize(
    "changed,status",
    [
        ({"api_key": None}, 403),
        ({"api_key": "ms_nothing"}, 403),
        ({"service_code": None}, 400),
        ({"service_code": "999999"}, 404),
        ({"service_code": "010103"}, 404),
        ({"service_code": "010102"}, 400),
        ({"service_code": "0\x00"}, 400),
        ({"address_string": None}, 400),
        ({"lat": "26"}, 400),
        ({"lat": "nan", "long": "119"}, 400),
        ({"lat": "1e400", "long": "119"}, 400),
        ({"lat": "26", "long": "181"}, 400),
        ({"address_id": "99"}, 400),
        ({"description": "字" * 4001}, 400),
        ({"description": "a\x00b"}, 400),
        ({"media_url": "javascript:alert(1)"}, 400),
        ({"media_url": "http://[::1"}, 400),
        ({"jurisdiction_id": "sfgov.org"}, 404),
    ],
)
def test_errors_have_the_shape_and_status_of_the_specification(form: str, changed: Any, status: int, app: Remote) -> None:
    response = post(app, form, **changed)
    assert response.status_code == status, response.content
    assert valid(response, "errors")[0]["code"]
    assert not Case.objects.exists()


def test_a_token_needs_the_scope_and_the_account_the_role(app: Remote, unit: Remote, world: World) -> None:
    reader = make_remote(world, "reader", *app.account.roles, scopes=["cases:read"])
    assert post(reader).status_code == 403
    assert valid(post(unit), "errors")[0]["code"] == "forbidden"  # a unit's system takes nothing in


def test_bad_bytes_and_other_content_types_are_refused(app: Remote) -> None:
    kind = "application/x-www-form-urlencoded"
    bad = f"api_key={app.clear}&service_code=010101&address_string=%ff%fe".encode()
    for form, body, content_type in (("json", bad, kind), ("xml", b"{}", "application/json"), ("xml", b"\xff\xfe", "text/plain")):
        response = Client().post(f"{V2}/requests.{form}", body, content_type=content_type)
        assert response.status_code == 400, response.content
        valid(response, "errors")


def test_a_key_sent_again_is_one_case_and_its_token(app: Remote, client: Client) -> None:
    key = str(uuid4())
    first, again = (valid(post(app, headers={"Idempotency-Key": key}), "service_requests", MADE) for _ in range(2))
    assert first == again and Case.objects.count() == 1
    for form in ("json", "xml"):
        response = client.get(f"{V2}/tokens/{key}.{form}", {"api_key": app.clear})
        assert valid(response, "service_requests", TOKEN)[0]["service_request_id"] == first[0]["service_request_id"]
        assert valid(client.get(f"{V2}/tokens/{key}.{form}"), "errors")[0]["code"] == "404"
    assert post(app, headers={"Idempotency-Key": key}, description="另一件").status_code == 400


# --- what is shown -----------------------------------------------------------------------------------------------


@BOTH
def test_only_published_cases_are_listed_by_county_and_without_words(form: str, world: World, client: Client) -> None:
    world.now = timezone.now() - timedelta(days=3)
    shown = published(world, point=Point.of("119.271149", "26.041351")).case
    waiting, opened = proposed(world).case, world.dispatched(publishable=True)
    closed(world)
    closed(world, publishable=False)
    found = listed(client, form)
    assert [each["service_request_id"] for each in found] == [shown.number]
    one = found[0]
    assert one["status"] == "closed" and one["status_notes"] == "已经办结。"
    assert one["agency_responsible"] == "仓山区城市管理局" and (one["address"], one["address_id"]) == ("仓山区", "350104")
    assert one["description"] is None and (one["lat"], one["long"]) == (None, None)
    assert valid(client.get(f"{V2}/requests/{shown.number}.{form}"), "service_requests", REQUESTS) == found
    for case in (waiting, opened):  # by number a status, and nothing of where and who
        alone = valid(client.get(f"{V2}/requests/{case.number}.{form}"), "service_requests", REQUESTS)[0]
        assert (alone["address"], alone["address_id"], alone["agency_responsible"], alone["lat"]) == (None,) * 4
    text = client.get(f"{V2}/requests.{form}").content.decode()
    assert not [word for word in (*SECRET, *VERSION.values(), "建新镇", "350104100", "119.27", "26.04") if word in text]
    withdraw_consent(at=timezone.now(), case=shown)
    assert listed(client, form) == []


def test_filters_and_spans(world: World, client: Client) -> None:
    world.now = timezone.now() - timedelta(days=30)
    old = published(world).case
    world.now = timezone.now() - timedelta(days=100)
    older = published(world, topic=world.topics["政策咨询"], kind="consultation").case
    assert [each["service_request_id"] for each in listed(client)] == [old.number]
    start = (timezone.now() - timedelta(days=110)).strftime("%Y-%m-%dT%H:%M:%SZ")
    both = listed(client, start_date=start)
    assert [each["service_request_id"] for each in both] == [old.number, older.number]
    assert len(listed(client, start_date=start, service_code="010104,010102")) == 1
    assert len(listed(client, start_date=start, status="closed")) == 2
    assert listed(client, start_date=start, status="open") == []
    assert len(listed(client, start_date=start, status="open,closed")) == 2
    assert len(listed(client, start_date="", end_date="", status="", jurisdiction_id="fuzhou.gov.cn")) == 1


@pytest.mark.parametrize(
    "query",
    [
        {"start_date": "2026-01-01T00:00:00Z", "end_date": "2026-06-01T00:00:00Z"},
        {"start_date": "yesterday"},
        {"start_date": "2026-01-01"},
        {"end_date": "9999-01-01T00:00:00Z"},
        {"end_date": "2026-13-01T00:00:00Z"},
        {"status": "lost"},
        {"service_code": "\x00"},
        {"service_request_id": ",".join(f"FZ{n}" for n in range(51))},
    ],
)
def test_wrong_questions_get_400(query: Any, client: Client) -> None:
    response = client.get(f"{V2}/requests.json", query)
    assert response.status_code == 400
    valid(response, "errors")


@BOTH
def test_by_number_a_status_and_no_more(form: str, world: World, app: Remote, client: Client) -> None:
    world.now = timezone.now() - timedelta(days=1)
    plain, secret = world.dispatched(), world.submitted(kind="report")
    one = valid(client.get(f"{V2}/requests/{plain.number}.{form}"), "service_requests", REQUESTS)[0]
    assert one["status"] == "open" and one["service_code"] == "010101"
    assert one["address"] is None and one["agency_responsible"] is None
    assert client.get(f"{V2}/requests/{secret.number}.{form}").status_code == 404
    assert client.get(f"{V2}/requests/{secret.number}.{form}", {"api_key": app.clear}).status_code == 404  # not this one's
    both = listed(client, form, service_request_id=f"{plain.number}, {secret.number},nonsense", status="closed")
    assert [each["service_request_id"] for each in both] == [plain.number]
    for wrong in ("nonsense", "FZ20261124010000021", "%00", "%ff"):
        assert client.get(f"{V2}/requests/{wrong}.{form}").status_code == 404


def test_who_brought_a_confidential_case_reads_its_status(world: World, app: Remote, client: Client) -> None:
    body = {"kind": "report", "text": "有人吃拿卡要。"}
    number = app.post("/cases", body).json()["number"]
    assert client.get(f"{V2}/requests/{number}.json").status_code == 404
    one = valid(client.get(f"{V2}/requests/{number}.json", {"api_key": app.clear}), "service_requests", REQUESTS)[0]
    assert one["status"] == "open"


def test_a_closed_case_says_when(world: World, client: Client) -> None:
    case = world.submitted(publishable=True)
    Case.objects.filter(pk=case.pk).update(state="closed", ending="answered", closed_at=world.now)
    one = valid(client.get(f"{V2}/requests/{case.number}.json"), "service_requests", REQUESTS)[0]
    assert one["status"] == "closed" and one["status_notes"] == "已经答复。"
    assert one["updated_datetime"] == "2026-11-24T09:00:00+08:00"


def test_methods_addresses_limits_and_usage(app: Remote, client: Client, settings: Any) -> None:
    for form in ("json", "xml"):
        refused = client.put(f"{V2}/services.{form}")
        assert refused.status_code == 405 and refused["Allow"] == "GET, HEAD"
        valid(refused, "errors")
        missing = client.get(f"{V2}/nothing.{form}")
        assert missing.status_code == 404
        valid(missing, "errors")
    client.get(f"{V2}/requests.json", {"api_key": app.clear})
    assert UsageHour.objects.get(token=app.token).calls == 1
    settings.API = django.API | {"open_calls_per_minute": 2}
    assert [client.get(f"{V2}/requests.json").status_code for _ in range(4)].count(429) == 2
    limited = client.get(f"{V2}/requests.xml")
    assert limited["Retry-After"] == "30"
    valid(limited, "errors")


def test_many_cases_cost_no_more_queries_than_few(world: World, client: Client, django_assert_num_queries: Any) -> None:
    for count in (3, 12):
        for _ in range(count):
            world.now = timezone.now() - timedelta(days=1)
            published(world)
        client.get(f"{V2}/requests.json")
        with django_assert_num_queries(2):  # the turn of who asks without a key, and all of them
            client.get(f"{V2}/requests.json")
    with django_assert_num_queries(1):
        client.get(f"{V2}/services.json")


_ODD = st.text(max_size=60) | st.sampled_from(["26.04", "-1e999", "2026-01-01T00:00:00Z", "010101", "open", "FZ"])
_NAMES = "service_code lat long address_string address_id description phone first_name last_name media_url attribute[a] jurisdiction_id"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(sent=st.dictionaries(st.sampled_from(_NAMES.split()), _ODD, max_size=8), form=st.sampled_from(["json", "xml"]))
def test_whatever_is_sent_is_answered_in_the_specifications_shape(app: Remote, sent: dict[str, str], form: str) -> None:
    response = post(app, form, **{name: value.encode("utf-8", "replace") for name, value in sent.items()})
    assert response.status_code in (201, 400, 404)
    root, schema = ("service_requests", MADE) if response.status_code == 201 else ("errors", None)
    valid(response, root, schema)
