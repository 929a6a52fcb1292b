//! interprocess: its local sockets, which are streams of bytes.

use std::io::{Read, Write};
use std::sync::Arc;

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::{GenericFilePath, Listener, ListenerOptions, Stream};

use super::{Incoming, Outgoing, Setting, Transport};
use crate::words::Buffer;

pub(crate) struct Interprocess;
pub(crate) struct Out(Arc<Stream>, Buffer);
pub(crate) struct In(Arc<Stream>, Buffer);

fn both<const WORDS: usize>(stream: Stream) -> (Out, In) {
    let stream = Arc::new(stream);
    (Out(Arc::clone(&stream), Buffer::new(WORDS)), In(stream, Buffer::new(WORDS)))
}

impl<const WORDS: usize> Transport<WORDS> for Interprocess {
    type Out = Out;
    type In = In;
    type Listening = Listener;

    fn listen(setting: &Setting) -> Listener {
        let path = setting.file("socket");
        let name = path.to_fs_name::<GenericFilePath>().expect("a name");
        ListenerOptions::new().name(name).create_sync().expect("a listener")
    }

    fn accept(listener: Listener, _: &Setting) -> (Out, In) {
        both::<WORDS>(listener.accept().expect("the second process"))
    }

    fn connect(setting: &Setting) -> (Out, In) {
        let path = setting.file("socket");
        let name = path.to_fs_name::<GenericFilePath>().expect("a name");
        both::<WORDS>(Stream::connect(name).expect("the first process"))
    }
}

impl Outgoing for Out {
    fn send(&mut self, number: u64) {
        (&*self.0).write_all(self.1.filled(number)).expect("a receiver");
    }
}

impl Incoming for In {
    fn receive(&mut self) -> u64 {
        (&*self.0).read_exact(self.1.bytes()).expect("a sender");
        self.1.sum()
    }
}
