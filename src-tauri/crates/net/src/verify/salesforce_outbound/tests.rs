use signalbox_model::Timestamp;
use signalbox_model::verify::Scheme;

use super::super::testing::Case;
use super::*;

/// The form of the developer guide's example.
const MESSAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
 <soapenv:Body>
  <notifications xmlns="http://soap.sforce.com/2005/09/outbound">
   <OrganizationId>00D58000000JMGaEAO</OrganizationId>
   <ActionId>04k58000000Gpy7AAC</ActionId>
   <SessionId xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>
   <Notification><Id>04l58000002NLqhAAG</Id><sObject><Id>0015800000ukf7SAAQ</Id></sObject></Notification>
  </notifications>
 </soapenv:Body>
</soapenv:Envelope>"#;

fn case(listed: &[&str], body: &str) -> Case {
    Case {
        scheme: Scheme::SalesforceOutbound {
            organizations: listed.iter().map(|id| OrganizationId::parse(id).unwrap()).collect(),
        },
        secrets: Vec::new(),
        method: "POST",
        url: "http://localhost/hook",
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        now: Timestamp::from_secs(0),
    }
}

#[test]
fn a_listed_organization_is_let_in_by_either_form_of_its_id() {
    for listed in [&["00D58000000JMGa"][..], &["00D000000000001", "00D58000000JMGaEAO"]] {
        assert_eq!(case(listed, MESSAGE).code(), "accepted");
    }
    let short = MESSAGE.replace("JMGaEAO", "JMGa");
    assert_eq!(case(&["00D58000000JMGaEAO"], &short).code(), "accepted");
    assert_eq!(case(&["00D58000000JMGaEAO"], &MESSAGE.replace('\n', "\r\n")).code(), "accepted");
}

#[test]
fn another_organization_or_a_lost_case_is_refused() {
    let code = |body: &str| case(&["00D58000000JMGaEAO"], body).code();
    assert_eq!(code(&MESSAGE.replace("JMGaEAO", "JMgaEAO")), "organization-unknown");
    assert_eq!(code(&MESSAGE.replace("00D58000000JMGaEAO", "00D000000000001")), "organization-unknown");
    assert_eq!(code(&MESSAGE.replace("00D58000000JMGaEAO", "")), "organization-unknown");
}

#[test]
fn only_the_id_in_its_own_place_counts() {
    let code = |body: &str| case(&["00D58000000JMGaEAO"], body).code();
    let id = "<OrganizationId>00D58000000JMGaEAO</OrganizationId>";
    let outside = MESSAGE.replace(id, "").replace("<Notification>", &format!("<Notification>{id}"));
    assert_eq!(code(&outside), "not-an-outbound-message");
    let other_space = MESSAGE.replace("/2005/09/outbound", "/2005/09/inbound");
    assert_eq!(code(&other_space), "not-an-outbound-message");
    let commented = MESSAGE.replace(id, &format!("<!-- {id} -->"));
    assert_eq!(code(&commented), "not-an-outbound-message");
}

#[test]
fn a_document_type_and_endless_or_broken_xml_are_refused() {
    let code = |body: &str| case(&["00D58000000JMGaEAO"], body).code();
    let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>"#;
    for wrong in [
        MESSAGE.replacen("<soapenv:Envelope", &format!("{bomb}<soapenv:Envelope"), 1),
        "<a>".repeat(100_000),
        "<a/>".repeat(100_000),
        String::new(),
        "{}".to_owned(),
        MESSAGE.chars().take(250).collect(),
        MESSAGE.replace("00D58000000JMGaEAO", &"0".repeat(10_000)),
    ] {
        assert_eq!(code(&wrong), "not-an-outbound-message", "{}", wrong.chars().take(80).collect::<String>());
    }
    let mut binary = case(&["00D58000000JMGaEAO"], MESSAGE);
    binary.body.insert(10, 0xff);
    assert_eq!(binary.code(), "not-an-outbound-message");
}
