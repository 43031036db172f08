//! The root of every change. `input` in, a payload out; each field is one operation of `sg-app`.

use async_graphql::{Context, Object};

use crate::device::{RevokeDeviceInput, RevokeDevicePayload, revoke_device};
use crate::exchange_change::{UpdateExchangeInput, UpdateExchangePayload, update_exchange};
use crate::failure::Outcome;
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
use crate::session_change::{
    DeleteSessionInput, DeleteSessionPayload, UpdateSessionInput, UpdateSessionPayload, delete_session, update_session,
};
use crate::session_put::{PutSessionInput, PutSessionPayload, put_session};

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
        update_project(Reach::of(ctx), input).await
    }

    /// Deletes a project with all its sessions.
    async fn delete_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: DeleteProjectInput,
    ) -> Outcome<DeleteProjectPayload> {
        delete_project(Reach::of(ctx), input).await
    }

    /// Stores a session, new or changed. Storing the same again changes nothing.
    async fn put_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session.")] input: PutSessionInput,
    ) -> Outcome<PutSessionPayload> {
        put_session(Reach::of(ctx), input).await
    }

    /// Changes the title of a session, or who may read it.
    async fn update_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session, and what changes.")] input: UpdateSessionInput,
    ) -> Outcome<UpdateSessionPayload> {
        update_session(Reach::of(ctx), input).await
    }

    /// Deletes a session. Its project stays.
    async fn delete_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which session.")] input: DeleteSessionInput,
    ) -> Outcome<DeleteSessionPayload> {
        delete_session(Reach::of(ctx), input).await
    }

    /// Changes the title of an exchange, or whether a shared session shows it.
    async fn update_exchange(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which exchange, and what changes.")] input: UpdateExchangeInput,
    ) -> Outcome<UpdateExchangePayload> {
        update_exchange(Reach::of(ctx), input).await
    }

    /// Has every session of a project indexed again, so that search agrees with what is stored.
    async fn reindex_project(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which project.")] input: ReindexProjectInput,
    ) -> Outcome<ReindexProjectPayload> {
        reindex_project(Reach::of(ctx), input).await
    }

    /// Lets a job run now that is dead, was cancelled or waits after a failure.
    async fn retry_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: RetryJobInput,
    ) -> Outcome<RetryJobPayload> {
        retry_job(Reach::of(ctx), input).await
    }

    /// Takes a job back that has not begun. Again changes nothing.
    async fn cancel_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which job.")] input: CancelJobInput,
    ) -> Outcome<CancelJobPayload> {
        cancel_job(Reach::of(ctx), input).await
    }

    /// Makes an API key of the caller's account. Its secret is in this answer and never shown again.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the key is called and may do.")] input: CreateApiKeyInput,
    ) -> Outcome<CreateApiKeyPayload> {
        create_api_key(Reach::of(ctx), input).await
    }

    /// Ends an API key of the caller's account at once. Ending it again changes nothing.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Outcome<RevokeApiKeyPayload> {
        revoke_api_key(Reach::of(ctx), input).await
    }

    /// Ends a device's tokens at once. Ending them again changes nothing.
    async fn revoke_device(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which device.")] input: RevokeDeviceInput,
    ) -> Outcome<RevokeDevicePayload> {
        revoke_device(Reach::of(ctx), input).await
    }
}
