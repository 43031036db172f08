//! Language models: what the operations ask one, and the port that the server asks it through.

use async_trait::async_trait;

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelProtocol {
    /// `POST <base>/chat/completions`, as OpenAI and most others have it.
    OpenAi,
    /// `POST <base>/v1/messages`.
    Anthropic,
}

/// Where a model is.
#[derive(Clone, PartialEq, Eq)]
pub struct ModelEndpoint {
    /// How it is spoken to.
    pub protocol: ModelProtocol,
    /// Its address, without a slash at its end.
    pub base_url: String,
    /// What it is paid with; some need nothing.
    pub key: Option<String>,
    /// Whether a caller chose the address: it may then not lead to a private network unless the server allows that.
    pub is_foreign: bool,
}

/// Shows no key.
impl std::fmt::Debug for ModelEndpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelEndpoint")
            .field("protocol", &self.protocol)
            .field("base_url", &self.base_url)
            .field("has_key", &self.key.is_some())
            .field("is_foreign", &self.is_foreign)
            .finish()
    }
}

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelRequest {
    /// The model's name at its endpoint.
    pub model: String,
    /// What it is told to be.
    pub system: String,
    /// What it is asked.
    pub prompt: String,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelFault {
    /// The address may not be called: not a public one, not `https`, not an address.
    #[error("{0}")]
    Refused(String),
    /// It did not answer in time.
    #[error("the model did not answer in time")]
    Timeout,
    /// It could not be reached, or it answered with an error.
    #[error("{0}")]
    Failed(String),
}

/// A model that an endpoint offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedModel {
    /// Its name.
    pub id: String,
    /// Who made it, as the endpoint says.
    pub owned_by: String,
}

/// Asks models.
#[async_trait]
pub trait ModelClient: Send + Sync {
    /// The answer's text.
    async fn ask(&self, endpoint: &ModelEndpoint, request: &ModelRequest) -> Result<String, ModelFault>;

    /// What the endpoint offers.
    async fn offered(&self, endpoint: &ModelEndpoint) -> Result<Vec<OfferedModel>, ModelFault>;
}

/// Stands where there is nobody to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoModel;

#[async_trait]
impl ModelClient for NoModel {
    async fn ask(&self, _: &ModelEndpoint, _: &ModelRequest) -> Result<String, ModelFault> {
        Err(ModelFault::Refused("this process asks no models".to_owned()))
    }

    async fn offered(&self, _: &ModelEndpoint) -> Result<Vec<OfferedModel>, ModelFault> {
        Err(ModelFault::Refused("this process asks no models".to_owned()))
    }
}
