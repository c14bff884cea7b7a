"""What made-up citizens and units say: sentences of our own from data/, filled with streets, times and numbers."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

from minsheng.cases.choices import RequestKind
from minsheng.cases.details import ApplicantDetails
from minsheng.cases.models import Topic
from minsheng.organisations.models import Place
from minsheng.worktime.moments import local

DATA = Path(__file__).resolve().parent.parent / "data"

_SURNAMES = "林陈黄郑吴张李王刘许何叶高沈翁邱江方曾郭"
_GIVEN = [
    "小明",
    "依妹",
    "秀兰",
    "建国",
    "丽云",
    "志强",
    "美珠",
    "文斌",
    "思琪",
    "国平",
    "雅萍",
    "永春",
    "晓燕",
    "家豪",
    "梅英",
    "振华",
    "淑贞",
    "子涵",
    "春生",
    "桂花",
]
_ESTATES = ["金辉", "融侨", "江滨", "榕城", "左海", "乌山", "闽江", "螺洲", "鳌峰", "屏山"]
_ESTATE_ENDS = ["花园", "新村", "雅苑", "佳园", "小区", "名城"]
_SHOPS = ["烧烤店", "海鲜大排档", "健身房", "KTV", "足浴店", "五金加工店", "水果店", "理发店", "早餐店"]
_WHEN = ["昨晚十一点多", "今天早上", "前天晚上", "上周末", "今天凌晨两点", "中午", "这几天傍晚"]
_SINCE = ["去年底", "今年三月", "国庆前", "上个月", "半年前", "两周前"]
_DAYS = ["一个星期", "半个月", "十来天", "一个多月", "三四天"]
_COMPANIES = ["榕兴", "闽盛", "海峡", "东岭", "福港", "金鼎"]
_TRADES = ["商贸", "建材", "食品", "电子", "物流", "装饰"]


@cache
def _read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _sentences() -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in _read("demo_sentences.csv"):
        found[row["topic"], row["part"]].append(row["sentence"])
    return found


@cache
def _phrases() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in _read("demo_words.csv"):
        found[row["part"]].append(row["sentence"])
    return found


@cache
def _roads() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in _read("demo_roads.csv"):
        found[row["county"]].append(row["road"])
    return found


def _roads_of(street: str, county: str) -> list[str]:
    """A street has two roads, always the same, so that addresses teach where a road lies (minsheng.cases.streets)."""
    roads = _roads().get(county) or ["中山路"]
    return Random(street).sample(roads, min(2, len(roads)))  # noqa: S311 - chance, not secrecy


def topics_with_words() -> set[str]:
    """Codes of the topics that somebody can complain about."""
    return {topic for topic, part in _sentences() if part == "open" and len(topic) == 6}


def surnames() -> str:
    """Each a character."""
    return _SURNAMES


def sentences_said() -> list[str]:
    """Every sentence that a made-up citizen may say, its blanks left out."""
    return sorted(re.sub(r"{\w+}", "", sentence) for (_, _), said in _sentences().items() for sentence in said)


@dataclass
class Voice:
    """One case's words: every sentence of it is about the same place and time."""

    random: Random
    place: Place
    at: datetime
    blanks: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pick = self.random.choice
        county = self.place.parent or self.place
        road = pick(_roads_of(self.place.code, county.code))
        self.road = f"{road}{self.random.randint(2, 380)}号"
        day = local(self.at)
        later = [f"{d.month}月{d.day}日" for d in (day + timedelta(days=n) for n in (1, 2, 7))]
        self.blanks = {
            "estate": pick(_ESTATES) + pick(_ESTATE_ENDS),
            "road": road,
            "building": f"{self.random.randint(1, 28)}号楼",
            "shop": pick(_SHOPS),
            "number": str(self.random.randint(2, 60)),
            "county": county.name,
            "when": pick(_WHEN),
            "since": pick(_SINCE),
            "days": pick(_DAYS),
            "spot": f"{road}附近",
            "day": later[0],
            "day2": later[1],
            "day3": later[2],
            "cause": pick(_phrases()["cause"]),
            "fix": pick(_phrases()["fix"]),
        }

    def say(self, part: str) -> str:
        """One phrase of a unit or an officer."""
        return self.random.choice(_phrases()[part]).format(**self.blanks)

    def request(self, topic: Topic, kind: str, *, urgent: bool) -> str:
        """What happened, a little more, and what is wanted."""
        sentences, pick = _sentences(), self.random.choice
        parts = [pick(sentences[topic.code, "open"])]
        more = sentences.get((topic.code[:2], "more"))
        if more and self.random.random() < 0.7:
            parts.append(pick(more))
        wants = sentences.get(("urgent" if urgent else kind, "want")) or sentences["", "want"]
        parts.append(pick(wants))
        return "".join(parts).format(**self.blanks)

    def applicant(self, kind: str) -> ApplicantDetails:
        """A person who does not exist; the telephone begins with 1380000, which belongs to nobody here."""
        pick, chance = self.random.choice, self.random.random
        phone = f"1380000{self.random.randint(0, 9999):04d}"
        name = pick(_SURNAMES) + pick(_GIVEN)
        if kind in (RequestKind.COMPLAINT, RequestKind.HELP, RequestKind.CONSULTATION) and chance() < 0.07:
            company = f"福州{pick(_COMPANIES)}{pick(_TRADES)}有限公司（演示）"
            return ApplicantDetails(kind="enterprise", name=name, phone=phone, organisation=company)
        if kind == RequestKind.REPORT and chance() < 0.3:
            return ApplicantDetails(anonymous=True, phone=phone if chance() < 0.5 else "")
        return ApplicantDetails(name=name, phone=phone)
