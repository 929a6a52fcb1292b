//! ipc-channel: channels of bytes, which do not serialize. The ends cross by a one-shot server whose
//! name is in a file.

use std::fs;

use ipc_channel::ipc::{
    IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender, bytes_channel,
};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words::{self, Buffer};

pub(crate) struct IpcBytes;
pub(crate) struct Out(IpcBytesSender, Buffer);
pub(crate) struct In(IpcBytesReceiver, Waiting);

/// The ends that the second process gives to the first one.
type Ends = (IpcBytesSender, IpcBytesReceiver);

impl<const WORDS: usize> Transport<WORDS> for IpcBytes {
    type Out = Out;
    type In = In;
    type Listening = IpcOneShotServer<Ends>;

    fn listen(setting: &Setting) -> Self::Listening {
        let (server, name) = IpcOneShotServer::new().expect("a server");
        fs::write(setting.file("server"), name).expect("a file");
        server
    }

    fn accept(server: Self::Listening, setting: &Setting) -> (Out, In) {
        let (_, (to, from)) = server.accept().expect("the second process");
        (Out(to, Buffer::new(WORDS)), In(from, setting.waiting))
    }

    fn connect(setting: &Setting) -> (Out, In) {
        let name = fs::read_to_string(setting.file("server")).expect("a file");
        let server = IpcSender::<Ends>::connect(name).expect("a server");
        let (there, from) = bytes_channel().expect("a channel");
        let (to, back) = bytes_channel().expect("a channel");
        server.send((there, back)).expect("a server");
        (Out(to, Buffer::new(WORDS)), In(from, setting.waiting))
    }
}

impl Outgoing for Out {
    fn send(&mut self, number: u64) {
        self.0.send(self.1.filled(number)).expect("a receiver");
    }
}

impl Incoming for In {
    fn receive(&mut self) -> u64 {
        let message = if self.1 == Waiting::Polling {
            loop {
                match self.0.try_recv() {
                    Ok(message) => break message,
                    Err(ipc_channel::TryRecvError::Empty) => std::hint::spin_loop(),
                    Err(error) => panic!("{error}"),
                }
            }
        } else {
            self.0.recv().expect("a sender")
        };
        // SAFETY: the message has as many bytes as the sender's buffer.
        unsafe { words::sum(message.as_ptr().cast(), message.len() / 8) }
    }
}
