// A GraphQL server as a good Node.js team would write it today, over the same SQLite file: fastify, mercurius with its JIT,
// prepared synchronous statements, loaders that read one level with one statement. It checks no key and knows nothing but
// the two queries that `sg-load` sends, which is to its advantage.
//
//   node server.mjs DATABASE     prints the address it listens on, ends with its standard input
import Database from "libsql";
import Fastify from "fastify";
import mercurius from "mercurius";

const db = new Database(process.argv[2], { readonly: true });

const schema = `
  type Query {
    projects: [Project!]!
    sessions(filters: SessionFilters, first: Int!): SessionConnection!
  }
  input SessionFilters { projectId: String! }
  type Project { id: ID! name: String! sessionCount: Int! sessions(first: Int!): SessionConnection! }
  type SessionConnection { edges: [SessionEdge!]! pageInfo: PageInfo! }
  type SessionEdge { cursor: String! node: Session! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Session {
    id: ID! name: String! createdAt: String! updatedAt: String! startedAt: String endedAt: String
    markdownSize: Int! metadata: Metadata!
  }
  type Metadata {
    agentName: String clientName: String gitBranches: [String!] llmModels: [String!] tags: [String!]
  }
`;

const COLUMNS = "s.id, s.name, s.created_at, s.updated_at, s.started_at, s.ended_at, s.markdown_size, s.metadata";
const allProjects = db.prepare(
  "SELECT key, id, name, session_count FROM project ORDER BY coalesce(last_activity_at, updated_at) DESC, key DESC");
const projectKey = db.prepare("SELECT key FROM project WHERE id = ?");
const firstOfMany = db.prepare(`SELECT s.project_key, ${COLUMNS} FROM json_each(?) p JOIN session s ON s.rowid IN
  (SELECT rowid FROM session WHERE project_key = p.value AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT ?)
  ORDER BY s.created_at DESC, s.id DESC`);

/** As the server writes it: to the millisecond, to the microsecond where there are any. */
function time(micros) {
  if (micros === null) return null;
  const text = new Date(Math.floor(micros / 1000)).toISOString();
  const rest = micros % 1000;
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, "0")}Z`;
}

function session(row) {
  const metadata = JSON.parse(row.metadata);
  return {
    id: row.id,
    name: row.name,
    createdAt: time(row.created_at),
    updatedAt: time(row.updated_at),
    startedAt: time(row.started_at),
    endedAt: time(row.ended_at),
    markdownSize: row.markdown_size,
    metadata: {
      agentName: metadata.agentName, clientName: metadata.clientName, gitBranches: metadata.gitBranches,
      llmModels: metadata.llmModels, tags: metadata.tags,
    },
    cursor: Buffer.from(`${row.created_at} ${row.id}`).toString("base64url"),
  };
}

/** The first sessions of each of these projects: one statement, one more row a project than wanted. */
function connections(keys, first) {
  const rows = new Map(keys.map((key) => [key, []]));
  for (const row of firstOfMany.all(JSON.stringify(keys), first + 1)) rows.get(row.project_key).push(row);
  return keys.map((key) => {
    const found = rows.get(key);
    const edges = found.slice(0, first).map(session).map((node) => ({ cursor: node.cursor, node }));
    return { edges, pageInfo: { hasNextPage: found.length > first, endCursor: edges.at(-1)?.cursor ?? null } };
  });
}

const resolvers = {
  Query: {
    projects: () => allProjects.all().map((row) => ({ key: row.key, id: row.id, name: row.name, sessionCount: row.session_count })),
    sessions: (_, { filters, first }) => connections([projectKey.get(filters.projectId).key], first)[0],
  },
};
const loaders = {
  Project: {
    sessions: { loader: async (queries) => connections(queries.map(({ obj }) => obj.key), queries[0].params.first), opts: { cache: false } },
  },
};

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, jit: 1, path: "/graphql" });
await app.listen({ host: "127.0.0.1", port: 0 });
console.log(`127.0.0.1:${app.server.address().port}`);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
