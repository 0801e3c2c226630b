//! Files beside the conversations: ratings, accounts, side-by-side answers, the manifest. Nothing
//! else is read from them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use crate::Time;
use crate::detect::Plan;
use crate::import::lenient::{List, Object, Text};
use crate::source::{self, Item};
use crate::when::{Clock, Stamp};

/// Most bytes of a sibling file that are looked at.
const SIBLING_BYTES: u64 = 64 << 20;

const KNOWN: &[&str] = &[
    "user.json",
    "users.json",
    "user_settings.json",
    "message_feedback.json",
    "model_comparisons.json",
    "shared_conversations.json",
    "library_files.json",
    "conversation_asset_file_names.json",
    "export_manifest.json",
    "projects.json",
    "memories.json",
];

/// Whether a file of this name stands beside conversations and holds none.
pub(super) fn is_known(file_name: &str) -> bool {
    let is_media = file_name.rsplit_once('.').is_some_and(|(_, extension)| {
        matches!(
            extension,
            "dat" | "png" | "jpg" | "jpeg" | "webp" | "gif" | "wav" | "mp3" | "mp4" | "m4a" | "pdf"
        )
    });
    is_media || KNOWN.contains(&file_name)
}

/// A thumb.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rating {
    /// +1 or −1.
    pub(super) value: f64,
    pub(super) time: Option<Time>,
}

/// What the siblings of each of the caller's paths say.
#[derive(Debug, Default)]
pub(super) struct Siblings {
    ratings: FxHashMap<usize, FxHashMap<String, Rating>>,
    accounts: FxHashMap<usize, BTreeSet<String>>,
    comparisons: RefCell<FxHashMap<usize, u64>>,
    manifests: Vec<(usize, String)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Feedback<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    message_id: Text<'a>,
    #[serde(borrow)]
    rating: Text<'a>,
    create_time: Stamp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    uuid: Text<'a>,
}

impl Siblings {
    pub(super) fn read(files: &[(Item, Plan)], total: &Arc<AtomicU64>) -> Self {
        let mut siblings = Siblings::default();
        for (item, plan) in files {
            if *plan == Plan::Sibling {
                siblings.add(item, total);
            }
        }
        siblings
    }

    fn add(&mut self, item: &Item, total: &Arc<AtomicU64>) {
        let name = item.file_name();
        let is_wanted = matches!(
            name.as_str(),
            "user.json"
                | "users.json"
                | "message_feedback.json"
                | "model_comparisons.json"
                | "export_manifest.json"
        );
        if !is_wanted {
            return;
        }
        let mut bytes = Vec::new();
        let opened = source::open(item, total);
        if opened
            .and_then(|r| r.take(SIBLING_BYTES).read_to_end(&mut bytes))
            .is_err()
        {
            return;
        }
        match name.as_str() {
            "message_feedback.json" => self.add_ratings(item.root, &bytes),
            "model_comparisons.json" => {
                let n = serde_json::from_slice(&bytes)
                    .map_or(0, |l: List<Object<Account<'_>>>| l.0.len());
                *self.comparisons.borrow_mut().entry(item.root).or_default() += n as u64;
            }
            "export_manifest.json" => {
                self.manifests
                    .push((item.root, String::from_utf8_lossy(&bytes).into_owned()));
            }
            _ => self.add_accounts(item.root, &bytes),
        }
    }

    fn add_ratings(&mut self, root: usize, bytes: &[u8]) {
        let Ok(list) = serde_json::from_slice::<List<Object<Feedback<'_>>>>(bytes) else {
            return;
        };
        let ratings = self.ratings.entry(root).or_default();
        for feedback in list.0.into_iter().filter_map(|o| o.0) {
            let word = feedback
                .rating
                .get()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let value = match word.replace('_', "").as_str() {
                "thumbsup" => 1.0,
                "thumbsdown" => -1.0,
                _ => continue,
            };
            let time = feedback.create_time.time(Clock::utc(None));
            if let Some(id) = feedback.message_id.get().or_else(|| feedback.id.get()) {
                ratings.insert(id.to_owned(), Rating { value, time });
            }
        }
    }

    fn add_accounts(&mut self, root: usize, bytes: &[u8]) {
        let one = serde_json::from_slice::<Object<Account<'_>>>(bytes)
            .ok()
            .and_then(|o| o.0);
        let many = serde_json::from_slice::<List<Object<Account<'_>>>>(bytes).unwrap_or_default();
        let accounts = self.accounts.entry(root).or_default();
        for account in one
            .into_iter()
            .chain(many.0.into_iter().filter_map(|o| o.0))
        {
            let id = account.uuid.get().or_else(|| account.id.get());
            accounts.extend(id.map(str::to_owned));
        }
    }

    pub(super) fn ratings(&self, root: usize) -> Option<&FxHashMap<String, Rating>> {
        self.ratings.get(&root)
    }

    /// The account of a path, where its files name exactly one.
    pub(super) fn account(&self, root: usize) -> Option<&str> {
        let accounts = self.accounts.get(&root).filter(|a| a.len() == 1)?;
        accounts.first().map(String::as_str)
    }

    pub(super) fn all_accounts(&self) -> BTreeSet<String> {
        self.accounts.values().flatten().cloned().collect()
    }

    /// Side-by-side answers beside a path; counted once.
    pub(super) fn take_comparisons(&self, root: usize) -> u64 {
        self.comparisons.borrow_mut().remove(&root).unwrap_or(0)
    }

    /// Conversation files that a manifest names and that are not there. Its schema is not known:
    /// every string in it that looks like a shard's name counts.
    pub(super) fn missing_shards(&self, files: &[(Item, Plan)]) -> Vec<String> {
        let mut missing = BTreeSet::new();
        for (root, manifest) in &self.manifests {
            for name in manifest.split('"').filter(|s| is_shard(s)) {
                let file = name.rsplit('/').next().unwrap_or(name);
                let there = files
                    .iter()
                    .any(|(i, _)| i.root == *root && i.file_name() == file);
                if !there {
                    missing.insert(file.to_owned());
                }
            }
        }
        missing.into_iter().collect()
    }
}

fn is_shard(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    let middle = file
        .strip_prefix("conversations")
        .and_then(|f| f.strip_suffix(".json"));
    middle.is_some_and(|m| m.chars().all(|c| c == '-' || c.is_ascii_digit()))
}
