//! Salesforce outbound messages (SOAP API developer guide, "Outbound Messaging"): one event for each notification.
//!
//! The envelope is not kept, since it holds a `SessionId` that could be used: an event's bytes are the JSON that is made
//! here of its notification and of what the message says of all of them.

use bytes::Bytes;
use signalbox_transform::{Format, Value, read_body_as};

use super::{Element, JSON, Named};

/// Notifications of one message, as Salesforce sends them.
const NOTIFICATIONS_MAX: usize = 100;
/// What a message says of all its notifications; never the session.
const OF_ALL: [&str; 4] = ["OrganizationId", "ActionId", "EnterpriseUrl", "PartnerUrl"];

pub(super) fn read(body: &[u8]) -> Result<Vec<Element>, String> {
    let (parsed, _) = read_body_as(Format::Xml, None, body).map_err(|error| error.to_string())?;
    let envelope = child(&parsed.value, "Envelope").ok_or("the root element is not a SOAP envelope")?;
    let message = child(&envelope, "Body").and_then(|body| child(&body, "notifications"));
    let message = message.ok_or("the SOAP body holds no notifications")?;
    let of_all: Vec<(&str, Value)> = OF_ALL.map(|name| (name, plain(child(&message, name)))).into();
    let notifications = repeated(child(&message, "Notification"));
    if notifications.len() > NOTIFICATIONS_MAX {
        return Err(format!("it holds {} notifications, more than {NOTIFICATIONS_MAX}", notifications.len()));
    }
    notifications.iter().map(|notification| event(&of_all, notification)).collect()
}

fn event(of_all: &[(&str, Value)], notification: &Value) -> Result<Element, String> {
    let id = plain(child(notification, "Id"));
    let id = id.as_str().filter(|id| !id.is_empty()).ok_or("a notification has no Id")?.to_owned();
    let record = child(notification, "sObject").ok_or("a notification has no sObject")?;
    let mut members = of_all.to_vec();
    members.extend([("Id", Value::string(&id)), ("sObject", fields(&record))]);
    let value = Value::object(members);
    let body = value.to_json_bytes(super::REQUEST_BODY_MAX).map_err(|error| error.to_string())?;
    Ok(Element {
        body: Bytes::from(body),
        content_type: Some(JSON.to_owned()),
        value: Ok(value),
        notes: Vec::new(),
        named: Named { event_type: None, id: Some(id) },
    })
}

/// `{ type, … }`: the record's type without its prefix, then its fields without theirs.
fn fields(record: &Value) -> Value {
    let mut fields = vec![("type".to_owned(), Value::null())];
    for (name, value) in record.members().unwrap_or_default() {
        match name.strip_prefix('@') {
            Some(attribute) if local(attribute) == "type" => {
                let kind = value.as_str().map_or_else(Value::null, |kind| Value::string(local(kind)));
                fields.splice(..1, [("type".to_owned(), kind)]);
            }
            Some(_) => {}
            None => fields.push((local(&name).to_owned(), plain(Some(value)))),
        }
    }
    Value::object(fields.iter().map(|(name, value)| (name.as_str(), value.clone())))
}

/// The text of a field; null where it is missing or `xsi:nil`.
fn plain(value: Option<Value>) -> Value {
    let Some(value) = value else { return Value::null() };
    if !value.is_object() {
        return value;
    }
    let nil = value.members().unwrap_or_default().iter().any(|(name, value)| {
        name.strip_prefix('@').map(local) == Some("nil") && matches!(value.as_str(), Some("true" | "1"))
    });
    if nil { Value::null() } else { value.get("#text").unwrap_or(value) }
}

/// The child of this name, whatever prefix the sender chose for its namespace.
fn child(of: &Value, name: &str) -> Option<Value> {
    of.members()?.into_iter().find(|(key, _)| !key.starts_with('@') && local(key) == name).map(|(_, value)| value)
}

fn repeated(value: Option<Value>) -> Vec<Value> {
    value.map_or_else(Vec::new, |value| value.items().unwrap_or_else(|| vec![value]))
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shape of the developer guide's example.
    const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D000000000062EAA</OrganizationId>
   <ActionId>04k000000000001AAA</ActionId>
   <SessionId>00D!very.secret</SessionId>
   <EnterpriseUrl>https://acme.my.salesforce.com/services/Soap/c/60.0/00D</EnterpriseUrl>
   <PartnerUrl>https://acme.my.salesforce.com/services/Soap/u/60.0/00D</PartnerUrl>
   <Notification>
    <Id>04l000000000001AAA</Id>
    <sObject xsi:type="sf:Contact" xmlns:sf="urn:sobject.enterprise.soap.sforce.com">
     <sf:Id>003000000000001AAA</sf:Id><sf:Email>ada@acme.test</sf:Email><sf:Phone xsi:nil="true"/>
    </sObject>
   </Notification>
   <Notification><Id>04l000000000002AAA</Id><sObject xsi:type="sf:Contact"><sf:Id xmlns:sf="x">003B</sf:Id></sObject></Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"#;

    #[test]
    fn each_notification_is_an_event_and_the_session_is_in_none() {
        let elements = read(MESSAGE.as_bytes()).unwrap();
        let bodies: Vec<&str> = elements.iter().map(|one| std::str::from_utf8(&one.body).unwrap()).collect();
        assert_eq!(
            bodies[0],
            "{\"OrganizationId\":\"00D000000000062EAA\",\"ActionId\":\"04k000000000001AAA\",\
             \"EnterpriseUrl\":\"https://acme.my.salesforce.com/services/Soap/c/60.0/00D\",\
             \"PartnerUrl\":\"https://acme.my.salesforce.com/services/Soap/u/60.0/00D\",\"Id\":\"04l000000000001AAA\",\
             \"sObject\":{\"type\":\"Contact\",\"Id\":\"003000000000001AAA\",\"Email\":\"ada@acme.test\",\"Phone\":null}}"
        );
        assert_eq!(elements[1].named.id.as_deref(), Some("04l000000000002AAA"));
        assert!(bodies.iter().all(|body| !body.contains("secret")));
    }

    #[test]
    fn what_is_no_outbound_message_is_said() {
        let no_id = MESSAGE.replace("<Id>04l000000000001AAA</Id>", "");
        let many = MESSAGE.replace("</notifications>", &format!("{}</notifications>", "<Notification/>".repeat(99)));
        for (body, part) in [
            ("<a/>", "SOAP envelope"),
            ("<Envelope><Body/></Envelope>", "no notifications"),
            (&no_id, "no Id"),
            (&many, "101 notifications"),
            ("x", "outside of its root"),
        ] {
            let error = read(body.as_bytes()).err().unwrap();
            assert!(error.contains(part), "{error}");
        }
    }
}
