use super::*;
use crate::audit::walk;

fn open(path: &Path) -> Log {
    Log::open(
        path,
        Sync::Process,
        SubjectKey::from_bytes([1; 32]),
        Clock::system(),
    )
    .unwrap()
}

fn fill(path: &Path, events: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let log = open(path);
    let key = SubjectKey::from_bytes([2; 32]);
    runtime.block_on(async {
        for i in 0..events {
            let event = format!("event {i}").into_bytes();
            log.append(Kind::Consent, &key, event).await.unwrap();
        }
    });
}

#[test]
fn what_was_answered_is_there_and_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fill(&path, 5);
    fill(&path, 3);
    let key = SubjectKey::from_bytes([2; 32]);
    let mut events = Vec::new();
    let found = walk(&path, |entry| events.push(entry.open(&key).unwrap())).unwrap();
    assert_eq!((found.entries, found.torn), (8, 0));
    assert_eq!(events[4], b"event 4");
    assert_eq!(events[5], b"event 0");
}

#[test]
fn every_cut_recovers_and_keeps_whole_entries() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fill(&path, 2);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|&i| whole[i] == b'\n').collect();
    for cut in (0..whole.len()).step_by(13) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        fill(&path, 1);
        let found = verify(&path).unwrap();
        let kept = ends
            .iter()
            .filter(|&&end| end < cut)
            .count()
            .saturating_sub(1) as u64;
        let torn = cut > ends[0] && !ends.contains(&(cut - 1));
        assert_eq!(found.entries, kept + 1 + u64::from(torn), "cut at {cut}");
        assert_eq!(
            found.kinds.contains_key(&Kind::Recovery),
            torn,
            "cut at {cut}"
        );
    }
}

#[test]
fn no_changed_removed_or_swapped_byte_or_line_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fill(&path, 3);
    let whole = std::fs::read(&path).unwrap();
    let passes = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        verify(&path).is_ok_and(|found| found.torn == 0)
    };
    assert!(passes(&whole));
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(!passes(&changed), "changed byte {at}");
        let mut removed = whole.clone();
        removed.remove(at);
        assert!(!passes(&removed), "removed byte {at}");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|&b| b == b'\n').collect();
    assert!(!passes(&[lines[0], lines[2], lines[1], lines[3]].concat()));
    assert!(!passes(&[lines[0], lines[1], lines[3]].concat()));
    assert!(!passes(&[lines[0], lines[1], lines[1], lines[2]].concat()));
}

#[test]
fn two_processes_cannot_write_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let _log = open(&path);
    let again = Log::open(
        &path,
        Sync::Process,
        SubjectKey::from_bytes([1; 32]),
        Clock::system(),
    );
    assert!(matches!(again, Err(AuditError::InUse { .. })));
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    fill(&path, 2);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let opened = Log::open(
        &path,
        Sync::Process,
        SubjectKey::from_bytes([1; 32]),
        Clock::system(),
    );
    assert!(matches!(opened, Err(AuditError::Broken { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_said() {
    // /dev/full refuses every write.
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/full")
        .unwrap();
    let log = Log::start(Writer {
        clock: Clock::system(),
        file,
        path: "/dev/full".into(),
        sync: Sync::Process,
        bytes: 0,
        in_place: false,
        torn: 0,
        seq: 0,
        time: 0,
        head: Digest([0; 32]),
        writable: Arc::new(AtomicBool::new(true)),
    })
    .unwrap();
    let key = SubjectKey::from_bytes([2; 32]);
    let refused = log.append(Kind::Act, &key, b"x".to_vec()).await;
    assert!(matches!(refused, Err(AuditError::Io { .. })));
    assert!(!log.is_writable());
}

/// Many callers at once, in both ways of writing: every answered event is there, each once and whole.
#[test]
fn callers_at_once_lose_nothing() {
    const CALLERS: usize = 40;
    const EACH: usize = 25;
    for sync in [Sync::Process, Sync::Each] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let log = Log::open(
            &path,
            sync,
            SubjectKey::from_bytes([1; 32]),
            Clock::system(),
        )
        .unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .build()
            .unwrap();
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let log = log.clone();
                runtime.spawn(async move {
                    let key = SubjectKey::from_bytes([2; 32]);
                    let mut last = 0;
                    for at in 0..EACH {
                        let event = format!("{caller} {at}").into_bytes();
                        let head = log.append(Kind::Act, &key, event).await.unwrap();
                        assert!(head.seq > last, "one caller's events keep their order");
                        last = head.seq;
                    }
                })
            })
            .collect();
        for caller in callers {
            runtime.block_on(caller).unwrap();
        }
        drop(log);
        let key = SubjectKey::from_bytes([2; 32]);
        let mut events = std::collections::BTreeSet::new();
        let found = walk(&path, |entry| {
            events.insert(entry.open(&key).unwrap());
        })
        .unwrap();
        assert_eq!((found.entries, found.torn), ((CALLERS * EACH) as u64, 0));
        assert_eq!(events.len(), CALLERS * EACH);
        // The file is free again.
        Log::open(
            &path,
            sync,
            SubjectKey::from_bytes([1; 32]),
            Clock::system(),
        )
        .unwrap();
    }
}
