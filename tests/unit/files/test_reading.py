"""What a file is comes from its content; what a camera wrote into it comes back beside it and stays nowhere else."""

from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from dispatch.domain.errors import BadInput, TooLarge
from dispatch.files import reading
from dispatch.files.reading import Content
from tests.harness.pictures import MP4, PDF, bomb, picture

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
MOST = {"jpeg": 100_000, "png": 100_000, "webp": 100_000, "pdf": 100, "mp4": 0}


def read(sent: bytes) -> Content:
    return reading.read(sent, reading.type_of(sent) or "none", ZONE, NOW)


@pytest.mark.parametrize(
    ("sent", "type_"),
    [
        (picture(), "jpeg"),
        (picture(form="PNG"), "png"),
        (picture(form="WEBP"), "webp"),
        (PDF, "pdf"),
        (MP4, "mp4"),
        (picture(form="GIF", mode="P"), None),
        (picture(form="TIFF"), None),
        (MP4.replace(b"isom", b"heic"), None),
        (b"PK\x03\x04 photo.jpg", None),
        (b"<html>%PDF-", None),
        (b"\xff\xd8", None),
    ],
)
def test_the_type_is_what_the_content_shows(sent: bytes, type_: str | None) -> None:
    assert reading.type_of(sent) == type_


def test_what_is_not_taken_or_too_long_is_refused() -> None:
    assert reading.checked(picture(), MOST) == "jpeg"
    with pytest.raises(BadInput, match="none of jpeg png webp pdf: "):
        reading.checked(MP4, MOST)
    with pytest.raises(BadInput, match="missing"):
        reading.checked(b"", MOST)
    with pytest.raises(TooLarge) as refused:
        reading.checked(PDF + bytes(100), MOST)
    assert refused.value.data == {"field": "body", "limit": 100, "type": "pdf"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_place_and_time_come_back_and_nothing_of_them_stays_in_the_picture(form: str) -> None:
    sent = picture((116.19, 33.13), taken="2026:11:18 09:30:00", form=form)
    assert b"Telephone 4711" in sent
    found = read(sent)
    assert found.point == pytest.approx((116.19, 33.13), abs=1e-6)
    assert found.taken_at == datetime(2026, 11, 18, 1, 30, tzinfo=UTC)
    assert b"Telephone 4711" not in found.data
    with Image.open(BytesIO(found.data)) as kept:
        assert (kept.format, kept.size, dict(kept.getexif())) == (form, (64, 48), {})


def test_a_picture_that_was_held_sideways_stands_upright() -> None:
    with Image.open(BytesIO(read(picture(orientation=6)).data)) as kept:
        assert kept.size == (48, 64)


def test_what_hangs_on_a_picture_is_cut_off() -> None:
    assert b"secret" not in read(picture() + b"secret").data
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", comment=b"secret")
    assert b"secret" in out.getvalue()
    assert b"secret" not in read(out.getvalue()).data


def test_a_good_picture_does_not_lose_much() -> None:
    made = Image.radial_gradient("L").convert("RGB")
    out = BytesIO()
    made.save(out, "JPEG", quality=92)
    with Image.open(out) as before, Image.open(BytesIO(read(out.getvalue()).data)) as after:
        pairs = zip(before.convert("L").tobytes(), after.convert("L").tobytes(), strict=True)
        assert max(abs(a - b) for a, b in pairs) <= 4


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_transparent_and_grey_pictures_stay_what_they_are(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (8, 8), 3 if mode != "RGBA" else (1, 2, 3, 4)).save(out, "PNG")
    with Image.open(BytesIO(read(out.getvalue()).data)) as kept:
        assert kept.mode == mode


def test_a_place_or_time_that_cannot_be_true_is_left_out() -> None:
    assert read(picture((0, 0), taken="2031:01:01 00:00:00")) == Content("jpeg", read(picture()).data, None, None)
    assert read(picture(taken="    :  :     :  :  ")).taken_at is None


def test_more_pixels_than_a_camera_has_are_refused_before_they_are_unpacked() -> None:
    sent = bomb()
    assert len(sent) < 100_000
    for each in (sent, bomb(9_000, 9_000), bomb(11_000, 11_000)):
        with pytest.raises(TooLarge) as refused:
            read(each)
        assert refused.value.data["unit"] == "pixels"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_half_a_picture_is_none(form: str) -> None:
    sent = picture(form=form, size=(200, 200))
    with pytest.raises(BadInput, match="not a whole"):
        read(sent[: len(sent) // 2])


def test_a_picture_that_moves_is_refused() -> None:
    out = BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG", save_all=True, append_images=[Image.new("RGB", (8, 8), "red")])
    with pytest.raises(BadInput, match="moves"):
        read(out.getvalue())


def test_papers_and_videos_are_kept_as_they_came() -> None:
    assert (read(PDF), read(MP4)) == (Content("pdf", PDF), Content("mp4", MP4))
