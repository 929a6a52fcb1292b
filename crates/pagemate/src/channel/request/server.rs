use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::envelope::{self, RequestHeader, ResponseHeader, Step};
use crate::channel::message::Message;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::{RecvError, SendError, mpmc};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};

/// A server that receives requests of type `Q` and sends responses of type `R`.
pub struct Server<Q: Message + ?Sized, R: Message + ?Sized> {
    requests: mpmc::Receiver<[u8]>,
    name: Name,
    /// The options for the channels of the clients.
    for_responses: Options,
    clients: HashMap<u64, Responses>,
    /// The time of the last test whether the clients are alive.
    tested: Instant,
    messages: PhantomData<fn(&R) -> Q::Owned>,
}

/// The sender of the responses to a client. All of its requests share it.
type Responses = Arc<Mutex<mpmc::Sender<[u8]>>>;

/// A request that a server has received. Requests can be answered in any order and by any thread.
///
/// Dropping it without a response reports that to the client.
#[must_use = "dropping the request tells the client that it has no response"]
pub struct Request<Q: Message + ?Sized, R: Message + ?Sized> {
    message: Q::Owned,
    number: u64,
    responses: Responses,
    is_answered: bool,
    response: PhantomData<fn(&R)>,
}

/// The time between two tests whether the clients are alive.
const TEST_INTERVAL: Duration = Duration::from_secs(1);

impl<Q: Message + ?Sized, R: Message + ?Sized> Endpoint for Server<Q, R> {}

impl<Q: Message + ?Sized, R: Message + ?Sized> Join for Server<Q, R> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Server<Q, R>> {
        let mut for_requests = options.clone();
        envelope::set_layout::<Q>(&mut for_requests, "request");
        let requests = Join::join(name, &for_requests, how)?;
        let mut for_responses = options.clone();
        envelope::set_layout::<R>(&mut for_responses, "response");
        let clients = HashMap::new();
        let tested = Instant::now();
        let name = name.clone();
        Ok(Server { requests, name, for_responses, clients, tested, messages: PhantomData })
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> Server<Q, R> {
    /// Opens the name, or creates it with the default [`Options`], and returns a server.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Server<Q, R>> {
        Options::new().open_or_create(name)
    }

    /// Opens the name, and returns a server.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Server<Q, R>> {
        Options::new().open(name)
    }

    /// Returns the name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Receives a request, without blocking. Requests of clients that have ended are skipped.
    ///
    /// # Errors
    ///
    /// The errors of [`Receiver::try_recv`](crate::channel::Receiver::try_recv).
    pub fn try_recv(&mut self) -> std::result::Result<Request<Q, R>, RecvError> {
        self.recv_before(Deadline::Now).map_err(|error| match error {
            RecvError::TimedOut => RecvError::Empty,
            error => error,
        })
    }

    /// Receives a request, and blocks while there is none. Requests of clients that have ended are skipped.
    ///
    /// # Errors
    ///
    /// The errors of [`Receiver::recv`](crate::channel::Receiver::recv): `Disconnected` if there is no
    /// request and every client has ended, unless the server
    /// [awaits](Options::await_successor) the next one.
    pub fn recv(&mut self) -> std::result::Result<Request<Q, R>, RecvError> {
        self.recv_before(Deadline::Never)
    }

    /// Receives a request, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Server::recv).
    pub fn recv_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Request<Q, R>, RecvError> {
        self.recv_before(Deadline::after(time))
    }

    fn recv_before(&mut self, deadline: Deadline) -> std::result::Result<Request<Q, R>, RecvError> {
        loop {
            self.forget_dead_clients();
            let seat = self.requests.seat();
            let sample = self.requests.sample_before(deadline)?;
            let len = sample.len().checked_sub(envelope::LEN).ok_or(RecvError::Corrupted)?;
            let mut header = [0; envelope::LEN];
            sample.read_at(0, &mut header);
            let RequestHeader { client, number } = RequestHeader::of(header);
            let read = |to: &mut [u8]| sample.read_at(envelope::LEN, to);
            let message = Q::from_bytes(len, read).ok_or(RecvError::Corrupted)?;
            let responses = match self.clients.get(&client) {
                Some(responses) => Arc::clone(responses),
                None => match open_responses(&self.name, client, &self.for_responses) {
                    Some(responses) => {
                        self.clients.insert(client, Arc::clone(&responses));
                        responses
                    }
                    // The client has ended.
                    None => continue,
                },
            };
            // Report before the request is finished. If this process is killed before the report, another
            // server gets the request; if it is killed after the report, the client knows it.
            let header = ResponseHeader { number, step: Step::Received(seat) };
            if send(&responses, header, &[]).is_err() {
                self.clients.remove(&client);
                continue;
            }
            drop(sample);
            return Ok(Request {
                message,
                number,
                responses,
                is_answered: false,
                response: PhantomData,
            });
        }
    }

    /// Closes the channels of clients that have ended, so that their memory is freed.
    fn forget_dead_clients(&mut self) {
        if self.tested.elapsed() < TEST_INTERVAL {
            return;
        }
        self.tested = Instant::now();
        self.clients.retain(|_, responses| {
            let responses = responses.lock().unwrap_or_else(PoisonError::into_inner);
            responses.has_receiver().unwrap_or(true)
        });
    }
}

/// Opens the channel for the responses to a client. `None` if the client has ended.
fn open_responses(name: &Name, client: u64, options: &Options) -> Option<Responses> {
    let name = envelope::client_name(name, client).ok()?;
    let sender: mpmc::Sender<[u8]> = options.open(name).ok()?;
    Some(Arc::new(Mutex::new(sender)))
}

/// Sends a message to a client. The channel has room for all messages of all requests of the client.
fn send(
    responses: &Mutex<mpmc::Sender<[u8]>>,
    header: ResponseHeader,
    body: &[u8],
) -> std::result::Result<(), SendError> {
    let mut sender = responses.lock().unwrap_or_else(PoisonError::into_inner);
    let (max_len, is_bytes) = (sender.max_len(), sender.message_type().is_bytes());
    let len = envelope::LEN.saturating_add(body.len());
    if len > max_len {
        return Err(SendError::WrongLength);
    }
    if !sender.is_disconnected() {
        let mut loan = sender.try_loan()?;
        loan.write_at(0, &header.bytes());
        loan.write_at(envelope::LEN, body);
        return loan.send(if is_bytes { len } else { max_len });
    }
    Err(SendError::Disconnected)
}

impl<Q: Message + ?Sized, R: Message + ?Sized> Request<Q, R> {
    /// Returns the message of the client.
    pub fn message(&self) -> &Q::Owned {
        &self.message
    }

    /// Sends the response.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](SendError::Disconnected): the client has ended. A client that was killed a moment
    ///   ago may go unnoticed.
    /// - [`WrongLength`](SendError::WrongLength): the response is longer than the client admits.
    /// - [`Corrupted`](SendError::Corrupted), [`Forked`](SendError::Forked): see [`SendError`].
    pub fn respond(mut self, response: &R) -> std::result::Result<(), SendError> {
        let header = ResponseHeader { number: self.number, step: Step::Responded };
        send(&self.responses, header, response.as_bytes())?;
        self.is_answered = true;
        Ok(())
    }

    /// Returns whether the client is alive. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn is_client_alive(&self) -> Result<bool> {
        self.responses.lock().unwrap_or_else(PoisonError::into_inner).has_receiver()
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> Drop for Request<Q, R> {
    fn drop(&mut self) {
        if !self.is_answered {
            let header = ResponseHeader { number: self.number, step: Step::Dropped };
            // If the client has ended, it needs no report.
            _ = send(&self.responses, header, &[]);
        }
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> fmt::Debug for Request<Q, R>
where
    Q::Owned: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("message", &self.message).finish_non_exhaustive()
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> fmt::Debug for Server<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Server");
        debug.field("name", self.name()).field("clients", &self.clients.len());
        debug.finish_non_exhaustive()
    }
}
