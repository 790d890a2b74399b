//! The events that came in one request.

use signalbox_store::event::Part;
use signalbox_store::{Store, StoreError};

use crate::dto::event::Split;

pub(crate) async fn split(store: &dyn Store, part: Option<Part>) -> Result<Option<Split>, StoreError> {
    let Some(Part { request, index, of }) = part else { return Ok(None) };
    let events = store.events_of(request).await?;
    Ok(Some(Split { index, of, events: events.iter().map(ToString::to_string).collect() }))
}
