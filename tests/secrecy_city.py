"""The small city with secrets in it: every value that identifies somebody occurs once in the world, so that whoever shows it tells.

`values` are what stands in encrypted columns: nobody ever gets them by looking, only by uncovering. `words` are what citizens
wrote themselves. `found` are values inside those words that a pattern recognises: who sees words without persons sees none of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from minsheng.accounts.choices import Role
from minsheng.accounts.models import User
from minsheng.api.tests.conftest import make_remote
from minsheng.cases import actions
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import ApplicantKind, Channel, RequestKind
from minsheng.cases.details import ApplicantDetails, CaseDetails
from minsheng.cases.models import Case
from minsheng.cases.tests.world import World, build, fresh
from minsheng.dispatching import actions as dispatching
from minsheng.followup import actions as followup
from minsheng.organisations.coordinates import Point
from minsheng.organisations.models import Unit
from minsheng.outbox import actions as outbox
from minsheng.outbox import following
from minsheng.outbox.choices import NoticeKind, Timing
from minsheng.outbox.models import Cursor
from minsheng.secrecy import mask_id_number, mask_phone

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\10\6\0\0\0\x1f\x15\xc4\x89"


@dataclass(frozen=True)
class Secrets:
    """What one citizen left in one case."""

    name: str
    phone: str
    id_number: str
    home: str
    words: tuple[str, ...]
    found: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """In encrypted columns, whole."""
        return (self.name, self.phone, self.id_number, self.home)

    @property
    def masks(self) -> tuple[str, ...]:
        """As the case page shows them before anybody uncovers them; a masked surname alone tells nobody apart."""
        return (mask_phone(self.phone), mask_id_number(self.id_number))

    @property
    def point(self) -> Point:
        """Where it happened, picked on a map: as telling as a house number."""
        return Point.of(f"119.27{self.phone[-4:]}", f"26.04{self.phone[-4:]}")

    def applicant(self, **more: Any) -> ApplicantDetails:
        """As handed to intake."""
        return ApplicantDetails(name=self.name, phone=self.phone, id_number=self.id_number, address=self.home, **more)


SECRETS = {
    # A report against an official of 仓山城管, being handled by 生态环境 (lead) and 水务 (assisting).
    "report": Secrets(
        "欧阳晴岚", "13905910001", "350102198001010011", "晋安区鼓岭幽兰苑 7 栋 1203 室",
        ("我在该所食堂做了九年帮厨", "绿漆铁门", "帮厨自述", "岚姐的表弟", "帮厨偷拍.png", "补记那天是我值夜"),
        ("13905919001", "lanjie.q@example.cn", "欧阳霁月"),
    ),
    # The same kind of report from the web, waiting for acceptance.
    "waiting": Secrets(
        "司徒砚秋", "13905910002", "350102198102020024", "马尾区罗星塔下潮声里 3 号楼 502 室",
        ("我家铺面正对执法岗亭", "铺面对岗亭", "铺面照片.png"),
        ("13905919002",),
    ),
    # Ordinary: 仓山城管 leads, 生态环境 assists, 建新中队 below; replied, audited, rated, second handling asked for.
    "ordinary": Secrets(
        "慕容听雪", "13905910003", "350102198203030037", "仓山区烟台山望江阁 2 栋 801 室",
        ("洗衣机夜里漏水泡了琴房", "琴房漏水", "琴房照片.png", "二胡老师", "琴谱又湿了一箱", "琴弦都锈了"),
        ("13905919003", "慕容知秋"),
    ),
    # Anonymous: a name and a number that the caller gave and then took back.
    "anonymous": Secrets(
        "上官无痕", "13905910004", "35010219830404004X", "台江区上下杭旧仓 4 号",
        ("豆浆摊早上占道", "豆浆摊"),
        ("13905919004",),
    ),
    # An agent's unfinished form.
    "draft": Secrets(
        "尉迟未央", "13905910005", "350102198405050052", "鼓楼区三坊七巷尾 9 号院",
        ("鹦鹉学舌骂人", "鹦鹉"),
        ("13905919005",),
    ),
    # An enterprise's, from the web; the unit has replied and the reply waits for audit.
    "enterprise": Secrets(
        "诸葛清商", "13905910006", "350102198506060065", "长乐区漳港云帆广场 A 座 1701 室",
        ("我司的冷库被停电三次", "冷库停电", "云帆冷链有限公司", "91350100M000100Y43"),
        ("13905919006",),
    ),
    # Ordinary at first, made confidential after 仓山城管 had read it.
    "turned": Secrets(
        "夏侯拾穗", "13905910007", "350102198607070078", "闽侯县上街镇稻花村 15 号",
        ("我儿子在那所小学读三年级", "三年级家长", "家长接送.png", "她是三年级孩子的妈妈"),
        ("13905919007",),
    ),
    # A duplicate of "ordinary", merged into it.
    "merged": Secrets(
        "皇甫小竹", "13905910008", "350102198708080080", "仓山区烟台山望江阁 3 栋 202 室",
        ("楼下钢琴也泡了水", "钢琴泡水"),
        ("13905919008",),
    ),
}  # fmt: skip
PUBLIC = "enterprise"  # its citizen agreed to its being published: where it stands, never its words
STAFF_EMAIL = "guan.lian@staff.example.cn"  # a person's own, for nobody else's eyes
CONFIDENTIAL = frozenset({"report", "waiting", "turned"})


@dataclass
class City:
    """The world and its cases by label."""

    world: World
    cases: dict[str, Case] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)

    @property
    def people(self) -> dict[str, User]:
        """Everybody with an account."""
        return self.world.people

    def number(self, label: str) -> str:
        """A case's number; a draft has none."""
        return self.cases[label].number or ""


def secrets_kept(*, readable: frozenset[str], redacted: bool = False) -> dict[str, str]:
    """Every string that a person must not be shown who reads the words of these cases, with what it is."""
    kept: dict[str, str] = {}
    for label, secrets in SECRETS.items():
        kept |= dict.fromkeys(secrets.values, f"a value of {label}, whole")
        if label not in readable or redacted:
            kept |= dict.fromkeys(secrets.masks, f"a masked value of {label}")
            kept |= dict.fromkeys(secrets.found, f"personal data in the words of {label}")
            kept |= dict.fromkeys(str(secrets.point).split(","), f"the point of {label}")
        if label not in readable:
            kept |= dict.fromkeys(secrets.words, f"words of {label}")
    return kept


def leaks(text: str, kept: dict[str, str]) -> list[str]:
    """What of the kept strings stands in the text."""
    found = [(secret, what) for secret, what in kept.items() if secret in text or (" " in secret and secret.replace(" ", "") in text)]
    return [f"{what}: {secret}" for secret, what in found]


def told(label: str, words: str) -> str:
    """Words with the values that a pattern finds in them, as people write them."""
    found = SECRETS[label].found
    mail = next((f"，邮箱 {value}" for value in found if "@" in value), "")
    name = next((f"，我叫{value}，" for value in found if not value.isascii()), "，")
    return f"{words}{name}请打 {found[0]} 找我{mail}。"


def build_city() -> City:
    """Call inside a transaction; the caller rolls it back. The clock starts some days ago, as screens look at the real one."""
    world = build()
    world.now = timezone.now() - timedelta(days=6)
    city = City(world)
    government = Unit.objects.get(name="福州市人民政府")
    world.units["福州市"] = government
    world.people["市府联络"] = User.objects.create(
        username="city", display_name="市府联络", roles=[Role.UNIT_LIAISON], unit=government, password="!"
    )
    conduct = world.topics["干部作风"]
    conduct.required_fields = [{"name": "second", "label": "另一联系人"}]
    conduct.route, conduct.lead_rule, conduct.default_lead = "", "city", world.units["生态环境"]
    conduct.save()
    for label, make in MAKERS.items():
        city.cases[label] = fresh(make(world, city))
    actions.save_template(actor=world["城管联络"], at=world.now, name="噪声", text="〔时间〕已到现场劝止。")
    _listeners(world)
    _follow(world)
    for person in city.people.values():  # who has no password is never signed in
        person.password = make_password("a password")
        person.save(update_fields=["password"])
    city.cases = {label: fresh(case) for label, case in city.cases.items()}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # so that thousands of looks are planned for so few rows
    return city


def _listeners(world: World) -> None:
    """Another system with a token, one that is told of what happens, and a person of a unit who wants mail."""
    remote = make_remote(world, "known", Role.AGENT)
    outbox.register_endpoint(
        actor=world["system_admin"], at=world.now, name="听", url="https://93.184.216.34/hook", user=remote.account
    )
    outbox.save_preference(
        actor=world["城管联络"], at=world.now, email=STAFF_EMAIL, timings=dict.fromkeys(NoticeKind.values, Timing.AT_ONCE),
        digest_at=[], quiet=None,
    )  # fmt: skip


def _follow(world: World) -> None:
    """What the sender's process would have made of all this: the horizon lies behind our own transaction, as if it were over."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        [(own,)] = cursor.fetchall()
    Cursor.objects.update_or_create(name=following.CURSOR, defaults={"xid": own})
    with mock.patch.object(following, "safe_horizon", lambda: own + 1):
        assert following.follow(at=timezone.now()) > 0


def _stamp(world: World, who: str, **later: float) -> dict[str, Any]:
    return {"actor": world[who], "at": world.later(**(later or {"minutes": 3}))}


def _file(name: str) -> SimpleUploadedFile:
    # Files are kept once by content: each of ours differs.
    return SimpleUploadedFile(name, PNG + name.encode(), content_type="image/png")


def _submit(
    world: World,
    label: str,
    *,
    title: str,
    file: str = "",
    channel: str = Channel.PHONE,
    actor: Any = None,
    applicant: dict[str, Any] | None = None,
    **details: Any,
) -> Case:
    secrets = SECRETS[label]
    values: dict[str, Any] = {
        "kind": RequestKind.COMPLAINT,
        "topic": world.topics["夜间施工噪声"],
        "place": world.places["建新镇"],
        "point": secrets.point,
        "text": told(label, secrets.words[0]),
        "title": f"{title}（电话 {secrets.found[0]}）",
    } | details
    return actions.submit_case(
        actor=actor or world["agent"],
        at=world.later(minutes=1),
        channel=channel,
        details=CaseDetails(**values),
        applicant=secrets.applicant(**(applicant or {})),
        files=[_file(file)] if file else (),
        submission=uuid4(),
    )


def _report(world: World, city: City) -> Case:
    words = SECRETS["report"].words
    case = _submit(
        world, "report", title=words[2], file=words[4], kind=RequestKind.REPORT, topic=world.topics["干部作风"],
        address=words[1], accused_unit=world.units["仓山城管"], extra={"second": words[3]},
    )  # fmt: skip
    actions.accept_case(**_stamp(world, "agent"), case=case)
    dispatching.dispatch_case(
        **_stamp(world, "dispatcher"), case=case, lead=world.units["生态环境"], assisting=[world.units["水务"]],
        unit_text="有人反映一名执法人员作风问题。", instruction="请依纪依规核查。",
    )  # fmt: skip
    for unit, who in (("生态环境", "环境联络"), ("水务", "水务联络")):
        actions.read_task(**_stamp(world, who), task=world.task_of(case, unit))
    actions.supplement_case(actor=CITIZEN, at=world.later(minutes=5), case=case, channel=Channel.WEB, text=told("report", words[5]))
    actions.urge_case(**_stamp(world, "team_leader"), case=case, reason=told("report", "来电人说"))
    task = world.task_of(case, "生态环境")
    actions.request_pause(**_stamp(world, "环境联络"), task=task, reason_code="", reason="须等鉴定", basis="委托书")
    actions.decide_pause(**_stamp(world, "auditor"), task=task, grant=False, note="请按期办结")
    return case


def _waiting(world: World, city: City) -> Case:
    words = SECRETS["waiting"].words
    return _submit(
        world, "waiting", title=words[1], file=words[2], channel=Channel.WEB, actor=CITIZEN, kind=RequestKind.REPORT,
        topic=world.topics["干部作风"], accused_unit=world.units["仓山城管"],
    )  # fmt: skip


def _ordinary(world: World, city: City) -> Case:
    words, talk = SECRETS["ordinary"].words, lambda text: told("ordinary", text)
    case = _submit(world, "ordinary", title=words[1], file=words[2], extra={"second": words[3]}, topic=world.topics["干部作风"])
    # The topic is confidential by default: what is asked for here is the contrary, on record.
    actions.lift_confidentiality(**_stamp(world, "hotline_leader"), case=case, reason="本人同意公开")
    actions.accept_case(**_stamp(world, "agent"), case=case)
    city.cases["merged"] = _merged(world, case)
    dispatching.dispatch_case(
        **_stamp(world, "dispatcher"), case=case, lead=world.units["仓山城管"], assisting=[world.units["生态环境"]],
        instruction=talk("请先联系"),
    )  # fmt: skip
    lead = world.lead(case)
    actions.read_task(**_stamp(world, "城管联络"), task=lead)
    actions.supplement_case(actor=CITIZEN, at=world.later(minutes=5), case=case, channel=Channel.WEB, text=talk(words[4]))
    actions.urge_case(**_stamp(world, "team_leader"), case=case, reason=talk("再次来电"))
    actions.reach_out(
        **_stamp(world, "城管联络"), task=lead, reached_at=world.now, method="phone", reached=True, summary=talk("已联系")
    )
    _asked_and_refused(world, case, talk)
    actions.sub_dispatch(**_stamp(world, "城管联络"), task=lead, unit=world.units["建新中队"], instruction=talk("去现场"))
    _reports(world, case, talk)
    _answered(world, case, talk)
    _rated(world, case, talk(words[5]))
    return case


def _asked_and_refused(world: World, case: Case, talk: Any) -> None:
    lead = world.lead(case)
    actions.request_pause(**_stamp(world, "城管联络"), task=lead, reason_code="", reason=talk("等检测"), basis=talk("委托书"))
    actions.decide_pause(**_stamp(world, "auditor"), task=lead, grant=False, note=talk("不必等"))


def _reports(world: World, case: Case, talk: Any) -> None:
    for unit, who in (("生态环境", "环境联络"), ("建新中队", "中队联络")):
        task = world.task_of(case, unit)
        actions.read_task(**_stamp(world, who), task=task)
        actions.report_result(**_stamp(world, who), task=task, text=talk("已到现场"))


def _answered(world: World, case: Case, talk: Any) -> None:
    """Sent back once, passed the second time."""
    for last in (False, True):
        lead = world.lead(case)
        actions.draft_reply(
            **_stamp(world, "城管联络"), task=lead, text=talk("经核查已修复"), finding="true", outcome="supported", solved="yes",
            basis=talk("条例"),
        )  # fmt: skip
        actions.sign_reply(**_stamp(world, "城管领导"), task=lead)
        if last:
            actions.pass_reply(**_stamp(world, "auditor"), case=fresh(case), note=talk("可以"))
        else:
            actions.send_back(**_stamp(world, "auditor"), case=fresh(case), reasons=["no_process"], note=talk("没写过程"))


def _rated(world: World, case: Case, comment: str) -> None:
    followup.rate_case(at=world.later(minutes=9), case=fresh(case), satisfaction="unsatisfied", solved="no", comment=comment)


def _anonymous(world: World, city: City) -> Case:
    case = _submit(world, "anonymous", title=SECRETS["anonymous"].words[1], applicant={"anonymous": True})
    actions.accept_case(**_stamp(world, "agent"), case=case)
    dispatching.dispatch_case(**_stamp(world, "dispatcher"), case=case, lead=world.units["仓山城管"])
    actions.read_task(**_stamp(world, "城管联络"), task=world.lead(case))
    return case


def _draft(world: World, city: City) -> Case:
    secrets = SECRETS["draft"]
    details = CaseDetails(kind=RequestKind.HELP, text=told("draft", secrets.words[0]), title=secrets.words[1], point=secrets.point)
    return actions.save_draft(**_stamp(world, "agent"), channel=Channel.PHONE, details=details, applicant=secrets.applicant())


def _enterprise(world: World, city: City) -> Case:
    words = SECRETS["enterprise"].words
    firm = {"kind": ApplicantKind.ENTERPRISE, "organisation": words[2], "credit_code": words[3]}
    case = _submit(world, "enterprise", title=words[1], channel=Channel.WEB, actor=CITIZEN, applicant=firm, publishable=True)
    actions.accept_case(**_stamp(world, "agent2"), case=case)
    dispatching.dispatch_case(**_stamp(world, "dispatcher2"), case=case, lead=world.units["仓山城管"])
    actions.read_task(**_stamp(world, "城管联络"), task=world.lead(case))
    actions.draft_reply(
        **_stamp(world, "城管联络"), task=world.lead(case), text="已协调供电。", finding="true", outcome="supported", solved="yes",
        basis="条例",
    )  # fmt: skip
    actions.sign_reply(**_stamp(world, "城管领导"), task=world.lead(case))
    return case


def _turned(world: World, city: City) -> Case:
    words = SECRETS["turned"].words
    case = _submit(world, "turned", title=words[1], file=words[2], publishable=True)
    actions.accept_case(**_stamp(world, "agent"), case=case)
    dispatching.dispatch_case(**_stamp(world, "dispatcher"), case=case, lead=world.units["仓山城管"], instruction=told("turned", "请联系"))
    actions.read_task(**_stamp(world, "城管联络"), task=world.lead(case))
    actions.make_confidential(**_stamp(world, "agent"), case=fresh(case), reason="诉求人要求：" + words[3])
    return case


def _merged(world: World, into: Case) -> Case:
    case = _submit(world, "merged", title=SECRETS["merged"].words[1])
    actions.accept_case(**_stamp(world, "agent"), case=case)
    dispatching.merge_case(**_stamp(world, "dispatcher"), case=case, into=fresh(into))
    return case


MAKERS = {
    "report": _report,
    "waiting": _waiting,
    "ordinary": _ordinary,
    "anonymous": _anonymous,
    "draft": _draft,
    "enterprise": _enterprise,
    "turned": _turned,
}
