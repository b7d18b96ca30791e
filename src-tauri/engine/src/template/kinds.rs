//! Tests that MiniJinja lacks: what a text stands for, so that a rule can ask before a filter fails on it.

use minijinja::Value;
use serde::de::IgnoredAny;

use super::filters;

/// Whether it is a text that the filter `json` reads.
pub(super) fn is_json(value: &Value) -> bool {
    value.as_str().is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether it is a text that the filter `b64decode` reads, and not an empty one.
pub(super) fn is_base64(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty()) && filters::b64decode(value).is_ok()
}
