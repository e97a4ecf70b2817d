//! A link that drops: a proxy on loopback that cuts, stalls and throttles what a server sends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fate {
    /// After so many bytes from the server it is cut.
    pub cut_after: Option<u64>,
    /// After so many bytes from the server nothing comes any more, and nothing is closed.
    pub stall_after: Option<u64>,
    /// The most bytes a second from the server.
    pub rate: Option<u64>,
}

/// A proxy before a server on loopback.
pub struct Proxy {
    pub port: u16,
    connections: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts one; `fate` says what becomes of each connection, by its number from 0.
    pub fn start(to: u16, fate: impl Fn(usize) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let closed = Arc::new(AtomicBool::new(false));
        let (count, is_closed) = (Arc::clone(&connections), Arc::clone(&closed));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if is_closed.load(Ordering::Relaxed) {
                    continue;
                }
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)) else { continue };
                let fate = fate(count.fetch_add(1, Ordering::Relaxed));
                let (client_too, server_too) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let gone = Arc::new(AtomicBool::new(false));
                let gone_too = Arc::clone(&gone);
                std::thread::spawn(move || forward(client, server, Fate::default(), &gone));
                std::thread::spawn(move || forward(server_too, client_too, fate, &gone_too));
            }
        });
        Proxy { port, connections, closed }
    }

    /// Returns how many connections there have been.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Lets no further connection through: each is closed at once.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// Forwards one direction; `gone` is shared with the other, and set by whichever ends first.
fn forward(mut from: TcpStream, mut to: TcpStream, fate: Fate, gone: &AtomicBool) {
    let mut buffer = [0; 4096];
    let mut sent = 0_u64;
    loop {
        let limits = fate.cut_after.into_iter().chain(fate.stall_after);
        let left = limits.map(|at| at.saturating_sub(sent)).min();
        let most = left.map_or(buffer.len(), |left| usize::try_from(left).unwrap_or(usize::MAX));
        let most = most.clamp(1, buffer.len());
        let count = match from.read(&mut buffer[..most]) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
        sent += count as u64;
        if fate.cut_after.is_some_and(|at| sent >= at) {
            break;
        }
        if fate.stall_after.is_some_and(|at| sent >= at) {
            while !gone.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
            }
            break;
        }
        if let Some(rate) = fate.rate {
            std::thread::sleep(Duration::from_secs_f64(count as f64 / rate as f64));
        }
    }
    gone.store(true, Ordering::Relaxed);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Numbers that look random and are always the same.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
