//! A PostgreSQL server of a test's own: in a temporary folder, on a socket there, gone with the test. It may
//! listen on loopback too, with or without TLS.

pub(crate) mod authority;

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use authority::Certificate;

/// Planted where a leak would show it.
pub(crate) const PASSWORD: &str = "canary-77aa-password";

pub(crate) struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    /// The server refuses to run as root.
    user: Option<(u32, u32)>,
    /// On loopback; without it there is the socket only.
    port: Option<u16>,
    child: Option<Child>,
}

impl Server {
    /// `None`, and a line that says so, where the programs are not installed. With
    /// `DRIFTLEAD_NEEDS_POSTGRES` set, that is a failure.
    pub(crate) fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            assert!(
                std::env::var_os("DRIFTLEAD_NEEDS_POSTGRES").is_none(),
                "PostgreSQL's programs initdb and postgres were not found"
            );
            // Straight to the stream, so that it is seen without --nocapture.
            let skipped = b"SKIPPED: PostgreSQL's programs initdb and postgres were not found\n";
            std::io::stderr().write_all(skipped).unwrap();
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let user = user();
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut server = Server {
            folder,
            programs,
            user,
            port: None,
            child: None,
        };
        let password = server.path("password");
        std::fs::write(&password, PASSWORD).unwrap();
        if let Some((uid, gid)) = user {
            chown(&password, Some(uid), Some(gid)).unwrap();
        }
        let made = server
            .command("initdb")
            .args(["--no-sync", "--username=gate", "--auth=scram-sha-256"])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(server.path("data"))
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        server.up();
        Some(server)
    }

    /// Starts it anew, on a port of loopback too; with TLS where there is a certificate.
    pub(crate) fn listen(&mut self, certificate: Option<&Certificate>) {
        self.down();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        self.port = Some(free.local_addr().unwrap().port());
        drop(free);
        self.listen_again(certificate);
    }

    /// The same on the port that it has.
    pub(crate) fn listen_again(&mut self, certificate: Option<&Certificate>) {
        self.down();
        if let Some(certificate) = certificate {
            for (name, content) in [
                ("server.crt", &certificate.chain),
                ("server.key", &certificate.key),
            ] {
                let file = self.path("data").join(name);
                std::fs::write(&file, content).unwrap();
                std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
                if let Some((uid, gid)) = self.user {
                    chown(&file, Some(uid), Some(gid)).unwrap();
                }
            }
        }
        let mut settings = std::fs::OpenOptions::new()
            .append(true)
            .open(self.path("data").join("postgresql.conf"))
            .unwrap();
        let ssl = if certificate.is_some() { "on" } else { "off" };
        writeln!(settings, "ssl = {ssl}").unwrap();
        self.up();
    }

    /// The address, password included.
    pub(crate) fn address(&self) -> String {
        let folder = self.folder.path().display().to_string();
        self.address_at(&format!("host={folder}"))
    }

    /// The same with another way there, and perhaps other options.
    pub(crate) fn address_at(&self, way: &str) -> String {
        let port = self.port.unwrap_or(5432);
        format!("{way} port={port} user=gate password={PASSWORD} dbname=postgres")
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn up(&mut self) {
        let child = self
            .command("postgres")
            .arg("-D")
            .arg(self.path("data"))
            .arg("-k")
            .arg(self.folder.path())
            .args(["-h", if self.port.is_some() { "127.0.0.1" } else { "" }])
            .args(["-p", &self.port.unwrap_or(5432).to_string()])
            .args(["-F", "-c", "log_statement=all"])
            .stderr(std::fs::File::create(self.path("log")).unwrap())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let end = Instant::now() + Duration::from_secs(60);
        while self.ask("SELECT 1") != "1" {
            assert!(Instant::now() < end, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it at once: open connections break.
    pub(crate) fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let id = child.id().to_string();
            let told = Command::new("kill").args(["-INT", &id]).status();
            if !told.is_ok_and(|status| status.success()) {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// What `psql` says to a statement.
    pub(crate) fn ask(&self, statement: &str) -> String {
        let out = self.psql(statement).output().unwrap();
        String::from_utf8_lossy(&out.stdout).trim().to_owned()
    }

    /// `psql` with a statement, not yet run.
    pub(crate) fn psql(&self, statement: &str) -> Command {
        let mut command = self.command("psql");
        command
            .env("PGPASSWORD", PASSWORD)
            .arg("-h")
            .arg(self.folder.path())
            .args(["-p", &self.port.unwrap_or(5432).to_string()])
            .args(["-U", "gate", "-d", "postgres", "-At", "-c", statement])
            .stdout(Stdio::piped());
        command
    }

    /// What the server wrote down: every statement, with its values.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.path("log")).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Everything in the tables, as text.
    pub(crate) fn tables(&self) -> String {
        let tables = self.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
        assert!(tables.contains("driftlead_person"), "{tables}");
        tables
            .lines()
            .map(|table| self.ask(&format!("SELECT t::text FROM {table} t")))
            .collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str) -> Command {
        let beside = self.programs.join(program);
        let mut command = if beside.exists() {
            Command::new(beside)
        } else {
            Command::new(program)
        };
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.down();
    }
}

/// Where `initdb` and `postgres` are: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten();
    let debian = versions.flatten().map(|version| version.path().join("bin"));
    let whole = |folder: &Path| {
        ["initdb", "postgres"]
            .iter()
            .all(|p| folder.join(p).exists())
    };
    std::env::split_paths(&path)
        .chain(debian)
        .find(|folder| whole(folder))
}

/// For root: somebody else.
fn user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let out = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(out.stdout).ok()?.trim().parse().ok()
    };
    (id(&["-u"])? == 0).then(|| {
        let uid = id(&["-u", "postgres"]).unwrap_or(65_534);
        (uid, id(&["-g", "postgres"]).unwrap_or(65_534))
    })
}
