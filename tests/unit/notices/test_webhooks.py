"""Signing after Standard Webhooks, and what is signed."""

from datetime import UTC, datetime

import msgspec
import pytest

from dispatch.notices.errors import SecretMalformed
from dispatch.notices.sending import BODY_BYTES, payload
from dispatch.notices.webhooks import new_secret, signed_headers

AT = datetime.fromtimestamp(1614265330, UTC)
# The example that the libraries of Standard Webhooks test themselves with.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_example_gets_the_published_signature() -> None:
    assert signed_headers(SECRET, MESSAGE, AT, BODY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


def test_two_secrets_sign_both_so_that_a_secret_is_changed_without_a_gap() -> None:
    other = new_secret()
    signatures = signed_headers(f"{other} {SECRET}", MESSAGE, AT, BODY)["webhook-signature"].split(" ")
    assert signatures[1] == SIGNATURE
    assert signatures[0] == signed_headers(other, MESSAGE, AT, BODY)["webhook-signature"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), "whsec_***", "a b"])
def test_a_weak_or_garbled_secret_is_refused(secret: str) -> None:
    with pytest.raises(SecretMalformed):
        signed_headers(secret, MESSAGE, AT, BODY)


def test_a_payload_says_what_when_and_about_which_case() -> None:
    assert msgspec.json.decode(payload("returned", AT, b'{"case_no":"C1","unit":"U1"}')) == {
        "type": "returned",
        "timestamp": "2021-02-25T15:02:10Z",
        "data": {"case_no": "C1", "unit": "U1"},
    }


def test_a_payload_stays_under_20_kb() -> None:
    made = payload("returned", AT, msgspec.json.encode({"case_no": "C1", "units": ["U"] * BODY_BYTES}))
    assert len(made) < BODY_BYTES
    assert msgspec.json.decode(made)["data"] == {"case_no": "C1", "truncated": True}
