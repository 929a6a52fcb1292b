use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::envelope::{self, RequestHeader, ResponseHeader, Step};
use super::error::RequestError;
use crate::channel::message::Message;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::{RecvError, SendError, mpmc};
use crate::deadline::{Deadline, LIVENESS_INTERVAL};
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::random::random_number;

/// A client that sends requests of type `Q` and receives responses of type `R`.
///
/// Its [`Options`] are those of the channel of requests. The capacity also limits how many requests a client
/// may have under way.
pub struct Client<Q: Message + ?Sized, R: Message + ?Sized> {
    requests: mpmc::Sender<[u8]>,
    responses: mpmc::Receiver<[u8]>,
    /// The random number that identifies this client to servers.
    id: u64,
    next: u64,
    /// The requests under way by number, with the seat of the server that has received them.
    open: HashMap<u64, Option<u32>>,
    completed: VecDeque<Completed<R::Owned>>,
    awaits_successor: bool,
    messages: PhantomData<fn(&Q) -> R::Owned>,
}

/// A request of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(u64);

/// A request that is completed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Completed<R> {
    /// The request, as [`Client::send`] returned it.
    pub request: RequestId,
    /// The response, or the reason why there is none.
    pub response: std::result::Result<R, RequestError>,
}

/// The greatest number of messages that servers send for one request. A server reports that it has received
/// the request, and sends the response. If it is killed before it has finished the request, the next server
/// may do the same.
const RESPONSES_PER_REQUEST: usize = 4;

impl<Q: Message + ?Sized, R: Message + ?Sized> Endpoint for Client<Q, R> {}

impl<Q: Message + ?Sized, R: Message + ?Sized> Join for Client<Q, R> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Client<Q, R>> {
        let mut for_requests = options.clone();
        envelope::set_layout::<Q>(&mut for_requests, "request");
        let requests: mpmc::Sender<[u8]> = Join::join(name, &for_requests, how)?;
        let id = random_number();
        let mut for_responses = options.clone();
        for_responses
            .capacity(requests.capacity().saturating_mul(RESPONSES_PER_REQUEST))
            .await_successor(true);
        envelope::set_layout::<R>(&mut for_responses, "response");
        let responses = for_responses.create_new(envelope::client_name(name, id)?)?;
        Ok(Client {
            requests,
            responses,
            id,
            next: 1,
            open: HashMap::new(),
            completed: VecDeque::new(),
            awaits_successor: options.awaits_successor,
            messages: PhantomData,
        })
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> Client<Q, R> {
    /// Opens the name, or creates it with the default [`Options`], and returns a client.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Client<Q, R>> {
        Options::new().open_or_create(name)
    }

    /// Opens the name, and returns a client.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Client<Q, R>> {
        Options::new().open(name)
    }

    /// Returns the name.
    pub fn name(&self) -> &Name {
        self.requests.name()
    }

    /// Returns how many requests are under way: sent, and not yet received as completed.
    pub fn pending(&self) -> usize {
        self.open.len() + self.completed.len()
    }

    /// Returns how many requests, of all clients, no server has received yet.
    pub fn unreceived(&self) -> usize {
        self.requests.len()
    }

    /// Returns whether a live process is a server. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_server(&self) -> Result<bool> {
        self.requests.has_receiver()
    }

    /// Blocks for at most `time` until a live process is a server. Returns whether one is.
    ///
    /// # Errors
    ///
    /// The errors of [`Sender::wait_for_receiver`](crate::channel::Sender::wait_for_receiver).
    pub fn wait_for_server(&self, time: Duration) -> Result<bool> {
        self.requests.wait_for_receiver(time)
    }

    /// Sends a request, and blocks until its response arrives. Responses to other requests stay for
    /// [`recv`](Client::recv).
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn call(&mut self, request: &Q) -> std::result::Result<R::Owned, RequestError> {
        self.call_before(request, Deadline::Never)
    }

    /// Sends a request, and blocks for at most `time` until its response arrives. After a timeout the request
    /// goes on, and [`recv`](Client::recv) returns its response.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub fn call_timeout(
        &mut self,
        request: &Q,
        time: Duration,
    ) -> std::result::Result<R::Owned, RequestError> {
        self.call_before(request, Deadline::after(time))
    }

    fn call_before(
        &mut self,
        request: &Q,
        deadline: Deadline,
    ) -> std::result::Result<R::Owned, RequestError> {
        let RequestId(number) = self.send_before(request, deadline)?;
        loop {
            let is_it = |one: &Completed<R::Owned>| one.request.0 == number;
            if let Some(index) = self.completed.iter().position(is_it)
                && let Some(completed) = self.completed.remove(index)
            {
                return completed.response;
            }
            self.wait(deadline)?;
        }
    }

    /// Sends a request, and blocks while there is no room for it. [`recv`](Client::recv) returns its response.
    ///
    /// # Errors
    ///
    /// [`NotSent`](RequestError::NotSent) with the reason; `Full` if this client has as many requests under
    /// way as the channel has room for.
    pub fn send(&mut self, request: &Q) -> std::result::Result<RequestId, RequestError> {
        self.send_before(request, Deadline::Never)
    }

    fn send_before(
        &mut self,
        request: &Q,
        deadline: Deadline,
    ) -> std::result::Result<RequestId, RequestError> {
        if self.open.len() >= self.requests.capacity() {
            return Err(RequestError::NotSent(SendError::Full));
        }
        let header = RequestHeader { client: self.id, number: self.next };
        let bytes = request.as_bytes();
        if bytes.len() > self.requests.max_len() - envelope::LEN {
            return Err(RequestError::NotSent(SendError::WrongLength));
        }
        let sent = self.requests.loan_before(deadline).and_then(|mut loan| {
            loan.write_at(0, &header.bytes());
            loan.write_at(envelope::LEN, bytes);
            loan.send(envelope::LEN + bytes.len())
        });
        match sent {
            Ok(()) => {}
            Err(SendError::TimedOut) => return Err(RequestError::TimedOut),
            Err(SendError::Disconnected) => return Err(RequestError::Disconnected),
            Err(error) => return Err(RequestError::NotSent(error)),
        }
        self.open.insert(self.next, None);
        self.next += 1;
        Ok(RequestId(header.number))
    }

    /// Blocks until a request is completed, with a response or without one. Requests complete in any order.
    ///
    /// # Errors
    ///
    /// - [`NoRequest`](RequestError::NoRequest): no request is under way.
    /// - [`NotReceived`](RequestError::NotReceived): the responses cannot be received.
    pub fn recv(&mut self) -> std::result::Result<Completed<R::Owned>, RequestError> {
        self.recv_before(Deadline::Never)
    }

    /// Blocks for at most `time` until a request is completed.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RequestError::TimedOut), and the errors of [`recv`](Client::recv).
    pub fn recv_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Completed<R::Owned>, RequestError> {
        self.recv_before(Deadline::after(time))
    }

    fn recv_before(
        &mut self,
        deadline: Deadline,
    ) -> std::result::Result<Completed<R::Owned>, RequestError> {
        loop {
            if let Some(completed) = self.completed.pop_front() {
                return Ok(completed);
            }
            if self.open.is_empty() {
                return Err(RequestError::NoRequest);
            }
            self.wait(deadline)?;
        }
    }

    /// Waits for a message of a server, or until it is time to test the servers.
    fn wait(&mut self, deadline: Deadline) -> std::result::Result<(), RequestError> {
        let time = deadline.next(LIVENESS_INTERVAL);
        match self.take(time.map_or(Deadline::Now, Deadline::after)) {
            Err(RequestError::NotReceived(RecvError::TimedOut)) => {}
            taken => return taken,
        }
        self.test_servers()?;
        if time.is_none() && self.completed.is_empty() {
            return Err(RequestError::TimedOut);
        }
        Ok(())
    }

    /// Takes one message of a server.
    fn take(&mut self, deadline: Deadline) -> std::result::Result<(), RequestError> {
        let sample = self.responses.sample_before(deadline).map_err(RequestError::NotReceived)?;
        let corrupted = RequestError::NotReceived(RecvError::Corrupted);
        let len = sample.len().checked_sub(envelope::LEN).ok_or(corrupted)?;
        let mut header = [0; envelope::LEN];
        sample.read_at(0, &mut header);
        let header = ResponseHeader::of(header).ok_or(corrupted)?;
        let response = match header.step {
            Step::Received(seat) => {
                // A request that has already failed is not in the map.
                if let Some(server) = self.open.get_mut(&header.number) {
                    *server = Some(seat);
                }
                return Ok(());
            }
            Step::Responded => {
                let read = |to: &mut [u8]| sample.read_at(envelope::LEN, to);
                Ok(R::from_bytes(len, read).ok_or(corrupted)?)
            }
            Step::Dropped => Err(RequestError::Dropped),
        };
        drop(sample);
        self.complete(header.number, response);
        Ok(())
    }

    fn complete(&mut self, number: u64, response: std::result::Result<R::Owned, RequestError>) {
        if self.open.remove(&number).is_some() {
            self.completed.push_back(Completed { request: RequestId(number), response });
        }
    }

    /// Fails the requests whose servers are dead, and all others if there is no server.
    fn test_servers(&mut self) -> std::result::Result<(), RequestError> {
        let failed = self.find_failed()?;
        if failed.is_empty() {
            return Ok(());
        }
        // A server may have responded just before it ended.
        loop {
            match self.take(Deadline::Now) {
                Ok(()) => {}
                Err(RequestError::NotReceived(RecvError::TimedOut)) => break,
                Err(error) => return Err(error),
            }
        }
        if self.responses.has_messages() {
            // They are behind a message that another server has not completed.
            return Ok(());
        }
        for (number, seen, error) in failed {
            // Another server may have received the request since `find_failed`. It has not failed then.
            if self.open.get(&number) == Some(&seen) {
                self.complete(number, Err(error));
            }
        }
        Ok(())
    }

    /// Returns the requests that have failed, each with the server that had it.
    fn find_failed(
        &self,
    ) -> std::result::Result<Vec<(u64, Option<u32>, RequestError)>, RequestError> {
        let os = |error: crate::Error| {
            RequestError::NotReceived(RecvError::Os(error.raw_os_error().unwrap_or(0)))
        };
        let mut alive: HashMap<u32, bool> = HashMap::new();
        for seat in self.open.values().flatten() {
            if !alive.contains_key(seat) {
                alive.insert(*seat, self.requests.is_alive(*seat).map_err(os)?);
            }
        }
        let has_server = self.awaits_successor
            || self.open.values().all(Option::is_some)
            || self.requests.has_receiver().map_err(os)?
            || !self.requests.had_receiver();
        let failure = |server: &Option<u32>| match server {
            Some(seat) if !alive[seat] => Some(RequestError::ServerDied),
            None if !has_server => Some(RequestError::Disconnected),
            _ => None,
        };
        let open = self.open.iter();
        Ok(open.filter_map(|(number, server)| Some((*number, *server, failure(server)?))).collect())
    }
}

impl<Q: Message + ?Sized, R: Message + ?Sized> fmt::Debug for Client<Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Client");
        debug.field("name", self.name()).field("pending", &self.pending()).finish_non_exhaustive()
    }
}
