//! `feeds.toml` on the disk.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{Config, ConfigError, ConfigErrorKind as Kind, MAX_FILE, reader, too_large};
use crate::sentence;

/// Links that are followed from the path to the file, as the system itself does.
const MAX_LINKS: usize = 40;

/// How often a change is made anew because the file changed in between.
const TRIES: usize = 5;

/// The file. It is read whole and replaced whole, so that nobody ever sees half of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigFile {
    path: PathBuf,
}

impl ConfigFile {
    /// The file at this path, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; a missing file says nothing.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.parse(&self.text()?)
    }

    /// What a text would say as this file.
    pub fn parse(&self, text: &str) -> Result<Config, ConfigError> {
        reader::read(text, self.path.parent().unwrap_or(Path::new("")))
    }

    /// Its text; empty if it is missing.
    pub fn text(&self) -> Result<String, ConfigError> {
        let cannot = |error: io::Error| {
            let params = [("path", self.path.display().to_string()), ("cause", error.to_string())];
            ConfigError::new(Kind::CannotRead, sentence::CANNOT_READ.with(params))
        };
        let file = match fs::File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            Err(error) => return Err(cannot(error)),
        };
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE as u64 + 1), &mut bytes).map_err(cannot)?;
        if bytes.len() > MAX_FILE {
            return Err(too_large());
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count() as u32;
            ConfigError { line, ..ConfigError::new(Kind::Broken, sentence::NOT_UTF8) }
        })
    }

    /// Edits its text, and returns what it says then. An edit by hand that comes in between is kept: the change is made anew, to
    /// what the file says by then. What would not read back well is not written.
    pub fn change(
        &self,
        mut edit: impl FnMut(&str) -> Result<String, ConfigError>,
    ) -> Result<Config, ConfigError> {
        for _ in 0..TRIES {
            let text = self.text()?;
            let edited = edit(&text)?;
            let config = self.parse(&edited)?;
            if self.write(&edited, |file| file.text().is_ok_and(|now| now == text))? {
                return Ok(config);
            }
        }
        Err(ConfigError::new(Kind::CannotWrite, sentence::FILE_CHANGES))
    }

    /// Keeps a text beside the file, under its name with this extension; earlier ones that were kept stay, and the next is `.2`.
    pub fn keep(&self, text: &str, extension: &str) -> Result<(), ConfigError> {
        self.try_keep(text, extension).map_err(|error| {
            let params = [("path", self.path.display().to_string()), ("cause", error.to_string())];
            ConfigError::new(Kind::CannotWrite, sentence::CANNOT_WRITE.with(params))
        })
    }

    fn try_keep(&self, text: &str, extension: &str) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut kept = tempfile::Builder::new().prefix(".feeds.toml.").tempfile_in(folder)?;
        io::Write::write_all(&mut kept, text.as_bytes())?;
        kept.as_file().sync_all()?;
        for number in 1_u32.. {
            let mut name = self.path.as_os_str().to_owned();
            name.push(format!(".{extension}"));
            if number > 1 {
                name.push(format!(".{number}"));
            }
            match kept.persist_noclobber(PathBuf::from(name)) {
                Ok(_) => break,
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => kept = error.file,
                Err(error) => return Err(error.error),
            }
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn replace(&self, text: &str) -> Result<(), ConfigError> {
        self.write(text, |_| true).map(drop)
    }

    /// Puts another text in its place, at once or not at all. A symbolic link stays one, and the file keeps its permissions; a new
    /// one is its owner's alone.
    /// Asks at the last moment whether that is still `wanted`, and returns the answer.
    fn write(&self, text: &str, wanted: impl FnOnce(&Self) -> bool) -> Result<bool, ConfigError> {
        self.try_write(text, wanted).map_err(|error| {
            let params = [("path", self.path.display().to_string()), ("cause", error.to_string())];
            ConfigError::new(Kind::CannotWrite, sentence::CANNOT_WRITE.with(params))
        })
    }

    fn try_write(&self, text: &str, wanted: impl FnOnce(&Self) -> bool) -> io::Result<bool> {
        let target = follow_links(&self.path)?;
        let folder =
            target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new().prefix(".feeds.toml.").tempfile_in(folder)?;
        io::Write::write_all(&mut new, text.as_bytes())?;
        if let Ok(old) = fs::metadata(&target) {
            new.as_file().set_permissions(old.permissions())?;
        }
        new.as_file().sync_all()?;
        if !wanted(self) {
            return Ok(false);
        }
        new.persist(&target)?;
        // The new name itself must outlive a power cut. Not every system opens folders.
        if let Ok(folder) = fs::File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(true)
    }
}

/// The file that a path means, even if it is not there yet.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}
