"""What `verify` can find, and how it says so."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

# kind: (Chinese, English). {where} names the table and the row's owner or id, {seq} the entry of the chain.
SENTENCES: dict[str, tuple[str, str]] = {
    "altered": ("{where} 第 {seq} 条被改动", "{where}: entry {seq} was altered"),
    "rewritten": (
        "{where} 第 {seq} 条或更早的条目在封存 {seal} 之后被整段改写",
        "{where}: entry {seq} or an earlier one was rewritten after seal {seal}",
    ),
    "missing": ("{where} 缺第 {seq} 条", "{where}: entry {seq} is missing"),
    "cut_off": ("{where} 第 {seq} 条起被截去", "{where}: cut off from entry {seq} on"),
    "inserted": ("{where} 第 {seq} 条是插入的", "{where}: entry {seq} was inserted"),
    "reordered": (
        "{where} 第 {seq} 条被调换了位置（原第 {was} 条）",
        "{where}: entry {seq} was moved (it was entry {was})",
    ),
    "head_mismatch": (
        "{where} 所记的链头与最后一条（第 {seq} 条）不符",
        "{where}: the head kept by its row differs from its last entry {seq}",
    ),
    "owner_deleted": ("{where} 本身已被删除", "{where}: the row itself was deleted"),
    "note_altered": ("{where} 第 {seq} 条的说明文字被改动", "{where}: the note of entry {seq} was altered"),
    "erased_unrecorded": (
        "{where} 第 {seq} 条的说明文字被清除，但没有清除记录",
        "{where}: the note of entry {seq} was erased without a record",
    ),
    "audit_altered": ("审计记录 {entry} 被改动", "audit entry {entry} was altered"),
    "audit_missing": ("缺审计记录 {entry}", "audit entry {entry} is missing"),
    "audit_cut_off": ("审计记录自 {entry} 起被截去", "the audit log was cut off from entry {entry} on"),
    "audit_inserted": ("审计记录 {entry} 是事后插入的", "audit entry {entry} was inserted afterwards"),
    "seal_altered": ("封存 {seal} 被改动", "seal {seal} was altered"),
    "seal_signature": ("封存 {seal} 的签名不对", "seal {seal} has a wrong signature"),
    "seal_missing": ("缺封存 {seal}", "seal {seal} is missing"),
    "seal_broken": ("封存 {seal} 与前一次封存接不上", "seal {seal} does not follow the seal before it"),
    "seal_cut_off": (
        "封存自 {seal} 起被截去（导出文件中有）",
        "seals were cut off from {seal} on (the export has them)",
    ),
    "export_differs": ("封存 {seal} 与导出文件不一致", "seal {seal} differs from the export"),
    "export_missing": ("导出文件中缺封存 {seal}", "the export lacks seal {seal}"),
    "export_unreadable": ("导出文件 {where} 有一行读不出来", "a line of the export cannot be read: {where}"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that is not as it was written. `kind` is a key of SENTENCES."""

    kind: str
    model: str = ""
    owner: int | None = None
    seq: int | None = None
    was: int | None = None
    entry: int | None = None
    seal: int | None = None
    where: str = ""

    def _details(self) -> dict[str, Any]:
        where = self.where or f"{self.model} {self.owner}"
        return asdict(self) | {"where": where}

    @property
    def sentence(self) -> str:
        """In Chinese, naming the row."""
        return SENTENCES[self.kind][0].format(**self._details())

    @property
    def english(self) -> str:
        """In English, naming the row."""
        return SENTENCES[self.kind][1].format(**self._details())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return given | {"sentence": self.sentence}


@dataclass(slots=True)
class Report:
    """What was verified and what was found. Rows newer than the last seal are chain-checked and counted apart."""

    findings: list[Finding] = field(default_factory=list)
    chains: int = 0
    entries: int = 0
    entries_not_yet_sealed: int = 0
    notes_erased: int = 0
    audit_entries: int = 0
    audit_entries_not_yet_sealed: int = 0
    seals: int = 0
    last_sealed_at: datetime | None = None
    exported_seals: int | None = None

    @property
    def ok(self) -> bool:
        """True when everything is as it was written."""
        return not self.findings

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        counts = {name: value for name, value in asdict(self).items() if name != "findings"}
        counts["last_sealed_at"] = self.last_sealed_at.isoformat() if self.last_sealed_at else None
        return {"ok": self.ok, **counts, "findings": [finding.as_dict() for finding in self.findings]}
