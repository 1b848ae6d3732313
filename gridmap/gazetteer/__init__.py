"""Places by what people say of them (地名库): a text in, points and areas out, each with the chance that it is right.

A gazetteer is built from rows and never changes. It is asked with a name, an address, a crossing, or a whole complaint in which one of
these stands; what is ambiguous gives several candidates, each with a low chance, and never a guess that looks sure.
"""

from gridmap.gazetteer.gazetteer import Candidate, Gazetteer, disagreement
from gridmap.gazetteer.index import Entry

__all__ = ["Candidate", "Entry", "Gazetteer", "disagreement"]
