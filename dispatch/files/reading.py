"""What a file is, found from its content and never from a name; pictures are made anew, without what a camera wrote into them.

| type | found by                | kept                                                                                     |
|------|-------------------------|------------------------------------------------------------------------------------------|
| jpeg | its first bytes, Pillow | the picture, upright, with its own quantisation; without EXIF, XMP, profile, comment, tail |
| png  | "                       | the picture                                                                              |
| webp | "                       | the picture                                                                              |
| pdf  | its first bytes         | as it came                                                                               |
| mp4  | its first box           | as it came                                                                               |

Where and when a picture was taken is read from its EXIF first, and comes back beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from io import BytesIO
from math import isfinite
from typing import Any, Final

from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from dispatch.domain.errors import BadInput, TooLarge
from gridmap import crs

PICTURES: Final[Mapping[str, tuple[str, ...]]] = {"jpeg": ("JPEG", "MPO"), "png": ("PNG",), "webp": ("WEBP",)}
MIME: Final[Mapping[str, str]] = {
    "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "pdf": "application/pdf", "mp4": "video/mp4",
}  # fmt: skip
MP4_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV"}
)
DATUMS: Final[Mapping[str, crs.CRS]] = {
    "WGS-84": "wgs84",
    "WGS84": "wgs84",
    "CGCS2000": "cgcs2000",
    "GCJ-02": "gcj02",
    "GCJ02": "gcj02",
}
# Pixels of a good camera; a picture of so many takes 150 MB while it is made anew.
MAX_PIXELS: Final = 50_000_000
# A camera's clock that is further ahead is wrong.
AHEAD: Final = timedelta(minutes=5)
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of a file, and what its EXIF said: WGS-84 degrees, an instant."""

    type: str
    data: bytes
    point: Point | None = None
    taken_at: datetime | None = None


def type_of(sent: bytes) -> str | None:
    """The type that the content shows; None for everything else."""
    if sent.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if sent.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if sent.startswith(b"RIFF") and sent[8:12] == b"WEBP":
        return "webp"
    if sent.startswith(b"%PDF-"):
        return "pdf"
    if sent[4:8] == b"ftyp" and sent[8:12] in MP4_BRANDS:
        return "mp4"
    return None


def checked(sent: bytes, most: Mapping[str, int]) -> str:
    """The type of what was sent, if it is among those in `most` and no longer than that, in bytes. Raises BadInput, TooLarge."""
    if not sent:
        raise BadInput(field="body", problem="is missing")
    type_, taken = type_of(sent), [name for name, limit in most.items() if limit]
    if type_ is None or type_ not in taken:
        raise BadInput(field="body", problem=f"is none of {' '.join(taken)}: what counts is the content, not the name")
    if len(sent) > most[type_]:
        raise TooLarge(field="body", limit=most[type_], type=type_)
    return type_


def read(sent: bytes, type_: str, zone: tzinfo, now: datetime) -> Content:
    """The content of a `checked` file. A picture's time without an offset is read in `zone`.

    Takes up to seconds for a big picture: call it in a thread. Raises BadInput for what cannot be shown, TooLarge for too many pixels.
    """
    if type_ not in PICTURES:
        return Content(type_, sent)
    try:
        with Image.open(BytesIO(sent), formats=PICTURES[type_]) as picture:
            # The size stands in the header: nothing was unpacked yet.
            if picture.width * picture.height > MAX_PIXELS:
                raise TooLarge(field="body", limit=MAX_PIXELS, unit="pixels")
            if type_ != "jpeg" and getattr(picture, "n_frames", 1) > 1:
                raise BadInput(field="body", problem="moves: a picture that stands still is needed")
            picture.load()
            point, taken_at = _seen(picture, zone, now)
            return Content(type_, _anew(picture, type_), point, taken_at)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge(field="body", limit=MAX_PIXELS, unit="pixels") from None
    except (BadInput, TooLarge):
        raise
    except Exception:  # a decoder that is fed anything raises anything
        raise BadInput(field="body", problem=f"is not a whole {type_}") from None


def _anew(picture: Image.Image, type_: str) -> bytes:
    """The picture upright and nothing else."""
    options: dict[str, Any] = {"webp": {"quality": 90}}.get(type_, {})
    if isinstance(picture, JpegImageFile):
        options = {"qtables": picture.quantization}
        if (sampling := get_sampling(picture)) >= 0:
            options["subsampling"] = sampling
    upright = ImageOps.exif_transpose(picture)
    upright.info = {name: upright.info[name] for name in ("transparency",) if name in upright.info}
    out = BytesIO()
    upright.save(out, PICTURES[type_][0], **options)
    return out.getvalue()


def _seen(picture: Image.Image, zone: tzinfo, now: datetime) -> tuple[Point | None, datetime | None]:
    """Where and when, as far as the EXIF says so in a form that can be true."""
    try:
        exif = picture.getexif()
        place, taken = exif.get_ifd(ExifTags.IFD.GPSInfo), exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # what a camera wrote badly is no reason to refuse its picture
        return None, None
    when = _taken_at(taken, zone)
    return _point(place), None if when is None or when > now + AHEAD else when


def _point(place: Mapping[int, Any]) -> Point | None:
    try:
        lon = _degrees(place[ExifTags.GPS.GPSLongitude], place[ExifTags.GPS.GPSLongitudeRef], "W")
        lat = _degrees(place[ExifTags.GPS.GPSLatitude], place[ExifTags.GPS.GPSLatitudeRef], "S")
        datum = DATUMS.get(str(place.get(ExifTags.GPS.GPSMapDatum, "WGS-84")).strip("\0 ").upper(), "wgs84")
        east, north = (float(value) for value in crs.to_wgs84(lon, lat, datum))
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    sound = isfinite(east) and isfinite(north) and -180 <= east <= 180 and -90 <= north <= 90
    # 0, 0 is what devices write when they do not know.
    return (east, north) if sound and (lon, lat) != (0, 0) else None


def _degrees(parts: Any, side: Any, negative: str) -> float:
    whole, minutes, seconds = (float(part) for part in parts)
    degrees = whole + minutes / 60 + seconds / 3600
    return -degrees if str(side).strip("\0 ").upper() == negative else degrees


def _taken_at(taken: Mapping[int, Any], zone: tzinfo) -> datetime | None:
    said = str(taken.get(ExifTags.Base.DateTimeOriginal, "")).strip("\0 ")
    offset = str(taken.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        local = datetime.strptime(said, "%Y:%m:%d %H:%M:%S").replace(tzinfo=zone)
        if offset:
            local = datetime.fromisoformat(f"{local:%Y-%m-%dT%H:%M:%S}{offset}")
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
