//! Why a request was not accepted.

use std::time::Duration;

use signalbox_model::units::format_duration;

/// For the operator: the sender gets the same 401 whatever the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("the header {header} is missing")]
    SignatureMissing { header: String },
    #[error("the header {header} is empty")]
    SignatureEmpty { header: String },
    #[error("the header {header} {problem}")]
    SignatureMalformed { header: String, problem: &'static str },
    #[error("the header {header} carries more than {limit} signatures")]
    TooManySignatures { header: String, limit: usize },
    #[error("the header {header} is longer than {limit} bytes")]
    HeaderTooLong { header: String, limit: usize },
    #[error("the header {header} is there more than once")]
    HeaderRepeated { header: String },
    #[error(
        "the signature does not match: the secret differs from the sender's, or the request was changed on its way"
    )]
    SignatureMismatch,
    #[error(
        "the request carries only HubSpot's signature version {version}, which has no timestamp; only version 3 is accepted"
    )]
    SignatureVersion { version: String },
    #[error("the timestamp in {header} is missing")]
    TimestampMissing { header: String },
    #[error("the timestamp in {header} is not a whole number of {unit}")]
    TimestampMalformed { header: String, unit: &'static str },
    #[error(
        "the request was signed {} ago, longer than the tolerance of {}: an old request sent again, or a clock that is off",
        format_duration(*.age), format_duration(*.tolerance)
    )]
    TimestampTooOld { age: Duration, tolerance: Duration },
    #[error(
        "the request was signed {} in the future, further than the tolerance of {}: check the clocks of both sides",
        format_duration(*.ahead), format_duration(*.tolerance)
    )]
    TimestampInFuture { ahead: Duration, tolerance: Duration },
    #[error("the id in {header} is missing")]
    IdMissing { header: String },
    #[error("the id in {header} is not 1 to 255 visible ASCII characters without '.'")]
    IdMalformed { header: String },
    #[error("the header {header} with the credential is missing")]
    CredentialsMissing { header: String },
    #[error("the header {header} does not hold {expected}")]
    CredentialsMalformed { header: String, expected: &'static str },
    #[error("the credential does not match")]
    CredentialsMismatch,
    #[error("the signed URL names another hash of the body (bodySHA256): the body was changed on its way")]
    BodyHashMismatch,
    #[error("the token in {header} {problem}")]
    TokenMalformed { header: String, problem: &'static str },
    #[error("the token is signed with '{given}', which is not one of this source's algorithms")]
    TokenAlgorithm { given: String },
    #[error("the token was signed with the key '{kid}', which is not among the pinned keys of its algorithm")]
    TokenKeyUnknown { kid: String },
    #[error("the token expired {} ago, longer than the tolerance of {}", format_duration(*.age), format_duration(*.tolerance))]
    TokenExpired { age: Duration, tolerance: Duration },
    #[error("the token is valid only in {}, further than the tolerance of {}", format_duration(*.ahead), format_duration(*.tolerance))]
    TokenNotYetValid { ahead: Duration, tolerance: Duration },
    #[error("the token was issued by {given}, which is not an issuer of this source")]
    TokenIssuer { given: String },
    #[error("the token is not meant for this source: its audience is {given}")]
    TokenAudience { given: String },
    #[error("the body is not a Salesforce outbound message: {problem}")]
    NotAnOutboundMessage { problem: String },
    #[error("the message comes from the Salesforce organization '{given}', which this source does not list")]
    OrganizationUnknown { given: String },
}

impl Refusal {
    /// Stable, for filters and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::SignatureMissing { .. } => "signature-missing",
            Self::SignatureEmpty { .. } => "signature-empty",
            Self::SignatureMalformed { .. } => "signature-malformed",
            Self::TooManySignatures { .. } => "too-many-signatures",
            Self::HeaderTooLong { .. } => "header-too-long",
            Self::HeaderRepeated { .. } => "header-repeated",
            Self::SignatureMismatch => "signature-mismatch",
            Self::SignatureVersion { .. } => "signature-version",
            Self::TimestampMissing { .. } => "timestamp-missing",
            Self::TimestampMalformed { .. } => "timestamp-malformed",
            Self::TimestampTooOld { .. } => "timestamp-too-old",
            Self::TimestampInFuture { .. } => "timestamp-in-future",
            Self::IdMissing { .. } => "id-missing",
            Self::IdMalformed { .. } => "id-malformed",
            Self::CredentialsMissing { .. } => "credentials-missing",
            Self::CredentialsMalformed { .. } => "credentials-malformed",
            Self::CredentialsMismatch => "credentials-mismatch",
            Self::BodyHashMismatch => "body-hash-mismatch",
            Self::TokenMalformed { .. } => "token-malformed",
            Self::TokenAlgorithm { .. } => "token-algorithm",
            Self::TokenKeyUnknown { .. } => "token-key-unknown",
            Self::TokenExpired { .. } => "token-expired",
            Self::TokenNotYetValid { .. } => "token-not-yet-valid",
            Self::TokenIssuer { .. } => "token-issuer",
            Self::TokenAudience { .. } => "token-audience",
            Self::NotAnOutboundMessage { .. } => "not-an-outbound-message",
            Self::OrganizationUnknown { .. } => "organization-unknown",
        }
    }
}
