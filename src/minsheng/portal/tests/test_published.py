"""What others asked and were answered, on the way through the form; and consent given and taken back on one's own page."""

from __future__ import annotations

import pytest

from minsheng.cases.details import ApplicantDetails
from minsheng.cases.tests.world import World, fresh
from minsheng.publishing import queries
from minsheng.publishing.tests.made import VERSION, closed, published

from .citizen import Citizen, text_of

SIMILAR = "/file/similar/"


def past_the_place(text: str, topic: str = "") -> tuple[Citizen, str]:
    """The browser and where it is sent; without a topic, also where one was guessed and taken away."""
    citizen = Citizen()
    for _ in range(2):
        citizen.step("what", kind="complaint", text=text, topic=topic)
    return citizen, citizen.step("where", county="350104", street="350104100").headers["Location"]


def test_a_published_answer_is_shown_before_the_form_goes_on(world: World) -> None:
    published(world)
    for topic in (world.topics["夜间施工噪声"].code, ""):
        citizen, to = past_the_place("工地半夜施工，居民睡不好。", topic)
        assert to == SIMILAR, topic
        page = text_of(citizen.client.get(SIMILAR))
        assert VERSION["title"] in page and VERSION["reply"] in page and "仓山区城市管理局" in page
        assert "林小满" not in page and "/file/who/" in page


def test_words_about_something_else_bring_nothing(world: World) -> None:
    published(world)
    assert past_the_place("小区门口的路灯坏了三天。")[1] == "/file/who/"


def test_one_may_change_ones_mind_both_ways(world: World) -> None:
    case = closed(world)
    citizen = Citizen().looks_up(case)
    for agree, offered, stands in (("no", "同意隐去个人信息后公开</button>", False), ("yes", "不再同意公开</button>", True)):
        assert citizen.client.post("/mine/consent/", {"agree": agree}).status_code == 302
        assert fresh(case).publishable is stands and offered in text_of(citizen.client.get("/mine/"))
    assert queries.to_edit(world["quality"]).get() == case


@pytest.mark.parametrize(
    "changes", [{"kind": "report"}, {"confidential": True}, {"applicant": ApplicantDetails(anonymous=True, phone="13800138000")}]
)
def test_who_stays_unknown_is_not_asked_later_either(world: World, changes: dict[str, object]) -> None:
    case = closed(world, publishable=False, **changes)
    citizen = Citizen().looks_up(case)
    assert "/mine/consent/" not in text_of(citizen.client.get("/mine/"))
    assert citizen.client.post("/mine/consent/", {"agree": "yes"}).status_code == 302
    assert fresh(case).publishable is False


def test_no_consent_is_kept_of_who_stays_unknown(world: World) -> None:
    """Whatever channel says it: it would not be followed."""
    assert not world.submitted(publishable=True, applicant=ApplicantDetails(anonymous=True)).publishable
    assert world.submitted(publishable=True).publishable
