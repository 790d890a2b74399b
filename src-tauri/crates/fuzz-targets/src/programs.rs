//! What a workspace computes with: jq and templates, over any payload.

use signalbox_transform::{Limits, Place, Program, Template, Value, parse_json};

fn payload(text: &str) -> Value {
    parse_json(text.as_bytes()).map_or_else(|_| Value::string(text), |parsed| parsed.value)
}

/// The program, a NUL byte, the payload.
pub(crate) fn jq(data: &[u8]) {
    let [program, input] = crate::texts(data);
    let Ok(program) = Program::compile(&program) else { return };
    let limits = Limits::INLINE;
    if let Ok(value) = program.run_one(&payload(&input), &limits) {
        let bytes = value.to_json_bytes(limits.output_bytes).expect("the output is within its budget");
        if let Err(error) = parse_json(&bytes) {
            panic!("what a program makes is JSON: {error}");
        }
    }
}

/// The template, a NUL byte, the payload.
pub(crate) fn template(data: &[u8]) {
    let [template, input] = crate::texts(data);
    let value = payload(&input);
    if let Ok(template) = Template::compile(&template, Place::PathAndQuery)
        && let Ok(path) = template.render(&value, &Limits::INLINE)
    {
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
        assert!(plain && path.starts_with('/') && !path.starts_with("//"), "{path:?}");
    }
    if let Ok(template) = Template::compile(&template, Place::Header)
        && let Ok(header) = template.render(&value, &Limits::INLINE)
    {
        http::HeaderValue::from_str(&header).expect("a header's value");
    }
}
