//! What rules do beside popups: programs that they run, and failures that they bear.

use std::sync::Arc;

use super::{Command, event_loop::EventLoop, feeds::Entry};
use crate::{
    feed::Feed,
    policy::OutcomeReason,
    rule::Decision,
    run::{Job, RunFault, Runner},
};

/// The part of a decision that no gate holds back.
#[derive(Default)]
pub(super) struct OwnPart {
    run: Option<(u32, Arc<[String]>)>,
    fault: Option<(u32, String)>,
}

impl OwnPart {
    /// Taken out of the decision, before a gate changes its reason.
    pub(super) fn of(decision: &mut Decision) -> Self {
        let rule = decision.reason.rule.unwrap_or_default();
        let failed = decision.reason.code == OutcomeReason::RULE_FAILED;
        Self {
            run: decision.run.take().map(|words| (rule, words)),
            fault: failed.then(|| (rule, decision.reason.detail.clone())),
        }
    }

    /// After the commit.
    pub(super) fn carry_out(
        self,
        entry: &mut Entry,
        runner: &Runner,
        seq: u64,
        input: impl FnOnce(&Feed) -> String,
    ) {
        if let Some((rule, detail)) = self.fault {
            entry.rule_faults.note(rule, detail, seq);
        }
        let Some((rule, words)) = self.run else { return };
        let job = Job { seq, feed: Arc::clone(&entry.feed), rule, words, input: input(&entry.feed) };
        if let Err(fault) = runner.run(job) {
            entry.rule_faults.note(fault.rule, fault.cause, fault.seq);
        }
    }
}

impl EventLoop {
    /// A program was not to be had, or failed.
    pub(super) fn note_run_fault(&mut self, fault: RunFault) {
        let RunFault { seq, feed, rule, cause } = fault;
        let Some(at) = self.feeds.iter().position(|entry| entry.feed.id == feed.id) else { return };
        // Other rules have been written since.
        if self.feeds[at].feed.rules != feed.rules {
            return;
        }
        self.feeds[at].rule_faults.note(rule, cause, seq);
        self.refresh(at);
    }
}

/// Programs whose faults come to the loop as commands.
pub(super) fn runner(
    runtime: &tokio::runtime::Handle,
    commands: tokio::sync::mpsc::WeakSender<Command>,
) -> Runner {
    Runner::start(runtime, move |fault| {
        let commands = commands.clone();
        async move {
            if let Some(commands) = commands.upgrade() {
                let _ = commands.send(Command::RunFault(fault)).await;
            }
        }
    })
}
