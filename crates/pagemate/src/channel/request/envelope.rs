//! The bytes in front of requests and responses.

use crate::channel::Options;
use crate::channel::message::Message;
use crate::channel::message_type::{LEN_FIELD, MessageType};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::shareable::fingerprint;

/// The length of the bytes in front of a message.
pub(super) const LEN: usize = 16;

/// The bytes in front of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHeader {
    /// The random number of the client.
    pub(super) client: u64,
    /// The number of the request, which its client counts.
    pub(super) number: u64,
}

impl RequestHeader {
    pub(super) fn bytes(self) -> [u8; LEN] {
        two(self.client, self.number)
    }

    pub(super) fn of(bytes: [u8; LEN]) -> RequestHeader {
        let [client, number] = numbers(bytes);
        RequestHeader { client, number }
    }
}

/// The bytes in front of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseHeader {
    pub(super) number: u64,
    pub(super) step: Step,
}

/// The progress of a request that a server reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server with this seat has the request.
    Received(u32),
    /// The response follows.
    Responded,
    /// The server dropped the request without a response.
    Dropped,
}

impl ResponseHeader {
    pub(super) fn bytes(self) -> [u8; LEN] {
        let (step, seat) = match self.step {
            Step::Received(seat) => (1, seat),
            Step::Responded => (2, 0),
            Step::Dropped => (3, 0),
        };
        two(self.number, u64::from(seat) << 32 | step)
    }

    /// Decodes the bytes. `None` if no server writes them.
    pub(super) fn of(bytes: [u8; LEN]) -> Option<ResponseHeader> {
        let [number, step] = numbers(bytes);
        let [step, seat] = [step & u64::from(u32::MAX), step >> 32];
        let step = match (step, u32::try_from(seat).ok()?) {
            (1, seat) if seat != 0 => Step::Received(seat),
            (2, 0) => Step::Responded,
            (3, 0) => Step::Dropped,
            _ => return None,
        };
        Some(ResponseHeader { number, step })
    }
}

fn two(first: u64, second: u64) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    bytes[..8].copy_from_slice(&first.to_ne_bytes());
    bytes[8..].copy_from_slice(&second.to_ne_bytes());
    bytes
}

fn numbers(bytes: [u8; LEN]) -> [u64; 2] {
    let number = |at: usize| u64::from_ne_bytes(std::array::from_fn(|i| bytes[at + i]));
    [number(0), number(8)]
}

/// Sets the layout of messages of type `M` with the bytes in front of them. `role` is a part of the layout,
/// so that requests and responses of one type differ.
pub(super) fn set_layout<M: Message + ?Sized>(options: &mut Options, role: &str) {
    let message_type = M::layout(options);
    if message_type.is_bytes() {
        let max_len = options.max_len.saturating_add(LEN);
        options.max_len(max_len);
        return;
    }
    let MessageType { len, fingerprint, .. } = message_type;
    options.message_type(MessageType {
        len: len.saturating_add(LEN as u64),
        align: LEN_FIELD as u64,
        fingerprint: fingerprint::text(fingerprint, role),
    });
}

/// The text between the name of a service and the number of a client, of 16 hexadecimal digits.
const CLIENT: &str = ".client-";

/// Returns the name of the channel for the responses to a client.
pub(super) fn client_name(name: &Name, client: u64) -> Result<Name> {
    let bare = format!("{}{CLIENT}{client:016x}", name.bare());
    beside(name, &bare).map_err(|error| {
        let cause = format!("the channel for its responses needs a longer name: {error:#}");
        Error::new(ErrorKind::InvalidName, cause)
    })
}

/// Returns the name of the service if a name is one of those that [`client_name`] returns.
pub(crate) fn service_of(name: &Name) -> Option<Name> {
    let (service, client) = name.bare().rsplit_once(CLIENT)?;
    let service = beside(name, service).ok()?;
    let client = u64::from_str_radix(client, 16).ok()?;
    (client_name(&service, client).ok()? == *name).then_some(service)
}

/// Returns a name in the namespace of another name.
fn beside(name: &Name, bare: &str) -> Result<Name> {
    match name.namespace() {
        Namespace::Global => Name::new(&format!(r"Global\{bare}")),
        _ => Name::new(bare),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_their_fields() {
        let request = RequestHeader { client: u64::MAX - 1, number: 7 };
        assert_eq!(RequestHeader::of(request.bytes()), request);
        for step in [Step::Received(u32::MAX), Step::Responded, Step::Dropped] {
            let header = ResponseHeader { number: 9, step };
            assert_eq!(ResponseHeader::of(header.bytes()), Some(header));
        }
    }

    #[test]
    fn the_name_of_a_client_has_the_name_of_its_service() {
        for service in ["squares", r"Global\squares", "a.client-0123456789abcdef"] {
            let service = Name::new(service).unwrap();
            let client = client_name(&service, 7).unwrap();
            assert_eq!(service_of(&client), Some(service));
        }
        for other in [
            "squares",
            "squares.client-",
            "squares.client-7",
            "squares.client-000000000000000G",
            "squares.client-+00000000000000f",
            "squares.client-000000000000000F",
            ".client-0000000000000007",
        ] {
            let found = service_of(&Name::new(other).unwrap());
            assert_eq!(found, None, "{other}");
        }
    }

    #[test]
    fn bytes_that_no_server_writes_are_not_a_header() {
        for step in [0, 4, 1, u64::from(u32::MAX), 1 << 32 | 2, 1 << 32 | 3] {
            assert_eq!(ResponseHeader::of(two(9, step)), None, "{step:x}");
        }
    }
}
