//! Images that popups had, kept for those to come: a server names the same few again and again.
//!
//! The files are for the notification server to read, and of no worth beyond this run. What the images of two feeds are called
//! may be the same; they are still apart, as the way to one of them may be one that the other would not trust.

use std::{
    collections::{BTreeMap, hash_map::RandomState},
    fs,
    hash::BuildHasher,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bellwether_engine::subscription::image::Image;

/// Most files.
const MAX_FILES: usize = 64;
/// Most bytes of all of them.
const MAX_BYTES: usize = 8 << 20;
/// How long an image is taken for what it was.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// How long one that could not be had is not asked for again.
const FAILED: Duration = Duration::from_secs(60);

/// The images of this run.
pub(crate) struct ImageCache {
    folder: PathBuf,
    /// A file's name is not given again, not even in another run: a notification server may know the old contents by it.
    names: RandomState,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By feed and URL.
    known: BTreeMap<(String, String), Known>,
    uses: u64,
}

struct Known {
    /// None: it could not be had.
    file: Option<(PathBuf, usize)>,
    since: Instant,
    /// The larger, the later it was used.
    used: u64,
}

/// What is known of an image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// It lies here.
    File(PathBuf),
    /// It could not be had just now.
    Failed,
    /// Nothing.
    Unknown,
}

impl ImageCache {
    /// An empty cache in this folder, which is its own; what an earlier run left there is removed.
    pub(crate) fn new(folder: PathBuf) -> Self {
        // Nothing to remove is the usual case, and what cannot be removed does no harm.
        let _ = fs::remove_dir_all(&folder);
        Self { folder, names: RandomState::new(), state: Mutex::default() }
    }

    /// What is known of a feed's image.
    pub(crate) fn look(&self, feed: &str, url: &str, now: Instant) -> Found {
        let mut state = self.state();
        state.uses += 1;
        let uses = state.uses;
        let key = (feed.to_owned(), url.to_owned());
        let Some(known) = state.known.get_mut(&key) else { return Found::Unknown };
        let age = now.saturating_duration_since(known.since);
        match &known.file {
            Some((path, _)) if age < FRESH && path.is_file() => {
                known.used = uses;
                Found::File(path.clone())
            }
            None if age < FAILED => Found::Failed,
            _ => Found::Unknown,
        }
    }

    /// Notes that a feed's image cannot be had.
    pub(crate) fn fail(&self, feed: &str, url: &str, now: Instant) {
        self.insert(feed, url, None, now);
    }

    /// Keeps a feed's image; where it lies then.
    pub(crate) fn keep(&self, feed: &str, url: &str, image: &Image, now: Instant) -> io::Result<PathBuf> {
        make_private(&self.folder)?;
        let name = format!("{:016x}.{}", self.names.hash_one((feed, url, now)), image.kind.extension());
        let path = self.folder.join(name);
        // Whole or not at all, and readable by this user alone.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&image.bytes)?;
        file.persist(&path)?;
        self.insert(feed, url, Some((path.clone(), image.bytes.len())), now);
        Ok(path)
    }

    fn insert(&self, feed: &str, url: &str, file: Option<(PathBuf, usize)>, now: Instant) {
        let mut state = self.state();
        state.uses += 1;
        let known = Known { file, since: now, used: state.uses };
        let replaced = state.known.insert((feed.to_owned(), url.to_owned()), known);
        let mut gone: Vec<Known> = replaced.into_iter().collect();
        while state.known.len() > MAX_FILES || state.bytes() > MAX_BYTES {
            let Some(oldest) = state.known.iter().min_by_key(|(_, known)| known.used) else { break };
            let key = oldest.0.clone();
            gone.extend(state.known.remove(&key));
        }
        drop(state);
        for (path, _) in gone.into_iter().filter_map(|known| known.file) {
            let _ = fs::remove_file(path);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A map and a number: nothing is left half done by a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn bytes(&self) -> usize {
        self.known.values().filter_map(|known| Some(known.file.as_ref()?.1)).sum()
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

#[cfg(test)]
mod tests {
    use bellwether_engine::subscription::image::Kind;

    use super::*;

    fn image(bytes: usize) -> Image {
        Image { kind: Kind::Png, bytes: vec![7; bytes] }
    }

    fn files(cache: &ImageCache) -> usize {
        fs::read_dir(&cache.folder).map_or(0, Iterator::count)
    }

    #[test]
    fn an_image_is_kept_for_its_feed_alone_and_for_a_day() {
        let profile = tempfile::tempdir().unwrap();
        let folder = profile.path().join("images");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("0.png"), "of an earlier run").unwrap();
        let cache = ImageCache::new(folder);
        assert_eq!(files(&cache), 0);

        let now = Instant::now();
        assert_eq!(cache.look("ops", "https://a/1", now), Found::Unknown);
        let path = cache.keep("ops", "https://a/1", &image(9), now).unwrap();
        assert_eq!(fs::read(&path).unwrap(), [7; 9]);
        assert_eq!(path.extension().and_then(|it| it.to_str()), Some("png"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        }
        assert_eq!(cache.look("ops", "https://a/1", now), Found::File(path.clone()));
        assert_eq!(cache.look("dev", "https://a/1", now), Found::Unknown);
        assert_eq!(cache.look("ops", "https://a/1", now + FRESH), Found::Unknown);
        let again = cache.keep("ops", "https://a/1", &image(8), now + FRESH).unwrap();
        assert_eq!((files(&cache), again == path), (1, false));
        fs::remove_file(again).unwrap();
        assert_eq!(cache.look("ops", "https://a/1", now + FRESH), Found::Unknown, "somebody cleaned up");

        cache.fail("ops", "https://a/2", now);
        assert_eq!(cache.look("ops", "https://a/2", now), Found::Failed);
        assert_eq!(cache.look("ops", "https://a/2", now + FAILED), Found::Unknown);
    }

    #[test]
    fn the_least_used_go_when_there_are_too_many() {
        let profile = tempfile::tempdir().unwrap();
        let cache = ImageCache::new(profile.path().join("images"));
        let now = Instant::now();
        for number in 0..200 {
            cache.keep("ops", &format!("https://a/{number}"), &image(1), now).unwrap();
            assert!(matches!(cache.look("ops", "https://a/0", now), Found::File(_)), "used each time");
            cache.fail("ops", &format!("https://b/{number}"), now);
        }
        assert!(files(&cache) <= MAX_FILES && cache.state().known.len() == MAX_FILES);
        assert_eq!(cache.look("ops", "https://a/1", now), Found::Unknown);
        for number in 0..64 {
            cache.keep("ops", &format!("https://c/{number}"), &image(256 << 10), now).unwrap();
        }
        assert_eq!((files(&cache), cache.state().bytes()), (32, MAX_BYTES));
    }
}
