"""Numbers that people read out on the phone: date, sequence, check digit (ISO/IEC 7064 MOD 11,10, as in GB/T 17710)."""

from datetime import date


def check_digit(digits: str) -> str:
    """The digit that completes `digits` (decimal digits only); catches every single error and nearly every swap."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)


def case_no(day: date, sequence: int) -> str:
    """工单编号: 8 digits of the day, 7 of the running sequence, 1 check digit."""
    digits = f"{day:%Y%m%d}{sequence % 10_000_000:07d}"
    return digits + check_digit(digits)


def receipt_no(day: date, sequence: int) -> str:
    """登记编号: as `case_no`, with a leading R so that the two are never mistaken for each other."""
    return "R" + case_no(day, sequence)


def is_number(text: str) -> bool:
    """Whether `text` is a well-formed case or receipt number with a right check digit."""
    digits = text.removeprefix("R")
    return len(digits) == 16 and digits.isascii() and digits.isdigit() and check_digit(digits[:-1]) == digits[-1]
