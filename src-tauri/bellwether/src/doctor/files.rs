//! The profile's folders and files: there, usable, private, and readable.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use bellwether_control::{messages::Catalogue, paths::Profile, wire};
use bellwether_engine::{access::is_open_to_others, config::ConfigFile};

use super::Check;
use crate::{cli::config_sentence, resident::config_error};

/// What every SQLite database begins with (SQLite, "Database File Format", 1.3).
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// One check for each folder that holds something of the profile.
pub(super) fn folders(profile: &Profile, catalogue: &Catalogue) -> Vec<Check> {
    if let Some(folder) = &profile.folder {
        return vec![folder_check("profile_folder", folder, catalogue)];
    }
    let files = [
        ("config_folder", &profile.config_file),
        ("data_folder", &profile.event_log),
        #[cfg(unix)]
        ("runtime_folder", &profile.socket),
    ];
    files.into_iter().filter_map(|(name, file)| Some(folder_check(name, file.parent()?, catalogue))).collect()
}

fn folder_check(name: &'static str, folder: &Path, catalogue: &Catalogue) -> Check {
    let path = folder.display().to_string();
    let says = |key: &str| catalogue.format(key, &[("path", &path)]);
    let metadata = match fs::metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return if nearest_folder(folder).is_some_and(|parent| is_writable(&parent)) {
                Check::ok(name, says("cli.doctor.made_at_start")).essential()
            } else {
                Check::missing(name, says("cli.doctor.folder_cannot_be_made")).essential()
            };
        }
        Err(error) => {
            let values = [("path", path.as_str()), ("reason", &error.to_string())];
            return Check::missing(name, catalogue.format("cli.doctor.unreadable", &values)).essential();
        }
    };
    if !metadata.is_dir() {
        Check::missing(name, says("cli.doctor.no_folder")).essential()
    } else if !is_writable(folder) {
        Check::missing(name, says("cli.doctor.folder_not_writable")).essential()
    } else if is_open_to_others(&metadata) {
        // It works all the same: the files within are private.
        Check::missing(name, says("cli.doctor.folder_not_private"))
    } else {
        Check::ok(name, path).essential()
    }
}

fn nearest_folder(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|parent| parent.is_dir()).map(Path::to_owned)
}

/// `feeds.toml`: as the resident program last read it, or as it would read it now.
pub(super) fn feeds_toml(profile: &Profile, running: Option<&wire::Status>, catalogue: &Catalogue) -> Check {
    const NAME: &str = "feeds_toml";
    let path = profile.config_file.display().to_string();
    let error = match running {
        Some(status) => status.config.error.clone(),
        None => ConfigFile::new(&profile.config_file).load().err().map(|error| config_error(&error)),
    };
    if let Some(error) = error {
        return Check::missing(NAME, config_sentence(&path, &error, catalogue)).essential();
    }
    if profile.config_file.exists() {
        Check::ok(NAME, path).essential()
    } else {
        Check::ok(NAME, catalogue.format("cli.doctor.no_feeds_toml", &[("path", &path)])).essential()
    }
}

/// The log: a database, and nobody else's to read.
pub(super) fn event_log(profile: &Profile, catalogue: &Catalogue) -> Check {
    const NAME: &str = "event_log";
    let path = profile.event_log.display().to_string();
    let says = |key: &str| catalogue.format(key, &[("path", &path)]);
    let failed = |error: io::Error| {
        let values = [("path", path.as_str()), ("reason", &error.to_string())];
        Check::missing(NAME, catalogue.format("cli.doctor.unreadable", &values)).essential()
    };
    let file = match File::open(&profile.event_log) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::ok(NAME, says("cli.doctor.made_at_start")).essential();
        }
        Err(error) => return failed(error),
    };
    match (is_database(&file), file.metadata()) {
        (Ok(false), _) => Check::missing(NAME, says("cli.doctor.event_log_broken")).essential(),
        (Ok(true), Ok(metadata)) if is_open_to_others(&metadata) => {
            Check::missing(NAME, says("cli.doctor.event_log_not_private"))
        }
        (Ok(true), Ok(_)) => Check::ok(NAME, path).essential(),
        (Err(error), _) | (_, Err(error)) => failed(error),
    }
}

/// By its first bytes. An empty file becomes a database when it is first written.
fn is_database(mut file: &File) -> io::Result<bool> {
    let mut start = Vec::with_capacity(SQLITE_MAGIC.len());
    file.by_ref().take(SQLITE_MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start.is_empty() || start == SQLITE_MAGIC)
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|metadata| !metadata.permissions().readonly())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        _folder: tempfile::TempDir,
        profile: Profile,
        catalogue: Catalogue,
    }

    fn case() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(&folder.path().join("p"))).unwrap();
        profile.make_folders().unwrap();
        Case { _folder: folder, profile, catalogue: Catalogue::new("en") }
    }

    #[cfg(unix)]
    fn chmod(path: &Path, mode: u32) {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn folders_are_there_or_can_be_made() {
        let case = case();
        let check = |folder: &Path| folder_check("profile_folder", folder, &case.catalogue);
        let folder = case.profile.folder.clone().unwrap();
        assert!(check(&folder).ok);
        assert!(check(&folder.join("a/b")).ok);
        fs::write(&case.profile.config_file, "").unwrap();
        let file = check(&case.profile.config_file);
        assert!(!file.ok && file.essential, "{file:?}");
        assert!(!check(&case.profile.config_file.join("below")).ok);
    }

    #[cfg(unix)]
    #[test]
    fn what_others_may_enter_is_said_so_with_the_cure() {
        let case = case();
        let folder = case.profile.folder.clone().unwrap();
        chmod(&folder, 0o755);
        let checks = folders(&case.profile, &case.catalogue);
        assert!(
            !checks[0].ok && !checks[0].essential && checks[0].detail.contains("chmod 700"),
            "{checks:?}"
        );
        fs::write(&case.profile.event_log, "").unwrap();
        chmod(&case.profile.event_log, 0o644);
        let log = event_log(&case.profile, &case.catalogue);
        assert!(!log.ok && log.detail.contains("chmod 600"), "{log:?}");
    }

    #[test]
    fn the_log_is_a_database_or_not_yet_there() {
        let case = case();
        let check = || event_log(&case.profile, &case.catalogue);
        assert!(check().ok);
        for (bytes, ok) in [
            (&b""[..], true),
            (b"SQLite format 3\0rest", true),
            (b"SQLite", false),
            (b"not a database!!", false),
        ] {
            fs::write(&case.profile.event_log, bytes).unwrap();
            #[cfg(unix)]
            chmod(&case.profile.event_log, 0o600);
            assert_eq!(check().ok, ok, "{bytes:?}");
        }
    }

    #[test]
    fn feeds_toml_is_read_as_the_program_would() {
        let case = case();
        let check = || feeds_toml(&case.profile, None, &case.catalogue);
        assert!(check().ok);
        fs::write(&case.profile.config_file, "[[feed]]\nid = \"ops\"\nurl = \"http://a/\"\n").unwrap();
        assert!(check().ok, "{:?}", check());
        fs::write(&case.profile.config_file, "[[feed]]\nid = \"ops\"\nurl = \"nonsense\"\n").unwrap();
        let broken = check();
        assert!(!broken.ok && broken.essential && broken.detail.contains("feeds.toml:3"), "{broken:?}");
    }
}
