"""Invented reports in Chinese with known truth, for the demo, the tests and the bench.

Everything comes from a seed: the same places, subjects and seed give the same reports. `families` holds our own
sentences (edit `families.toml` to add a kind of trouble), `places`, `people` and `matters` the invented world,
`wording` turns a matter into changing words, `stream` mixes the reports, `rubbish` spoils some, `sensors` makes
flapping devices, `feeder` posts.
"""

from connectors.generator.feeder import feed
from connectors.generator.matters import Generated, Truth
from connectors.generator.places import Place, places_from
from connectors.generator.sensors import flapping
from connectors.generator.stream import Generator, NoFamilies

__all__ = ["Generated", "Generator", "NoFamilies", "Place", "Truth", "feed", "flapping", "places_from"]
