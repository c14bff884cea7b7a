"""Someone with all power over the database alters it by hand: `verify` names the row (scenario 18)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import override_settings

from minsheng.audit import actions, chain, queries
from minsheng.audit.models import AuditEntry, Seal
from minsheng.audit.tests.chained import Meeting, Minute
from minsheng.audit.tests.conftest import NOW, write
from minsheng.errors import Refused
from minsheng.ui.pages import keyset_page

pytestmark = pytest.mark.django_db(transaction=True)
Hand = Callable[..., int]
Hold = Callable[..., Meeting]


def found(**options: Any) -> list[tuple[str, int | None]]:
    """Kind and place (entry of a chain, audit entry or seal) of every finding."""
    return [(one.kind, one.seq or one.entry or one.seal) for one in queries.verify(**options).findings]


def rehash(meeting: Meeting, by_hand: Hand, *, since: int) -> None:
    """Do what a clever forger does: compute all hashes anew from an entry on, and the owner's head with them."""
    rows = list(Minute.objects.filter(meeting=meeting).order_by("seq"))
    prev = bytes(rows[since - 2].hash) if since > 1 else chain.START
    for row in rows[since - 1 :]:
        head = chain.digest_of(row, prev=prev)
        by_hand("UPDATE audit_minute SET prev_hash = %s, hash = %s WHERE id = %s", prev, head, row.pk)
        prev = head
    by_hand("UPDATE audit_meeting SET timeline_head = %s WHERE id = %s", prev, meeting.pk)


# --- chains, sealed and not yet sealed --------------------------------------------------------------------------------

ALTERATIONS: list[tuple[str, list[str], list[tuple[str, int]]]] = [
    ("a fact", ["UPDATE audit_minute SET payload = '{}' WHERE seq = 3"], [("altered", 3)]),
    ("a time", ["UPDATE audit_minute SET at = at + interval '1 microsecond' WHERE seq = 1"], [("altered", 1)]),
    ("a code", ["UPDATE audit_minute SET code = 'other' WHERE seq = 5"], [("altered", 5)]),
    ("a name", ["UPDATE audit_minute SET actor_label = '他人' WHERE seq = 2"], [("altered", 2)]),
    ("an own column", ["UPDATE audit_minute SET room = NULL WHERE seq = 2"], [("altered", 2)]),
    ("a hash", ["UPDATE audit_minute SET hash = sha256('x') WHERE seq = 3"], [("altered", 3)]),
    ("a note", ["UPDATE audit_minute SET note = '改' WHERE seq = 4"], [("note_altered", 4)]),
    ("a commitment", ["UPDATE audit_minute SET note_commitment = '', note = '', note_salt = '' WHERE seq = 4"],
     [("altered", 4)]),
    ("a fraction slipped in", ["UPDATE audit_minute SET payload = '{\"a\": 1.5}' WHERE seq = 3"], [("altered", 3)]),
    ("a place far out", ["UPDATE audit_minute SET seq = 2000000000 WHERE seq = 3"], [("reordered", 2_000_000_000)]),
    ("a row gone", ["DELETE FROM audit_minute WHERE seq = 3"], [("missing", 3)]),
    ("the first gone", ["DELETE FROM audit_minute WHERE seq = 1"], [("missing", 1)]),
    ("the end cut off", ["DELETE FROM audit_minute WHERE seq > 3"], [("cut_off", 4)]),
    ("all cut off", ["DELETE FROM audit_minute"], [("cut_off", 1)]),
    ("a row gone, numbers closed up",
     ["DELETE FROM audit_minute WHERE seq = 3", "UPDATE audit_minute SET seq = seq + 100 WHERE seq > 3",
      "UPDATE audit_minute SET seq = seq - 101 WHERE seq > 100"], [("missing", 3)]),
    ("two swapped",
     ["UPDATE audit_minute SET seq = 99 WHERE seq = 3", "UPDATE audit_minute SET seq = 3 WHERE seq = 4",
      "UPDATE audit_minute SET seq = 4 WHERE seq = 99"], [("reordered", 3), ("reordered", 4)]),
    ("the last two swapped",
     ["UPDATE audit_minute SET seq = 99 WHERE seq = 4", "UPDATE audit_minute SET seq = 4 WHERE seq = 5",
      "UPDATE audit_minute SET seq = 5 WHERE seq = 99"], [("reordered", 4), ("reordered", 5)]),
    ("the owner's head", ["UPDATE audit_meeting SET timeline_head = sha256('x')"], [("head_mismatch", 5)]),
    ("the owner's length", ["UPDATE audit_meeting SET timeline_length = 4"], [("head_mismatch", 5)]),
    ("two in one chain", ["UPDATE audit_minute SET code = 'x' WHERE seq IN (2, 5)"], [("altered", 2), ("altered", 5)]),
]  # fmt: skip


@pytest.mark.parametrize("sealed", [False, True], ids=["unsealed", "sealed"])
@pytest.mark.parametrize(
    ("statements", "expected"), [row[1:] for row in ALTERATIONS], ids=[row[0] for row in ALTERATIONS]
)
def test_an_alteration_by_hand_is_named(
    hold: Hold, by_hand: Hand, statements: list[str], expected: list[tuple[str, int]], sealed: bool
) -> None:
    meeting = hold(5, note="张三住3栋501室")
    if sealed:
        actions.seal(at=NOW)
    assert queries.verify().ok
    for statement in statements:
        assert by_hand(statement) > 0
    report = queries.verify()
    assert [(one.kind, one.seq) for one in report.findings] == expected
    assert {(one.model, one.owner) for one in report.findings} == {("audit.minute", meeting.pk)}


def test_a_row_rewritten_with_its_own_hash_no_longer_fits_its_neighbour(hold: Hold, by_hand: Hand) -> None:
    meeting = hold(5)
    by_hand("UPDATE audit_minute SET code = 'forged' WHERE seq = 3")
    row = Minute.objects.get(meeting=meeting, seq=3)
    by_hand("UPDATE audit_minute SET hash = %s WHERE seq = 3", chain.digest_of(row))
    assert found() == [("altered", 3)]


@pytest.mark.parametrize("place", [2, 6])
def test_an_inserted_row_is_told_from_the_true_ones(hold: Hold, by_hand: Hand, place: int) -> None:
    meeting = hold(5)
    by_hand("UPDATE audit_minute SET seq = seq + 100 WHERE seq >= %s", place)
    by_hand("UPDATE audit_minute SET seq = seq - 99 WHERE seq > 100")
    before = Minute.objects.get(meeting=meeting, seq=place - 1)
    forged = Minute(meeting=meeting, seq=place, at=NOW, code="forged", payload={}, prev_hash=before.hash)
    forged.hash = chain.digest_of(forged)
    forged.save()
    assert found() == [("inserted", place)]


def test_a_chain_rewritten_whole_is_given_away_by_the_seal(hold: Hold, by_hand: Hand) -> None:
    meeting = hold(5)
    hold(3)
    actions.seal(at=NOW)
    by_hand("UPDATE audit_minute SET code = 'forged' WHERE meeting_id = %s AND seq = 2", meeting.pk)
    rehash(meeting, by_hand, since=2)
    assert found() == [("rewritten", 5)]


def test_a_chain_cut_off_with_its_owners_head_is_given_away_by_the_seal(hold: Hold, by_hand: Hand) -> None:
    meeting = hold(5)
    actions.seal(at=NOW)
    by_hand("DELETE FROM audit_minute WHERE seq > 3")
    by_hand("UPDATE audit_meeting SET timeline_length = 3")
    rehash(meeting, by_hand, since=3)
    assert found() == [("cut_off", 4)]


def test_a_case_wiped_out_is_given_away_by_the_seal(hold: Hold, by_hand: Hand) -> None:
    gone = hold(2)
    hold(2)
    actions.seal(at=NOW)
    by_hand("DELETE FROM audit_minute WHERE meeting_id = %s", gone.pk)
    by_hand("DELETE FROM audit_meeting WHERE id = %s", gone.pk)
    findings = queries.verify().findings
    assert [(one.kind, one.owner) for one in findings] == [("owner_deleted", gone.pk)]


def test_only_the_altered_chain_is_named(hold: Hold, by_hand: Hand) -> None:
    meetings = [hold(4) for _ in range(3)]
    actions.seal(at=NOW)
    by_hand("UPDATE audit_minute SET payload = '{}' WHERE seq = 2 AND meeting_id = %s", meetings[1].pk)
    [finding] = queries.verify().findings
    assert (finding.kind, finding.owner, finding.seq) == ("altered", meetings[1].pk, 2)
    assert finding.sentence == f"audit.minute {meetings[1].pk} 第 2 条被改动"


# --- what the database itself refuses, and erasure by law -------------------------------------------------------------


def test_the_database_refuses_to_change_a_chain(hold: Hold) -> None:
    hold(2)
    for change in (
        lambda: Minute.objects.filter(seq=1).delete(),
        lambda: Minute.objects.filter(seq=1).update(code="other"),
        lambda: Minute.objects.filter(seq=1).update(note="", note_salt="", code="other"),
        lambda: Minute.objects.filter(seq=1).update(note="other", note_salt=""),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert queries.verify().ok


def test_a_note_erased_by_law_leaves_the_chain_whole(hold: Hold) -> None:
    hold(3, note="我叫张三，电话13812345678")
    actions.seal(at=NOW)
    entry = Minute.objects.get(seq=2)
    with pytest.raises(Refused):
        actions.erase_note(actor=None, at=NOW, entry=entry, why=" ")
    actions.erase_note(actor=None, at=NOW, entry=entry, why="当事人申请删除")
    entry.refresh_from_db()
    assert entry.erased
    assert (entry.note, entry.note_salt) == ("", "")
    report = queries.verify()
    assert report.ok
    assert report.notes_erased == 1


def test_a_note_erased_without_a_record_is_found(hold: Hold, by_hand: Hand) -> None:
    hold(3, note="字")
    by_hand("UPDATE audit_minute SET note = '', note_salt = '' WHERE seq = 2")
    assert found() == [("erased_unrecorded", 2)]


# --- the audit log and the seals --------------------------------------------------------------------------------------


def log(count: int = 5) -> list[int]:
    return [actions.record(actor=None, at=NOW, code=f"code.{n}", detail={"n": n}).pk for n in range(count)]


@pytest.mark.parametrize(
    ("statement", "kind", "which"),
    [
        ("UPDATE audit_auditentry SET why = '另一个' WHERE id = %s", "audit_altered", 2),
        ("UPDATE audit_auditentry SET detail = '[1.5]' WHERE id = %s", "audit_altered", 2),
        ("UPDATE audit_auditentry SET xid = xid + 100000 WHERE id = %s", "audit_altered", 2),
        ("DELETE FROM audit_auditentry WHERE id = %s", "audit_missing", 2),
        ("DELETE FROM audit_auditentry WHERE id >= %s", "audit_cut_off", 3),
    ],
)
def test_an_altered_audit_entry_is_named(meetings: Any, by_hand: Hand, statement: str, kind: str, which: int) -> None:
    keys = log()
    actions.seal(at=NOW)
    assert queries.verify().ok
    by_hand(statement, keys[which])
    assert found() == [(kind, keys[which])]


def test_a_forged_place_does_not_drown_the_report(hold: Hold, by_hand: Hand) -> None:
    meeting = hold(2)
    last = Minute.objects.get(meeting=meeting, seq=2)
    forged = Minute(meeting=meeting, seq=2_000_000_000, at=NOW, code="forged", payload={}, prev_hash=last.hash)
    forged.hash = chain.digest_of(forged)
    forged.save()
    assert 0 < len(found()) < 2000


def test_an_audit_entry_inserted_into_the_past_is_named(meetings: Any, by_hand: Hand) -> None:
    keys = log()
    actions.seal(at=NOW)
    late = actions.record(actor=None, at=NOW, code="forged")
    by_hand(
        "UPDATE audit_auditentry SET xid = (SELECT xid FROM audit_auditentry WHERE id = %s) WHERE id = %s",
        keys[0],
        late.pk,
    )
    assert found() == [("audit_inserted", late.pk)]


def seal_thrice() -> None:
    for number in range(3):
        log(2)
        assert actions.seal(at=NOW + timedelta(minutes=number)) is not None
        assert actions.seal(at=NOW) is None, "nothing new"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE audit_seal SET at = at + interval '1 day' WHERE number = 2", [("seal_altered", 2)]),
        ("UPDATE audit_seal SET heads = '{\"audit.minute\": 1}' WHERE number = 2", [("seal_altered", 2)]),
        ("UPDATE audit_seal SET audit_rows = 'x' WHERE number = 2", [("seal_altered", 2)]),
        ("UPDATE audit_seal SET signature = sha256('x') WHERE number = 2", [("seal_signature", 2)]),
        ("UPDATE audit_seal SET previous = sha256('x') WHERE number = 2", [("seal_broken", 2), ("seal_altered", 2)]),
        ("DELETE FROM audit_seal WHERE number = 2", [("seal_missing", 2)]),
        ("DELETE FROM audit_seal WHERE number = 3", [("seal_cut_off", 3)]),
    ],
)
def test_a_seal_altered_or_gone_is_named(
    meetings: Any, by_hand: Hand, tmp_path: Path, statement: str, expected: list[tuple[str, int]]
) -> None:
    seal_thrice()
    assert actions.export_seals(folder=tmp_path) == 3
    assert found(export=tmp_path) == []
    by_hand(statement)
    assert found(export=tmp_path) == expected


def test_a_seal_forged_without_the_key_is_named(meetings: Any, by_hand: Hand, tmp_path: Path) -> None:
    keys = log()
    actions.seal(at=NOW)
    actions.export_seals(folder=tmp_path)
    by_hand("DELETE FROM audit_auditentry WHERE id = %s", keys[1])
    by_hand("DELETE FROM audit_seal")
    with override_settings(SEAL_KEY="the forger's"):
        actions.seal(at=NOW)
    assert found(export=tmp_path) == [("seal_signature", 1), ("export_differs", 1)]


def test_a_change_of_the_sealing_key_keeps_old_seals_valid(meetings: Any) -> None:
    with override_settings(SEAL_KEY="old"):
        log(1)
        actions.seal(at=NOW)
    with override_settings(SEAL_KEY="new, old"):
        log(1)
        actions.seal(at=NOW)
        assert queries.verify().ok


def test_the_export_is_written_once_and_mends_a_torn_line(meetings: Any, tmp_path: Path) -> None:
    seal_thrice()
    assert actions.export_seals(folder=tmp_path) == 3
    assert actions.export_seals(folder=tmp_path) == 0
    [file] = tmp_path.iterdir()
    assert file.name == "seals-2026-03-02.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert actions.export_seals(folder=tmp_path) == 1
    assert file.read_bytes() == whole
    file.write_bytes(b"".join(whole.splitlines(keepends=True)[::2]))
    assert found(export=tmp_path) == [("export_missing", 2)]


def test_two_workers_do_not_interleave(meetings: Any, other: psycopg.Connection[Any]) -> None:
    log(1)
    other.execute("SELECT pg_advisory_xact_lock(%s)", [actions._SEALING])
    with pytest.raises(DatabaseError, match="lock timeout"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
        actions.seal(at=NOW)
    other.rollback()
    sealed = actions.seal(at=NOW)
    assert sealed is not None
    assert sealed.number == 1


def test_an_entry_committed_late_is_sealed_later(hold: Hold, other: psycopg.Connection[Any]) -> None:
    hold(1)
    other.execute("SELECT pg_current_xact_id()")  # an open transaction that may yet write
    meeting = hold(2)
    first = actions.seal(at=NOW)
    assert first is not None
    assert first.timeline_count == 1
    assert queries.verify().entries_not_yet_sealed == 2
    other.commit()
    second = actions.seal(at=NOW)
    assert second is not None
    assert second.heads == {"audit.minute": [[meeting.pk, 2, bytes(meeting.timeline_head).hex()]]}
    assert queries.verify().ok


def test_a_chain_that_grew_after_a_seal_verifies(hold: Hold) -> None:
    meeting = hold(2)
    actions.seal(at=NOW)
    write(meeting, step=9)
    assert queries.verify().ok
    actions.seal(at=NOW, limit=1)
    assert queries.verify().ok
    assert Seal.objects.count() == 2


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_ends_with_one_and_names_the_row(hold: Hold, by_hand: Hand) -> None:
    meeting = hold(3)
    call_command("audit_seal", stdout=StringIO())
    quiet = StringIO()
    call_command("audit_verify", stdout=quiet)
    assert "核验通过" in quiet.getvalue()
    by_hand("UPDATE audit_minute SET payload = '{}' WHERE seq = 2")
    loud = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("audit_verify", stdout=loud)
    assert ended.value.code == 1
    assert f"audit.minute {meeting.pk} 第 2 条被改动" in loud.getvalue()
    machine = StringIO()
    with pytest.raises(SystemExit):
        call_command("audit_verify", "--json", stdout=machine)
    told = json.loads(machine.getvalue())
    assert (told["ok"], told["findings"][0]["owner"], told["findings"][0]["seq"]) == (False, meeting.pk, 2)


def test_the_log_pages_by_key_and_is_filtered_by_code(meetings: Any) -> None:
    keys = log(7)
    seen: list[int] = []
    cursor = ""
    while True:
        page = keyset_page(queries.entries(code="code."), ("-at", "-id"), cursor, size=3)
        seen += [row.pk for row in page.rows]
        if not page.next:
            break
        cursor = page.next
    assert seen == keys[::-1]
    assert [row.pk for row in queries.entries(code="code.3")] == [keys[3]]
    assert [row.pk for row in queries.entries(codes=["code.3", "code.5"]).order_by("id")] == [keys[3], keys[5]]
    assert not queries.entries(actor_ids=[]).exists() and not queries.entries(subject=("a.b", [])).exists()
    assert AuditEntry.objects.get(pk=keys[3]).detail == {"n": 3}


def test_the_result_of_a_verification_stands_on_the_log(meetings: Any, by_hand: Any) -> None:
    keys = log(2)
    actions.seal(at=NOW)
    actions.record_verification(actor=None, at=NOW, report=queries.verify())
    good = queries.last_verification()
    assert good is not None and (good.outcome, good.detail["ok"], good.detail["count"]) == ("done", True, 0)
    by_hand("UPDATE audit_auditentry SET code = 'another' WHERE id = %s", keys[0])
    actions.record_verification(actor=None, at=NOW + timedelta(minutes=1), report=queries.verify())
    bad = queries.last_verification()
    assert bad is not None and (bad.outcome, bad.detail["count"]) == ("failed", 1)
    assert bad.detail["findings"][0]["sentence"] == f"审计记录 {keys[0]} 被改动"


def test_many_chains_are_verified_with_few_questions(meetings: type[Meeting], django_assert_max_num_queries: Any) -> None:
    with transaction.atomic():
        owners = meetings.objects.bulk_create(meetings(title="会") for _ in range(200))
        entries = [
            chain.append(Minute, owner=owner, at=NOW, code="said", payload={"n": n})
            for owner in owners
            for n in range(10)
        ]
        Minute.objects.bulk_create(entries)
        meetings.objects.bulk_update(owners, ["timeline_head", "timeline_length"], batch_size=500)
    actions.seal(at=NOW)
    with django_assert_max_num_queries(20):
        report = queries.verify()
    assert report.ok
    assert (report.entries, report.chains) == (2000, 200)
