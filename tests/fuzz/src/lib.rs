//! Everything that reads bytes from outside, fed with what nobody would send. On the stable toolchain: inputs are made by
//! `proptest` out of a corpus and a dictionary, and shrunk when one breaks a promise.
//!
//! `corpus/TARGET/` holds the inputs from which others are made, and the finds: each file is a regression case that the tests
//! replay.

mod control;
mod events;
mod feeds;
mod mutation;

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

/// What can be fuzzed.
pub struct Target {
    /// Its name, and its folder's in `corpus`.
    pub name: &'static str,
    /// Panics if a promise does not hold for these bytes.
    pub check: fn(&[u8]),
    /// What its inputs are made of, beside the corpus.
    pub dictionary: &'static [&'static str],
}

/// Every target.
pub const TARGETS: [Target; 3] = [
    Target { name: "events", check: events::check, dictionary: events::DICTIONARY },
    Target { name: "feeds", check: feeds::check, dictionary: feeds::DICTIONARY },
    Target { name: "control", check: control::check, dictionary: control::DICTIONARY },
];

/// An input that breaks a promise, as small as it could be made.
#[derive(Debug)]
pub struct Find {
    /// The input.
    pub input: Vec<u8>,
    /// What it broke.
    pub reason: String,
}

impl Target {
    /// Where its inputs lie.
    pub fn folder(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(self.name)
    }

    /// Its corpus: name and content of each file, in the order of the names.
    pub fn corpus(&self) -> io::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder())? {
            let entry = entry?;
            files.push((entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?));
        }
        files.sort();
        Ok(files)
    }

    /// Checks so many inputs. A seed gives the same ones each time, as long as the corpus stays.
    pub fn run(&self, corpus: &[(String, Vec<u8>)], cases: u32, seed: u64) -> Result<(), Find> {
        let config = Config { cases, failure_persistence: None, max_shrink_iters: 4096, ..Config::default() };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let seeds = corpus.iter().map(|(_, content)| content.clone()).collect();
        let inputs = mutation::inputs(seeds, self.dictionary);
        let ran = TestRunner::new_with_rng(config, rng).run(&inputs, |input| {
            (self.check)(&input);
            Ok::<(), TestCaseError>(())
        });
        match ran {
            Ok(()) => Ok(()),
            Err(TestError::Fail(reason, input)) => Err(Find { input, reason: reason.to_string() }),
            Err(TestError::Abort(reason)) => Err(Find { input: Vec::new(), reason: reason.to_string() }),
        }
    }

    /// Adds a find to the corpus; its path.
    pub fn keep(&self, find: &Find) -> io::Result<PathBuf> {
        let mut hasher = DefaultHasher::new();
        find.input.hash(&mut hasher);
        let path = self.folder().join(format!("find-{:016x}", hasher.finish()));
        fs::write(&path, &find.input)?;
        Ok(path)
    }
}
