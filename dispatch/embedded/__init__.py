"""The embedded servers: a PostgreSQL and a Redis in the data folder, for whoever gives the service none of their own.

This room knows folders, accounts and processes, and nothing of cases. Change it when a program is to be found, started
or stopped in another way; what is inside the database is the store's matter.
"""

from dispatch.embedded.errors import EmbeddedError
from dispatch.embedded.servers import Servers, at_hand, servers, start, stop

__all__ = ["EmbeddedError", "Servers", "at_hand", "servers", "start", "stop"]
