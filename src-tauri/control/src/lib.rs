//! The control socket of Bellwether's resident program: its wire types, its client, where it lies, and the texts that window,
//! tray, popups and command line share.
//!
//! The socket speaks HTTP/1.1 with JSON bodies over a Unix socket (a named pipe on Windows); `GET /updates` is an event
//! stream. [`wire`] is the whole vocabulary; the window's TypeScript types are generated from it.

#![warn(missing_docs)]

pub mod client;
pub mod messages;
pub mod paths;
#[cfg(target_os = "linux")]
pub mod webview;
pub mod wire;
