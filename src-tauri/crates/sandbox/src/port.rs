//! One simulated system's port on 127.0.0.1: takes connections, goes down and comes back on the same number.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections of one system at a time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 256;
const HEADER_DEADLINE: Duration = Duration::from_secs(10);

pub(crate) struct Port {
    address: SocketAddr,
    /// Listening again registers with this runtime, whatever thread asks for it.
    runtime: Handle,
    state: Mutex<State>,
}

struct State {
    socket: Socket,
    /// Cancelled by an outage: ends the connections that are open.
    up: CancellationToken,
    /// The accept loop, where it waits.
    waiting: Option<Waker>,
}

enum Socket {
    Listening(TcpListener),
    /// Bound without listening: the number stays ours and the kernel refuses every connection.
    Reserved(TcpSocket),
    Closed,
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Connections of a moment ago must not keep us from our own port. On Windows the option means something else.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Port {
    /// `number` 0 takes any free one.
    pub fn open(number: u16, runtime: Handle) -> io::Result<Self> {
        let _inside = runtime.enter();
        let listener = bind((Ipv4Addr::LOCALHOST, number).into())?.listen(1_024)?;
        let address = listener.local_addr()?;
        let state = State { socket: Socket::Listening(listener), up: CancellationToken::new(), waiting: None };
        Ok(Self { address, runtime: runtime.clone(), state: Mutex::new(state) })
    }

    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection and refuses new ones from now on.
    pub fn go_down(&self) {
        let mut state = self.state.lock();
        state.up.cancel();
        // Closed first: on some platforms a listening socket keeps others from binding.
        state.socket = Socket::Closed;
        // Losing the number here is no failure yet: coming back tries again and says so.
        if let Ok(reserved) = bind(self.address) {
            state.socket = Socket::Reserved(reserved);
        }
    }

    /// Takes connections again on the same port.
    pub fn come_back(&self) -> io::Result<()> {
        let _inside = self.runtime.enter();
        let mut state = self.state.lock();
        let socket = match std::mem::replace(&mut state.socket, Socket::Closed) {
            Socket::Listening(listener) => {
                state.socket = Socket::Listening(listener);
                return Ok(());
            }
            Socket::Reserved(socket) => socket,
            Socket::Closed => bind(self.address)?,
        };
        state.socket = Socket::Listening(socket.listen(1_024)?);
        state.up = CancellationToken::new();
        if let Some(waker) = state.waiting.take() {
            waker.wake();
        }
        Ok(())
    }

    async fn accept(&self) -> io::Result<(TcpStream, CancellationToken)> {
        poll_fn(|context| {
            let mut state = self.state.lock();
            state.waiting = Some(context.waker().clone());
            match &state.socket {
                Socket::Listening(listener) => {
                    listener.poll_accept(context).map_ok(|(stream, _)| (stream, state.up.clone()))
                }
                Socket::Reserved(_) | Socket::Closed => Poll::Pending,
            }
        })
        .await
    }

    /// Serves `router` until `stop`; connections are tasks of `tasks`.
    pub async fn serve(self: Arc<Self>, router: Router, stop: CancellationToken, tasks: TaskTracker) {
        let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = async {
                    let permit = free.clone().acquire_owned().await;
                    self.accept().await.map(|(stream, up)| (stream, up, permit))
                } => accepted,
            };
            match accepted {
                Ok((stream, up, permit)) => {
                    let connection = converse(stream, router.clone());
                    let stop = stop.clone();
                    tasks.spawn(async move {
                        let _permit = permit;
                        tokio::select! {
                            () = connection => {}
                            () = up.cancelled() => {}
                            () = stop.cancelled() => {}
                        }
                    });
                }
                Err(error) => {
                    // Out of file descriptors, most likely: give others time to close some.
                    tracing::warn!(address = %self.address, %error, "a simulated system could not take a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

async fn converse(stream: TcpStream, router: Router) {
    // Answers are small; waiting to fill a packet would add 40 ms to each.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers of a simulated system may be delayed");
    }
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to a simulated system ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port() -> Port {
        Port::open(0, Handle::current()).unwrap()
    }

    #[tokio::test]
    async fn an_outage_refuses_connections_and_ends_on_the_same_port() {
        let port = port();
        assert!(TcpStream::connect(port.address()).await.is_ok());
        port.go_down();
        let refused = TcpStream::connect(port.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        port.come_back().unwrap();
        assert!(TcpStream::connect(port.address()).await.is_ok());
    }

    #[tokio::test]
    async fn a_port_stays_reserved_during_an_outage() {
        let port = port();
        port.go_down();
        let thief = std::net::TcpListener::bind(port.address());
        // Linux lets a second socket bind beside ours only where both allow it; it must not end our outage.
        drop(thief);
        port.come_back().unwrap();
        assert!(TcpStream::connect(port.address()).await.is_ok());
    }

    #[tokio::test]
    async fn coming_back_twice_is_coming_back_once() {
        let port = port();
        port.come_back().unwrap();
        assert!(TcpStream::connect(port.address()).await.is_ok());
    }
}
