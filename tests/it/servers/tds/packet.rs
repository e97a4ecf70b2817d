//! Packets, and the messages that they carry (MS-TDS 2.2.3).

use std::io::{self, Read, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, TryRecvError};

pub const BATCH: u8 = 0x01;
pub const RPC: u8 = 0x03;
const REPLY: u8 = 0x04;
pub const ATTENTION: u8 = 0x06;
pub const TRANSACTION: u8 = 0x0E;
pub const LOGIN: u8 = 0x10;
pub const PRELOGIN: u8 = 0x12;

const HEADER: usize = 8;
const END_OF_MESSAGE: u8 = 0x01;

/// What a client sent.
pub struct Message {
    /// The type of its packets.
    pub kind: u8,
    pub body: Vec<u8>,
}

/// Reads a message; nothing where the client has closed the connection.
pub fn read(stream: &mut impl Read) -> io::Result<Option<Message>> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; HEADER];
        if let Err(error) = stream.read_exact(&mut header) {
            return if error.kind() == io::ErrorKind::UnexpectedEof && body.is_empty() {
                Ok(None)
            } else {
                Err(error)
            };
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let start = body.len();
        let data = length.checked_sub(HEADER).ok_or(io::ErrorKind::InvalidData)?;
        body.resize(start + data, 0);
        stream.read_exact(&mut body[start..])?;
        if header[1] & END_OF_MESSAGE != 0 {
            return Ok(Some(Message { kind: header[0], body }));
        }
    }
}

/// Why a reply broke off.
#[derive(Debug)]
pub enum Stop {
    /// The client asked for it.
    Attention,
    /// The script cut the connection.
    Cut,
    /// The client is gone.
    Gone,
}

/// A reply, sent packet by packet as it is written.
pub struct Reply<'a> {
    stream: &'a TcpStream,
    /// What the client sends meanwhile: only an attention may come.
    inbox: &'a Receiver<Message>,
    spid: u16,
    packet_size: usize,
    packets: u8,
    waiting: Vec<u8>,
    /// How many bytes of tokens may be sent before the connection is cut.
    allowed: Option<usize>,
}

impl<'a> Reply<'a> {
    pub fn new(stream: &'a TcpStream, inbox: &'a Receiver<Message>, spid: u16, packet_size: usize) -> Self {
        Reply { stream, inbox, spid, packet_size, packets: 0, waiting: Vec::new(), allowed: None }
    }

    /// Cuts the connection after so many more bytes of tokens.
    pub fn cut_after(&mut self, bytes: usize) {
        self.allowed = Some(bytes);
    }

    /// Sends tokens, as soon as there are enough for a packet.
    pub fn put(&mut self, tokens: &[u8]) -> Result<(), Stop> {
        let allowed = self.allowed.map_or(tokens.len(), |allowed| allowed.min(tokens.len()));
        self.waiting.extend_from_slice(&tokens[..allowed]);
        if let Some(left) = &mut self.allowed {
            *left -= allowed;
        }
        while self.waiting.len() > self.packet_size - HEADER {
            let rest = self.waiting.split_off(self.packet_size - HEADER);
            self.packet(0)?;
            self.waiting = rest;
        }
        if allowed < tokens.len() {
            self.flush()?;
            return Err(Stop::Cut);
        }
        match self.inbox.try_recv() {
            Ok(_) => Err(Stop::Attention),
            Err(TryRecvError::Empty) => Ok(()),
            Err(TryRecvError::Disconnected) => Err(Stop::Gone),
        }
    }

    /// Sends what waits, although the message has not ended.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.waiting.is_empty() { Ok(()) } else { self.packet(0) }
    }

    /// Waits until the client says something, which can only be that it has had enough.
    pub fn stall(&mut self) -> Stop {
        if self.inbox.recv().is_ok() { Stop::Attention } else { Stop::Gone }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Result<(), Stop> {
        self.packet(END_OF_MESSAGE)
    }

    fn packet(&mut self, status: u8) -> Result<(), Stop> {
        self.packets = self.packets.wrapping_add(1);
        let length = u16::try_from(HEADER + self.waiting.len()).expect("a packet of at most 65535 bytes");
        let mut packet = vec![REPLY, status];
        packet.extend(length.to_be_bytes());
        packet.extend(self.spid.to_be_bytes());
        packet.extend([self.packets, 0]);
        packet.append(&mut self.waiting);
        self.stream.write_all(&packet).map_err(|_| Stop::Gone)
    }
}
