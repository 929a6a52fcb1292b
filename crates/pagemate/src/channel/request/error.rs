use std::{fmt, io};

use crate::channel::{RecvError, SendError};

/// The reason why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestError {
    /// The time was over before the response came. The request goes on, and its response can be received
    /// later.
    TimedOut,
    /// There is no server, and none has received the request.
    Disconnected,
    /// The server that had received the request ended. It may have carried out the request or not.
    ServerDied,
    /// The server dropped the request without a response.
    Dropped,
    /// The request could not be sent.
    NotSent(SendError),
    /// The responses cannot be received.
    NotReceived(RecvError),
    /// The client has no request under way, so that no response can come.
    NoRequest,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RequestError::TimedOut => "no response came in time",
            RequestError::Disconnected => "there is no server",
            RequestError::ServerDied => "the server ended before it responded",
            RequestError::Dropped => "the server dropped the request without a response",
            RequestError::NotSent(error) => return write!(f, "the request was not sent: {error}"),
            RequestError::NotReceived(error) => {
                return write!(f, "the response was not received: {error}");
            }
            RequestError::NoRequest => "the client has no request under way; send one first",
        })
    }
}

impl std::error::Error for RequestError {}

impl From<RequestError> for io::Error {
    fn from(error: RequestError) -> io::Error {
        let kind = match error {
            RequestError::NotSent(error) => return error.into(),
            RequestError::NotReceived(error) => return error.into(),
            RequestError::TimedOut => io::ErrorKind::TimedOut,
            RequestError::Disconnected => io::ErrorKind::NotConnected,
            RequestError::ServerDied => io::ErrorKind::ConnectionReset,
            RequestError::Dropped => io::ErrorKind::ConnectionAborted,
            RequestError::NoRequest => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, error)
    }
}
