//! The files in `tests/scenarios/specstory`. A step may give `me` a `device_code`.

use sg_domain::Timestamp;

use super::world::{Who, World};
use crate::harness::{Answer, Gateway};
use crate::scenario::{Stage, every_scenario_holds};

#[tokio::test(flavor = "multi_thread")]
async fn scenarios_hold() {
    every_scenario_holds::<World>("specstory").await;
}

#[async_trait::async_trait]
impl Stage for World {
    async fn start() -> Self {
        Self::start().await
    }

    fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    async fn prepare(&self, step: &toml::Value) {
        if let Some(code) = step.get("device_code").and_then(toml::Value::as_str) {
            self.gateway.ids.will_be_device_code(code);
            let made = self.gateway.app.create_device_code(self.caller(Who::Me), None).await.expect("a device code");
            assert_eq!(made.code, code);
        }
    }

    async fn send(&self, who: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let who = match who {
            "me" => Who::Me,
            "other" => Who::Other,
            "write-only" => Who::WriteOnly,
            "read-only" => Who::ReadOnly,
            "nobody" => Who::Nobody,
            "stranger" => Who::Stranger,
            other => panic!("nobody is called {other}"),
        };
        Self::send(self, who, method, path, headers, body.into()).await
    }
}

/// What JavaScript's `toISOString` writes: the one form that all clients read.
pub(super) fn is_time(text: &str) -> bool {
    text.len() == 24 && Timestamp::parse(text).is_some_and(|time| time.to_iso_millis() == text)
}
