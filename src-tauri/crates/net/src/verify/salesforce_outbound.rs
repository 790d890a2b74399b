//! Salesforce outbound messages (SOAP API developer guide, "Outbound messages"): no signature, only the organization's
//! id inside the SOAP body. The envelope is read as far as that id and no further; a DTD is refused.

use quick_xml::events::Event;
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;
use signalbox_model::organization::OrganizationId;

use super::{Incoming, Refusal, Verified};

pub(super) const NO_SIGNATURE: &str = "Salesforce outbound messages carry no signature: whoever knows the address and the organization's id can send \
     one. Let only Salesforce's address ranges reach it, or use a client certificate in front";

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const OUTBOUND: &str = "http://soap.sforce.com/2005/09/outbound";
/// Namespace and name of the elements that lead to the id.
const PATH: [(&str, &str); 4] =
    [(SOAP, "Envelope"), (SOAP, "Body"), (OUTBOUND, "notifications"), (OUTBOUND, "OrganizationId")];
/// A SOAP header may come before the body; more than this is no outbound message.
const MOST_EVENTS: usize = 1_000;
const DEEPEST: usize = 32;
const LONGEST_ID: usize = 64;

pub(super) fn verify(known: &[OrganizationId], request: &Incoming<'_>) -> Result<Verified, Refusal> {
    let given = organization(request.body)?;
    let listed = OrganizationId::parse(&given).and_then(|id| known.iter().position(|one| *one == id));
    let secret_index = listed.ok_or(Refusal::OrganizationUnknown { given })?;
    Ok(Verified { id: None, secret_index, timestamp: None })
}

/// The text of the message's `OrganizationId`.
fn organization(body: &[u8]) -> Result<String, Refusal> {
    let wrong = |problem: &str| Refusal::NotAnOutboundMessage { problem: problem.to_owned() };
    let text = std::str::from_utf8(body).map_err(|_| wrong("it is not UTF-8 text"))?;
    let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
    // How many of the elements that are open lead to the id, and how many are open.
    let (mut on_path, mut open) = (0, 0_usize);
    let mut id = String::new();
    for _ in 0..MOST_EVENTS {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| wrong(&format!("{error}")))?;
        match event {
            Event::Start(element) => {
                let next = PATH.get(on_path).filter(|_| open == on_path);
                let leads = next.is_some_and(|(space, name)| {
                    namespace == ResolveResult::Bound(Namespace(space)) && element.local_name().as_ref() == *name
                });
                open += 1;
                on_path += usize::from(leads);
                if open > DEEPEST {
                    return Err(wrong("its elements are nested too deeply"));
                }
            }
            Event::End(_) if on_path == PATH.len() && open == PATH.len() => return Ok(id.trim().to_owned()),
            Event::End(_) => {
                on_path = on_path.min(open.saturating_sub(1));
                open = open.saturating_sub(1);
            }
            Event::Text(text) if on_path == PATH.len() && open == PATH.len() => {
                id.push_str(&text);
                if id.len() > LONGEST_ID {
                    return Err(wrong("its OrganizationId is too long"));
                }
            }
            Event::DocType(_) => return Err(wrong("it has a document type, which is never read")),
            Event::Eof => return Err(wrong("it has no soapenv:Body with notifications and an OrganizationId")),
            _ => {}
        }
    }
    Err(wrong("it has no OrganizationId near its beginning"))
}

#[cfg(test)]
mod tests;
