//! What a popup says, as a value.

/// How urgent a popup is (Desktop Notifications 1.3, "Urgency Levels").
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Urgency {
    /// May be shown without sound, may be grouped.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Stays until the person dismisses it.
    Critical,
}

/// What a rule, or the default, makes of one message: plain text, bounded, not yet escaped for any notification server.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notification {
    /// The popup's summary; one line, never empty.
    pub title: String,
    /// The popup's body; may be empty.
    pub body: String,
    /// What a click opens: an `http`, `https` or `mailto` URL.
    pub url: Option<String>,
    /// How urgent it is.
    pub urgency: Urgency,
    /// Popups of one feed with an equal key replace each other.
    pub key: Option<String>,
}
