//! One resident program for each profile.

use std::fs::{self, File, TryLockError};

use bellwether_control::paths::Profile;

/// Why this process cannot be the profile's resident program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstanceError {
    /// There is one already.
    #[error("Bellwether is running already for this profile")]
    Running,
    /// The lock file cannot be made or locked.
    #[error("cannot lock {}: {source}; check the owner and permissions of the folder, or choose another with --profile DIR", path.display())]
    Lock { path: std::path::PathBuf, source: std::io::Error },
}

/// Held while the process is the resident program. The system lets go of it however the process ends, so a crash leaves
/// nothing to clean up.
#[derive(Debug)]
pub(crate) struct Instance {
    _lock: File,
}

impl Instance {
    /// Takes the profile's lock, and removes the socket that an instance before may have left.
    pub(crate) fn take(profile: &Profile) -> Result<Self, InstanceError> {
        let failed = |source| InstanceError::Lock { path: profile.lock.clone(), source };
        let lock =
            File::options().create(true).truncate(false).write(true).open(&profile.lock).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstanceError::Running),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        if cfg!(unix) {
            match fs::remove_file(&profile.socket) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(failed(source)),
                _ => {}
            }
        }
        Ok(Self { _lock: lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(folder.path())).unwrap();
        let first = Instance::take(&profile).unwrap();
        assert!(matches!(Instance::take(&profile), Err(InstanceError::Running)));
        drop(first);
        Instance::take(&profile).unwrap();
    }
}
