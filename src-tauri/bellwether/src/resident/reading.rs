//! Reading the log for the network's thread, which must not wait for the disk.

use std::{io, thread};

use tokio::sync::{Semaphore, oneshot};

/// Most readings at a time.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Does the work on a thread of its own. Not one of the runtime's blocking threads: those look up host names, and without a
/// network each of them may be busy for half a minute, with all feeds waiting in line.
pub(super) async fn read<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    // Nobody closes it.
    let turn = TURNS.acquire().await.map_err(io::Error::other)?;
    let (sender, answer) = oneshot::channel();
    thread::Builder::new().name("log reader".to_owned()).spawn(move || {
        let done = work();
        // Not before: whoever hangs up does not end what is being read.
        drop(turn);
        sender.send(done).is_ok()
    })?;
    answer.await.map_err(|_| io::Error::other("the log could not be read by a fault of the program's own"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn name_lookups_that_hang_do_not_keep_the_log_from_being_read() {
        let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        let (end, ended) = mpsc::channel::<()>();
        runtime.spawn_blocking(move || ended.recv());
        assert_eq!(runtime.block_on(read(|| 42)).unwrap(), 42);
        assert!(runtime.block_on(read(|| panic!("a fault"))).is_err());
        drop(end);
    }
}
