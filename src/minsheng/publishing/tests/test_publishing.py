"""Published only with consent, de-identified, passed by a second person; gone at once when it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from minsheng.accounts.testing import sign_in
from minsheng.audit.models import AuditEntry
from minsheng.audit.queries import verify
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, fresh
from minsheng.dispatching.actions import merge_case, reopen_case
from minsheng.errors import Refused
from minsheng.publishing import actions, queries
from minsheng.publishing.choices import PublicationState
from minsheng.publishing.models import Publication
from minsheng.ui.desks import desks_of

from .made import VERSION, closed, proposed, published


def refused(code: str, do: Callable[[], Any]) -> Refused:
    with pytest.raises(Refused) as caught:
        do()
    assert caught.value.code == code
    return caught.value


def test_one_writes_another_passes_and_everybody_reads(world: World) -> None:
    one = published(world)
    assert (one.state, one.county, one.unit_name) == ("published", world.places["仓山区"], "仓山区城市管理局")
    for page in (Client().get("/published/"), Client().get("/published/?q=夜间施工"), Client().get(f"/published/{one.pk}/")):
        text = page.content.decode()
        assert "夜间施工扰民" in text
        for secret in ("林小满", "13800138000", "501 室", one.case.number, "建新镇", "quality", "team_leader"):
            assert str(secret) not in text
    assert "夜间施工扰民" not in Client().get("/published/?q=路灯").content.decode()
    assert "夜间施工扰民" not in Client().get("/published/?county=350102").content.decode()
    codes = AuditEntry.objects.filter(code__startswith="publishing.").order_by("pk").values_list("code", flat=True)
    assert list(codes) == ["publishing.proposed", "publishing.published"]


@pytest.mark.parametrize(
    "changes",
    [
        {"publishable": False},
        {"confidential": True},
        {"kind": "report"},
        {"applicant": ApplicantDetails(anonymous=True, phone="13800138000")},
        {"text": "邻居家暴，打伤孩子，请管一管。"},
    ],
)
def test_what_is_never_published(world: World, changes: dict[str, Any]) -> None:
    case = closed(world, **changes)
    refused("not_publishable", lambda: actions.propose(actor=world["team_leader"], at=world.now, case=case, **VERSION))


def test_an_open_case_is_not_published(world: World) -> None:
    case = world.audited(publishable=True)
    refused("not_publishable", lambda: actions.propose(actor=world["quality"], at=world.now, case=case, **VERSION))


@pytest.mark.parametrize("words", ["请打 13900139000", "我叫王小明，住这里", "林 小 满说的", "138-0013-8000"])
def test_what_still_names_somebody_is_sent_back_before_anybody_reads_it(world: World, words: str) -> None:
    case = closed(world)
    for field in ("title", "text", "reply"):
        refused("still_personal", partial(actions.propose, actor=world["quality"], at=world.now, case=case, **VERSION | {field: words}))
    assert not Publication.objects.exists()


def test_four_eyes(world: World) -> None:
    one = actions.propose(actor=world["team_leader"], at=world.now, case=closed(world), **VERSION)
    refused("own_publication", lambda: actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=True))
    one.state, one.reviewed_by, one.published_at = PublicationState.PUBLISHED, one.edited_by, world.now
    with pytest.raises((IntegrityError, ValidationError)), transaction.atomic():
        one.save()
    actions.review(actor=world["hotline_leader"], at=world.now, publication=one, passes=True)
    assert queries.public().count() == 1


def test_what_is_sent_back_is_written_again(world: World) -> None:
    one = proposed(world)
    refused("reason_required", lambda: actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=False))
    actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=False, why="标题不清")
    assert queries.to_edit(world["quality"]).get() == one.case and not queries.public().exists()
    again = actions.propose(actor=world["quality"], at=world.now, case=one.case, **VERSION)
    assert again.pk == one.pk and again.state == "proposed"
    refused("publication_state", lambda: actions.propose(actor=world["quality"], at=world.now, case=one.case, **VERSION))


EDIT, REVIEW = {"quality", "team_leader"}, {"team_leader", "hotline_leader"}


def test_the_matrix_of_rights(world: World) -> None:
    """Every person, every act; written by hand."""
    case, out = closed(world), published(world)
    waiting = {
        writer: actions.propose(actor=world[writer], at=world.now, case=closed(world), **VERSION)
        for writer in ("quality", "team_leader")
    }
    at = world.now
    for who, user in world.people.items():
        one = waiting["team_leader" if who == "quality" else "quality"]
        assert _passes(partial(actions.propose, actor=user, at=at, case=case, **VERSION)) == (who in EDIT), who
        assert _passes(partial(actions.review, actor=user, at=at, publication=one, passes=True)) == (who in REVIEW), who
        assert _passes(partial(actions.take_down, actor=user, at=at, publication=out, why="错字")) == (who in EDIT | REVIEW), who


def _passes(do: Callable[[], Any]) -> bool:
    """Whether it may be done; it is not, for the next person tries the same."""
    with transaction.atomic():
        try:
            do()
        except Refused as no:
            assert no.code in ("forbidden", "not_found"), no
            return False
        finally:
            transaction.set_rollback(True)
    return True


@pytest.mark.parametrize("who", ["agent", "knowledge", "auditor", "城管联络", "quality", "hotline_leader"])
def test_the_desk_is_for_those_who_work_there(world: World, who: str) -> None:
    answer = sign_in(Client(), world[who]).get("/publishing/")
    assert answer.status_code == (200 if who in EDIT | REVIEW else 403)


def test_consent_taken_back_is_gone_at_once(world: World) -> None:
    one = published(world)
    actions.withdraw_consent(at=world.later(minutes=1), case=one.case)
    actions.withdraw_consent(at=world.later(minutes=1), case=one.case)
    case = fresh(one.case)
    assert not case.publishable and not queries.public().exists()
    assert Client().get(f"/published/{one.pk}/").status_code == 404
    assert [e.code for e in case.timeline.order_by("seq")].count("withdraw_consent") == 1
    refused("not_publishable", lambda: actions.propose(actor=world["quality"], at=world.now, case=case, **VERSION))
    assert not verify().findings


def test_a_case_made_confidential_afterwards_is_hidden_at_once(world: World) -> None:
    one = published(world)
    Case.objects.filter(pk=one.case_id).update(confidential=True)
    assert not queries.public().exists()


def test_a_case_opened_again_takes_its_old_answer_back(world: World) -> None:
    """What is corrected, merged or answered otherwise afterwards never stands beside the words of before."""
    one = published(world)
    reopen_case(actor=world["dispatcher"], at=world.later(hours=1), case=one.case, reason="又响了")
    assert not queries.public().exists() and Client().get(f"/published/{one.pk}/").status_code == 404
    Case.objects.filter(pk=one.case_id).update(
        state="closed", ending="handled", closed_at=world.now, stage_due_at=None
    )  # with another answer
    assert not queries.public().exists()
    one.refresh_from_db()
    assert (one.state, one.why) == ("withdrawn", "重新办理")
    assert queries.to_edit(world["quality"]).get() == one.case


def test_a_published_case_that_is_merged_afterwards_is_gone(world: World) -> None:
    one, other = published(world), world.accepted()
    reopen_case(actor=world["dispatcher"], at=world.later(hours=1), case=one.case, reason="又响了")
    merge_case(actor=world["dispatcher"], at=world.now, case=fresh(one.case), into=other)
    assert (fresh(one.case).state, fresh(one.case).ending) == ("closed", "merged")
    assert not queries.public().exists() and not queries.to_edit(world["quality"]).exists()


def test_a_proposal_of_a_case_opened_again_is_not_passed(world: World) -> None:
    one = proposed(world)
    reopen_case(actor=world["dispatcher"], at=world.later(hours=1), case=one.case, reason="又响了")
    refused("publication_state", lambda: actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=True))


@pytest.mark.parametrize(
    "change",
    [
        {"state": "to_dispatch"},
        {"ending": "terminated"},
        {"ending": "withdrawn"},
        {"kind": "report"},
        {"confidential": True},
        {"publishable": False},
        {"accused_unit": "仓山城管"},
        {"topic__confidential_by_default": True},
        {"topic__route": "110"},
        {"applicant__anonymous": True},
    ],
)
def test_whatever_forbids_publishing_also_hides_what_is_published(world: World, change: dict[str, Any]) -> None:
    one = published(world)
    assert queries.public().get() == one
    for name, value in change.items():
        owner, _, column = name.rpartition("__")
        row = getattr(one.case, owner) if owner else one.case
        setattr(row, column, world.units[value] if column == "accused_unit" else value)
        row.save()
    assert not queries.public().exists() and not Case.objects.filter(queries.may_be_public()).exists()


def test_taken_down_by_staff_with_a_reason_and_written_anew(world: World) -> None:
    one = published(world)
    refused("reason_required", lambda: actions.take_down(actor=world["quality"], at=world.now, publication=one, why=" "))
    actions.take_down(actor=world["quality"], at=world.now, publication=one, why="有错字")
    assert not queries.public().exists()
    assert queries.to_edit(world["quality"]).get() == one.case
    page = sign_in(Client(), world["quality"]).get(f"/publishing/?open={one.case.number}").content.decode()
    assert "送复核" in page and VERSION["reply"] in page and "已撤下" in page and "有错字" in page
    actions.propose(actor=world["quality"], at=world.now, case=one.case, **VERSION | {"title": "夜间施工"})
    actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=True)
    assert [each.title for each in queries.public()] == ["夜间施工"]


def test_consent_may_be_given_later_and_not_where_it_never_is(world: World) -> None:
    case = closed(world, publishable=False)
    for _ in range(2):
        actions.give_consent(at=world.later(minutes=1), case=case)
    assert queries.to_edit(world["quality"]).get() == case
    assert [e.code for e in fresh(case).timeline.order_by("seq")].count("give_consent") == 1
    unknown = ApplicantDetails(anonymous=True, phone="13800138000")
    for never in ({"kind": "report"}, {"confidential": True}, {"applicant": unknown}):
        other = closed(world, publishable=False, **never)
        refused("not_publishable", partial(actions.give_consent, at=world.now, case=other))


def test_every_act_stands_on_the_timeline_that_screens_follow(world: World) -> None:
    """Browsers hear of a case by its timeline; the desk names the acts that change it (Desk.stirred_by)."""
    one = proposed(world)
    actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=False, why="标题不清")
    actions.propose(actor=world["quality"], at=world.now, case=one.case, **VERSION)
    actions.review(actor=world["team_leader"], at=world.now, publication=one, passes=True)
    actions.take_down(actor=world["quality"], at=world.now, publication=one, why="有错字")
    actions.withdraw_consent(at=world.now, case=one.case)
    codes = list(fresh(one.case).timeline.order_by("seq").values_list("code", flat=True))
    acts = ["propose_publication", "decline_publication", "propose_publication", "publish", "take_down", "withdraw_consent"]
    assert codes[-6:] == acts
    desk = next(desk for desk in desks_of(["quality"]) if desk.code == "publishing")
    assert desk.stirred_by is not None and desk.stirred_by >= {*acts, "give_consent", "closed"}
    assert not verify().findings


def test_at_the_desk(world: World) -> None:
    world.now = timezone.now()
    case = closed(world)
    editor = sign_in(Client(), world["quality"])
    page = editor.get(f"/publishing/?open={case.number}").content.decode()
    assert "林小满" in page and "〔姓名〕" in page and "〔电话〕" in page, "what was found is marked, and hidden in the version"
    wrong = editor.post(f"/publishing/{case.number}/", {"step": "propose", "tab": "edit", **VERSION, "title": ""})
    assert wrong.status_code == 422 and VERSION["text"] in wrong.content.decode()
    still = editor.post(f"/publishing/{case.number}/", {"step": "propose", "tab": "edit", **VERSION, "text": "请打 13900139000"})
    assert still.status_code == 422 and "〔电话〕" in still.content.decode() and "13900139000" in still.content.decode()
    assert editor.post(f"/publishing/{case.number}/", {"step": "propose", "tab": "edit", **VERSION}).status_code == 302
    leader = sign_in(Client(), world["team_leader"])
    assert "通过，公开" in leader.get(f"/publishing/?tab=review&open={case.number}").content.decode()
    assert leader.post(f"/publishing/{case.number}/", {"step": "pass", "tab": "review"}).status_code == 302
    assert "撤下" in leader.get(f"/publishing/?tab=published&open={case.number}").content.decode()
    assert leader.post(f"/publishing/{case.number}/", {"step": "nonsense"}).status_code == 404


def test_similar_ones_and_counts_nearby(world: World) -> None:
    noise, street = world.topics["夜间施工噪声"], world.places["建新镇"]
    here = published(world)
    elsewhere = published(world, place=world.places["鼓楼区"])
    found = queries.similar(text="工地夜间施工太吵", topic=noise, county=world.places["仓山区"])
    assert found == [here, elsewhere]
    said = "工地半夜施工，居民睡不好"
    assert queries.similar(text=said, topic=None, county=world.places["仓山区"]) == [here], "without a topic, by words in the county"
    assert queries.similar(text="小区门口路灯不亮", topic=None, county=world.places["仓山区"]) == []
    assert queries.similar(text=said, topic=None, county=None) == [] == queries.similar(text="", topic=None, county=here.county)
    assert queries.nearby(topic=noise, place=street, at=world.now) == (0, "")
    world.dispatched()
    assert queries.nearby(topic=noise, place=street, at=world.now)[0] == 0, "one alone is somebody"
    world.dispatched()
    world.dispatched(confidential=True)
    assert queries.nearby(topic=noise, place=street, at=world.now) == (2, "仓山区城市管理局")
    assert queries.nearby(topic=noise, place=world.places["仓山区"], at=world.now)[0] == 2


@pytest.mark.parametrize("query", ["q=%00", "q=%ff", "q=" + "a" * 5000, "topic=x&county=%00", "page=nonsense", "q=13800138000", "q=%25_'"])
def test_a_damaged_search_gets_an_answer(world: World, query: str) -> None:
    answer = Client().get(f"/published/?{query}")
    assert answer.status_code == 200
    if "138" in query:
        assert "请不要用姓名、电话" in answer.content.decode() and "13800138000" not in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("夜间施工", True), ("声", True), ("灯", False), ("ＡＢＣ", True), ("abc", True), ("Abc 小区", True), ("a b", True),
        ("“夜间 施工”", True), ("路灯 夜间", False), ("FZ2026", False), ("FZ20261124010000010", False), ("？！", False), ("%", False), ("_", False),
        ("", True), ("居民\n睡", True), ("立即停止", False),
    ],
)  # fmt: skip
def test_what_is_typed_is_found_where_it_is_said_and_nowhere_else(world: World, typed: str, found: bool) -> None:
    """One character is enough; full-width and capitals are one; what words cannot hold finds nothing rather than everything."""
    published(world, version={"title": "ABC 小区夜间施工噪声"})
    assert queries.search(typed).exists() == found
    page = Client().get("/published/", {"q": typed}).content.decode()
    assert ("ABC 小区夜间施工噪声" in page) == found
    if typed in ("？！", "%", "_"):
        assert "请写出事情的几个字" in page
    if typed.startswith("FZ"):
        assert "这里查不到编号" in page and "/progress/" in page and "没有找到" not in page
