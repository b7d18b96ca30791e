//! Secrets from their sources. Each reading is bounded in time and size, and none of them keeps the connections' thread.

use std::{env, fs, io, path::Path, sync::Arc, thread, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::command::{self, LIMIT, at_home, late};

use super::{Credential, Credentials, Fault, KeyringFault, MAX_SECRET, Secret, Source};

/// How long a source may wait for its turn, behind those of other feeds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most sources of a kind that are asked at a time: a thousand feeds must not start a thousand commands.
const TURNS: usize = 4;

/// The secret of a credential, which its place can hold.
pub(super) async fn read(credential: &Credential, of: &Credentials) -> Result<Secret, Fault> {
    let Credential { place, source } = credential;
    let secret = match source {
        Source::Variable(name) => {
            env::var(name).map_err(|_| Fault::Variable(name.clone()))?.trim().to_owned()
        }
        Source::Command(words) => command(words).await?,
        Source::File(path) => file(path).await?,
        Source::Keyring => keyring(credential, of).await?,
    };
    let secret = Secret::new(secret);
    if secret.reveal().is_empty() {
        Err(Fault::Empty(source.to_string()))
    } else if !place.takes(&secret) {
        Err(Fault::Unsendable(source.to_string()))
    } else {
        Ok(secret)
    }
}

async fn keyring(credential: &Credential, of: &Credentials) -> Result<String, Fault> {
    let no_entry = || Fault::NoEntry(credential.place.to_string());
    let Some(feed) = of.feed.clone() else { return Err(no_entry()) };
    let (keyring, place) = (Arc::clone(&of.keyring), credential.place.clone());
    match apart(move || keyring.read(&feed, &place)).await {
        Ok(Ok(secret)) => Ok(secret.reveal().to_owned()),
        Ok(Err(KeyringFault::NoEntry)) => Err(no_entry()),
        Ok(Err(KeyringFault::Unusable(cause))) => Err(Fault::Keyring(cause)),
        Err(cause) => Err(Fault::Keyring(cause)),
    }
}

async fn file(path: &Path) -> Result<String, Fault> {
    let path = at_home(path);
    let name = path.display().to_string();
    match apart(move || read_file(&path)).await {
        Ok(Ok(Some(text))) => Ok(text),
        Ok(Ok(None)) => Err(Fault::FileOpen(name)),
        Ok(Err(error)) => Err(Fault::File(format!("{name}: {error}"))),
        Err(cause) => Err(Fault::File(format!("{name}: {cause}"))),
    }
}

/// The first line of a file; none if others can read it.
fn read_file(path: &Path) -> io::Result<Option<String>> {
    // Before it is opened, which waits for a writer where it is a named pipe.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let file = fs::File::open(path)?;
    if is_open_to_others(&file.metadata()?) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MAX_SECRET as u64 + 1), &mut bytes)?;
    first_line(&bytes).map(Some).ok_or_else(|| io::Error::other("not UTF-8"))
}

/// Whether others than its owner may do anything with a file. Where files have no modes: no.
#[cfg(unix)]
pub fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

/// Whether others than its owner may do anything with a file. Where files have no modes: no.
#[cfg(not(unix))]
pub fn is_open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// The first line, without blanks around it and the mark that some editors put before UTF-8; none if it is not that.
fn first_line(bytes: &[u8]) -> Option<String> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    Some(std::str::from_utf8(line).ok()?.trim_start_matches('\u{feff}').trim().to_owned())
}

/// What a command writes. Its errors are not shown: they may hold what it was to keep.
async fn command(words: &[String]) -> Result<String, Fault> {
    static RUNNING: Semaphore = Semaphore::const_new(TURNS);
    let Some(program) = words.first() else { return Err(Fault::Command(String::new())) };
    let failed = |cause: String| Fault::Command(format!("{program}: {cause}"));
    let _turn = timeout(PATIENCE, RUNNING.acquire()).await.map_err(|_| failed(late(PATIENCE)))?;
    let written = command::run(words, Vec::new(), MAX_SECRET + 1).await.map_err(failed)?;
    first_line(&written).ok_or_else(|| failed("not UTF-8".to_owned()))
}

/// Does the work on a thread of its own. Not one of the runtime's blocking threads: those look up host names, and without a
/// network each of them may be busy for half a minute. The error says why there is no result.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    let turn = timeout(PATIENCE, turn()).await.map_err(|_| late(PATIENCE))?;
    let (sender, result) = oneshot::channel();
    let work = move || {
        // Work that hangs keeps its turn: the threads stay few.
        let _turn = turn;
        let _ = sender.send(work());
    };
    thread::Builder::new().name("secret".to_owned()).spawn(work).map_err(|error| error.to_string())?;
    let result = timeout(LIMIT, result).await.map_err(|_| late(LIMIT))?;
    result.map_err(|_| "a fault of Bellwether's own".to_owned())
}

async fn turn() -> Option<OwnedSemaphorePermit> {
    static THREADS: std::sync::LazyLock<Arc<Semaphore>> =
        std::sync::LazyLock::new(|| Arc::new(Semaphore::new(TURNS)));
    // Nobody ever closes it.
    Arc::clone(&THREADS).acquire_owned().await.ok()
}
