//! What takes long: many events and kills, networks that lose packets, programs that stand still. Mostly it is waiting, so all
//! of it goes on at once.

#[cfg(target_os = "linux")]
mod lost;
mod numbers;
#[cfg(target_os = "linux")]
mod stopped;

/// A feed that calls a connection dead after so many seconds of silence.
fn feed(id: &str, url: &str, idle_timeout: u32) -> String {
    format!("[[feed]]\nid = \"{id}\"\nurl = \"{url}\"\nidle_timeout = {idle_timeout}\n")
}
