"""A GraphQL server as a good Python team would write it today, over the same SQLite file: strawberry on uvicorn with uvloop,
data loaders that read one level with one statement. It checks no key and knows nothing but the two queries that `sg-load`
sends, which is to its advantage.

    python server.py DATABASE     prints the address it listens on, ends with its standard input
"""

import asyncio
import base64
import json
import socket
import sqlite3
import sys
from datetime import datetime, timezone
from typing import Optional

import strawberry
import uvicorn
import uvloop
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader
from strawberry.types import Info

db = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, check_same_thread=False)

PROJECTS = "SELECT key, id, name, session_count FROM project ORDER BY coalesce(last_activity_at, updated_at) DESC, key DESC"
FIRST_OF_MANY = """SELECT s.project_key, s.id, s.name, s.created_at, s.updated_at, s.started_at, s.ended_at, s.markdown_size,
  s.metadata FROM json_each(?) p JOIN session s ON s.rowid IN
  (SELECT rowid FROM session WHERE project_key = p.value AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?)
  ORDER BY s.created_at DESC, s.id DESC"""


def time(micros: Optional[int]) -> Optional[str]:
    """As the server writes it: to the millisecond, to the microsecond where there are any."""
    if micros is None:
        return None
    seconds, rest = divmod(micros, 1_000_000)
    digits = f"{rest // 1000:03}" if rest % 1000 == 0 else f"{rest:06}"
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{digits}Z"


@strawberry.type
class Metadata:
    agent_name: Optional[str]
    client_name: Optional[str]
    git_branches: Optional[list[str]]
    llm_models: Optional[list[str]]
    tags: Optional[list[str]]


@strawberry.type
class Session:
    id: strawberry.ID
    name: str
    created_at: str
    updated_at: str
    started_at: Optional[str]
    ended_at: Optional[str]
    markdown_size: int
    metadata: Metadata


@strawberry.type
class SessionEdge:
    cursor: str
    node: Session


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: Optional[str]


@strawberry.type
class SessionConnection:
    edges: list[SessionEdge]
    page_info: PageInfo


def edge(row: tuple) -> SessionEdge:
    _, id, name, created_at, updated_at, started_at, ended_at, size, metadata = row
    m = json.loads(metadata)
    return SessionEdge(
        cursor=base64.urlsafe_b64encode(f"{created_at} {id}".encode()).decode(),
        node=Session(
            id=id, name=name, created_at=time(created_at), updated_at=time(updated_at), started_at=time(started_at),
            ended_at=time(ended_at), markdown_size=size,
            metadata=Metadata(
                agent_name=m.get("agentName"), client_name=m.get("clientName"), git_branches=m.get("gitBranches"),
                llm_models=m.get("llmModels"), tags=m.get("tags"),
            ),
        ),
    )


async def connections(keys: list[tuple[str, int]]) -> list[SessionConnection]:
    """The first sessions of each of these projects: one statement, one more row a project than wanted."""
    first = keys[0][1]
    rows: dict[str, list[tuple]] = {key: [] for key, _ in keys}
    for row in db.execute(FIRST_OF_MANY, (json.dumps(list(rows)), first + 1)):
        rows[row[0]].append(row)
    found = []
    for key, _ in keys:
        edges = [edge(row) for row in rows[key][:first]]
        info = PageInfo(has_next_page=len(rows[key]) > first, end_cursor=edges[-1].cursor if edges else None)
        found.append(SessionConnection(edges=edges, page_info=info))
    return found


@strawberry.type
class Project:
    key: strawberry.Private[str]
    id: strawberry.ID
    name: str
    session_count: int

    @strawberry.field
    async def sessions(self, info: Info, first: int) -> SessionConnection:
        return await info.context["connections"].load((self.key, first))


@strawberry.input
class SessionFilters:
    project_id: str


@strawberry.type
class Query:
    @strawberry.field
    def projects(self) -> list[Project]:
        return [Project(key=key, id=id, name=name, session_count=count) for key, id, name, count in db.execute(PROJECTS)]

    @strawberry.field
    async def sessions(self, filters: SessionFilters, first: int) -> SessionConnection:
        (key,) = db.execute("SELECT key FROM project WHERE id = ?", (filters.project_id,)).fetchone()
        return (await connections([(key, first)]))[0]


class App(GraphQL):
    async def get_context(self, request, response=None):
        return {"connections": DataLoader(load_fn=connections)}


async def main() -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(App(strawberry.Schema(Query)), log_level="warning", access_log=False))
    print("127.0.0.1:%d" % listener.getsockname()[1], flush=True)
    asyncio.get_running_loop().run_in_executor(None, lambda: (sys.stdin.read(), setattr(server, "should_exit", True)))
    await server.serve(sockets=[listener])


uvloop.run(main())
