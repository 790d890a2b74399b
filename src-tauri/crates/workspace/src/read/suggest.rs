//! The word that was probably meant.

/// The nearest of `known` within a third of its letters (at least one), by edit distance with transpositions.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Distances are quadratic in length; nobody mistypes a key of 64 letters.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

/// `a, b or c`, each in quotes.
pub(crate) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("'{word}'")).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_another_word_finds_none() {
        assert_eq!(nearest("sceme", ["scheme", "secret"]), Some("scheme".to_owned()));
        assert_eq!(nearest("Titel", ["title", "source"]), Some("title".to_owned()));
        assert_eq!(nearest("color", ["title", "source"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), ["title"]), None);
    }

    #[test]
    fn words_are_listed_as_a_person_would() {
        assert_eq!(list(["a"]), "'a'");
        assert_eq!(list(["a", "b", "c"]), "'a', 'b' or 'c'");
        assert_eq!(list([]), "");
    }
}
