"""Invented places of a city: points in real areas with invented estates, roads and crossings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any, Final

import shapely
from shapely.geometry import shape

METRES_PER_DEGREE: Final = 111_320.0
ESTATE_FIRST: Final = [
    "云杉",
    "青禾",
    "澄湖",
    "朗月",
    "银杏",
    "芳洲",
    "松涛",
    "锦澜",
    "翠屏",
    "望江",
    "梧桐",
    "海棠",
    "听雨",
    "溪谷",
    "星河",
    "丰泽",
    "嘉和",
    "兰亭",
    "秋实",
    "竹影",
]
ESTATE_LAST: Final = ["苑", "花园", "小区", "里", "公寓", "雅居", "家园", "新村"]
ROAD_FIRST: Final = [
    "青石",
    "长虹",
    "石榴",
    "安澜",
    "白桦",
    "朝阳",
    "槐荫",
    "金沙",
    "柳岸",
    "平湖",
    "向荣",
    "文曲",
    "南麓",
    "北桥",
    "东溪",
    "西园",
    "兴隆",
    "紫藤",
    "鹤鸣",
    "远山",
]
ROAD_LAST: Final = ["路", "街", "大道", "东路", "西路"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place people report about, WGS-84 degrees. A crossing has no `estate`, its `road` reads A路与B路交叉口."""

    lon: float
    lat: float
    area_code: str
    street: str
    community: str
    estate: str
    road: str


def metres(a: Place, b: Place) -> float:
    """Distance on the plane, good for a city."""
    east = (a.lon - b.lon) * math.cos(math.radians(a.lat))
    return math.hypot(east, a.lat - b.lat) * METRES_PER_DEGREE


def moved(rng: Random, lon: float, lat: float, within_m: float) -> tuple[float, float]:
    """A point at most `within_m` metres away, 6 decimals."""
    distance, angle = within_m * math.sqrt(rng.random()) / METRES_PER_DEGREE, rng.uniform(0, 2 * math.pi)
    return (
        round(lon + distance * math.cos(angle) / math.cos(math.radians(lat)), 6),
        round(lat + distance * math.sin(angle), 6),
    )


def places_from(features: Sequence[Mapping[str, Any]], seed: int, per_area: int = 5) -> list[Place]:
    """Places in every lowest area of a city's GeoJSON features (properties `code`, `name`, `parent`; WGS-84).

    Every fourth place is a crossing, the others are estates whose names occur once in the city.
    """
    rng = Random(seed)
    names = {feature["properties"]["code"]: feature["properties"]["name"] for feature in features}
    parents = {feature["properties"].get("parent") for feature in features}
    estates = [first + last for first, last in product(ESTATE_FIRST, ESTATE_LAST)]
    roads = [first + last for first, last in product(ROAD_FIRST, ROAD_LAST)]
    rng.shuffle(estates)
    places: list[Place] = []
    for feature in features:
        area = feature["properties"]
        if area["code"] in parents:
            continue
        for _ in range(per_area):
            number = len(places)
            lon, lat = _inside(rng, feature["geometry"])
            road, other = rng.sample(roads, 2)
            part = "" if number < len(estates) else f"{number // len(estates) + 1}期"
            estate = "" if number % 4 == 3 else estates[number % len(estates)] + part
            places.append(
                Place(
                    lon,
                    lat,
                    area["code"],
                    names.get(area.get("parent"), ""),
                    area["name"],
                    estate,
                    road if estate else f"{road}与{other}交叉口",
                )
            )
    return places


def _inside(rng: Random, geometry: Mapping[str, Any]) -> tuple[float, float]:
    polygon = shape(dict(geometry))
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    while True:
        lon, lat = round(rng.uniform(west, east), 6), round(rng.uniform(south, north), 6)
        if shapely.contains_xy(polygon, lon, lat):
            return lon, lat
