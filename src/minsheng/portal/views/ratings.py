"""Rating: two presses, on the case's own page or through the link of a message. A look changes nothing; a press rates."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from minsheng.cases import work, workflow
from minsheng.cases.actors import CITIZEN
from minsheng.cases.choices import Satisfaction, Solved
from minsheng.cases.guards import is_bad
from minsheng.cases.models import Case
from minsheng.errors import NOT_FOUND, Refused
from minsheng.followup.actions import rate_case
from minsheng.followup.links import case_of
from minsheng.portal.forms import RatingForm
from minsheng.portal.views.uploads import submission_of

NO_SUCH_LINK = "这个评价链接不完整，可能没有复制全。"


class Rating:
    """One rating under way: first how satisfied (a look with `?s=`), then whether it is solved (a press)."""

    def __init__(self, request: HttpRequest) -> None:
        self.submission = submission_of(request)
        self.pressed = request.method == "POST"
        self.form = RatingForm(request.POST if self.pressed else None)
        given = request.POST.get("satisfaction", "") if self.pressed else request.GET.get("s", "")
        self.satisfaction = Satisfaction(given) if given in Satisfaction.values else None
        self.levels, self.outcomes = list(Satisfaction), list(Solved)

    @property
    def is_complete(self) -> bool:
        """Both are said."""
        return self.pressed and self.form.is_valid()

    @property
    def given(self) -> dict[str, Any]:
        """For the action."""
        return {name: self.form.cleaned_data[name] for name in ("satisfaction", "solved", "contacted", "truthful", "comment")}

    @property
    def status(self) -> int:
        """Of the page that shows the form again."""
        return 422 if self.pressed else 200

    @property
    def thanks(self) -> str:
        """What follows from this rating, in a sentence."""
        bad = is_bad(self.given["satisfaction"], self.given["solved"])
        return "您的评价已经收到。对不满意的地方，我们会再看一遍。" if bad else "谢谢您的评价。"


# The link itself is the secret that a forged page would lack; a reader inside another app may refuse cookies.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
def rate_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """`/rate/<token>/`: opens the form for whoever has the link, a mail scanner too; only a press writes."""
    rating = Rating(request)
    try:
        case = case_of(token)
        if not rating.is_complete:
            _check(case)
            context: dict[str, Any] = {"rating": rating, "received_at": case.received_at, "by_link": True}
            return render(request, "portal/rate.html", context, status=rating.status)
        rate_case(at=timezone.now(), case=case, submission=rating.submission, **rating.given)
    except work.Repeated:
        pass
    except Refused as refused:
        sentence = NO_SUCH_LINK if refused.status == NOT_FOUND else refused.sentence
        return render(request, "portal/rate_over.html", {"sentence": sentence, "code": refused.code}, status=refused.status)
    return render(request, "portal/rated.html", {"thanks": rating.thanks})


def _check(case: Case) -> None:
    """Errors: why it cannot be rated now."""
    workflow.check(workflow.BY_CODE["rate"], work.situation_of(case, actor=CITIZEN, at=timezone.now()))
