//! Files that a person asked for: in their folder of downloads, whole or not at all, and never in place of another file.

use std::{
    fs, io,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bellwether_control::wire::Exported;
use directories::UserDirs;
use tempfile::{Builder, NamedTempFile};

/// How many files of one name are counted up before that is given up.
const MOST: u32 = 10_000;

/// Where exports go, and where the newest one lies. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Exports {
    /// `None`: there is no home folder.
    folder: Option<PathBuf>,
    newest: Arc<Mutex<Option<PathBuf>>>,
}

/// A file on its way: under another name, and gone if it is dropped before [`ExportFile::finish`].
pub(crate) struct ExportFile {
    file: BufWriter<NamedTempFile>,
    folder: PathBuf,
    stem: String,
    extension: String,
    newest: Arc<Mutex<Option<PathBuf>>>,
}

impl Exports {
    /// The person's folder of downloads; their home folder where the system names none.
    pub(crate) fn of_person() -> Self {
        let folders = UserDirs::new();
        let folder = folders.map(|of| of.download_dir().unwrap_or(of.home_dir()).to_owned());
        Self { folder, newest: Arc::default() }
    }

    /// A folder of one's own.
    #[cfg(test)]
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), newest: Arc::default() }
    }

    /// Begins a file `STEM.EXTENSION`, for its owner alone (mode 0600).
    pub(crate) fn create(&self, stem: &str, extension: &str) -> io::Result<ExportFile> {
        let none = || io::Error::new(io::ErrorKind::NotFound, "no home folder was found for this user");
        let folder = self.folder.clone().ok_or_else(none)?;
        fs::create_dir_all(&folder).map_err(|error| at(&folder, &error))?;
        let file = Builder::new().prefix(".bellwether-").suffix(".part").tempfile_in(&folder);
        Ok(ExportFile {
            file: BufWriter::with_capacity(64 * 1024, file.map_err(|error| at(&folder, &error))?),
            folder,
            stem: stem.to_owned(),
            extension: extension.to_owned(),
            newest: Arc::clone(&self.newest),
        })
    }

    /// The folder of the newest file of this run, if it is still there.
    pub(crate) fn newest_folder(&self) -> Option<PathBuf> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        newest.parent().filter(|folder| folder.is_dir()).map(Path::to_owned)
    }
}

impl ExportFile {
    /// Gives it its name, or the next one with a number that is free: `STEM (2).EXTENSION`.
    pub(crate) fn finish(self, events: u64) -> io::Result<Exported> {
        let Self { file, folder, stem, extension, newest } = self;
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        let bytes = file.as_file().metadata()?.len();
        for number in 1..=MOST {
            let count = if number == 1 { String::new() } else { format!(" ({number})") };
            let path = folder.join(format!("{stem}{count}.{extension}"));
            // Fails if there is such a file, also if another program makes it at this moment.
            match file.persist_noclobber(&path) {
                Ok(_) => {
                    *newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.clone());
                    return Ok(Exported { path: path.display().to_string(), events, bytes });
                }
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(at(&path, &error.error)),
            }
        }
        Err(at(&folder, &io::Error::from(io::ErrorKind::AlreadyExists)))
    }
}

impl Write for ExportFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An error that names the place.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let files =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = files.collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_takes_the_next_free_name_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let exports = Exports::in_folder(&folder.path().join("Downloads"));
        assert_eq!(exports.newest_folder(), None);
        let write = |text: &str| {
            let mut file = exports.create("events", "csv").unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.finish(1).unwrap()
        };
        let (first, second, third) = (write("one"), write("two"), write("three"));
        let named = |exported: &Exported| Path::new(&exported.path).file_name().unwrap().to_owned();
        assert_eq!(
            [&first, &second, &third].map(named),
            ["events.csv", "events (2).csv", "events (3).csv"].map(std::ffi::OsString::from)
        );
        assert_eq!(
            (fs::read_to_string(&first.path).unwrap().as_str(), first.bytes, first.events),
            ("one", 3, 1)
        );
        assert_eq!(fs::read_to_string(&third.path).unwrap(), "three");
        assert_eq!(exports.newest_folder().as_deref(), Path::new(&first.path).parent());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&first.path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_not_finished_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let exports = Exports::in_folder(folder.path());
        let mut file = exports.create("events", "jsonl").unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert!(names(folder.path()).is_empty());
        assert_eq!(exports.newest_folder(), None);
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("file");
        fs::write(&taken, "").unwrap();
        let error = Exports::in_folder(&taken).create("events", "csv").err().unwrap().to_string();
        assert!(error.contains("file"), "{error}");
    }
}
