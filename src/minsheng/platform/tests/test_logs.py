"""What reaches the log, and what must not."""

from django.test import RequestFactory

from minsheng.platform.logs import RequestLogMiddleware, without_values

_TRACE = """Traceback (most recent call last):
  File "x.py", line 1, in f
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "cases_contact_key"
DETAIL:  Key (phone)=(13800000000
second line) already exists.

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "y.py", line 2, in g
django.db.utils.IntegrityError: duplicate key value violates unique constraint "cases_contact_key"
DETAIL:  Key (phone)=(13800000000
second line) already exists."""


def test_query_string_is_left_out():
    assert RequestLogMiddleware.format_request(RequestFactory().get("/cases/?q=张三")) == "GET /cases/"


def test_values_of_rows_are_cut_and_the_rest_is_kept():
    event = without_values(None, "error", {"event": "failed", "exception": _TRACE})
    assert "13800000000" not in event["exception"]
    assert "second line" not in event["exception"]
    assert event["exception"].count("cases_contact_key") == 2
    assert "y.py" in event["exception"]
