"""`dispatch city`: check a city's folder, and cut a boundary into cells."""

from pathlib import Path

import click
import msgspec
import shapely
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatch.city.read import read_city
from gridmap.cells import Cell
from gridmap.errors import GridMapError
from gridmap.grid import cut
from gridmap.shapes import Shape, read_shape
from sla.errors import Fault

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def city() -> None:
    """A city as files (城市配置): units, areas, cells, categories, duty book, policies, accounts."""


@city.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
def check(folder: Path) -> None:
    """List every fault of the city in DIR at once, with file and line.

    Exits with 1 if there is any. Nothing is changed.

    \b
    Example:
        dispatch city check config/city/demo
    """
    found, faults = read_city(folder)
    console = Console()
    if found is None:
        console.print(_fault_table(faults))
        raise click.exceptions.Exit(1)
    console.print(
        f"{found.name} {found.code}: no faults. {len(found.units.units)} units (单位), "
        f"{len(found.map.areas.areas)} areas (区域), {len(found.map.cells)} cells (网格), "
        f"{len(found.categories)} categories (分类), {len(found.duty_rules)} duty rules (权责)."
    )


@city.command()
@click.option("--boundary", type=FILE, required=True, help="GeoJSON geometry, feature or collection of one (边界).")
@click.option("--size", type=click.FloatRange(min=1), default=100.0, show_default=True, help="Side in metres.")
@click.option("--prefix", required=True, help="12-digit code of the community (社区) the cells belong to.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="GeoJSON file to write.")
def grid(boundary: Path, size: float, prefix: str, out: Path) -> None:
    """Cut a boundary polygon into square cells (单元网格) with 15-digit codes.

    Cells are numbered west to east, and the rows north to south. Coordinates are WGS-84 or CGCS2000.

    \b
    Example:
        dispatch city grid --boundary community.geojson --size 100 --prefix 990101001001 --out cells.geojson
    """
    try:
        cells = cut(_boundary(boundary), size, prefix)
    except GridMapError as error:
        raise click.ClickException(str(error)) from error
    features = ",\n".join(_feature(cell) for cell in cells)
    out.write_text(f'{{"type":"FeatureCollection","features":[\n{features}\n]}}\n', encoding="utf-8")
    click.echo(f"{len(cells)} cells (网格) of {size:g} m → {out}")


def _fault_table(faults: list[Fault]) -> Table:
    table = Table(title=f"faults: {len(faults)}", title_justify="left")
    table.add_column("file:line", no_wrap=True)
    table.add_column("field", no_wrap=True)
    table.add_column("problem", overflow="fold")
    for fault in faults:
        table.add_row(*map(Text, (f"{fault.file}:{fault.line}", fault.field, fault.problem)))
    return table


def _boundary(path: Path) -> Shape:
    try:
        document = msgspec.json.decode(path.read_bytes(), type=dict)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from error
    features = document.get("features")
    if isinstance(features, list):
        if len(features) != 1:
            raise click.ClickException(f"{path}: has {len(features)} features, needs one")
        document = features[0]
    shape, faults = read_shape(document.get("geometry", document))
    if shape is None:
        raise click.ClickException("; ".join(f"{path}: {fault.problem}: {fault.detail}" for fault in faults))
    return shape


def _feature(cell: Cell) -> str:
    geometry = msgspec.Raw(shapely.to_geojson(cell.polygon).encode())
    properties = {"code": cell.code, "name": cell.name, "area": cell.area}
    return msgspec.json.encode({"type": "Feature", "properties": properties, "geometry": geometry}).decode()
