"""A citizen at the portal, as a test client: fills in the steps, sends, looks up. For this room's tests and for whole walks."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from minsheng.cases.actions.intake import query_code_of
from minsheng.cases.models import Case

PHOTOGRAPH = b"\x89PNG\r\n\x1a\n" + bytes(64)
WORDS = "建新镇一处工地每天夜里十一点以后还在打桩，老人孩子都睡不着，请管一管。"
WHAT = {"kind": "complaint", "text": WORDS}
WHERE = {"county": "350104", "street": "350104100", "address": "金山大道 618 号旁"}
WHO = {"name": "林小满", "phone": "13800138000"}


def photograph(content: bytes = PHOTOGRAPH, name: str = "现场.png") -> SimpleUploadedFile:
    """A file of the citizen's."""
    return SimpleUploadedFile(name, content, "image/png")


class Citizen:
    """One browser; `key` is the submission of the form that it fills in."""

    def __init__(self, **client: Any) -> None:
        self.client = Client(**client)
        self.key: UUID | str = uuid4()

    def step(self, code: str, **values: Any) -> Any:
        """Send one step: what, where, who."""
        path = "/file/" if code == "what" else f"/file/{code}/"
        return self.client.post(path, {"submission": str(self.key), **values})

    def wrong(self, code: str, **values: Any) -> Any:
        """Send a step that cannot be right; the page that says so, which is a look, so that Back never asks to send again."""
        answer = self.step(code, **values)
        path = "/file/" if code == "what" else f"/file/{code}/"
        assert (answer.status_code, answer.headers.get("Location")) == (302, path), answer.status_code
        return self.client.get(path)

    def fill(self, **values: Any) -> Citizen:
        """All three steps, each accepted; values go to the step whose field they are."""
        for code, usual in (("what", WHAT), ("where", WHERE), ("who", WHO)):
            own = {name: value for name, value in values.items() if name in _FIELDS[code]}
            answer = self.step(code, **usual | own)
            assert answer.status_code == 302 and answer.headers["Location"] != answer.request["PATH_INFO"], (code, own)
        return self

    def send(self, **values: Any) -> Any:
        """Press 提交 on the last step."""
        return self.step("check", **values)

    def files(self, **values: Any) -> Case:
        """Fill in and send; the case."""
        sent = {name: values.pop(name) for name in ("publishable",) if name in values}
        answer = self.fill(**values).send(**sent)
        assert answer.status_code == 200 and "data-filed" in text_of(answer), errors_of(answer)
        return Case.objects.get(number=number_of(answer))

    def looks_up(self, case: Case) -> Citizen:
        """With number and code."""
        answer = self.client.post("/progress/", {"number": case.number, "code": query_code_of(case)})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/mine/")
        return self


_FIELDS = {
    "what": {"kind", "text", "topic", "files"},
    "where": {"county", "street", "address", "occurred_at"},
    "who": {"name", "phone", "anonymous", "confidential", "organisation", "credit_code"},
}


def text_of(answer: HttpResponse) -> str:
    """The page."""
    return answer.content.decode()


def words_of(answer: HttpResponse) -> str:
    """What a person reads of it, without blanks."""
    page = re.sub(r"<(script|style)\b.*?</\1>", "", text_of(answer), flags=re.DOTALL)
    return "".join(re.sub(r"<[^>]+>", "", page).split())


def number_of(answer: HttpResponse) -> str:
    """The case number of a receipt."""
    found = re.search(r"ticket-number[^>]*>(.*?)</dd>", text_of(answer), re.DOTALL)
    assert found, text_of(answer)[:2000]
    return re.sub(r"<[^>]+>|\s", "", found[1])


def errors_of(answer: HttpResponse) -> list[str]:
    """The summary of errors."""
    found = re.search(r'class="error-summary".*?</ul>', text_of(answer), re.DOTALL)
    return [re.sub(r"<[^>]+>", "", line).strip() for line in re.findall(r"<li>(.*?)</li>", found[0], re.DOTALL)] if found else []
