"""Encrypted columns, search hashes, masks, and finding personal data (`domain.md` §2.10, §8.1, §8.2)."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from django.core.exceptions import FieldError, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from minsheng import secrecy
from minsheng.audit.tests.chained import Person
from minsheng.secrecy import columns
from minsheng.secrecy.personal import PLACEHOLDERS

# --- encrypted columns ------------------------------------------------------------------------------------------------


@pytest.fixture
def people(db: None) -> Iterator[type[Person]]:
    with connection.schema_editor() as editor:
        editor.create_model(Person)
    yield Person
    # The transaction of the test takes the table away with it.


def stored(column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM audit_person")
        [(value,)] = cursor.fetchall()
    return value


def test_a_value_is_unreadable_in_the_table_and_comes_back_whole(people: type[Person]) -> None:
    people.objects.create(name="欧阳修", phone="13812345678")
    assert "欧阳修".encode() not in stored("name")
    person = people.objects.get()
    assert (person.name, person.phone, person.phone_hash) == ("欧阳修", "13812345678", b"")
    person.save()
    person.refresh_from_db()
    assert person.name == "欧阳修"
    people.objects.bulk_update([person], ["phone"])
    assert people.objects.values_list("phone", flat=True).get() == "13812345678"


def test_null_stays_null_and_the_empty_string_is_encrypted(people: type[Person]) -> None:
    people.objects.create(name=None, phone="")
    assert stored("name") is None
    assert len(stored("phone")) == 33
    assert people.objects.get(name__isnull=True).phone == ""


@pytest.mark.parametrize("lookup", ["name", "name__contains", "name__in", "name__gt", "name__length"])
def test_no_lookup_but_isnull(people: type[Person], lookup: str) -> None:
    with pytest.raises(FieldError, match="search hash"):
        list(people.objects.filter(**{lookup: "欧阳修"}))


def test_a_ciphertext_does_not_open_in_another_column(people: type[Person]) -> None:
    people.objects.create(name="欧阳修", phone="13812345678")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE audit_person SET name = phone")
    with pytest.raises(secrecy.Undecipherable, match=r"audit\.Person\.name"):
        people.objects.get()


def test_keys_rotate(people: type[Person]) -> None:
    with override_settings(DATA_KEY="old"):
        people.objects.create(name="甲")
    with override_settings(DATA_KEY="new, old"):
        person = people.objects.get()
        before = stored("name")
        person.save()
        assert stored("name")[1:5] != before[1:5]
    with override_settings(DATA_KEY="new"):
        assert people.objects.get().name == "甲"
    with override_settings(DATA_KEY="old"), pytest.raises(secrecy.Undecipherable):
        people.objects.get()


def test_length_is_checked_by_the_form(people: type[Person]) -> None:
    with pytest.raises(ValidationError):
        people(name="长" * 41).full_clean()


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 200), st.integers(1, 255))
def test_an_altered_ciphertext_never_opens(text: str, place: int, flip: int) -> None:
    whole = columns.encrypt(text, "a.B.c")
    assert columns.decrypt(whole, "a.B.c") == text
    broken = bytearray(whole)
    broken[place % len(broken)] ^= flip
    with pytest.raises(secrecy.Undecipherable):
        columns.decrypt(bytes(broken), "a.B.c")


def test_a_person_is_found_by_hash_and_nobody_by_none(people: type[Person]) -> None:
    digest = secrecy.search_hash("phone", secrecy.normalise_phone("+86 138-1234-5678"))
    people.objects.create(phone="13812345678", phone_hash=digest)
    people.objects.create(phone="", phone_hash=secrecy.search_hash("phone", ""))
    assert people.objects.get(phone_hash=secrecy.search_hash("phone", "13812345678")).phone == "13812345678"
    assert not people.objects.filter(phone_hash=secrecy.search_hash("phone", "")).exists()
    assert people.objects.filter(phone_hash__isnull=True).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        people.objects.create(phone_hash=b"short")


def test_kinds_and_keys_keep_hashes_apart() -> None:
    one = secrecy.search_hash("phone", "1")
    assert len(one) == 16
    assert one != secrecy.search_hash("name", "1")
    with override_settings(HASH_KEY="another"):
        assert one != secrecy.search_hash("phone", "1")


def test_a_commitment_needs_its_salt() -> None:
    salt = secrecy.new_salt()
    assert secrecy.commitment(salt, "张三") == secrecy.commitment(salt, "张三")
    assert secrecy.commitment(salt, "张三") != secrecy.commitment(secrecy.new_salt(), "张三")


# --- one form, and masks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_as", "normal", "masked"),
    [
        ("13812345678", "13812345678", "138****5678"),
        (" +86 138-1234-5678", "13812345678", "138****5678"),
        ("8613812345678", "13812345678", "138****5678"),
        ("013812345678", "13812345678", "138****5678"),
        ("１３８１２３４５６７８", "13812345678", "138****5678"),
        ("83332222", "059183332222", "0591-****2222"),
        ("0591-83332222", "059183332222", "0591-****2222"),
        ("（0591）8333 2222转801", "059183332222", "0591-****2222"),
        ("+86 591 8333 2222", "059183332222", "0591-****2222"),
        ("010-62345678", "01062345678", "010-****5678"),
        ("12345", "12345", "12345"),
        ("110", "110", "110"),
        ("95598", "95598", "95598"),
        ("400-800-1234", "4008001234", "4008001234"),
        ("+852 2123 4567", "+85221234567", "+85****67"),
        ("不详", "", "****"),
        ("1381234567", "", "****"),
        ("", "", ""),
    ],
)
def test_phones(given_as: str, normal: str, masked: str) -> None:
    assert secrecy.normalise_phone(given_as) == normal
    assert secrecy.normalise_phone(normal) == normal
    assert secrecy.mask_phone(given_as) == masked


@given(st.text())
@example("+86" + "0" * 12)
@example("H¨")
def test_any_text_has_a_form_and_a_mask(text: str) -> None:
    normal = secrecy.normalise_phone(text)
    assert secrecy.normalise_phone(normal) == normal
    for mask in (secrecy.mask_phone, secrecy.mask_name, secrecy.mask_id_number, secrecy.mask_address):
        mask(text)
    assert secrecy.normalise_name(secrecy.normalise_name(text)) == secrecy.normalise_name(text)
    secrecy.normalise_id_number(text)


@pytest.mark.parametrize(
    ("given_as", "normal"),
    [
        ("11010519491231002x", "11010519491231002X"),
        ("110105 19491231 002X", "11010519491231002X"),
        ("110105491231002", "11010519491231002X"),
        ("110105194912310021", ""),
        ("e12345678", "E12345678"),
        ("12345678", ""),
        ("", ""),
    ],
)
def test_identity_numbers(given_as: str, normal: str) -> None:
    assert secrecy.normalise_id_number(given_as) == normal


def test_masks() -> None:
    assert [secrecy.mask_name(name) for name in ("张三丰", "张三", "欧阳修", "欧阳", "阿卜杜·热合曼", "张", "")] == [
        "张**", "张*", "欧阳*", "欧*", "阿**", "*", "",
    ]  # fmt: skip
    assert secrecy.mask_id_number("11010519491231002X") == "110***********002X"
    assert secrecy.mask_id_number("E12345678") == "*******78"
    assert secrecy.mask_address("鼓楼区五一北路88号恒力城3栋2单元501室") == "鼓楼区五一北路**号恒力城***"
    assert secrecy.mask_address("台江区金域榕郡12号楼") == "台江区金域榕郡***"
    assert secrecy.mask_address("闽侯县上街镇学园路3-501") == "闽侯县上街镇学园路***"
    assert secrecy.mask_address("鼓楼区三坊七巷") == "鼓楼区三坊七巷"


# --- finding and redacting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("请打138 1234 5678找我", "请打〔电话〕找我"),
        ("座机0591-83332222转8", "座机〔电话〕"),
        ("联系电话：83332222。", "联系电话：〔电话〕。"),
        ("１３８１２３４５６７８", "〔电话〕"),
        ("身份证11010519491231002X", "身份证〔身份证号〕"),
        ("卡号6222 0212 3456 7890 128", "卡号〔银行卡号〕"),
        ("发到zhang.san@example.com.cn。", "发到〔邮箱〕。"),
        ("微信号：zhang_san88，QQ 12345678", "微信号：〔微信或QQ号〕，QQ 〔微信或QQ号〕"),
        ("闽A12345和闽AD12345", "〔车牌〕和〔车牌〕"),
        ("我叫欧阳修，家住榕城小区3栋2单元501室", "我叫〔姓名〕，家住榕城小区〔门牌〕"),
        ("本人李小明，退休", "本人〔姓名〕，退休"),
        ("业主王先生、陈女士", "业主〔姓名〕先生、〔姓名〕女士"),
        ("举报人：戴学良，男", "举报人：〔姓名〕，男"),
    ],
)
def test_what_is_found(text: str, redacted: str) -> None:
    assert secrecy.redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "请拨打12345或95598、4008001234",
        "2019年4月19日20190419号文件，3000元，101个",
        "我是高中生，我是高新区居民，本人系春华镇村民",
        "本人连续24个月缴纳，本人车辆停在路边",
        "工单号202603021234567，金额62220212元",
        "110105194912310021",
        "微信公众号fuzhou12345，用微信支付",
        "5栋楼都没有电梯，12栋2019年建成",
        "",
    ],
)
def test_what_is_left_alone(text: str) -> None:
    assert secrecy.redact(text) == text


PIECES = """
    13812345678 11010519491231002X 11010519491231002 0591-83332222 83332222 6222021234567890128 a@b.cn 微信 qq abc1234
    闽A12345 我叫 本人 张三 欧阳修 先生 女士 3栋 2单元 501室 电话 是 ： ， - 0 1 86 +86 X 号 〔电话〕 〔姓名〕 ( )
"""
pieces = st.sampled_from([" ", *PIECES.split()])


@given(st.lists(pieces, max_size=10).map("".join) | st.text(max_size=60))
@example("11010519491231002X83332222")
@example("13812345678-83332222")
def test_redacting_is_thorough_and_settles(text: str) -> None:
    spans = secrecy.find_personal(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    redacted = secrecy.redact(text)
    assert secrecy.find_personal(redacted) == []
    assert secrecy.redact(redacted) == redacted


def test_every_kind_has_a_placeholder_without_digits() -> None:
    assert all(word.startswith("〔") and word.isalpha() is False for word in PLACEHOLDERS.values())
    assert not any(character.isdigit() for word in PLACEHOLDERS.values() for character in word)


@pytest.mark.realdata
def test_real_messages_lose_every_person(real_data: Path) -> None:
    with gzip.open(real_data / "messages_unlabelled.csv.gz", "rt", encoding="utf-8") as file:
        texts = [f"{row['title']}\n{row['text']}" for row in csv.DictReader(file)]
    assert len(texts) == 4326
    kinds = [span.kind for text in texts for span in secrecy.find_personal(text)]
    assert {"mobile", "plate", "room", "name"} <= set(kinds)
    assert all(not secrecy.find_personal(secrecy.redact(text)) for text in texts)
