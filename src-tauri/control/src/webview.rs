//! What the system's webview asks of the environment that the window is started in.

/// WebKitGTK's setting, `1`, that keeps it from rendering into DMA buffers: they cost 60 MiB and leave the window blank with
/// some drivers. The resident program sets it for the window, which would have to start over to set it for itself.
pub const NO_DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
