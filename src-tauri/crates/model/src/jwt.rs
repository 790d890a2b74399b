//! JSON Web Tokens (RFC 7519) as data: which algorithms, keys and claims a source accepts. `net` judges tokens by it.

/// What a source's `verify` table of the scheme `jwt` says. Keys are pinned: whatever a token names (`jku`, `x5u`,
/// `jwk`, `x5c`), no key comes from anywhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtScheme {
    /// At least one, all symmetric or all asymmetric, so that a public key can never be taken for a secret
    /// (RFC 8725 §2.1).
    pub algorithms: Vec<JwtAlgorithm>,
    /// Empty with symmetric algorithms, whose keys are the source's secrets.
    pub keys: Vec<PublicKey>,
    /// One of them must be the token's `iss`; empty: any.
    pub issuers: Vec<String>,
    /// One of them must be in the token's `aud`; empty: any.
    pub audiences: Vec<String>,
    /// Lower case. In `authorization` the token follows `Bearer `.
    pub header: String,
}

impl JwtScheme {
    /// The token is signed with a shared secret.
    pub fn is_symmetric(&self) -> bool {
        self.algorithms.iter().any(|algorithm| algorithm.family() == KeyFamily::Secret)
    }
}

/// RFC 7518 §3.1 and RFC 8037. `none` is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtAlgorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// What kind of key an algorithm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFamily {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl JwtAlgorithm {
    pub const ALL: [Self; 12] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
    ];

    /// As a token's `alg` says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    pub const fn family(self) -> KeyFamily {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => KeyFamily::Secret,
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => KeyFamily::Rsa,
            Self::Es256 => KeyFamily::P256,
            Self::Es384 => KeyFamily::P384,
            Self::EdDsa => KeyFamily::Ed25519,
        }
    }
}

/// One key of a pinned JWKS (RFC 7517); its numbers are base64url without padding, as in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `kid`
    pub id: Option<String>,
    /// `alg`: the key is for this one only.
    pub algorithm: Option<JwtAlgorithm>,
    pub material: KeyMaterial,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMaterial {
    Rsa { n: String, e: String },
    P256 { x: String, y: String },
    P384 { x: String, y: String },
    Ed25519 { x: String },
}

impl PublicKey {
    pub fn serves(&self, algorithm: JwtAlgorithm) -> bool {
        let family = match self.material {
            KeyMaterial::Rsa { .. } => KeyFamily::Rsa,
            KeyMaterial::P256 { .. } => KeyFamily::P256,
            KeyMaterial::P384 { .. } => KeyFamily::P384,
            KeyMaterial::Ed25519 { .. } => KeyFamily::Ed25519,
        };
        family == algorithm.family() && self.algorithm.is_none_or(|only| only == algorithm)
    }
}
