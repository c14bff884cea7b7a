"""What a machine can see in a reply that an auditor would send back (domain.md §2.5). Gentle hints, never blocks. Pure.

Whether the reply answers the question (答非所问) is for people to judge.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from minsheng.secrecy import find_personal
from minsheng.secrecy.personal import PLACEHOLDERS


class Hint(NamedTuple):
    """`code` is one of the list `reply_refusal`, so that the auditor's box and the unit's hint are the same thing."""

    code: str
    text: str


_PROCESS = re.compile(
    r"核[查实对]|[调检排巡]查|查[看证阅处明]|现场|走访|约谈|协调|会商|会同|维修|抢修|修复|修剪|清[理运洗除]|整改|执法|处[置理罚]"
    r"|督促|责[令成]|派[人员]|组织|安排|赶赴|到场|沟通|联系|回访|经了解|经查|调解|补办|办理|发放|退[还款费]"
)
_PROMISE = re.compile(
    r"将(?!近)|拟(?!稿)|(?<![社协委机员大约])会(?![商议计同员场])"
    r"|计划|尽快|抓紧|争取|力争|下一步|近期|择期|适时|待[^遇业]"
)
_TIME = re.compile(
    r"[0-9〇一二三四五六七八九十]+\s*(?:年|个?月|日|号|天|小时|个?工作日|周|个?星期)|\d{1,2}[:：]\d{2}"
    r"|[今明当次][天日晚年]|[本下]周|本月|下月|年[底末内]|月[底末内]|[上下中]旬|季度|春节前|汛期前"
)
_BASIS = re.compile(r"《[^》]{2,}》|〔\d{4}〕|\[\d{4}\]|第[0-9一二三四五六七八九十百]+条|[0-9]+号文")
_SHIRKING = re.compile(
    r"不(?:属于?|归|是)我|与我(?:单位|局|委|办|中心|镇|街道|们)?无关|非我(?:单位|局|委|办|镇|街道|们)?(?:职责|管辖)|无权(?:处理|管辖|过问)"
    r"|(?:请|建议)(?:您|你|诉求人|来电人|反映人|市民)?(?:自行|直接)?(?:向|找|到|与|联系|咨询|拨打).{0,16}(?:反映|投诉|咨询|处理|解决|联系)|请(?:您|你)?自行"
)
_ABSOLUTE = re.compile(
    r"绝不|绝对|永远|永不|再也不|一定[会能将要]|必定|百分之百|100\s*[%％]|杜绝"
    r"|保证(?!金|书|人)|确保不再|彻底(?:解决|根治|消除)|万无一失"
)


def reply_flaws(text: str, *, basis: str, contacted: bool) -> list[Hint]:
    """What catches the eye, in the order of the list of reasons. An empty text has none: there is nothing yet to look at."""
    if not text.strip():
        return []
    found = [
        (not _PROCESS.search(text), "no_process", "没有写办理过程：何时、何人、到何处、查了什么。"),
        (bool(_open_promises(text)), "no_deadline", f"有承诺没有时限：“{_first(_open_promises(text))}”，请写明哪一天前完成。"),
        (not basis.strip() and not _BASIS.search(text), "no_basis", "没有依据：请写明政策名称、文号或条款，或所依据的事实。"),
        (not contacted, "no_outreach", "没有联系上诉求人的记录：请先联系并登记，联系不上的在回复中说明。"),
        (bool(find_personal(text)), "privacy", f"有个人信息（{_kinds(text)}），发出前请删去。"),
        (bool(_SHIRKING.search(text)), "buck_passing", f"像是推给别人：“{_found(_SHIRKING, text)}”，请写明依据和去处。"),
        (bool(_ABSOLUTE.search(text)), "absolute_promise", f"话说得太满：“{_found(_ABSOLUTE, text)}”，请写能做到的。"),
    ]
    return [Hint(code, words) for present, code, words in found if present]


def reply_hints(text: str, *, basis: str, contacted: bool) -> list[str]:
    """The same in words alone, for the unit while it writes."""
    return [hint.text for hint in reply_flaws(text, basis=basis, contacted=contacted)]


def _open_promises(text: str) -> list[str]:
    """Clauses that promise, in sentences that name no time."""
    sentences = re.split(r"[。！？；;\n]", text)
    return [s.strip() for s in sentences if _PROMISE.search(s) and not _TIME.search(s) and not _ABSOLUTE.search(s)]


def _first(sentences: list[str]) -> str:
    return _short(sentences[0]) if sentences else ""


def _found(pattern: re.Pattern[str], text: str) -> str:
    match = pattern.search(text)
    return _short(match[0]) if match else ""


def _short(words: str) -> str:
    return words if len(words) <= 18 else words[:17] + "…"


def _kinds(text: str) -> str:
    """“电话、姓名”: what kinds, never the values themselves."""
    return "、".join(dict.fromkeys(PLACEHOLDERS[span.kind].strip("〔〕") for span in find_personal(text)))


# 〔2026〕 is part of a document's number, not a blank.
_BLANK = re.compile(r"〔(?!\d{4}〕)[^〔〕\n]{0,40}〕")


def blanks(*texts: str) -> list[str]:
    """The blanks 〔…〕 that are still to be filled, each once, in their order."""
    return list(dict.fromkeys(found for text in texts for found in _BLANK.findall(text)))
