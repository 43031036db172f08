// The tabs a person finds on a first visit. Each answers on their own data: ids and words come from what is stored.

/** What the tabs are made from. */
export const START = `query Start {
  sessions(first: 1) { nodes { id name project { id } } }
  projects { id name }
}`;

/** A word to search for that is certain to be somewhere: one of the latest session's name. */
function wordOf(name) {
  const words = (name ?? "").match(/\p{L}{4,}/gu) ?? [];
  return words.sort((a, b) => b.length - a.length)[0] ?? "error";
}

function tab(query, variables) {
  return { query: query.trim() + "\n", variables: variables ? JSON.stringify(variables, null, 2) : "" };
}

export function examples({ sessions, projects }) {
  const latest = sessions?.nodes?.[0];
  const project = latest?.project ?? projects?.[0];
  const from = new Date(Date.now() - 90 * 86_400_000).toISOString().slice(0, 10);
  return [
    tab(`
# Your projects, each with its latest sessions. Press the play button or Ctrl-Enter.
query Projects {
  projects {
    id
    name
    sessionCount
    lastActivity
    sessions(first: 3) {
      totalCount
      nodes {
        id
        name
        startedAt
        metadata { agentName llmModels gitBranches }
      }
    }
  }
}`),
    tab(`
# Words, "phrases", AND OR NOT, -word, prefix*, and fields: role:user tool:Bash model:opus before:2026-01-01
query Search($query: String!) {
  searchSessions(query: $query, limit: 10) {
    total
    tookMs
    suggestion
    results {
      name
      rank
      snippet
      project { name }
      matchingMessages { snippet message { role createdAt } }
    }
    facets { field buckets { value count } }
  }
}`, { query: wordOf(latest?.name) }),
    tab(`
# One session with the start of its conversation.
query OneSession($id: String!) {
  session(id: $id) {
    name
    startedAt
    endedAt
    markdownSize
    project { name }
    metadata { agentName llmModels gitBranches tags }
    messages(first: 10) {
      totalCount
      nodes { role model createdAt text }
    }
  }
}`, { id: latest?.id ?? "" }),
    tab(`
# Figures over everything you have.
query Figures {
  stats { totalSessions totalProjects sessionsThisWeek topLLMModels(limit: 5) { model count } }
  projects {
    name
    stats {
      totalSessions
      totalMarkdownSize
      uniqueLLMModels
      uniqueGitBranches
      sessionsByDay(days: 30) { date count }
      topTags(limit: 5) { tag count }
    }
  }
}`),
    tab(`
# Every filter filters: all fields must hold, any value of a list will do.
query Filtered($filters: SessionFilters) {
  sessions(first: 20, filters: $filters) {
    totalCount
    nodes { name startedAt project { name } metadata { agentName gitBranches } }
    pageInfo { hasNextPage endCursor }
  }
}`, { filters: { projectIds: project ? [project.id] : [], startDate: "2020-01-01" } }),
    tab(`
# Three months in figures. Days and hours are in UTC.
query Analytics($from: String) {
  analytics(timeRange: { start: $from }) {
    totalSessions
    totalProjects
    sessionsByModel(limit: 5) { model count }
    sessionsByAgent(limit: 5) { agent count }
    activityByDay { date sessions projects }
    usage { total cost }
    usageByModel { model usage { total cost } }
  }
}`, { from }),
    tab(`
# Sessions that have to do with the latest one, and why.
query Related($id: String!) {
  session(id: $id) {
    name
    relatedSessions(limit: 5) {
      similarity
      reasons
      name
      project { name }
    }
  }
}`, { id: latest?.id ?? "" }),
    tab(`
# What happens to your sessions, as it happens. Press play, then import or sync a session; the square button stops it.
subscription Changes {
  sessionChanged {
    kind
    cursor
    session { name project { name } }
  }
}`),
  ];
}
