"""Keys: where they come from, and that a value opens only where and by whom it was sealed."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dispatch.people.errors import KeyringFaulty, KeyringMissing, KeyringUnreadable, KeyUnknown, SealBroken
from dispatch.people.keyring import TRACK_ALPHABET, CaseKey, Keyring, Sealed, aad

HERE = aad("texts", "sealed", 7)


def turned(keyring: Keyring, ring: str, *, keep: bool = True) -> Keyring:
    """The keyring after turning one ring to a new key, with or without the old one."""
    rings: dict[str, Any] = json.loads(keyring.to_json())
    fresh = json.loads(Keyring.generate().to_json())[ring]["keys"]["k1"]
    rings[ring] = {"current": "k2", "keys": {"k2": fresh, **(rings[ring]["keys"] if keep else {})}}
    return Keyring.parse(json.dumps(rings))


def test_a_generated_keyring_reads_back_and_opens_what_it_sealed() -> None:
    keyring = Keyring.generate()
    sealed = keyring.seal("张三".encode(), HERE)
    assert Keyring.parse(keyring.to_json()).open(sealed, HERE).decode() == "张三"


def test_a_value_opens_only_in_its_own_place_and_unchanged() -> None:
    keyring = Keyring.generate()
    sealed = keyring.seal(b"words", HERE)
    for elsewhere in (aad("texts", "sealed", 8), aad("callers", "sealed", 7), aad("texts", "other", 7)):
        with pytest.raises(SealBroken):
            keyring.open(sealed, elsewhere)
    for data in (sealed.data[:-1], b"\0" + sealed.data[1:], b""):
        with pytest.raises(SealBroken):
            keyring.open(Sealed(sealed.key_id, sealed.nonce, data), HERE)


def test_equal_values_are_sealed_differently_each_time() -> None:
    keyring = Keyring.generate()
    assert len({keyring.seal(b"words", HERE).data for _ in range(50)}) == 50


def test_after_turning_the_key_old_values_open_and_new_ones_bear_the_new_id() -> None:
    old = Keyring.generate()
    sealed = old.seal(b"words", HERE)
    new = turned(old, "sealing")
    assert new.open(sealed, HERE) == b"words"
    assert new.seal(b"words", HERE).key_id == "k2"
    with pytest.raises(KeyUnknown):
        turned(old, "sealing", keep=False).open(sealed, HERE)


def test_a_case_key_opens_its_texts_and_only_for_its_case() -> None:
    keyring, key = Keyring.generate(), CaseKey.new()
    nonce, data = key.seal(b"words", HERE)
    wrapped = keyring.wrap_case_key(key, 5)
    assert keyring.unwrap_case_key(wrapped, 5).open(nonce, data, HERE) == b"words"
    with pytest.raises(SealBroken):
        keyring.unwrap_case_key(wrapped, 6)
    with pytest.raises(SealBroken):
        CaseKey.new().open(nonce, data, HERE)


def test_hashes_are_equal_for_equal_values_of_one_purpose_and_key_only() -> None:
    keyring = Keyring.generate()
    assert keyring.match(b"x", "phone") == keyring.match(b"x", "phone")
    others = {keyring.match(b"x", "person"), keyring.match(b"y", "phone"), Keyring.generate().match(b"x", "phone")}
    assert len(others | {keyring.match(b"x", "phone")}) == 4


def test_a_link_of_the_chain_fits_its_body_and_the_link_before_also_after_turning_the_key() -> None:
    keyring = Keyring.generate()
    mac = keyring.event_mac(bytes(32), b"body")
    assert turned(keyring, "events").event_mac_valid(bytes(32), b"body", mac)
    assert not keyring.event_mac_valid(bytes(31) + b"\1", b"body", mac)
    assert not keyring.event_mac_valid(bytes(32), b"other", mac)


def test_a_track_code_opens_its_receipt_however_it_is_typed() -> None:
    keyring = Keyring.generate()
    code = keyring.track_code("R-1")
    assert len(code) == 10
    assert set(code) <= set(TRACK_ALPHABET)
    assert keyring.track_code_valid("R-1", f" {code[:5].lower()}-{code[5:]} ")
    assert keyring.track_code_valid("R-1", code.replace("0", "O").replace("1", "l"))
    assert turned(keyring, "tracking").track_code_valid("R-1", code)
    for wrong in ("", code[:9], code + "0", "查询码查询码查询码查", keyring.track_code("R-2")):
        assert not keyring.track_code_valid("R-1", wrong)


def test_without_a_keyring_or_with_two_nothing_starts(tmp_path: Path) -> None:
    file = tmp_path / "keyring.json"
    file.write_text(Keyring.generate().to_json())
    assert Keyring.load({"DISPATCH_KEYRING_FILE": str(file)})
    for environ in ({}, {"DISPATCH_KEYRING": ""}, {"DISPATCH_KEYRING": "{}", "DISPATCH_KEYRING_FILE": str(file)}):
        with pytest.raises(KeyringMissing):
            Keyring.load(environ)
    with pytest.raises(KeyringUnreadable, match=r"none\.json"):
        Keyring.load({"DISPATCH_KEYRING_FILE": str(tmp_path / "none.json")})


def without(ring: str) -> Any:
    def spoil(rings: dict[str, Any]) -> None:
        del rings[ring]

    return spoil


def with_(ring: str, **fields: Any) -> Any:
    def spoil(rings: dict[str, Any]) -> None:
        rings[ring] |= fields

    return spoil


def shared(rings: dict[str, Any]) -> None:
    rings["matching"] = rings["sealing"]


@pytest.mark.parametrize(
    ("spoil", "names"),
    [
        (without("matching"), "matching"),
        (with_("sealing", current="k9"), "k9"),
        (with_("events", keys={"k1": base64.b64encode(b"short").decode()}), "k1 is not 32 bytes"),
        (with_("events", keys={"k1": "?"}), "events"),
        (with_("events", more=1), "more"),
        (shared, "two places"),
    ],
)
def test_a_faulty_keyring_is_refused_by_naming_the_fault_and_no_key(spoil: Any, names: str) -> None:
    rings = json.loads(Keyring.generate().to_json())
    secrets = [key for ring in rings.values() for key in ring["keys"].values()]
    spoil(rings)
    with pytest.raises(KeyringFaulty, match=names) as refused:
        Keyring.parse(json.dumps(rings))
    assert not any(secret in str(refused.value) for secret in secrets)


def test_no_representation_shows_a_key() -> None:
    keyring = Keyring.generate()
    key = next(iter(keyring.signing.keys.values()))
    assert repr(key) not in repr(keyring) + repr(keyring.signing) + repr(CaseKey(key))
