//! What an event stream means: connections, rules, the event log, and the one loop that joins them.
//!
//! No desktop, no window, no command line: those are the resident program's. Read in the order of an event's way:
//!
//! 1. [`subscription`] drives one [`event_source`] (the protocol, without I/O) over the network.
//! 2. [`engine`] receives every message of every feed in one loop,
//! 3. asks [`rule`], [`preset`] and [`policy`] what is to become of it,
//! 4. commits it with its outcome to the [`event_log`],
//! 5. and only then hands a [`notification`] to the [`engine::Notifier`].
//!
//! [`config`] is `feeds.toml`: read, and edited in place. [`feed`] holds what both sides of the loop say about a feed,
//! [`access`] how it gets in, and [`activity`] its signs of life. [`probe`] looks at a URL before it is one, and [`preview`] tries
//! rules on what came before. [`sentence`] is
//! how mistakes are told in the person's language.

#![warn(missing_docs)]

pub mod access;
pub mod activity;
pub mod alert;
mod command;
pub mod config;
pub mod engine;
pub mod event_log;
pub mod event_source;
pub mod feed;
pub mod network;
pub mod notification;
pub mod policy;
pub mod preset;
pub mod preview;
pub mod probe;
pub mod resume;
pub mod rule;
pub mod run;
pub mod sentence;
pub mod snooze;
pub mod subscription;
pub mod template;
