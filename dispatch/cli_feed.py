"""Two commands that feed a running service through its front door: a city's own history, and invented reports."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import click
from aiohttp import ClientSession
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from connectors.errors import ConnectorError
from connectors.generator.matters import Generated
from connectors.history.account import Account, Answer, problem_of
from connectors.history.http import HttpReplayPort
from connectors.history.mapping import read_mapping
from connectors.history.replay import Pace, replay
from connectors.history.rows import read_history
