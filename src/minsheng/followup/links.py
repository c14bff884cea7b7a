"""A link for rating, sent to the citizen: it opens the form and nothing else; a POST rates, once, by the case's state.

It names a case and a round, signed and dated; no person, no telephone. Whoever has it may rate this one case.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing

from minsheng.cases.models import Case
from minsheng.errors import Refused

_SALT = "minsheng.followup.rating"


def make_token(case: Case) -> str:
    """The last part of a rating link for the round under way."""
    return signing.dumps([case.number, case.round], salt=_SALT)


def case_of(token: str) -> Case:
    """The case that a link is for. Reads only: a mail scanner that follows it changes nothing.

    Errors: not_found for what is no link of ours; link_over when it is too old or the case has gone into another round.
    """
    days = settings.HOTLINE["rating_link_days"]
    try:
        number, round_ = signing.loads(token, salt=_SALT, max_age=days * 24 * 3600)
    except signing.SignatureExpired:
        raise Refused("link_over") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused("not_found") from None
    case = Case.objects.filter(number=number).select_related("topic").first()
    if case is None:
        raise Refused("not_found")
    if case.round != round_:
        raise Refused("link_over")
    return case
