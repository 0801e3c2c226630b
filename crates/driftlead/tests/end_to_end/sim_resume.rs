//! Long runs that are stopped, killed and resumed.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::program::Desk;

const CLUSTERS: &str = include_str!("../../../../scenarios/clusters.toml");
const CATALOGUE: &str = include_str!("../../../../scenarios/catalogue.toml");
const BANDIT: &str = include_str!("../../../../scenarios/bandit4s.toml");
const MIRROR: &str = "kind = \"mirror\"\n";

/// Runs that take a second or two on one thread.
const RUNS: [(&str, &str, &str, &str); 4] = [
    ("mirror", MIRROR, "3e6", "1000"),
    ("clusters", CLUSTERS, "600", "280"),
    ("catalogue", CATALOGUE, "200", "70"),
    ("bandit4s", BANDIT, "4000", "300"),
];

fn start(desk: &Desk, args: &[&str]) -> Child {
    let mut command = desk.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The first checkpoint is written early; then the run has far to go.
fn wait_for_other(than: Option<&[u8]>, path: &Path, child: &mut Child) {
    let begin = Instant::now();
    loop {
        let now = std::fs::read(path).ok();
        if now.is_some() && now.as_deref() != than {
            return;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "over before it was kept"
        );
        assert!(begin.elapsed() < Duration::from_secs(300));
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
#[cfg(unix)]
fn a_run_that_was_stopped_or_killed_goes_on_to_the_same_bytes() {
    use std::os::unix::process::ExitStatusExt;
    for (kind, scenario, people, steps) in RUNS {
        let desk = Desk::new();
        desk.put("w.toml", scenario);
        let common = [
            "sim",
            "feed",
            "w.toml",
            "--people",
            people,
            "--steps",
            steps,
            "--threads",
            "1",
        ];
        let with = |json: &'static str, more: &[&'static str]| {
            let args = [&common[..], &[json], more].concat();
            args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()
        };
        let run = |args: &[String]| {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            desk.run(&args)
        };
        let kept = with("--json=a.json", &["--checkpoint", "kept"]);
        let resumed = with("--json=a.json", &["--checkpoint", "kept", "--resume"]);
        let names = |args: &[String]| {
            args.iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let args: Vec<&str> = kept.iter().map(String::as_str).collect();

        // Killed outright, in the middle.
        let mut child = start(&desk, &args);
        wait_for_other(None, &desk.path("kept"), &mut child);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "{kind}");
        assert!(!desk.path("a.json").exists());
        // Nothing goes on from it, or over it, unasked.
        let refused = run(&kept);
        assert_eq!(refused.code, 2, "{}", names(&kept));
        assert!(refused.stderr.contains("--resume"), "{}", refused.stderr);

        // Resumed, and stopped by Ctrl-C.
        let args: Vec<&str> = resumed.iter().map(String::as_str).collect();
        let before = std::fs::read(desk.path("kept")).unwrap();
        let mut child = start(&desk, &args);
        wait_for_other(Some(&before), &desk.path("kept"), &mut child);
        let id = child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-INT", &id])
            .status();
        assert!(sent.unwrap().success());
        let code = child.wait().unwrap().code();
        assert_eq!(code, Some(130), "{kind}: over before the signal");
        let after = std::fs::read(desk.path("kept")).unwrap();
        assert!(after != before, "{kind}: what was done in between is kept");

        // Other runs, and a damaged file, are refused and leave it as it is.
        for other in ["--seed=2", "--people=60"] {
            let mut args = resumed.clone();
            args.push(other.to_owned());
            if other.starts_with("--people") {
                args.retain(|a| a != "--people" && a != people);
            }
            let refused = run(&args);
            assert_eq!(refused.code, 2, "{kind} {other}: {}", refused.stderr);
            assert!(refused.stderr.contains("another run"), "{}", refused.stderr);
            assert!(std::fs::read(desk.path("kept")).unwrap() == after);
        }
        let changed = scenario.replace("alpha = 0.08", "alpha = 0.07");
        if changed != scenario {
            desk.put("w.toml", &changed);
            let refused = run(&resumed);
            assert_eq!(refused.code, 2, "{kind}");
            assert!(
                refused.stderr.contains("other constants"),
                "{}",
                refused.stderr
            );
            desk.put("w.toml", scenario);
        }
        let mut damaged = after.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        for broken in [&damaged[..], &after[..middle], b"something else"] {
            std::fs::write(desk.path("kept"), broken).unwrap();
            let refused = run(&resumed);
            assert_eq!(refused.code, 2, "{kind}");
            assert!(refused.stderr.contains("kept: "), "{}", refused.stderr);
            assert!(
                refused.stderr.contains("left as it is"),
                "{}",
                refused.stderr
            );
            assert!(std::fs::read(desk.path("kept")).unwrap() == broken);
        }

        // To the end, and the same without any of this.
        std::fs::write(desk.path("kept"), &after).unwrap();
        let end = run(&resumed);
        assert_eq!(end.code, 0, "{kind}: {}", end.stderr);
        let whole = run(&with("--json=b.json", &[]));
        assert_eq!(whole.code, 0, "{kind}: {}", whole.stderr);
        assert!(desk.read("a.json") == desk.read("b.json"), "{kind}");
    }
}
