"""One form for each personal value, the keyed hash by which it is found, and commitments that can be erased."""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from hashlib import sha256

import phonenumbers
from django.conf import settings

from minsheng.secrecy.columns import HASH_BYTES
from minsheng.secrecy.keys import derive

AREA_CODE = "0591"  # Fuzhou: what a number dialled without area code means here

_MOBILE = re.compile(r"1[3-9]\d{9}")
_LOCAL = re.compile(r"[2-8]\d{7}")
_SERVICE = re.compile(r"1[12]\d|1[0-2]\d{3}|9[56]\d{3,4}|95\d{6}|[48]00\d{7}")
_EXTENSION = re.compile(r"(?:转|分机|ext\.?|#).*$", re.IGNORECASE)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_18 = re.compile(r"\d{17}[\dX]", re.ASCII)
_ID_15 = re.compile(r"\d{15}", re.ASCII)
_OTHER_DOCUMENT = re.compile(r"(?=.*\d)[0-9A-Z]{5,20}")  # passports, permits of Hong Kong, Macao and Taiwan
_MIDDLE_DOTS = re.compile(r"[•・‧∙⋅．.]")


def search_hash(kind: str, value: str) -> bytes:
    """HMAC-SHA256 of a normalised value, cut to 16 bytes; the kind keeps a name and a number apart.

    Of "" it is b"", which `SearchHashField` stores as NULL and finds nowhere.
    """
    if not value:
        return b""
    # The first secret only: a hash must be the same every time, so a new HASH_KEY means hashing all rows anew.
    key = derive(settings.HASH_KEY, "search hash")
    return hmac.digest(key, f"{kind}\0{value}".encode(), sha256)[:HASH_BYTES]


def new_salt() -> str:
    """128 random bits as hex."""
    return secrets.token_hex(16)


def commitment(salt: str, value: str) -> str:
    """Binds to a value without telling it; once the salt is erased nobody can even test a guess.

    So a personal value can enter a chain and still be erased by law (`domain.md` §8.1, 删除权).
    """
    return hmac.digest(salt.encode(), value.encode(), sha256).hex()


def normalise_phone(value: str) -> str:
    """One form for a telephone number, "" when it is none.

    Mobile: 11 digits. Landline: area code and number, 0591 supplied where missing. Service number: its digits.
    Abroad: "+" form. An extension is left out, as the number is what one searches by.
    """
    text = unicodedata.normalize("NFKC", value).strip()
    text = _EXTENSION.sub("", text)
    digits = re.sub(r"[\s()\-.·—–_/]", "", text)
    bare = re.sub(r"^(?:\+86|0086|86(?=1[3-9]\d{9}$))", "", digits)
    if not re.fullmatch(r"\+?\d{3,15}", bare, re.ASCII):
        return ""
    if bare.startswith("01") and _MOBILE.fullmatch(bare[1:]):
        bare = bare[1:]  # mobiles elsewhere used to be dialled with a leading 0
    if _MOBILE.fullmatch(bare) or _SERVICE.fullmatch(bare):
        return bare
    if _LOCAL.fullmatch(bare):
        return AREA_CODE + bare
    return _by_tables(bare, called_from_abroad=bare != digits)


def _by_tables(number: str, *, called_from_abroad: bool) -> str:
    """Landlines of China with their area code, and foreign numbers, by the tables of phonenumbers."""
    if called_from_abroad and not number.startswith("0"):
        number = "0" + number
    try:
        parsed = phonenumbers.parse(re.sub(r"^00", "+", number), "CN")
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(parsed):
        return ""
    if parsed.country_code != 86:
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not number.startswith("0"):
        return ""
    return f"0{phonenumbers.national_significant_number(parsed)}"


def normalise_id_number(value: str) -> str:
    """A resident identity number as 18 characters (GB 11643), another document in capitals.

    The 15 digits of the old form are lengthened. "" when it is neither, or when the checksum of 18 characters is wrong.
    """
    text = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", value)).upper()
    if _ID_15.fullmatch(text):
        text = f"{text[:6]}19{text[6:]}"
        return text + id_check_character(text)
    if _ID_18.fullmatch(text):
        return text if id_check_character(text[:17]) == text[17] else ""
    return text if _OTHER_DOCUMENT.fullmatch(text) and not text.isdigit() else ""


def id_check_character(first_17: str) -> str:
    """GB 11643 (ISO 7064 MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _ID_WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def normalise_name(value: str) -> str:
    """A name as it is compared: no spaces, one kind of middle dot, no case."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", value))
    folded = unicodedata.normalize("NFKC", _MIDDLE_DOTS.sub("·", text).casefold())
    # What stood apart by a space may have joined, and folding may have left something to compose: once more settles it.
    return unicodedata.normalize("NFKC", folded.casefold())
