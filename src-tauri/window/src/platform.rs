//! What has to be right before the system's webview is touched.

#[cfg(target_os = "linux")]
pub(crate) use linux::prepare;

/// Nothing to do on this system.
#[cfg(not(target_os = "linux"))]
pub(crate) fn prepare() -> anyhow::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        env,
        ffi::OsStr,
        os::{
            linux::net::SocketAddrExt,
            unix::{
                net::{SocketAddr, UnixStream},
                process::CommandExt,
            },
        },
        path::{Path, PathBuf},
        process::Command,
    };

    use anyhow::bail;
    use bellwether_control::webview::NO_DMABUF;

    /// Fails without a display, on which GTK would panic, and sees to WebKit's settings.
    pub(crate) fn prepare() -> anyhow::Result<()> {
        if !has_display(|name| env::var(name).unwrap_or_default()) {
            bail!("there is no display to open the window on; use the command line: bellwether --help");
        }
        if env::var_os(NO_DMABUF).is_none() {
            // Not started by the resident program. A process must not change its own environment once it may have threads, so
            // it starts over with the new one. exec returns only if it failed, and then the window opens all the same.
            let own = env::args_os().next().unwrap_or_default();
            let _ = Command::new("/proc/self/exe")
                .arg0(own)
                .args(env::args_os().skip(1))
                .env(NO_DMABUF, "1")
                .exec();
        }
        Ok(())
    }

    fn has_display(variable: impl Fn(&str) -> String) -> bool {
        has_wayland(&variable("WAYLAND_DISPLAY"), &variable("XDG_RUNTIME_DIR"))
            || has_x11(&variable("DISPLAY"))
    }

    fn has_wayland(display: &str, runtime: &str) -> bool {
        let socket = Path::new(runtime).join(display);
        !display.is_empty() && UnixStream::connect(socket).is_ok()
    }

    /// A display of this machine (`:0`, `:0.1`, `unix:0`) is tried; of another one (`host:0`) only GTK can tell.
    fn has_x11(display: &str) -> bool {
        let Some((host, number)) = display.rsplit_once(':') else { return false };
        if !matches!(host, "" | "unix") {
            return true;
        }
        let number = number.split('.').next().unwrap_or(number);
        let path = PathBuf::from(format!("/tmp/.X11-unix/X{number}"));
        let abstract_name = SocketAddr::from_abstract_name(AsRef::<OsStr>::as_ref(&path).as_encoded_bytes());
        UnixStream::connect(&path).is_ok()
            || abstract_name.is_ok_and(|name| UnixStream::connect_addr(&name).is_ok())
    }

    #[cfg(test)]
    mod tests {
        use std::{collections::HashMap, os::unix::net::UnixListener};

        use super::*;

        fn check(variables: &[(&str, &str)], expected: bool) {
            let variables: HashMap<_, _> = variables.iter().copied().collect();
            let found = has_display(|name| variables.get(name).copied().unwrap_or_default().to_owned());
            assert_eq!(found, expected, "{variables:?}");
        }

        #[test]
        fn a_display_counts_only_if_somebody_listens() {
            check(&[], false);
            check(&[("DISPLAY", ""), ("WAYLAND_DISPLAY", "")], false);
            check(&[("DISPLAY", ":64123")], false);
            check(&[("DISPLAY", "elsewhere:0")], true);

            let folder = tempfile::tempdir().unwrap();
            let runtime = folder.path().to_str().unwrap();
            check(&[("WAYLAND_DISPLAY", "wayland-7"), ("XDG_RUNTIME_DIR", runtime)], false);
            let _compositor = UnixListener::bind(folder.path().join("wayland-7")).unwrap();
            check(&[("WAYLAND_DISPLAY", "wayland-7"), ("XDG_RUNTIME_DIR", runtime)], true);
        }
    }
}
