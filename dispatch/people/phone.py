"""Telephone numbers: one form to compare them in, and one to show them in."""

import re

import phonenumbers

REGION = "CN"
_FILLER = str.maketrans(dict.fromkeys(" \t\u00a0\u3000-－‐‑–—()（）"))
_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9][0-9]{9})")
# 转 introduces the extension of a switchboard; the number before it is what is compared.
_EXTENSION = re.compile(r"\s*(?:转|轉|分机|[eE][xX][tT]\.?)\s*\d{1,6}\s*$")
_E164_CHINA = "+86"


def e164(text: str) -> str | None:
    """The number in ITU-T E.164 form (`+8613812345678`), or nothing if it cannot be one.

    Numbers without a country code are Chinese: mobiles, and landlines with their area code.
    """
    # Nearly every caller has a plain mobile, and the library takes a hundred times as long for it.
    plain = _MOBILE.fullmatch(text.translate(_FILLER))
    if plain:
        return _E164_CHINA + plain[1]
    try:
        number = phonenumbers.parse(_EXTENSION.sub("", text), REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mask_phone(number: str) -> str:
    """`138****5678`: the first three and last four digits, as dialled at home in China; short numbers all hidden."""
    digits = number
    if number.startswith(_E164_CHINA):
        national = number.removeprefix(_E164_CHINA)
        digits = national if _MOBILE.fullmatch(national) else "0" + national
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 10 else "****"
