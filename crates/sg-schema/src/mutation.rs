//! The root of every change. `input` in, a payload out; each field is one operation of `sg-app`.

use async_graphql::{Context, Object};

use crate::device::{RevokeDeviceInput, RevokeDevicePayload, revoke_device};
use crate::exchange_change::{UpdateExchangeInput, UpdateExchangePayload, update_exchange};
use crate::failure::Outcome;
use crate::handoff_change::{
    ClaimHandoffInput, ClaimHandoffPayload, CommentOnHandoffInput, CommentOnHandoffPayload, CreateHandoffInput,
    CreateHandoffPayload, DeclineHandoffInput, DeclineHandoffPayload, RevokeHandoffInput, RevokeHandoffPayload,
    claim_handoff, comment_on_handoff, create_handoff, decline_handoff, revoke_handoff,
};
use crate::job_change::{
    CancelJobInput, CancelJobPayload, ReindexProjectInput, ReindexProjectPayload, RetryJobInput, RetryJobPayload,
    cancel_job, reindex_project, retry_job,
};
use crate::key::{
    CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput, RevokeApiKeyPayload, create_api_key, revoke_api_key,
};
use crate::loader::Reach;
use crate::project_change::{
    DeleteProjectInput, DeleteProjectPayload, UpdateProjectInput, UpdateProjectPayload, delete_project, update_project,
};
use crate::session_bulk::{
    DeleteSessionsInput, DeleteSessionsPayload, TagSessionsInput, TagSessionsPayload, delete_sessions, tag_sessions,
};
use crate::session_change::{
    TagSessionInput, TagSessionPayload, UpdateSessionInput, UpdateSessionPayload, tag_session, update_session,
};
use crate::session_import::{ImportSessionInput, ImportSessionPayload, import_session};
use crate::session_put::{PutSessionInput, PutSessionPayload, put_session};
use crate::session_trash::{
    DeleteSessionInput, DeleteSessionPayload, PurgeSessionInput, PurgeSessionPayload, RestoreSessionInput,
    RestoreSessionPayload, delete_session, purge_session, restore_session,
};
use crate::share_link::{
    CreateShareLinkInput, CreateShareLinkPayload, RevokeShareLinkInput, RevokeShareLinkPayload, create_share_link,
    revoke_share_link,
};
use crate::summary::{SummarizeSessionInput, SummarizeSessionPayload, summarize_session};
use crate::sync::{
    UnwatchSessionInput, UnwatchSessionPayload, UpdateSyncSettingsInput, UpdateSyncSettingsPayload, WatchSessionInput,
    WatchSessionPayload, unwatch_session, update_sync_settings, watch_session,
};

/// The root. It holds nothing: everything is in the request.
pub struct Mutation;

/// Everything that can be changed. Fields run one after the other, in the order they are written.
#[Object]
impl Mutation {
    /// Changes the name, icon or colour of a project.
    async fn update_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project, and what changes.")] input: UpdateProjectInput,
    ) -> Outcome<UpdateProjectPayload> {
        Box::pin(update_project(Reach::of(ctx), input)).await
    }

    /// Deletes a project with all its sessions, for good: those of it that are in the trash go too.
    async fn delete_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: DeleteProjectInput,
    ) -> Outcome<DeleteProjectPayload> {
        Box::pin(delete_project(Reach::of(ctx), input)).await
    }

    /// Stores a session, new or changed. Storing the same again changes nothing.
    async fn put_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] input: PutSessionInput,
    ) -> Outcome<PutSessionPayload> {
        Box::pin(put_session(Reach::of(ctx), input)).await
    }

    /// Stores the sessions of an agent's own file. Secrets are taken out first; sending the same again changes nothing.
    async fn import_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The file, and where its sessions go.")] input: ImportSessionInput,
    ) -> Outcome<ImportSessionPayload> {
        Box::pin(import_session(Reach::of(ctx), input)).await
    }

    /// Changes the title, name, alias or tags of a session, or who may read it.
    async fn update_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and what changes.")] input: UpdateSessionInput,
    ) -> Outcome<UpdateSessionPayload> {
        Box::pin(update_session(Reach::of(ctx), input)).await
    }

    /// Gives a session tags, or takes some away; the others stay.
    async fn tag_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and which tags.")] input: TagSessionInput,
    ) -> Outcome<TagSessionPayload> {
        Box::pin(tag_session(Reach::of(ctx), input)).await
    }

    /// Gives up to a hundred sessions tags, or takes some away. Each is a change of its own.
    async fn tag_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions, and which tags.")] input: TagSessionsInput,
    ) -> Outcome<TagSessionsPayload> {
        Box::pin(tag_sessions(Reach::of(ctx), input)).await
    }

    /// Puts a session into the trash, out of every other answer. Its project stays. It can be restored until it is
    /// purged, which happens by itself after some weeks.
    async fn delete_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: DeleteSessionInput,
    ) -> Outcome<DeleteSessionPayload> {
        Box::pin(delete_session(Reach::of(ctx), input)).await
    }

    /// Puts up to a hundred sessions into the trash. Each is a change of its own.
    async fn delete_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which sessions.")] input: DeleteSessionsInput,
    ) -> Outcome<DeleteSessionsPayload> {
        Box::pin(delete_sessions(Reach::of(ctx), input)).await
    }

    /// Takes a session out of the trash, as it was but for `updatedAt`. `CONFLICT` when its client has stored it anew since, or when another
    /// session has its alias now.
    async fn restore_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: RestoreSessionInput,
    ) -> Outcome<RestoreSessionPayload> {
        Box::pin(restore_session(Reach::of(ctx), input)).await
    }

    /// Deletes a session in the trash for good.
    async fn purge_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: PurgeSessionInput,
    ) -> Outcome<PurgeSessionPayload> {
        Box::pin(purge_session(Reach::of(ctx), input)).await
    }

    /// Makes a link that lets whoever has it read a session's archive. Its address is in this answer and never shown again.
    async fn create_share_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, for how long, and what opens it.")] input: CreateShareLinkInput,
    ) -> Outcome<CreateShareLinkPayload> {
        Box::pin(create_share_link(Reach::of(ctx), input)).await
    }

    /// Ends a share link at once, for good. Ending it again changes nothing.
    async fn revoke_share_link(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which link.")] input: RevokeShareLinkInput,
    ) -> Outcome<RevokeShareLinkPayload> {
        Box::pin(revoke_share_link(Reach::of(ctx), input)).await
    }

    /// Makes a session's summary anew. With `narrative`, the account's model tells what happened, too.
    async fn summarize_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and by whom.")] input: SummarizeSessionInput,
    ) -> Outcome<SummarizeSessionPayload> {
        Box::pin(summarize_session(Reach::of(ctx), input)).await
    }

    /// Changes the title of an exchange, or whether a shared session shows it.
    async fn update_exchange(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which exchange, and what changes.")] input: UpdateExchangeInput,
    ) -> Outcome<UpdateExchangePayload> {
        Box::pin(update_exchange(Reach::of(ctx), input)).await
    }

    /// Has every session of a project indexed again, so that search agrees with what is stored.
    async fn reindex_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: ReindexProjectInput,
    ) -> Outcome<ReindexProjectPayload> {
        Box::pin(reindex_project(Reach::of(ctx), input)).await
    }

    /// Lets a job run now that is dead, was cancelled or waits after a failure.
    async fn retry_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: RetryJobInput,
    ) -> Outcome<RetryJobPayload> {
        Box::pin(retry_job(Reach::of(ctx), input)).await
    }

    /// Takes a job back that has not begun. Again changes nothing.
    async fn cancel_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: CancelJobInput,
    ) -> Outcome<CancelJobPayload> {
        Box::pin(cancel_job(Reach::of(ctx), input)).await
    }

    /// Makes an API key of the caller's account. Its secret is in this answer and never shown again.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the key is called and may do.")] input: CreateApiKeyInput,
    ) -> Outcome<CreateApiKeyPayload> {
        Box::pin(create_api_key(Reach::of(ctx), input)).await
    }

    /// Ends an API key of the caller's account at once. Ending it again changes nothing.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Outcome<RevokeApiKeyPayload> {
        Box::pin(revoke_api_key(Reach::of(ctx), input)).await
    }

    /// Ends a device's tokens at once. Ending them again changes nothing.
    async fn revoke_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which device.")] input: RevokeDeviceInput,
    ) -> Outcome<RevokeDevicePayload> {
        Box::pin(revoke_device(Reach::of(ctx), input)).await
    }

    /// Offers one of the caller's sessions to somebody, who is told by mail where the server sends any.
    async fn create_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session, and who is meant.")] input: CreateHandoffInput,
    ) -> Outcome<CreateHandoffPayload> {
        Box::pin(create_handoff(Reach::of(ctx), input)).await
    }

    /// Takes a handoff: its recipient gets a copy of the session as it is now. `GONE` when its time has passed, `CONFLICT` when
    /// it does not wait any more.
    async fn claim_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which handoff.")] input: ClaimHandoffInput,
    ) -> Outcome<ClaimHandoffPayload> {
        Box::pin(claim_handoff(Reach::of(ctx), input)).await
    }

    /// Takes a handoff back that waits; its sender alone may.
    async fn revoke_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which handoff, and why.")] input: RevokeHandoffInput,
    ) -> Outcome<RevokeHandoffPayload> {
        Box::pin(revoke_handoff(Reach::of(ctx), input)).await
    }

    /// Declines a handoff that waits; its recipient alone may.
    async fn decline_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which handoff.")] input: DeclineHandoffInput,
    ) -> Outcome<DeclineHandoffPayload> {
        Box::pin(decline_handoff(Reach::of(ctx), input)).await
    }

    /// Says something about a handoff to its other side.
    async fn comment_on_handoff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which handoff, and what is said.")] input: CommentOnHandoffInput,
    ) -> Outcome<CommentOnHandoffPayload> {
        Box::pin(comment_on_handoff(Reach::of(ctx), input)).await
    }

    /// Changes what the caller's machines sync by themselves.
    async fn update_sync_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What changes.")] input: UpdateSyncSettingsInput,
    ) -> Outcome<UpdateSyncSettingsPayload> {
        Box::pin(update_sync_settings(Reach::of(ctx), input)).await
    }

    /// Puts a session on the watchlist. Again changes nothing.
    async fn watch_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: WatchSessionInput,
    ) -> Outcome<WatchSessionPayload> {
        Box::pin(watch_session(Reach::of(ctx), input)).await
    }

    /// Takes a session off the watchlist. Again changes nothing.
    async fn unwatch_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: UnwatchSessionInput,
    ) -> Outcome<UnwatchSessionPayload> {
        Box::pin(unwatch_session(Reach::of(ctx), input)).await
    }
}
