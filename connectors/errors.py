"""The base error of the connectors."""


class ConnectorError(Exception):
    """Something of the outside world cannot be read or reached."""

    def __str__(self) -> str:
        return (self.__doc__ or "").format(**vars(self))
