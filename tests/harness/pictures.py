"""Files as phones and offices send them."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import ExifTags, Image

from dispatch.people.principal import Principal
from tests.harness.town import Town

PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\x00\x00\x00\x08mdat"


def picture(
    point: tuple[float, float] | None = None,
    *,
    taken: str | None = None,
    form: str = "JPEG",
    size: tuple[int, int] = (64, 48),
    shade: int = 90,
    orientation: int | None = None,
    mode: str = "RGB",
) -> bytes:
    """A picture with the EXIF of a telephone: where (lon, lat) and when it was taken, its maker, and how it was held."""
    made = Image.new(mode, size, shade if mode in ("L", "P") else (shade, 120, 60))
    if mode == "RGB":
        made.paste((255 - shade, 10, 200), (0, 0, 8, 8))
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Telephone 4711"
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    if taken is not None:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    if point is not None:
        place = exif.get_ifd(ExifTags.IFD.GPSInfo)
        place[ExifTags.GPS.GPSLongitudeRef], place[ExifTags.GPS.GPSLongitude] = "E", _sexagesimal(point[0])
        place[ExifTags.GPS.GPSLatitudeRef], place[ExifTags.GPS.GPSLatitude] = "N", _sexagesimal(point[1])
    out = BytesIO()
    made.save(out, form, exif=exif)
    return out.getvalue()


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    whole, minutes = int(degrees), (degrees - int(degrees)) * 60
    return float(whole), float(int(minutes)), round((minutes - int(minutes)) * 60, 4)


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes that would unpack to gigabytes."""
    lines = zlib.compressobj(9)
    packed = b"".join(lines.compress(bytes(1 + width // 8)) for _ in range(64)) + lines.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    )


async def add(
    town: Town, number: str, who: Principal, content: bytes, kind: str = "document", **headers: Any
) -> tuple[int, Any]:
    """POST a file; the status and the body. Headers by name with underscores: X_Lon=116.19."""
    said = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    async with town.http.post(
        f"{town.url}/api/v1/cases/{number}/files",
        params={"kind": kind},
        data=BytesIO(content),
        headers=town.acts_as(who) | said,
    ) as answer:
        return answer.status, await answer.json(content_type=None)


async def got(town: Town, number: str, file_id: str, who: Principal) -> tuple[int, Any, dict[str, str]]:
    """GET a file's content; the status, the bytes, the headers."""
    url = f"{town.url}/api/v1/cases/{number}/files/{file_id}"
    async with town.http.get(url, headers=town.acts_as(who)) as answer:
        return answer.status, await answer.read(), dict(answer.headers)
