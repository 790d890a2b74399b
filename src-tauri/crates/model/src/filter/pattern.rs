//! Text with `*` for any text.

/// Literal pieces with a `*` between each two: `a*b` is `["a", "b"]`, plain text is one piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// This text and no other; a `*` in it is the character.
    pub fn exact(text: impl Into<String>) -> Self {
        Self { pieces: vec![text.into()] }
    }

    /// Neighbouring stars are one, since they mean the same.
    pub(super) fn from_pieces(pieces: Vec<String>) -> Self {
        let last = pieces.len().saturating_sub(1);
        let kept = pieces.into_iter().enumerate().filter(|(at, piece)| *at == 0 || *at == last || !piece.is_empty());
        Self { pieces: kept.map(|(_, piece)| piece).collect() }
    }

    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The text, when there is no `*`.
    pub fn as_exact(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Case counts. Linear in `text` for each piece: the leftmost place for a middle piece is always good enough.
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return self.as_exact() == Some(text);
        };
        let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(last.as_str()) else { return false };
        for piece in middle {
            let Some((_, after)) = rest.split_once(piece.as_str()) else { return false };
            rest = after;
        }
        true
    }
}
