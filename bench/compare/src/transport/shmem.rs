//! shmem-ipc: a ring over a memfd, with two eventfds. The descriptors cross by a Unix socket.

use std::fs::File;
use std::hint::spin_loop;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use shmem_ipc::sharedring::{Receiver, Sender};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

pub(crate) struct Shmem;
pub(crate) struct Out<const WORDS: usize>(Sender<[u64; WORDS]>, Waiting);
pub(crate) struct In<const WORDS: usize>(Receiver<[u64; WORDS]>, Waiting);

impl<const WORDS: usize> Transport<WORDS> for Shmem {
    type Out = Out<WORDS>;
    type In = In<WORDS>;
    type Listening = (Out<WORDS>, In<WORDS>, UnixListener);

    fn listen(setting: &Setting) -> Self::Listening {
        let to = Sender::new(setting.depth).expect("a ring");
        let from = Receiver::new(setting.depth).expect("a ring");
        let listener = UnixListener::bind(setting.file("descriptors")).expect("a socket");
        (Out(to, setting.waiting), In(from, setting.waiting), listener)
    }

    fn accept((to, from, listener): Self::Listening, _: &Setting) -> (Out<WORDS>, In<WORDS>) {
        let (stream, _) = listener.accept().expect("the second process");
        let descriptors = [
            to.0.memfd().as_file().as_fd(),
            to.0.empty_signal().as_fd(),
            to.0.full_signal().as_fd(),
            from.0.memfd().as_file().as_fd(),
            from.0.empty_signal().as_fd(),
            from.0.full_signal().as_fd(),
        ];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(6))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)), "room for six");
        let data = [IoSlice::new(b"x")];
        sendmsg(&stream, &data, &mut control, SendFlags::empty()).expect("a connection");
        (to, from)
    }

    fn connect(setting: &Setting) -> (Out<WORDS>, In<WORDS>) {
        let stream = UnixStream::connect(setting.file("descriptors")).expect("the first process");
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(6))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        let mut data = [IoSliceMut::new(&mut byte)];
        recvmsg(&stream, &mut data, &mut control, RecvFlags::empty()).expect("a connection");
        let mut files = control.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => files.collect::<Vec<OwnedFd>>(),
            _ => Vec::new(),
        });
        let mut next = || File::from(files.next().expect("six descriptors"));
        let from = Receiver::open(setting.depth, next(), next(), next()).expect("a ring");
        let to = Sender::open(setting.depth, next(), next(), next()).expect("a ring");
        (Out(to, setting.waiting), In(from, setting.waiting))
    }
}

impl<const WORDS: usize> Outgoing for Out<WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        self.send_batch(number, 1);
    }

    #[inline]
    fn send_batch(&mut self, first: u64, count: u64) {
        let (mut number, end) = (first, first + count);
        while number < end {
            let fill = |to: *mut [u64; WORDS], room: usize| {
                let now = room.min((end - number) as usize);
                for slot in 0..now {
                    // SAFETY: the ring gives room for `room` messages.
                    unsafe { words::fill(to.add(slot).cast(), WORDS, number + slot as u64) };
                }
                number += now as u64;
                now
            };
            if self.1 == Waiting::Polling {
                self.0.sender_mut().send(fill).expect("a ring");
                spin_loop();
            } else {
                self.0.block_until_writable().expect("a ring");
                self.0.send_raw(fill).expect("a ring");
            }
        }
    }
}

impl<const WORDS: usize> In<WORDS> {
    #[inline]
    fn take(&mut self, most: usize, mut each: impl FnMut(u64)) {
        let mut taken = 0;
        while taken == 0 {
            let read = |from: *const [u64; WORDS], count: usize| {
                taken = count.min(most);
                for slot in 0..taken {
                    // SAFETY: the ring gives `count` messages.
                    each(unsafe { words::sum(from.add(slot).cast(), WORDS) });
                }
                taken
            };
            if self.1 == Waiting::Polling {
                self.0.receiver_mut().recv(read).expect("a ring");
            } else {
                self.0.block_until_readable().expect("a ring");
                self.0.receive_raw(read).expect("a ring");
            }
        }
    }
}

impl<const WORDS: usize> Incoming for In<WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        let mut number = 0;
        self.take(1, |message| number = message);
        number
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        let mut number = next;
        self.take(most as usize, |message| {
            assert_eq!(message, number, "a message is lost or out of order");
            number += 1;
        });
        number - next
    }
}
