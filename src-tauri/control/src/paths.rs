//! Where a profile's files lie: the platform's folders, or all of them in one folder.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use directories::ProjectDirs;

/// The environment variable that names a profile's folder, as `--profile` does.
pub const HOME_VARIABLE: &str = "BELLWETHER_HOME";

/// Longest path of a Unix socket in bytes, without the closing NUL (`sun_path` on Linux is 108 bytes, on macOS 104).
const MAX_SOCKET_PATH: usize = 103;

/// The files of one installation. Two profiles share nothing and can run at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The folder that was asked for; none: the platform's folders.
    pub folder: Option<PathBuf>,
    /// The person's settings.
    pub config_file: PathBuf,
    /// The log of all events, with its state.
    pub event_log: PathBuf,
    /// The control socket.
    pub socket: PathBuf,
    /// Locked by the resident program while it runs.
    pub lock: PathBuf,
    /// A folder for what can be had again; made when there is something to keep.
    pub cache: PathBuf,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The platform names no folders: no home folder.
    #[error(
        "no home folder was found for this user; name a folder for everything with --profile DIR or {HOME_VARIABLE}"
    )]
    NoHome,
    /// The control socket's path is too long for the system.
    #[error("{} is longer than the {MAX_SOCKET_PATH} bytes that a socket's path may have; choose a profile folder with a shorter path", .0.display())]
    SocketPathTooLong(PathBuf),
    /// A folder cannot be made or made private.
    #[error("cannot use the folder {}: {source}; check its owner and permissions, or choose another with --profile DIR", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Profile {
    /// The profile that `--profile`, [`HOME_VARIABLE`] or the platform names, in this order.
    pub fn find(folder: Option<&Path>) -> Result<Self, ProfileError> {
        let named = folder
            .map(Path::to_owned)
            .or_else(|| env::var_os(HOME_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from));
        let profile = match named {
            // Absolute, since it is handed to other programs with other working folders.
            Some(folder) => Self::in_folder(&std::path::absolute(&folder).unwrap_or(folder)),
            None => Self::of_platform()?,
        };
        if cfg!(unix) && profile.socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(ProfileError::SocketPathTooLong(profile.socket));
        }
        Ok(profile)
    }

    fn in_folder(folder: &Path) -> Self {
        Self {
            config_file: folder.join("feeds.toml"),
            event_log: folder.join("events.db"),
            socket: socket_in(folder),
            lock: folder.join("bellwether.lock"),
            cache: folder.join("cache"),
            folder: Some(folder.to_owned()),
        }
    }

    fn of_platform() -> Result<Self, ProfileError> {
        let folders = ProjectDirs::from("", "", "bellwether").ok_or(ProfileError::NoHome)?;
        let data = folders.data_local_dir();
        Ok(Self {
            folder: None,
            config_file: folders.config_dir().join("feeds.toml"),
            event_log: data.join("events.db"),
            socket: socket_in(folders.runtime_dir().unwrap_or(data)),
            lock: data.join("bellwether.lock"),
            cache: folders.cache_dir().to_owned(),
        })
    }

    /// Makes the profile's folders, readable by this user alone.
    pub fn make_folders(&self) -> Result<(), ProfileError> {
        let files = [&self.config_file, &self.event_log, &self.lock, &self.socket];
        for folder in files.into_iter().filter_map(|file| file.parent()) {
            // A named pipe's "folder" is no folder.
            if cfg!(windows) && folder.starts_with(r"\\.\pipe") {
                continue;
            }
            make_private(folder)
                .map_err(|source| ProfileError::Folder { folder: folder.to_owned(), source })?;
        }
        Ok(())
    }
}

#[cfg(not(windows))]
fn socket_in(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// Named pipes have one flat name space for the whole machine, so the folder becomes a part of the name.
#[cfg(windows)]
fn socket_in(folder: &Path) -> PathBuf {
    let name: String =
        folder.to_string_lossy().chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
    PathBuf::from(format!(r"\\.\pipe\bellwether-{name}"))
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // In such a folder anybody could put a socket, a lock or a link in the place of ours.
        if fs::metadata(folder)?.permissions().mode() & 0o002 != 0 {
            return Err(io::Error::other("every user may write there; make it private with chmod 700"));
        }
    }
    // A folder that is there but cannot be written is better found here than at the first event. Never through a link.
    let probe = folder.join(format!(".bellwether-{}", std::process::id()));
    let _ = fs::remove_file(&probe);
    fs::File::options().write(true).create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_holds_everything() {
        let profile = Profile::find(Some(Path::new("/tmp/p"))).unwrap();
        assert_eq!(profile.config_file, Path::new("/tmp/p/feeds.toml"));
        assert_eq!(profile.event_log, Path::new("/tmp/p/events.db"));
        assert_eq!(profile.socket, Path::new("/tmp/p/control.sock"));
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_by_name() {
        let error = Profile::find(Some(Path::new(&format!("/tmp/{}", "x".repeat(120))))).unwrap_err();
        assert!(matches!(error, ProfileError::SocketPathTooLong(_)), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn new_folders_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("bellwether-paths-{}", std::process::id()));
        let profile = Profile::find(Some(&folder)).unwrap();
        profile.make_folders().unwrap();
        let mode = fs::metadata(&folder).unwrap().permissions().mode();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_everybody_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = std::env::temp_dir().join(format!("bellwether-shared-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let profile = Profile::find(Some(&folder)).unwrap();
        let made = |mode| {
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            profile.make_folders()
        };
        let (shared, readable) = (made(0o777), made(0o755));
        fs::remove_dir_all(&folder).unwrap();
        assert!(shared.unwrap_err().to_string().contains("chmod 700"));
        readable.unwrap();
    }
}
