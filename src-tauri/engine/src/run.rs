//! A person's own programs, run for events as their rules say. The loop never waits for them: what does not fit into the queue is
//! not run, and told as its rule's fault.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
};

use crate::{
    command,
    event_source::Message,
    feed::Feed,
    notification::{Notification, Urgency},
};

/// Most programs at a time.
pub const AT_ONCE: usize = 4;
/// Most events that wait for their program.
pub const WAITING: usize = 64;
/// Most that these events have in all, in bytes.
const WAITING_BYTES: usize = 16 * 1024 * 1024;

/// An event whose rule runs a program.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its number in the log.
    pub(crate) seq: u64,
    pub(crate) feed: Arc<Feed>,
    /// The rule's number.
    pub(crate) rule: u32,
    pub(crate) words: Arc<[String]>,
    /// What the program reads: one JSON object.
    pub(crate) input: String,
}

/// A program that was not run, or failed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RunFault {
    pub(crate) seq: u64,
    pub(crate) feed: Arc<Feed>,
    pub(crate) rule: u32,
    pub(crate) cause: String,
}

/// Runs programs, a few at a time, in the order in which their events came.
pub(crate) struct Runner {
    queue: mpsc::Sender<(Job, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
}

impl Runner {
    /// Programs run on this runtime; their faults are sent there. It ends with this.
    pub(crate) fn start<F: Future<Output = ()> + Send + 'static>(
        runtime: &Handle,
        tell: impl Fn(RunFault) -> F + Send + Sync + 'static,
    ) -> Self {
        let (queue, mut jobs) = mpsc::channel::<(Job, OwnedSemaphorePermit)>(WAITING);
        let tell = Arc::new(tell);
        runtime.spawn(async move {
            let turns = Arc::new(Semaphore::new(AT_ONCE));
            while let Ok(turn) = Arc::clone(&turns).acquire_owned().await {
                let Some((job, room)) = jobs.recv().await else { return };
                let tell = Arc::clone(&tell);
                tokio::spawn(async move {
                    let _turn = turn;
                    let Job { seq, feed, rule, words, input } = job;
                    let done = command::run(&words, input.into_bytes(), 0).await;
                    drop(room);
                    if let Err(cause) = done {
                        let program = words.first().map_or("", String::as_str);
                        tell(RunFault { seq, feed, rule, cause: format!("run: {program}: {cause}") }).await;
                    }
                });
            }
        });
        Self { queue, room: Arc::new(Semaphore::new(WAITING_BYTES)) }
    }

    /// Queues a program. The error is that there is no room.
    pub(crate) fn run(&self, job: Job) -> Result<(), RunFault> {
        let fault = |job: Job| RunFault {
            seq: job.seq,
            feed: job.feed,
            rule: job.rule,
            cause: format!("run: not run, as {WAITING} other events wait for their programs"),
        };
        let bytes = u32::try_from(job.input.len()).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(bytes) else { return Err(fault(job)) };
        self.queue.try_send((job, room)).map_err(|error| fault(error.into_inner().0))
    }
}

/// What a program reads: the event, its data as rules see them, and what its rule made of it.
pub(crate) fn input(
    feed: &Feed,
    message: &Message,
    received_at: jiff::Timestamp,
    popup: &Notification,
) -> String {
    let urgency = match popup.urgency {
        Urgency::Low => "low",
        Urgency::Normal => "normal",
        Urgency::Critical => "critical",
    };
    let data = serde_json::from_str(&message.data).unwrap_or_else(|_| Value::from(message.data.as_str()));
    json!({
        "feed": feed.id.as_str(),
        "event": message.event_type,
        "data": data,
        "id": message.last_event_id,
        "received_at": received_at.to_string(),
        "title": popup.title,
        "body": popup.body,
        "url": popup.url,
        "urgency": urgency,
    })
    .to_string()
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
