//! A service for contract tests of SSE clients: an outside harness starts streams over HTTP, and is called back with what they
//! tell. `contract-service --port N` serves on 127.0.0.1; with port 0 on one that the system chooses.
//!
//! ```text
//! GET /              {"capabilities": […]}
//! DELETE /           quits
//! POST /             {"streamUrl", "callbackUrl", "tag"?, "initialDelayMs"?, "readTimeoutMs"?, "lastEventId"?, "headers"?}
//!                    → 201 with Location: /streams/1
//! POST /streams/1    {"command": "restart"} or {"command": "listen", "listen": {"type": …}}
//! DELETE /streams/1  closes it
//! ```
//!
//! The callbacks are described in [`callback`].
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod callback;
mod service;
mod stream;

use std::env;

use anyhow::{Context, Result, bail};
use tokio::net::TcpListener;

use service::Service;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [option, port] = arguments.as_slice() else { bail!("usage: contract-service --port N") };
    if option != "--port" {
        bail!("usage: contract-service --port N");
    }
    let port: u16 = port.parse().with_context(|| format!("{port:?} is not a port"))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port}"))?;
    println!("listening on http://{}", listener.local_addr()?);
    let (service, quit) = Service::new()?;
    axum::serve(listener, service.routes()).with_graceful_shutdown(quit).await?;
    Ok(())
}
