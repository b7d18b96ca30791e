//! The protocol of one event stream, without I/O: bytes, answers and `now` go in; messages, deadlines and the next request
//! come out. Rules: WHATWG HTML 9.2 (server-sent events), except where a client that runs for months must differ.

/// One dispatched message (WHATWG HTML 9.2.6, `MessageEvent`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The event type; `message` where the stream names none.
    pub event_type: String,
    /// The data, lines joined by LF.
    pub data: String,
    /// The last event ID string at this message; empty if none.
    pub last_event_id: String,
}
