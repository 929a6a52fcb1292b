//! The system's streams of bytes: a Unix socket, and two named pipes.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::fs::{CWD, FileType, Mode, OFlags, fcntl_getfl, fcntl_setfl, mknodat};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words::Buffer;

pub(crate) struct UnixSocket;
pub(crate) struct Pipe;

/// One direction of a stream. A polling end tries again when the stream would block.
pub(crate) struct End<S>(S, Buffer);

impl<S: Write> Outgoing for End<S> {
    fn send(&mut self, number: u64) {
        let mut bytes = self.1.filled(number);
        while !bytes.is_empty() {
            match self.0.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

impl<S: Read> Incoming for End<S> {
    fn receive(&mut self) -> u64 {
        let bytes = self.1.bytes();
        let (mut filled, len) = (0, bytes.len());
        while filled < len {
            match self.0.read(&mut bytes[filled..]) {
                Ok(0) => panic!("the sender is gone"),
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                Err(error) => panic!("{error}"),
            }
        }
        self.1.sum()
    }
}

fn socket<const WORDS: usize>(
    stream: UnixStream,
    setting: &Setting,
) -> (End<UnixStream>, End<UnixStream>) {
    stream.set_nonblocking(setting.waiting == Waiting::Polling).expect("a socket");
    let other = stream.try_clone().expect("a descriptor");
    (End(stream, Buffer::new(WORDS)), End(other, Buffer::new(WORDS)))
}

impl<const WORDS: usize> Transport<WORDS> for UnixSocket {
    type Out = End<UnixStream>;
    type In = End<UnixStream>;
    type Listening = UnixListener;

    fn listen(setting: &Setting) -> UnixListener {
        UnixListener::bind(setting.file("stream")).expect("a socket")
    }

    fn accept(listener: UnixListener, setting: &Setting) -> (Self::Out, Self::In) {
        socket::<WORDS>(listener.accept().expect("the second process").0, setting)
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        let stream = UnixStream::connect(setting.file("stream")).expect("the first process");
        socket::<WORDS>(stream, setting)
    }
}

/// Opens a named pipe for reading and writing, so that the call does not wait for the other process.
pub(crate) fn open_pipe(setting: &Setting, direction: &str) -> File {
    let path = setting.file(direction);
    _ = mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0);
    let pipe = OpenOptions::new().read(true).write(true).open(&path).expect("a pipe");
    if setting.waiting == Waiting::Polling {
        let flags = fcntl_getfl(&pipe).expect("a pipe");
        fcntl_setfl(&pipe, flags | OFlags::NONBLOCK).expect("a pipe");
    }
    pipe
}

fn pipes<const WORDS: usize>(setting: &Setting, [to, from]: [&str; 2]) -> (End<File>, End<File>) {
    (
        End(open_pipe(setting, to), Buffer::new(WORDS)),
        End(open_pipe(setting, from), Buffer::new(WORDS)),
    )
}

impl<const WORDS: usize> Transport<WORDS> for Pipe {
    type Out = End<File>;
    type In = End<File>;
    type Listening = (End<File>, End<File>);

    fn listen(setting: &Setting) -> Self::Listening {
        pipes::<WORDS>(setting, ["there", "back"])
    }

    fn accept(both: Self::Listening, _: &Setting) -> Self::Listening {
        both
    }

    fn connect(setting: &Setting) -> Self::Listening {
        pipes::<WORDS>(setting, ["back", "there"])
    }
}
