"""What a client may send."""

import pytest
from aiohttp import WSMessage, WSMsgType

from dispatch.live.errors import Refused
from dispatch.live.frames import Auth, Since, Subscribe, read_frame


def text(data: str) -> WSMessage:
    return WSMessage(WSMsgType.TEXT, data, None)


def test_both_frames_are_read() -> None:
    assert read_frame(text('{"type":"auth","token":"t"}')) == Auth("t")
    every = ["cases", "unit:A-1", "area:110101", "escalations", "stats", "city"]
    asked = read_frame(text('{"type":"subscribe","feeds":' + str(every).replace("'", '"') + "}"))
    assert asked == Subscribe(every)
    asked = read_frame(text('{"type":"subscribe","feeds":["cases"],"since":{"epoch":"e","offset":3}}'))
    assert asked == Subscribe(["cases"], Since("e", 3))


@pytest.mark.parametrize(
    "data",
    [
        "",
        "{",
        "[]",
        "[" * 100_000,
        '{"type":"hello"}',
        '{"type":"auth"}',
        '{"type":"auth","token":1}',
        '{"type":"subscribe","feeds":[]}',
        '{"type":"subscribe","feeds":["everything"]}',
        '{"type":"subscribe","feeds":["unit:"]}',
        '{"type":"subscribe","feeds":["area:1 2"]}',
        '{"type":"subscribe","feeds":["cases"],"since":{"epoch":"e"}}',
        '{"type":"subscribe","feeds":["cases"],"since":{"epoch":"e","offset":-1}}',
        '{"type":"subscribe","feeds":["cases"],"more":1}',
        '{"type":"auth","token":"\ud800"}',
    ],
)
def test_anything_else_is_refused_with_4400(data: str) -> None:
    with pytest.raises(Refused) as refused:
        read_frame(text(data))
    assert refused.value.code == 4400


def test_bytes_are_refused() -> None:
    with pytest.raises(Refused):
        read_frame(WSMessage(WSMsgType.BINARY, b"{}", None))
