"""The tables of the cases room."""

from minsheng.cases.models.case import Applicant, Attachment, Case, Contact
from minsheng.cases.models.phrase import Phrase
from minsheng.cases.models.reference import ReasonCode, RefusalGround, Topic
from minsheng.cases.models.streets import StreetWord
from minsheng.cases.models.task import Ask, Outreach, Reply, Task
from minsheng.cases.models.timeline import Message, TimelineEntry
from minsheng.cases.models.unit import DeskVisit, ReplyTemplate
from minsheng.cases.models.words import CaseWords

__all__ = [
    "Applicant",
    "Ask",
    "Attachment",
    "Case",
    "CaseWords",
    "Contact",
    "DeskVisit",
    "Message",
    "Outreach",
    "Phrase",
    "ReasonCode",
    "RefusalGround",
    "Reply",
    "ReplyTemplate",
    "StreetWord",
    "Task",
    "TimelineEntry",
    "Topic",
]
