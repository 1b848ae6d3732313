"""`dispatch --data DIR …`: any command on the embedded servers of a folder, so that nobody has to know where they answer."""

import os
from pathlib import Path

import click

from dispatch import embedded
from dispatch.demo import keyring_of


def on_embedded(context: click.Context, data: Path) -> None:
    """Puts the servers of `data` into the environment that commands read, for as long as the command runs.

    `serve` starts and stops them itself and is only told the folder.
    """
    context.default_map = {"serve": {"data": data}}
    if context.invoked_subcommand == "serve":
        return
    try:
        found = context.with_resource(embedded.at_hand(data))
    except embedded.EmbeddedError as refusal:
        raise click.ClickException(str(refusal)) from None
    keyring_of(data)
    os.environ.pop("DISPATCH_KEYRING", None)
    os.environ |= {
        "DISPATCH_DATABASE_URL": found.database_url,
        "DISPATCH_DATABASE_OWNER_URL": found.database_url,
        "DISPATCH_KEYRING_FILE": str(data / "keyring.json"),
    }
