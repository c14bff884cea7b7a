"""What citizens are told, in plain words: who does what by when (screens.md). No name, no phone, no title in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from minsheng.cases.models import Case, Message
from minsheng.secrecy import redact

TEXTS: Mapping[str, str] = {
    "received": "您反映的问题已收到，编号 {number}。我们会尽快受理，并告诉您由谁办理。",
    "accepted": "您反映的问题（{number}）已受理，将在{due}前答复您。",
    "answered": "您反映的问题（{number}）答复如下：{text}",
    "rejected": "您反映的问题（{number}）不属于本热线受理范围。{text}",
    "transferred": "您反映的问题（{number}）已转接{target}，请与对方保持联系。{text}",
    "merged": "您反映的问题（{number}）与已在办理的 {other} 是同一件事，将一并办理，结果同样会告诉您。",
    "invalid": "您提交的内容（{number}）没有可以办理的事项，已作结束处理。如有需要，请重新提交或拨打 12345。",
    "withdrawn": "您反映的问题（{number}）已按您的要求撤回。",
    # No query code here: staff and units read these words. The citizen's own page adds it (portal/progress.py).
    "split": "您反映的几件事已分开办理，其中一件的编号是 {number}。",
    "dispatched": "您反映的问题（{number}）由{unit}办理，将在{due}前答复您。",
    "extended": "您反映的问题（{number}）需要更多时间，{unit}将在{due}前答复您。原因：{text}",
    "recounted": "因放假安排公布，您反映的问题（{number}）的答复时限改为{due}前。",
    "replied": "您反映的问题（{number}）已有办理结果，请查看并评价：{text}",
    "second": "您对 {number} 的办理结果不满意，我们已安排{unit}再次办理，将在{due}前答复您。",
    "terminated": "您反映的问题（{number}）已终止办理。{text}",
    "closed": "您反映的问题（{number}）已办结。感谢您的评价。",
    "kept_closed": "您在办结后对 {number} 的评价，我们已经再看了一遍，这件事不再安排办理。原因：{text}",
    "reopened": "您反映的问题（{number}）已重新办理，将在{due}前答复您。",
}
# Said otherwise to whose case was merged into the one meant: what its own citizen did, they did not.
_TO_JOINED: Mapping[str, str] = {
    "second": "与您反映的是同一件事的 {number}，因有诉求人对办理结果不满意，已安排{unit}再次办理，将在{due}前答复您。",
}


def tell(case: Case, *, at: datetime, template: str, of: Case | None = None, **details: Any) -> Message:
    """Record one message to the citizen, inside the action's transaction; its key makes it one, whatever is repeated.

    `of`: another case that the message is about: a part split off, or the one that this case was merged into.
    """
    about = of or case
    words = TEXTS[template] if of is None else _TO_JOINED.get(template, TEXTS[template])
    text = words.format(number=about.number, **details)
    key = f"{case.number}:{template}:{about.number}:{about.timeline_length}"
    return Message.objects.create(case=case, key=key, at=at, template=template, text=text)


def tell_all(case: Case, *, at: datetime, template: str, **details: Any) -> None:
    """Tell by when a case is answered and how it came out, to its own citizen and to everyone whose case was merged into it,
    as they were promised (domain.md §2.8; an extension is told beforehand, §2.6). The merged rows stay untouched.

    The words were written for one citizen: another gets them without persons. An office's fixed line is nobody's secret.
    """
    tell(case, at=at, template=template, **details)
    if "text" in details:
        details["text"] = redact(details["text"], keeping={"landline"})
    for merged in case.merged.order_by("id"):
        tell(merged, at=at, template=template, of=case, **details)


def number_told(message: Message) -> str:
    """The number of the case that a message is about; it stands in its key."""
    return message.key.split(":")[2]
