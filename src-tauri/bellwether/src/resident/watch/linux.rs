//! By inotify(7) itself: it can be asked for the ends of writes alone. The event log may lie in the same folder, and whoever
//! asks for every write is woken by each page that it gets.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsStr,
    io,
    mem::MaybeUninit,
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
    path::PathBuf,
    thread,
};

use rustix::{
    fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init},
    io::Errno,
};
use tokio::sync::mpsc;

/// Room for some dozens of events.
const BUFFER: usize = 4096;

/// Sends word of changes of these files, as long as there is room, until the program ends: by a thread that sleeps meanwhile.
/// (To wait for inotify on tokio's thread takes unsafe code.)
pub(super) fn watch(files: BTreeSet<PathBuf>, changes: mpsc::Sender<()>) -> io::Result<Watcher> {
    let watched = Watched::new(files, CreateFlags::CLOEXEC)?;
    thread::Builder::new().name("watch".to_owned()).stack_size(64 << 10).spawn(move || {
        while let Ok(concerned) = watched.read() {
            if concerned {
                let _ = changes.try_send(());
            }
        }
    })?;
    Ok(Watcher)
}

/// Nothing has to be held here.
pub(crate) struct Watcher;

struct Watched {
    inotify: OwnedFd,
    /// By their watch descriptors.
    folders: HashMap<i32, PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Watched {
    fn new(files: BTreeSet<PathBuf>, flags: CreateFlags) -> io::Result<Self> {
        let what = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::MOVE
            | WatchFlags::DELETE
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR;
        let inotify = init(flags)?;
        let mut folders = HashMap::new();
        for folder in files.iter().filter_map(|file| file.parent()) {
            folders.insert(add_watch(&inotify, folder, what)?, folder.to_owned());
        }
        Ok(Self { inotify, folders, files })
    }

    /// Waits for events; whether one of them concerns the files.
    fn read(&self) -> io::Result<bool> {
        let mut buffer = [MaybeUninit::uninit(); BUFFER];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        let mut concerned = false;
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
            let path = self.folders.get(&event.wd()).zip(name).map(|(folder, name)| folder.join(name));
            // After an overflow events are missing.
            concerned |= event.events().contains(ReadFlags::QUEUE_OVERFLOW)
                || path.is_some_and(|path| self.files.contains(&path));
            if reader.is_buffer_empty() {
                return Ok(concerned);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::Write};

    use super::*;

    #[test]
    fn every_way_to_change_the_file_is_noticed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("feeds.toml"), folder.path().join("events.db"));
        let watched = Watched::new(BTreeSet::from([file.clone()]), CreateFlags::NONBLOCK).unwrap();
        let mut log = fs::File::create(&other).unwrap();
        assert!(!watched.read().unwrap());
        log.write_all(b"page").unwrap();
        assert_eq!(watched.read().unwrap_err().kind(), io::ErrorKind::WouldBlock);

        let changes: [&dyn Fn() -> io::Result<()>; 5] = [
            &|| fs::write(&file, "made"),
            &|| fs::write(&file, "written in place"),
            &|| fs::rename(&other, &file),
            &|| fs::remove_file(&file),
            &|| std::os::unix::fs::symlink("elsewhere", &file),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            change().unwrap();
            assert!(watched.read().unwrap(), "change {number}");
        }
    }
}
