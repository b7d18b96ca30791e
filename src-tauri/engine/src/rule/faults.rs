//! What went wrong with a feed's rules lately.

/// A rule that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleFault {
    /// The rule's number, from 1.
    pub rule: u32,
    /// What went wrong the last time, one line.
    pub detail: String,
    /// The event that it was about.
    pub seq: u64,
    /// How often it has failed since it was written, or since the start of the program.
    pub count: u64,
}

/// The newest failure of each rule of a feed, in the order of the rules.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleFaults(Vec<RuleFault>);

impl RuleFaults {
    /// Counts a failure.
    pub fn note(&mut self, rule: u32, detail: String, seq: u64) {
        match self.0.binary_search_by_key(&rule, |fault| fault.rule) {
            Ok(at) => {
                let count = self.0[at].count + 1;
                self.0[at] = RuleFault { rule, detail, seq, count };
            }
            Err(at) => self.0.insert(at, RuleFault { rule, detail, seq, count: 1 }),
        }
    }

    /// Counts a failure that was before those that are known.
    pub fn note_older(&mut self, rule: u32, detail: String, seq: u64) {
        match self.0.binary_search_by_key(&rule, |fault| fault.rule) {
            Ok(at) => self.0[at].count += 1,
            Err(at) => self.0.insert(at, RuleFault { rule, detail, seq, count: 1 }),
        }
    }

    /// Forgets them: the rules are others now.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// All of them.
    pub fn all(&self) -> &[RuleFault] {
        &self.0
    }
}
