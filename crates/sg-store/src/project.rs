//! Projects.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait};
use sg_domain::project::{DEFAULT_COLOR, DEFAULT_ICON};
use sg_domain::{Project, ProjectId, ProjectKey, Result, SessionId, Timestamp, UserId, Visibility};

use crate::entity::project;
use crate::error::{StoreError, StoreResult};
use crate::row::Row;
use crate::sql::{Engine, Sql, storable};
use crate::store::stored_id;
use crate::{Store, Tx};

const COLUMNS: [&str; 11] = [
    "p.key",
    "p.id",
    "p.owner",
    "p.name",
    "p.icon",
    "p.color",
    "p.created_at",
    "p.updated_at",
    "p.last_activity_at",
    "p.session_count",
    "p.total_markdown_size",
];

impl Store {
    /// All projects, last activity first (those without any last), then id.
    pub async fn projects(&self, who: &Visibility) -> Result<Vec<Project>> {
        let mut sql = self.select_projects(who);
        sql.add(" ORDER BY p.last_activity_at DESC NULLS LAST, p.id, p.key");
        Ok(self.rows(sql.end(), decode).await?)
    }

    /// One project by the id its clients use.
    pub async fn project(&self, who: &Visibility, id: &ProjectId) -> Result<Option<Project>> {
        let mut sql = self.select_projects(who);
        sql.add(" AND p.id = ").text(id.as_str());
        // Only maintenance can see several owners' projects of one id.
        sql.add(" ORDER BY p.created_at, p.key LIMIT 1");
        Ok(self.row(sql.end(), decode).await?)
    }

    /// Projects by key, in no order; those that may not be seen are left out.
    pub async fn projects_by_key(&self, who: &Visibility, keys: &[ProjectKey]) -> Result<Vec<Project>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let mut sql = self.select_projects(who);
        sql.one_of(" AND p.key", &keys);
        Ok(self.rows(sql.end(), decode).await?)
    }

    fn select_projects(&self, who: &Visibility) -> Sql {
        let mut sql = self.select(&COLUMNS);
        sql.add(" FROM project p WHERE ");
        match who {
            Visibility::Owner(owner) => sql.add("p.owner = ").text(owner.as_str()),
            Visibility::Everyone => sql.add("TRUE"),
        };
        sql
    }
}

impl Tx {
    /// The owner's project with this id, made now under `new_key` and `name` when there is none. Safe under races.
    pub async fn ensure_project(
        &self,
        owner: &UserId,
        id: &ProjectId,
        name: &str,
        new_key: ProjectKey,
        now: Timestamp,
    ) -> Result<ProjectKey> {
        if let Some(key) = self.project_key(owner, id).await? {
            return Ok(key);
        }
        let row = project::ActiveModel {
            key: Set(new_key.to_string()),
            id: Set(storable(id.as_str())),
            owner: Set(storable(owner.as_str())),
            name: Set(storable(name)),
            icon: Set(DEFAULT_ICON.to_owned()),
            color: Set(DEFAULT_COLOR.to_owned()),
            created_at: Set(now.micros()),
            updated_at: Set(now.micros()),
            last_activity_at: Set(None),
            session_count: Set(0),
            total_markdown_size: Set(0),
            total_raw_data_size: Set(0),
        };
        let unless_there = OnConflict::columns([project::Column::Owner, project::Column::Id]).do_nothing().to_owned();
        project::Entity::insert(row)
            .on_conflict(unless_there)
            .exec_without_returning(&self.tx)
            .await
            .map_err(StoreError::from)?;
        // Another server may have made it since we looked: then the insert waited for its commit and did nothing.
        let key = self.project_key(owner, id).await?;
        Ok(key.ok_or_else(|| StoreError::Corrupt(format!("project {id} was deleted while it was made")))?)
    }

    /// The owner's project with this id, locked for this transaction.
    pub async fn project_for_update(&self, owner: &UserId, id: &ProjectId) -> Result<Option<Project>> {
        let mut sql = self.sql("SELECT ");
        sql.add(&COLUMNS.join(", ")).add(" FROM project p WHERE p.owner = ").text(owner.as_str());
        sql.add(" AND p.id = ").text(id.as_str()).either("", " FOR NO KEY UPDATE");
        let project = self.row(sql, decode).await?;
        self.locked.lock().extend(project.as_ref().map(|project| project.key));
        Ok(project)
    }

    /// Writes what people choose about a project: name, icon, colour, and when it changed.
    pub async fn update_project(&self, project: &Project) -> Result<()> {
        let mut sql = self.sql("UPDATE project SET name = ");
        sql.text(&project.name).add(", icon = ").text(&project.icon).add(", color = ").text(&project.color);
        sql.add(", updated_at = ").time(project.updated_at).add(" WHERE key = ").text(&project.key.to_string());
        self.run(sql).await?;
        Ok(())
    }

    /// Deletes a project and all its sessions, those in the trash too; returns the sessions' ids.
    pub async fn delete_project(&self, key: ProjectKey) -> Result<Vec<SessionId>> {
        self.lock_project(key).await?;
        let text = key.to_string();
        let mut sql = self.sql("SELECT id FROM session WHERE project_key = ");
        sql.text(&text).add(" ORDER BY id");
        let sessions = self.rows(sql, |row| stored_id(row)).await?;
        let mut sql = self.sql("DELETE FROM session WHERE project_key = ");
        sql.text(&text);
        self.run(sql).await?;
        let mut sql = self.sql("DELETE FROM project WHERE key = ");
        sql.text(&text);
        self.run(sql).await?;
        Ok(sessions)
    }

    /// Looks a project up and locks it: whoever writes its sessions takes turns, so that its sums stay right and two
    /// writers of one session meet here instead of at a unique index.
    async fn project_key(&self, owner: &UserId, id: &ProjectId) -> StoreResult<Option<ProjectKey>> {
        let mut sql = self.sql("SELECT key FROM project WHERE owner = ");
        sql.text(owner.as_str()).add(" AND id = ").text(id.as_str()).either("", " FOR NO KEY UPDATE");
        let key = self.row(sql, |row| stored_id(row)).await?;
        if let Some(key) = key {
            self.locked.lock().push(key);
        }
        Ok(key)
    }

    /// Locks a project's row on PostgreSQL, once a transaction. SQLite has one writer anyway.
    pub(crate) async fn lock_project(&self, key: ProjectKey) -> StoreResult<()> {
        if self.engine == Engine::Sqlite || self.locked.lock().contains(&key) {
            return Ok(());
        }
        let mut sql = self.sql("SELECT 1::bigint FROM project WHERE key = ");
        sql.text(&key.to_string()).add(" FOR NO KEY UPDATE");
        self.row(sql, |row| row.int()).await?;
        self.locked.lock().push(key);
        Ok(())
    }
}

fn decode(row: &mut dyn Row) -> StoreResult<Project> {
    Ok(Project {
        key: stored_id(row)?,
        id: {
            let id = row.text()?;
            ProjectId::new(id).map_err(|e| StoreError::Corrupt(e.to_string()))?
        },
        owner: UserId(row.text()?),
        name: row.text()?,
        icon: row.text()?,
        color: row.text()?,
        created_at: row.time()?,
        updated_at: row.time()?,
        last_activity_at: row.opt_time()?,
        session_count: row.count()?,
        total_markdown_size: row.count()?,
    })
}
