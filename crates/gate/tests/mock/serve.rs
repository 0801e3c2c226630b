//! A gateway that serves on free ports until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use driftlead_gate::Server;
use driftlead_gate::config::Config;
use driftlead_gate::govern::Governor;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<bool>,
}

pub(crate) async fn serve(mut config: Config, governor: Arc<dyn Governor>) -> Served {
    config.listen.set_port(0);
    config.admin.set_port(0);
    let server = Server::bind(&config, governor).await.unwrap();
    let (address, admin) = (server.address(), server.admin_address());
    let (stop, stopped) = oneshot::channel();
    let done = tokio::spawn(server.run(async {
        let _ = stopped.await;
    }));
    Served {
        address,
        admin,
        stop,
        done,
    }
}

impl Served {
    /// Ends it in the middle of everything.
    pub(crate) fn kill(&self) {
        self.done.abort();
    }

    /// Stops it; every reply has to finish.
    pub(crate) async fn end(self) {
        self.stop.send(()).unwrap();
        assert!(self.done.await.unwrap());
    }
}
