//! An authority of a test's own, and what it vouches for, made with the program `openssl`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

pub(crate) struct Authority {
    folder: tempfile::TempDir,
}

/// What a server shows, and the key to it, in PEM.
pub(crate) struct Certificate {
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let folder = tempfile::tempdir().unwrap();
        make(
            folder.path(),
            "ca",
            "basicConstraints = critical, CA:TRUE",
            &[],
        );
        Authority { folder }
    }

    /// The file that names it.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for some names (`DNS:…`, `IP:…`).
    pub(crate) fn certify(&self, names: &str) -> Certificate {
        let folder = self.folder.path();
        let extensions = format!("basicConstraints = critical, CA:FALSE\nsubjectAltName = {names}");
        make(
            folder,
            "server",
            &extensions,
            &["-CA", "ca.pem", "-CAkey", "ca.key"],
        );
        let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
        Certificate {
            chain: read("server.pem"),
            key: read("server.key"),
        }
    }
}

/// A key and a certificate, signed by itself unless the arguments name an authority.
fn make(folder: &Path, name: &str, extensions: &str, arguments: &[&str]) {
    let settings = format!("[req]\ndistinguished_name = dn\n[dn]\n[x]\n{extensions}\n");
    let at = |end: &str| folder.join(format!("{name}.{end}"));
    std::fs::write(at("cnf"), settings).unwrap();
    let made = Command::new("openssl")
        .current_dir(folder)
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args([
            "-nodes",
            "-days",
            "2",
            "-subj",
            &format!("/CN={name}"),
            "-extensions",
            "x",
        ])
        .arg("-config")
        .arg(at("cnf"))
        .arg("-keyout")
        .arg(at("key"))
        .arg("-out")
        .arg(at("pem"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("openssl, which is needed: {error}"));
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
}
