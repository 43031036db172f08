//! The files in `tests/scenarios/sessionfs`.

use super::world::World;
use crate::harness::{Answer, Gateway};
use crate::scenario::{Stage, every_scenario_holds};

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_hold() {
    every_scenario_holds::<World>("sessionfs").await;
}

#[async_trait::async_trait]
impl Stage for World {
    async fn start() -> Self {
        Self::start().await
    }

    fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    async fn send(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        Self::send(self, who, method, path, headers, body).await
    }
}
