//! What one event costs in this crate, part by part: `cargo run --release -p signalbox-transform --example cost`.

use std::io::Write as _;

use signalbox_transform::{Limits, Place, Program, Template, Value, parse_json};

const EVENT: &str = r#"{"eventId":"evt_1","eventType":"contact.updated","sobject":{"Id":"0035g0000001","FirstName":"Aino","LastName":"Virtanen","Email":"Aino.Virtanen@example.com","Phone":"+358 40 123 4567","Title":"Head of Operations","Account":{"Name":"Pohjola Shipping Oy"},"MailingAddress":{"street":"Mannerheimintie 12 B","city":"Helsinki","postalCode":"00100"},"Description":"Prefers e-mail; quarterly review booked. Prefers e-mail; quarterly review booked. Prefers e-mail; quarterly review booked. Prefers e-mail; quarterly review booked."}}"#;
const MAP: &str = ".sobject as $s | { id: .eventId, email: ($s.Email | ascii_downcase), firstname: $s.FirstName, \
                   lastname: $s.LastName, phone: $s.Phone, title: $s.Title, city: $s.MailingAddress.city }";
const RUNS: u32 = 20_000;

fn measure(out: &mut impl std::io::Write, name: &str, mut run: impl FnMut()) -> std::io::Result<()> {
    let started = tokio_free_now();
    for _ in 0..RUNS {
        run();
    }
    let each = started.elapsed().unwrap_or_default() / RUNS;
    writeln!(out, "{name:28} {each:?}")
}

#[allow(clippy::disallowed_methods, reason = "a measurement, not the product")]
fn tokio_free_now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let out = &mut std::io::stdout().lock();
    let body = parse_json(EVENT.as_bytes())?.value;
    let envelope =
        Value::object([("headers", Value::object([("webhook-id", Value::string("x"))])), ("body", body.clone())]);
    let map = Program::compile(MAP)?;
    let key = Program::compile(".body.sobject.Id")?;
    let wrap = Program::compile("{ inputs: [ { id: .email, idProperty: \"email\", properties: . } ] }")?;
    let path = Template::compile("/contacts/{{ .email | @uri }}", Place::PathAndQuery)?;
    let mapped = map.run_one(&body, &Limits::INLINE)?;
    measure(out, "parse", || drop(parse_json(EVENT.as_bytes())))?;
    measure(out, "key", || drop(key.run_one(&envelope, &Limits::INLINE)))?;
    measure(out, "map", || drop(map.run_one(&body, &Limits::INLINE)))?;
    measure(out, "body", || drop(wrap.run_one(&mapped, &Limits::INLINE)))?;
    measure(out, "path", || drop(path.render(&mapped, &Limits::INLINE)))?;
    measure(out, "print", || drop(mapped.to_json_bytes(1 << 20)))?;
    out.flush()?;
    Ok(())
}
