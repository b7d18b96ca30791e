//! A message's data, parsed when somebody first asks.

use std::cell::OnceCell;

use serde_json::Value;

/// The data of one message.
pub(super) struct Data<'a> {
    /// As received.
    pub(super) text: &'a str,
    json: OnceCell<Option<Value>>,
}

impl<'a> Data<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, json: OnceCell::new() }
    }

    /// The JSON value that the text is; none if it is not one, or is nested deeper than 128 levels.
    pub(super) fn json(&self) -> Option<&Value> {
        let may_be = |byte: u8| b"{[\"-tfn".contains(&byte) || byte.is_ascii_digit();
        let parse = || {
            let first = self.text.bytes().find(|byte| !byte.is_ascii_whitespace())?;
            if may_be(first) { serde_json::from_str(self.text).ok() } else { None }
        };
        self.json.get_or_init(parse).as_ref()
    }
}
