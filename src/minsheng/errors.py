"""The one domain error, and the one table that turns its codes into a sentence and an HTTP status."""

from __future__ import annotations

from typing import Any

FORBIDDEN, NOT_FOUND, CONFLICT, UNPROCESSABLE = 403, 404, 409, 422

# code: (HTTP status, sentence). Sentences say what happened, that nothing was lost, and the next step.
SENTENCES: dict[str, tuple[int, str]] = {
    # who and whether
    "forbidden": (FORBIDDEN, "您现在的角色不能做这一步（{action}）。如确有需要，请联系班长或系统管理员。"),
    "not_found": (NOT_FOUND, "没有找到，或您无权查看。"),
    "stale": (CONFLICT, "在您打开之后，这件诉求已有新的变化，您填写的内容都还在。请看过变化后再决定是否提交。"),
    "wrong_state": (CONFLICT, "诉求件现在是“{state}”，不能再{action}。您填写的内容没有丢失。"),
    "same_person": (FORBIDDEN, "这件诉求由您批转，须由另一位同事{action}。"),
    # what was written
    "invalid": (UNPROCESSABLE, "{message}"),
    "reason_required": (UNPROCESSABLE, "请写明理由。"),
}


class Refused(Exception):
    """A domain rule said no. `code` is a key of SENTENCES; `details` fill the sentence and travel with the answer."""

    def __init__(self, code: str, **details: Any) -> None:
        if code not in SENTENCES:
            raise KeyError(f"unknown refusal code {code!r}")
        self.code = code
        self.details = details
        super().__init__(code)

    @property
    def status(self) -> int:
        """HTTP status of this refusal."""
        return SENTENCES[self.code][0]

    @property
    def sentence(self) -> str:
        """The Chinese sentence shown to the person; a detail that is missing shows as nothing."""
        return SENTENCES[self.code][1].format_map(_Blank(self.details))

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""
