//! What a store must do, on every engine: each case below runs on SQLite and on PostgreSQL.

mod account;
mod analytics;
mod blob;
mod change;
mod change_log;
mod filter;
mod job;
mod list;
mod message;
mod plan;
mod project;
pub(crate) mod sample;
mod session;
mod share_link;
mod sign_in;
mod trash;
mod writer;

use sg_store::{Store, StoreConfig};

/// A store of its own for one case.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    pub(crate) folder: tempfile::TempDir,
}

impl Fixture {
    async fn open(database_url: String, folder: tempfile::TempDir) -> Self {
        let blob_url = format!("file://{}", folder.path().join("blobs").display());
        let config = StoreConfig { database_url, blob_url, blob_options: Vec::new(), max_connections: 4 };
        Self { store: Store::open(&config).await.unwrap(), config, folder }
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("new folder/store.db").display());
        Self::open(url, folder).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(crate::postgres::database().await.url().to_owned(), tempfile::tempdir().unwrap()).await
    }

    /// The same database and blobs, opened a second time as another process would.
    pub(crate) async fn again(&self) -> Store {
        Store::open(&self.config).await.unwrap()
    }
}

macro_rules! contract {
    ($($noun:ident { $($case:ident)* })*) => {
        mod sqlite {
            $(mod $noun {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::super::$noun::$case(&super::super::Fixture::sqlite().await).await;
                })*
            })*
        }
        mod postgresql {
            $(mod $noun {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::super::$noun::$case(&super::super::Fixture::postgres().await).await;
                })*
            })*
        }
    };
}

contract! {
    share_link {
        links_are_their_owners_and_go_with_the_session
        guesses_are_counted_over_a_window
        a_summary_is_replaced_and_its_narrative_stays
    }
    account {
        users_are_unique_by_address
        keys_come_back_and_are_revoked_once
        the_use_of_a_key_is_noted_once_a_minute
        device_tokens_come_back_and_are_revoked
        import_sources_are_replaced_by_path
        the_data_version_moves_with_the_commit
        it_opens_again_and_answers
    }
    sign_in {
        passwords_are_kept_beside_their_user
        browsers_come_back_and_are_signed_out
        a_provider_s_person_is_linked_once
        a_device_code_is_used_once
        a_used_or_ended_code_may_come_again
        one_code_lets_one_of_many_in
        access_tokens_know_their_device
        what_has_ended_is_swept
    }
    project {
        a_project_is_made_once
        many_make_one_project_at_once
        sums_follow_every_change
        sums_are_right_after_concurrent_writers
        deleting_a_project_deletes_its_sessions
        figures_are_those_of_the_sessions
    }
    session {
        every_field_comes_back
        columns_not_asked_for_are_empty
        references_find_what_they_name
        other_tenants_see_nothing
        ids_and_aliases_are_taken_once
        marks_of_exchanges_are_what_was_written
        deleting_takes_everything_along
        a_dropped_transaction_leaves_nothing
        nul_characters_do_no_harm
    }
    change {
        a_project_is_changed_by_its_owner_alone
        an_exchange_keeps_what_people_say_of_it
        only_what_is_shared_is_found_without_a_tenant
        sizes_are_those_of_the_owner_s_project
        activity_counts_sessions_and_machines
    }
    change_log {
        changes_are_in_the_order_of_their_commits
        a_deleted_project_is_one_version_of_many_changes
        a_dropped_transaction_logs_nothing_and_rings_nothing
        the_sweep_takes_whole_versions_and_remembers_how_far
        what_another_process_changed_is_seen_by_a_look
    }
    message {
        messages_come_back
        pages_are_the_list_cut_up
        around_is_centred
        an_append_writes_only_what_is_new
        a_shorter_or_changed_conversation_replaces_the_old
    }
    list {
        pages_are_the_list_cut_up
        a_cursor_of_another_list_is_refused
        each_project_gives_its_first
        a_list_is_one_statement
    }
    filter {
        sql_agrees_with_the_definition
        folders_are_whole_segments
    }
    analytics {
        tokens_are_those_of_the_answers
        sessions_are_counted_by_what_they_have
        absurd_tokens_are_no_error
    }
    plan {
        every_list_is_backed_by_an_index
        following_changes_and_looking_for_work_seek
        tokens_are_summed_from_an_index_alone
        lookups_and_counts_read_no_more_than_they_must
    }
    trash {
        what_is_in_the_trash_is_in_no_answer
        a_restored_session_is_as_it_was
        an_id_or_alias_that_is_taken_again_is_a_conflict
        pages_of_the_trash_are_the_list_cut_up
        the_trash_is_purged_by_age
        restoring_and_purging_at_once_do_one_of_the_two
        a_project_takes_its_trash_along
    }
    job {
        a_job_is_claimed_by_one_worker
        what_is_enqueued_while_it_runs_runs_again
        equal_jobs_are_one
        failures_wait_die_and_revive
        a_lost_lease_is_claimed_again
        a_job_of_a_dropped_transaction_never_was
        a_done_job_is_kept_and_comes_back_as_itself
        jobs_are_tried_again_and_taken_back
        pages_of_jobs_are_the_list_cut_up
    }
    blob {
        bytes_come_back_as_they_were
        a_damaged_blob_is_an_error
        the_sweep_takes_old_orphans_only
        a_sweep_beside_writers_loses_nothing
    }
    writer {
        sixteen_writers_and_a_second_process_take_turns
        servers_that_start_at_once_migrate_once
        two_first_uploads_of_one_session_meet
    }
}
