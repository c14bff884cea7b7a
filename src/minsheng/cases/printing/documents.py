"""What stands on paper: taken from the case page's own context, so that paper never says more than the page showed this person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from minsheng.cases.actions.confidentiality import Person
from minsheng.cases.choices import Ending, Outcome, ReplyKind, ReplyState
from minsheng.cases.models import Case, Reply
from minsheng.cases.presenting import place_words, topic_path
from minsheng.cases.printing.typesetting import set_pdf
from minsheng.errors import Refused
from minsheng.secrecy import redact
from minsheng.worktime.moments import last_day_before, local

SHEET_TITLE = "12345政务服务便民热线办理单"
CENTRE = "12345政务服务便民热线"
# What a citizen who did not get what they asked for may still do (信访工作条例 §32 asks for it; the words are ours).
ROUTES = (
    "您对本答复有异议的，可以拨打12345提出。其中依法应当通过行政复议、行政诉讼、仲裁等法定途径解决的，"
    "请在法定期限内向有权机关提出。"
)
_NOT_GRANTED = {Outcome.PARTLY_SUPPORTED, Outcome.EXPLAINED, Outcome.NOT_SUPPORTED}

Body = Mapping[str, Any]
Entry = dict[str, str]


def sheet_pdf(body: Body, *, maker: str, at: datetime, whole: Person | None = None) -> bytes:
    """The 办理单. `whole`: the person uncovered for this paper, on record. Errors: as set_pdf."""
    return set_pdf("sheet", sheet_data(body, maker=maker, at=at, whole=whole))


def sheet_data(body: Body, *, maker: str, at: datetime, whole: Person | None = None) -> dict[str, Any]:
    """What fills sheet.typ."""
    case: Case = body["case"]
    return {
        "title": SHEET_TITLE,
        "number": case.number or "",
        "received": _moment(case.received_at),
        "maker": maker,
        "footer": f"{case.number}　{maker} 于 {_moment(at)} 打印",
        "warning": "内含诉求人信息，仅供办理本件使用，用后妥善保管或销毁" if whole else "",
        "facts": _facts(body, case, whole),
        "heading": body["title"],
        "words": body["words"],
        "files": [file.name for file in body["files"]],
        "contacts": [_contact(each) for each in body["contacts"]],
        "tasks": [_task(line) for line in body["tasks"]],
        "asks": [_ask(each) for each in body["asks"]],
        "handling": [_outreach(each) for each in body["outreaches"]],
        "replies": [_reply(each) for each in reversed(body["replies"])],
    }


def _facts(body: Body, case: Case, whole: Person | None) -> list[dict[str, Any]]:
    named = dict(body["facts"])
    who = "　".join(part for part in (whole.name, whole.phone) if part) or "没有留下联系方式" if whole else body["person"]
    pairs = [
        ("诉求类型", case.get_kind_display(), False),
        ("紧急程度", case.get_urgency_display(), False),
        ("来源渠道", case.get_channel_display(), False),
        ("当前状态", case.get_state_display(), False),
        ("事发地", place_words(case.place) or "未填", False),
        ("群众时限", _due(case.citizen_due_at) if case.citizen_due_at else "未起算", False),
        ("主题", topic_path(case) or "未定主题", True),
        ("详细地址", named.get("地址", ""), True),
        ("诉求人", who or "保密或未留", True),
        ("住址", whole.address if whole else "", True),
        ("证件号码", whole.id_number if whole else "", True),
    ]
    return [{"name": name, "value": value, "wide": wide} for name, value, wide in pairs if value]


def _contact(each: Mapping[str, Any]) -> Entry:
    by = f"，{each['by']} 登记" if each["by"] else ""
    return {"head": f"{_moment(each['at'])}　{each['purpose']}（{each['channel']}{by}）", "text": each["words"]}


def _task(line: Any) -> Entry:
    state = line.state.label if line.state else ""
    round_ = f"　第 {line.round} 轮" if line.round > 1 else ""
    parts = [
        f"查阅：{line.read}" if line.read else "",
        f"办理时限：{_due(line.handling_due_at)}",
        f"批转意见：{line.instruction}" if line.instruction else "",
    ]
    return {"head": f"{line.unit}（{line.part}）　{state}{round_}", "text": "\n".join(part for part in parts if part)}


def _ask(each: Mapping[str, Any]) -> Entry:
    ask = each["ask"]
    said = [f"{each['ground']}：{each['reason']}" if each["ground"] else each["reason"]]
    if each["basis"]:
        said.append(f"依据：{each['basis']}")
    if ask.decided_at:
        note = f"：{each['decision_note']}" if each["decision_note"] else ""
        said.append(f"{_moment(ask.decided_at)} {each['state'].label}{note}")
    return {"head": f"{_moment(ask.asked_at)}　{each['unit']} 申请{each['kind']}", "text": "\n".join(said)}


def _outreach(each: Mapping[str, Any]) -> Entry:
    it = each["it"]
    how = f"{it.get_method_display()}，{'已联系上' if it.reached else '未联系上'}"
    return {"head": f"{_moment(it.at)}　{it.task.unit.name} {it.by}　{how}", "text": each["summary"]}


def _reply(each: Mapping[str, Any]) -> Entry:
    reply: Reply = each["reply"]
    said = [each["text"]]
    if each["basis"]:
        said.append(f"依据：{each['basis']}")
    if each["files"]:
        said.append(f"附件：{'、'.join(file.name for file in each['files'])}")
    said.append(f"拟稿 {reply.written_by} {_moment(reply.written_at)}")
    if reply.signed_at:
        said.append(f"签发 {reply.signed_by} {_moment(reply.signed_at)}")
    if reply.audited_at:
        why = "、".join(each["reasons"])
        note = "：".join(part for part in (why, each["audit_note"]) if part)
        said.append(f"{each['state'].label} {reply.audited_by} {_moment(reply.audited_at)}{f'　{note}' if note else ''}")
    verdict = f"　{each['verdict']}" if each["verdict"] else ""
    return {"head": f"{each['unit']}　{each['kind']}　{each['state'].label}{verdict}", "text": "\n".join(said)}


# --- the letter --------------------------------------------------------------------------------------------------


def letter_entry(body: Body, key: int) -> Mapping[str, Any]:
    """The reply among those on this person's page that can go out as a letter: signed, and passed. Errors: not_found, letter_not_passed."""
    entry = next((each for each in body["replies"] if each["reply"].pk == key), None)
    if entry is None or entry["reply"].kind != ReplyKind.FINAL:
        raise Refused("not_found")
    if entry["reply"].state != ReplyState.ACCEPTED:
        raise Refused("letter_not_passed")
    return entry


def reply_letter_pdf(body: Body, entry: Mapping[str, Any], *, name: str = "") -> bytes:
    """答复函 of the unit that answered. `name`: the citizen's, uncovered for this paper, on record."""
    return set_pdf("letter", reply_letter_data(body, entry, name=name))


def reply_letter_data(body: Body, entry: Mapping[str, Any], *, name: str = "") -> dict[str, Any]:
    """What fills letter.typ."""
    reply: Reply = entry["reply"]
    case: Case = body["case"]
    signed = reply.signed_at or reply.written_at
    return _letter(
        case,
        title="关于12345热线诉求事项的答复函",
        to=name or "尊敬的诉求人",
        body=[f"您于{_date(case.received_at)}反映的诉求收悉。经办理，现答复如下：", entry["text"]],
        basis=_stopped(entry["basis"]),
        routes=[ROUTES] if reply.outcome in _NOT_GRANTED else [],
        files=[file.name for file in entry["files"]],
        signer=entry["unit"],
        at=signed,
    )


def refusal_letter_pdf(body: Body, *, name: str = "") -> bytes:
    """不予受理告知书 of the centre. Errors: not_found where the case did not end so, or its words are not this person's to read."""
    return set_pdf("letter", refusal_letter_data(body, name=name))


def refusal_letter_data(body: Body, *, name: str = "") -> dict[str, Any]:
    """What fills letter.typ: the words that the citizen was told, the legal route, whom to ring."""
    case: Case = body["case"]
    seen = body["seen"]
    told = case.messages.filter(template="rejected").order_by("-id").first()
    ground = case.ending_ground
    if case.ending != Ending.REJECTED or ground is None or told is None or not seen.words:
        raise Refused("not_found")
    routes = [f"法定途径：{_stopped(ground.legal_route)}"] if ground.legal_route else []
    if ground.hotlines:
        routes.append(f"可拨打：{'、'.join(ground.hotlines)}。")
    return _letter(
        case,
        title="不予受理告知书",
        to=name or "尊敬的诉求人",
        body=[redact(told.text) if seen.redacted else told.text],
        basis=_stopped(ground.basis),
        routes=[*routes, ROUTES],
        files=[],
        signer=CENTRE,
        at=told.at,
    )


def _letter(case: Case, *, to: str, at: datetime, **parts: Any) -> dict[str, Any]:
    return {"number": case.number or "", "to": to, "closing": "特此函告。", "date": _date(at), **parts}


def _stopped(words: str) -> str:
    """A sentence ends with a full stop."""
    words = words.strip()
    return words if not words or words.endswith(("。", "！", "？", "；")) else words + "。"


def _moment(value: datetime) -> str:
    """Paper is read years later: always with the year."""
    return f"{local(value):%Y-%m-%d %H:%M}"


def _due(value: datetime) -> str:
    """A deadline is exclusive: midnight is 24:00 of the day before."""
    at = local(value)
    return f"{last_day_before(value):%Y-%m-%d} 24:00 前" if (at.hour, at.minute) == (0, 0) else f"{_moment(value)} 前"


def _date(moment: datetime) -> str:
    """“2026年11月27日”: GB/T 9704 writes dates in Arabic digits without leading zeros."""
    day = local(moment)
    return f"{day.year}年{day.month}月{day.day}日"
