//! Which deliveries a list or a bulk action means.

use signalbox_engine::Runtime;
use signalbox_model::DeliveryId;
use signalbox_model::filter::{Filter, KnownNames};
use signalbox_store::StoreError;
use signalbox_store::read::Selection;

use crate::problem::{Code, Problem};

/// The most ids of one bulk action; a filter takes more.
const MOST_IDS: usize = 10_000;
/// Characters of a reason.
const LONGEST_REASON: usize = 500;

/// Nothing is everything. Names that neither the workspace nor the ledger knows are errors.
pub(super) async fn filter(runtime: &Runtime, text: Option<&str>) -> Result<Filter, Problem> {
    let Some(text) = text else { return Ok(Filter::default()) };
    Ok(Filter::parse_with(text, &known(runtime).await?)?)
}

async fn known(runtime: &Runtime) -> Result<KnownNames, StoreError> {
    let workspace = runtime.workspace();
    let mut names = KnownNames {
        integrations: workspace.integrations.keys().chain(workspace.broken.keys()).cloned().collect(),
        destinations: Vec::new(),
        systems: workspace.systems.keys().cloned().collect(),
    };
    // Removed destinations still have their rows.
    for lane in runtime.store().lanes().await? {
        names.integrations.push(lane.integration);
        names.destinations.push(lane.destination);
        names.systems.push(lane.system);
    }
    for list in [&mut names.integrations, &mut names.destinations, &mut names.systems] {
        list.sort();
        list.dedup();
    }
    Ok(names)
}

/// Of a bulk action: a filter with at least one term, or ids.
pub(super) async fn selection(
    runtime: &Runtime,
    text: Option<&str>,
    ids: Option<&[String]>,
) -> Result<Selection, Problem> {
    match (text, ids) {
        (Some(_), Some(_)) => Err(Problem::new(Code::InvalidBody, "Give a filter or ids, not both.")),
        (None, None) => Err(nothing("Say which deliveries: a filter, or ids.")),
        (Some(text), None) => {
            let filter = filter(runtime, Some(text)).await?;
            if filter.is_empty() {
                return Err(nothing("The filter is empty, which would mean everything. Write at least one term."));
            }
            Ok(Selection::Filter { filter, now: runtime.clock().now(), gates: runtime.closed_gates() })
        }
        (None, Some([])) => Err(nothing("The list of ids is empty.")),
        (None, Some(ids)) if ids.len() > MOST_IDS => Err(Problem::new(
            Code::InvalidParameter,
            format!("These are {} ids, and the most is {MOST_IDS}. Select by filter instead.", ids.len()),
        )),
        (None, Some(ids)) => {
            let mut parsed = Vec::with_capacity(ids.len());
            for id in ids {
                let id = id.parse::<DeliveryId>();
                parsed.push(id.map_err(|error| Problem::new(Code::InvalidParameter, format!("ids: {error}.")))?);
            }
            parsed.sort_unstable();
            parsed.dedup();
            Ok(Selection::Ids(parsed))
        }
    }
}

pub(super) fn nothing(detail: &str) -> Problem {
    Problem::new(Code::EmptySelection, detail)
}

/// For the record: trimmed, none where empty.
pub(super) fn reason(text: Option<String>) -> Result<Option<String>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > LONGEST_REASON => {
            Err(Problem::new(Code::InvalidParameter, format!("The reason has more than {LONGEST_REASON} characters.")))
        }
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_trimmed_and_bounded() {
        assert_eq!(reason(Some("  mended  ".to_owned())).unwrap().as_deref(), Some("mended"));
        assert_eq!(reason(Some("   ".to_owned())).unwrap(), None);
        assert_eq!(reason(None).unwrap(), None);
        assert!(reason(Some("é".repeat(500))).is_ok());
        assert_eq!(reason(Some("é".repeat(501))).unwrap_err().code, Code::InvalidParameter);
    }
}
