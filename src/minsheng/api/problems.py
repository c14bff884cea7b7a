"""What is answered when a call does not succeed: one shape, a code, a Chinese sentence, and details (docs/api.md).

A domain rule's refusal keeps the code, sentence and status of `minsheng.errors`; what concerns the call itself stands here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import JsonResponse

from minsheng.errors import Refused

# code: (HTTP status, sentence)
SENTENCES: dict[str, tuple[int, str]] = {
    "bad_request": (400, "请求无法解析，请检查格式和编码（UTF-8 的 JSON）。"),
    "unauthenticated": (401, "缺少令牌，或令牌无效、已过期、已吊销。"),
    "no_such_address": (404, "没有这个地址，请对照接口文档。"),
    "method_not_allowed": (405, "这个地址不接受 {method}。"),
    "length_required": (411, "请写明 Content-Length；不接受分块传输（chunked）。"),
    "too_large": (413, "请求太大。正文最多 {megabytes} MB。"),
    "wrong_content_type": (415, "请用 {expected} 提交。"),
    "invalid_fields": (422, "有的字段不符合要求，没有提交。"),
    "too_many_calls": (429, "调用太频繁，请 {seconds} 秒后再试。"),
}


class Problem(Exception):
    """The call itself is at fault. `headers` go with the answer."""

    def __init__(self, code: str, *, headers: dict[str, str] | None = None, **details: Any) -> None:
        self.code, self.headers, self.details = code, headers or {}, details
        super().__init__(code)

    @property
    def status(self) -> int:
        """HTTP status of this problem."""
        return SENTENCES[self.code][0]

    @property
    def sentence(self) -> str:
        """The Chinese sentence."""
        return SENTENCES[self.code][1].format(**self.details)


def answer(problem: Problem | Refused) -> JsonResponse:
    """The one shape of everything that did not succeed."""
    details = {name: value for name, value in problem.details.items() if name != "message"}
    body = {"code": problem.code, "message": problem.sentence, "details": _plain(details)}
    response = JsonResponse(body, status=problem.status, json_dumps_params={"ensure_ascii": False})
    for name, value in getattr(problem, "headers", {}).items():
        response[name] = value
    return response


def _plain(value: Any) -> Any:
    """What JSON can carry; rows and other objects are left to the sentence."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return str(value)
