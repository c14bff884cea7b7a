"""Every component with made-up data, in development only (`/desk/gallery/`): the place to look before a screen is built on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace as Item
from typing import Any

from django import forms as django_forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from minsheng.ui import forms
from minsheng.ui.choices import ColouredChoices
from minsheng.ui.pages import KeysetPage
from minsheng.ui.rows import Row

PAGES = ("list", "open", "drawer", "case", "components", "empty", "narrow", "citizen", "citizen_form")
WHY = "求助 3 个工作日，自 11月25日 批转次日起算，跳过周六、周日，至 11月30日（周一）24:00 前"


class GalleryState(ColouredChoices):
    """Made-up states, in the colours that real ones use."""

    TO_DISPATCH = "to_dispatch", "待批转", "blue"
    HANDLING = "handling", "办理中", "azure"
    TO_READ = "to_read", "待查阅", "yellow"
    SENT_BACK = "sent_back", "退回重办", "orange"
    CLOSED = "closed", "已办结", "green"


class GalleryForm(forms.Form):
    """One field of each kind."""

    lead = django_forms.ChoiceField(
        label="主办单位",
        help_text="由事项默认：路灯 → 福州市城市管理委员会",
        widget=forms.TreeSelect(),
        choices=[
            ("", ""),
            ("cg", forms.TreeLabel("福州市城市管理委员会", search="fzscsglwyh 城管委 cgw")),
            (
                "gl",
                forms.TreeLabel("鼓楼区城市管理局", depth=1, path="鼓楼区 / 鼓楼区城市管理局", search="glqcsglj 城管"),
            ),
            (
                "cs",
                forms.TreeLabel("仓山区城市管理局", depth=1, path="仓山区 / 仓山区城市管理局", search="csqcsglj 城管"),
            ),
        ],
    )
    when = django_forms.DateTimeField(label="事发时间", required=False, widget=forms.MomentInput(past_only=True))
    finding = django_forms.ChoiceField(
        label="是否属实", choices=[("1", "属实"), ("2", "部分属实"), ("3", "不属实")], widget=django_forms.RadioSelect
    )
    words = django_forms.CharField(label="批转意见", widget=forms.words(4, "写给承办单位看的话"))
    attachments = forms.FilesField(label="附件", required=False, help_text="图片、文档、录音，每个不超过 20 MB")
    urgent = django_forms.BooleanField(label="紧急：24 小时内先采取措施", required=False)


def gallery(request: HttpRequest, page: str = "list") -> HttpResponse:
    """One page of the gallery; an unknown name shows the list."""
    page = page if page in PAGES else "list"
    context = _context(page) | {"gallery_pages": PAGES, "gallery_page": page}
    if page == "components":
        messages.success(request, "已批转给仓山区城市管理局，群众会收到短信。")
    return render(request, f"console/gallery/{'list' if page in ('open', 'drawer', 'empty') else page}.html", context)


def _context(page: str) -> dict[str, Any]:
    now = timezone.now()
    opened = page in ("open", "drawer")
    form = GalleryForm({"lead": "cs", "finding": "2"} if page in ("components", "citizen_form") else None)
    if page == "drawer":
        form = GalleryForm(initial={"lead": "cs", "finding": "1"})
    return {
        "now": now,
        "desk_title": "批转",
        "tabs": [
            Item(url="#", label="待批转", count=37, light="red", current=page != "empty"),
            Item(url="#", label="争议与退件", count=4, light="yellow", current=False),
            Item(url="#", label="研判中", count=0, light="none", current=page == "empty"),
        ],
        "page": KeysetPage([] if page == "empty" else _rows(), next="" if page == "empty" else "abc"),
        "open": "FZ2611260142" if opened else "",
        "list_url": "/desk/gallery/list/",
        "case_key": "FZ2611260142",
        "drawer_open": page in ("drawer", "case"),
        "words": ["路灯"],
        "form": form,
        **_case(now),
    }


def _rows() -> list[Row]:
    titles = (
        (
            "red",
            "逾期 1 天 3 小时",
            "则徐大道下穿通道积水近半米，两辆车熄火，上下班高峰无法通行",
            "排水",
            "仓山区 金山街道",
            "仓山区城市管理局",
        ),
        (
            "orange",
            "剩 42 分钟",
            "小区整栋楼停水两天，家里有刚出生的孩子，物业说不知道原因",
            "供水",
            "鼓楼区 东街街道",
            "福州水务集团",
        ),
        ("yellow", "剩 4 小时", "路灯整条街不亮，老人晚上摔倒", "路灯", "台江区 上海街道", ""),
        ("none", "剩 1 个工作日 6 小时", "金山大道路灯不亮已一周", "路灯", "仓山区 金山街道", "仓山区城市管理局"),
        ("none", "剩 2 个工作日", "公租房申请材料需要哪些", "住房保障", "晋安区 岳峰镇", ""),
        (
            "none",
            "剩 3 个工作日",
            "建议在地铁 4 号线出口增设非机动车停放点",
            "停车",
            "鼓楼区 五凤街道",
            "鼓楼区城市管理局",
        ),
    )
    kinds = ("投诉", "求助", "求助", "投诉", "咨询", "建议")
    return [
        Row(
            url=f"/desk/gallery/open/?n={index}",
            number="FZ2611260142" if index == 3 else f"FZ26112601{50 + index}",
            title=title,
            kind=kinds[index % 6],
            topic=topic,
            place=place,
            unit=unit,
            open_by="陈晓" if index == 2 else "",
            light=light,
            left=left,
            why=WHY,
            state=GalleryState.SENT_BACK if index == 5 else None,
            unread=index in (1, 4),
        )
        for index, (light, left, title, topic, place, unit) in enumerate(titles * 4)
    ]


def _case(now: datetime) -> dict[str, Any]:
    text = (
        "我住金山街道金洲南路，从上周四开始，整条金山大道（金洲路口到金祥路口）路灯都不亮，晚上十点以后一片漆黑。"
        "昨天晚上我母亲下楼买药摔了一跤，再没人修我就去跳楼给你们看。请尽快安排人来修，我的电话 138****1200，随时可以带路。"
    )
    start, phone = text.index("跳楼"), text.index("138****1200")
    return {
        "facts": [
            ("类型", "投诉"),
            ("事项", "城市管理 / 市政设施 / 路灯"),
            ("地点", "仓山区 金山街道 金山大道"),
            ("来源", "电话"),
            ("来电", "11-26 周四 09:12"),
        ],
        "text": text,
        "spans": [(start, start + 2, "risk"), (phone, phone + 11, "personal")],
        "files": [
            Item(url="#", name="路灯现场.jpg", size=8_400_000, kind="image", note=""),
            Item(url="#", name="来电录音.mp3", size=1_310_000, kind="audio", note="3 分 12 秒"),
        ],
        "tasks": [
            Item(
                unit="仓山区城市管理局",
                part="主办",
                state=GalleryState.HANDLING,
                read_at=now - timedelta(hours=20),
                due_at=now + timedelta(hours=4),
                light="yellow",
                left="剩 4 小时",
                why=WHY,
                url="#",
            ),
            Item(
                unit="金山街道办事处",
                part="协办",
                state=GalleryState.TO_READ,
                read_at=None,
                due_at=now + timedelta(days=1),
                light="none",
                left="剩 1 个工作日",
                why=WHY,
                url="#",
            ),
        ],
        "entries": [
            Item(
                at=now - timedelta(minutes=12),
                actor="仓山区城市管理局 林工",
                sentence="联系了诉求人，约定今晚 19:30 到现场。",
                icon="phone",
                reason="",
                detail=[],
            ),
            Item(
                at=now - timedelta(hours=20),
                actor="仓山区城市管理局 林工",
                sentence="查阅了承办任务。",
                icon="eye-check",
                reason="",
                detail=[],
            ),
            Item(
                at=now - timedelta(hours=22),
                actor="批转员 陈晓",
                sentence="批转给仓山区城市管理局主办、金山街道办事处协办。",
                icon="route",
                reason="路灯归区级市政养护，街道协助联系居民。",
                detail=[("状态", "待批转", "办理中"), ("主办单位", "", "仓山区城市管理局")],
            ),
            Item(
                at=now - timedelta(days=1),
                actor="话务员 王芳",
                sentence="受理，编号 FZ2611260142。",
                icon="headset",
                reason="",
                detail=[],
            ),
        ],
        "actions": [
            Item(url="/desk/gallery/drawer/", label="批转", icon="route"),
            Item(url="#", label="送研判", icon="git-fork"),
            Item(url="#", label="拆分", icon="arrows-split"),
            Item(url="#", label="并案", icon="stack-2"),
        ],
        "actions_more": [
            Item(url="#", label="不予受理", icon="x"),
            Item(url="#", label="直接解答", icon="message-2"),
            Item(url="#", label="即时转接", icon="phone-call"),
        ],
        "changes": [
            Item(at=now - timedelta(minutes=1), actor="批转员 李雯", sentence="批转给福州市城市管理委员会主办。")
        ],
        "why": WHY,
    }
