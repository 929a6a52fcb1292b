//! The parts that `send` and `recv` share: endpoints of any kind of channel, and the form of messages in
//! files and pipes.

mod endpoint;
mod form;

pub(crate) use self::endpoint::{KindArg, Receiving, Sending, open_receiver, open_sender};
pub(crate) use self::form::{Form, Reader};
