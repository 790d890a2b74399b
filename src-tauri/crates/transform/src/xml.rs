//! XML 1.0 as JSON.
//!
//! The document is an object with one member, the root element. An element is the text that it holds; with attributes
//! or child elements it is an object: attributes as `@name`, children by name, and text that is not only white space as
//! `#text`. Children of one name become an array in the place of the first. Names keep their prefix, and declarations of
//! namespaces (`xmlns`) are left out. Comments and processing instructions are left out; CDATA is text.
//!
//! A document type is refused, and with it every entity that the document would declare: nothing expands and nothing is
//! fetched. Only the five entities of XML itself and character references are resolved.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::{ReadError, position};
use crate::repeats::Repeats;
use crate::value::Value;

/// Elements inside elements. Half of what JSON may nest, since repeated ones stand in an array.
pub const MAX_XML_DEPTH: usize = 64;
/// Elements and attributes of one document.
const MAX_NODES: usize = 500_000;

/// An element that has begun.
struct Open {
    name: String,
    members: Repeats,
    text: String,
    has_children: bool,
}

struct Builder {
    stack: Vec<Open>,
    root: Option<(String, Value)>,
    nodes: usize,
}

/// Reads one XML document.
pub(crate) fn read_xml(bytes: &[u8]) -> Result<Value, ReadError> {
    let fail = |message: String, at: usize| {
        let (line, column) = position(bytes, at);
        ReadError { message, line, column }
    };
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        fail("the XML is not UTF-8, the only encoding that is read".to_owned(), fault.valid_up_to())
    })?;
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut reader = Reader::from_str(text.get(bom..).unwrap_or_default());
    let mut builder = Builder { stack: Vec::new(), root: None, nodes: 0 };
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX).saturating_add(bom);
        let event = reader.read_event().map_err(|error| {
            let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX).saturating_add(bom);
            fail(format!("the XML is not well-formed: {error}"), at)
        })?;
        if matches!(event, Event::Eof) {
            return builder.end().map_err(|message| fail(message, at));
        }
        builder.take(event).map_err(|message| fail(message, at))?;
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                let open = self.open(&start)?;
                self.stack.push(open);
            }
            Event::Empty(start) => {
                let open = self.open(&start)?;
                self.close(open);
            }
            Event::End(_) => {
                if let Some(open) = self.stack.pop() {
                    self.close(open);
                }
            }
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let char = resolve(&reference)?;
                self.text(char.encode_utf8(&mut [0; 4]))?;
            }
            Event::Decl(decl) => match decl.encoding() {
                Some(Ok(name)) if !["utf-8", "us-ascii"].contains(&name.to_ascii_lowercase().as_str()) => {
                    return Err("the XML declares an encoding other than UTF-8, the only one that is read".to_owned());
                }
                Some(Err(error)) => return Err(format!("the XML declaration is not well-formed: {error}")),
                _ => {}
            },
            Event::DocType(_) => {
                return Err("the XML has a document type, which is refused: it could declare entities".to_owned());
            }
            Event::Comment(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn count(&mut self) -> Result<(), String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(format!("the XML has more than {MAX_NODES} elements and attributes"));
        }
        Ok(())
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Open, String> {
        self.count()?;
        if self.stack.len() >= MAX_XML_DEPTH {
            return Err(format!("the XML is nested more than {MAX_XML_DEPTH} levels deep"));
        }
        if self.stack.is_empty() && self.root.is_some() {
            return Err("the XML has a second root element".to_owned());
        }
        let name = name(start.name().0)?;
        let mut members = Repeats::default();
        let mut seen = std::collections::HashSet::new();
        let mut attributes = start.attributes();
        // The reader's own check compares each with all before it.
        for attribute in attributes.with_checks(false) {
            let attribute = attribute.map_err(|error| format!("an attribute is not well-formed: {error}"))?;
            self.count()?;
            let key = self::name(attribute.key.0)?;
            if !seen.insert(key.clone()) {
                return Err("an element has an attribute twice".to_owned());
            }
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| format!("the value of an attribute cannot be read: {error}"))?;
            members.push(&format!("@{key}"), Value::string(&value));
        }
        Ok(Open { name, members, text: String::new(), has_children: false })
    }

    fn close(&mut self, open: Open) {
        let Open { name, mut members, text, has_children } = open;
        let value = if members.is_empty() {
            Value::string(&text)
        } else {
            let blank = if has_children { is_blank(&text) } else { text.is_empty() };
            if !blank {
                members.push("#text", Value::string(&text));
            }
            members.into_object()
        };
        match self.stack.last_mut() {
            Some(parent) => {
                parent.has_children = true;
                parent.members.push(&name, value);
            }
            None => self.root = Some((name, value)),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.stack.last_mut() {
            Some(open) => open.text.push_str(text),
            None if is_blank(text) => {}
            None => return Err("the XML has text outside of its root element".to_owned()),
        }
        Ok(())
    }

    fn end(self) -> Result<Value, String> {
        if let Some(open) = self.stack.last() {
            return Err(format!("the XML ends inside the element '{}'", shortened(&open.name)));
        }
        let (name, value) = self.root.ok_or_else(|| "the XML has no element".to_owned())?;
        Ok(Value::object([(name.as_str(), value)]))
    }
}

/// XML 1.0, section 2.3: white space.
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// XML 1.0, section 2.3, as far as ASCII goes; what lies beyond it is taken.
fn name(name: &str) -> Result<String, String> {
    let first = |char: char| char.is_ascii_alphabetic() || matches!(char, '_' | ':') || !char.is_ascii();
    let later = |char: char| first(char) || char.is_ascii_digit() || matches!(char, '-' | '.');
    if name.starts_with(first) && name.chars().all(later) {
        return Ok(name.to_owned());
    }
    Err(format!("'{}' is no name of XML", shortened(name)))
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

fn resolve(reference: &BytesRef<'_>) -> Result<char, String> {
    match reference.resolve_char_ref() {
        // XML 1.0, section 2.2: the characters that there are.
        Ok(Some('\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..='\u{10ffff}')) | Ok(None) => {}
        _ => return Err(format!("the reference '&{};' names no character of XML", shortened(reference))),
    }
    let predefined = match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().ok().flatten(),
    };
    predefined.ok_or_else(|| {
        format!("the entity '&{};' is not one of XML's own, and no other is resolved", shortened(reference))
    })
}
