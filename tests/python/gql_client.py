"""Python's gql over HTTP and over graphql-transport-ws: `python gql_client.py BASE KEY`."""

import asyncio
import sys

from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

BASE, KEY = sys.argv[1:3]
HEADERS = {"Authorization": f"Bearer {KEY}"}
# gql looks for the server's choice by one spelling of its header's name, and takes the older protocol when HTTP's own
# indifference to case gets in the way: so it is told.
SPOKEN = {"subprotocols": [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]}
SOCKET = BASE.replace("http", "ws") + "/graphql"
RENAME = gql("mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session { id userTitle } } }")


def code(error: TransportQueryError) -> str:
    return error.errors[0]["extensions"]["code"]


async def refused(session, document: str) -> str:
    try:
        await session.execute(gql(document))
    except TransportQueryError as error:
        return code(error)
    raise AssertionError(f"{document} is answered")


async def common(session, name: str) -> str:
    """A query, a mutation and two errors; the id of a session."""
    viewer = await session.execute(gql("{ viewer { email } }"))
    assert "@" in viewer["viewer"]["email"], viewer
    found = await session.execute(gql("{ sessions(first: 1) { nodes { id } } }"))
    session_id = found["sessions"]["nodes"][0]["id"]
    request = RENAME
    request.variable_values = {"input": {"id": session_id, "userTitle": name}}
    renamed = await session.execute(request)
    assert renamed["updateSession"]["session"]["userTitle"] == name, renamed
    assert await refused(session, "{ viewer { nope } }") == "VALIDATION_ERROR"
    assert await refused(session, '{ session(id: "nope") { id } }') == "NOT_FOUND"
    return session_id


async def rename(session, session_id: str) -> None:
    """Again and again: a subscription hears only what happens once it is open."""
    n = 0
    while True:
        request = gql("mutation($input: UpdateSessionInput!) { updateSession(input: $input) { session { id } } }")
        request.variable_values = {"input": {"id": session_id, "userTitle": f"Renamed {n}"}}
        await session.execute(request)
        n += 1
        await asyncio.sleep(0.1)


async def main() -> None:
    async with Client(transport=AIOHTTPTransport(url=BASE + "/graphql", headers=HEADERS)) as http:
        await common(http, "Named over HTTP")
        for transport in [
            WebsocketsTransport(url=SOCKET, headers=HEADERS, **SPOKEN),
            WebsocketsTransport(url=SOCKET, init_payload=HEADERS, ping_interval=0.05, pong_timeout=10, **SPOKEN),
            AIOHTTPWebsocketsTransport(url=SOCKET, headers=HEADERS, **SPOKEN),
        ]:
            async with Client(transport=transport, fetch_schema_from_transport=False) as socket:
                session_id = await common(socket, "Named over a socket")
                renaming = asyncio.create_task(rename(http, session_id))
                heard = 0
                async for result in socket.subscribe(gql("subscription { sessionChanged { kind session { id } } }")):
                    assert result["sessionChanged"]["session"]["id"] == session_id, result
                    heard += 1
                    if heard == 2:
                        break
                renaming.cancel()
                try:
                    async for _ in socket.subscribe(gql("subscription { nope }")):
                        raise AssertionError("it is answered")
                except TransportQueryError as error:
                    assert code(error) == "VALIDATION_ERROR", error
    stranger = WebsocketsTransport(url=SOCKET, init_payload={"token": "sk_live_0000"}, **SPOKEN)
    try:
        async with Client(transport=stranger):
            raise AssertionError("a stranger is let in")
    except TransportError:
        pass
    print("ok")


asyncio.run(asyncio.wait_for(main(), 120))
