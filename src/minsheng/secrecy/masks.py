"""Masks: what a screen shows of a personal value until somebody who needs it uncovers it (`domain.md` §8.2)."""

from __future__ import annotations

import re

from minsheng.secrecy.hashes import normalise_phone
from minsheng.secrecy.surnames import COMPOUND

_AREA = re.compile(r"0(?:10|2\d|[3-9]\d{2})")
_NUMBER = r"[0-9０-９A-Za-zＡ-Ｚａ-ｚ一二三四五六七八九十百零〇甲乙丙丁东西南北\-－#]+"
_HOUSE = re.compile(r"[0-9０-９一二三四五六七八九十百零〇\-－之]+(?=号(?![楼院]))")
_BUILDING = re.compile(
    rf"{_NUMBER}(?:号楼|号院|栋|幢|座|单元|梯|层|楼|室|户|房)"  # 3号楼, 12栋, 501室
    r"|[0-9０-９]{1,4}[#＃\-－][0-9０-９\-－]{2,}"  # 3#501, 3-501
    r"|(?<=[^0-9０-９])[0-9０-９]{3,4}$"  # a bare room number at the end
)


def mask_phone(value: str) -> str:
    """138****5678; 0591-****2222; service numbers belong to nobody and stay."""
    if not value:
        return ""
    number = normalise_phone(value)
    if len(number) == 11 and number.startswith("1"):
        return f"{number[:3]}****{number[-4:]}"
    if area := _AREA.match(number):
        return f"{area[0]}-****{number[-4:]}"
    if number.startswith("+"):
        return f"{number[:3]}****{number[-2:]}"
    return number or "****"


def mask_name(value: str) -> str:
    """The surname and stars, at most two: 张**, 欧阳*. A single character is hidden whole."""
    name = value.strip()
    if len(name) < 2:
        return "*" * len(name)
    keep = 2 if len(name) > 2 and name[:2] in COMPOUND else 1
    return name[:keep] + "*" * min(len(name) - keep, 2)


def mask_id_number(value: str) -> str:
    """First three and last four characters; of a short document number the last two."""
    number = value.strip()
    if len(number) >= 15:
        return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"
    return "*" * max(len(number) - 2, 0) + number[-2:] if len(number) > 4 else "*" * len(number)


def mask_address(value: str) -> str:
    """Down to the road or estate: the house number is starred, and everything from building or room on is left out."""
    address = value.strip()
    building = _BUILDING.search(address)
    kept = address[: building.start()] if building else address
    starred = _HOUSE.sub("**", kept)
    return f"{starred}***" if building else starred
