//! iceoryx2: a publish-subscribe service for each direction, without overflow, whose publisher retries
//! until a message is delivered. A blocking receiver waits for an event that the sender raises after
//! each message.

use std::hint::spin_loop;
use std::time::Duration;

use iceoryx2::config::Config;
use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::{
    BackpressureStrategy, FileName, Node, NodeBuilder, Path, SemanticString, ipc,
};
use iceoryx2::service::builder::publish_subscribe;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

pub(crate) struct Iceoryx;

pub(crate) struct Out<const WORDS: usize> {
    publisher: Publisher<ipc::Service, [u64; WORDS], ()>,
    notifier: Option<Notifier<ipc::Service>>,
    _service: Service<WORDS>,
}

pub(crate) struct In<const WORDS: usize> {
    subscriber: Subscriber<ipc::Service, [u64; WORDS], ()>,
    listener: Option<Listener<ipc::Service>>,
    _service: Service<WORDS>,
}

/// The node and the service of an end, which live as long as the end.
pub(crate) type Service<const WORDS: usize> =
    (Node<ipc::Service>, PortFactory<ipc::Service, [u64; WORDS], ()>);

/// Creates a node whose files are in the folder of this run.
pub(crate) fn node(setting: &Setting) -> Node<ipc::Service> {
    let mut config = Config::default();
    let folder = setting.folder.to_str().expect("a plain path");
    config.global.set_root_path(&Path::new(folder.as_bytes()).expect("a path"));
    config.global.prefix = FileName::new(prefix(setting).as_bytes()).expect("a file name");
    NodeBuilder::new().config(&config).create::<ipc::Service>().expect("a node")
}

/// Returns the prefix of the names of shared memory, by which a run finds the memory that iceoryx2 does
/// not remove.
fn prefix(setting: &Setting) -> String {
    let folder = setting.folder.file_name().expect("a folder").to_string_lossy().into_owned();
    format!("{folder}-")
}

pub(crate) fn service<const WORDS: usize>(
    node: &Node<ipc::Service>,
    name: &str,
    change: impl FnOnce(
        publish_subscribe::Builder<[u64; WORDS], (), ipc::Service>,
    ) -> publish_subscribe::Builder<[u64; WORDS], (), ipc::Service>,
) -> PortFactory<ipc::Service, [u64; WORDS], ()> {
    let builder = node.service_builder(&name.try_into().expect("a service name"));
    change(builder.publish_subscribe()).open_or_create().expect("a service")
}

fn open<const WORDS: usize>(setting: &Setting, direction: &str) -> Service<WORDS> {
    let node = node(setting);
    let service = service(&node, &format!("{} {direction}", setting.name), |builder| {
        builder
            .enable_safe_overflow(false)
            .subscriber_max_buffer_size(setting.depth)
            .max_publishers(1)
            .max_subscribers(1)
    });
    (node, service)
}

fn sender<const WORDS: usize>(setting: &Setting, direction: &str) -> Out<WORDS> {
    let (node, service) = open(setting, direction);
    let publisher = service
        .publisher_builder()
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()
        .expect("a publisher");
    let notifier = (setting.waiting == Waiting::Blocking).then(|| {
        let name = format!("{} {direction} event", setting.name);
        let event =
            node.service_builder(&name.as_str().try_into().expect("a service name")).event();
        let event = event.open_or_create().expect("an event");
        event.notifier_builder().create().expect("a notifier")
    });
    Out { publisher, notifier, _service: (node, service) }
}

fn receiver<const WORDS: usize>(setting: &Setting, direction: &str) -> In<WORDS> {
    let (node, service) = open(setting, direction);
    let subscriber = service.subscriber_builder().create().expect("a subscriber");
    let listener = (setting.waiting == Waiting::Blocking).then(|| {
        let name = format!("{} {direction} event", setting.name);
        let event =
            node.service_builder(&name.as_str().try_into().expect("a service name")).event();
        let event = event.open_or_create().expect("an event");
        event.listener_builder().create().expect("a listener")
    });
    In { subscriber, listener, _service: (node, service) }
}

impl<const WORDS: usize> Transport<WORDS> for Iceoryx {
    type Out = Out<WORDS>;
    type In = In<WORDS>;
    type Listening = (Out<WORDS>, In<WORDS>);

    fn listen(setting: &Setting) -> Self::Listening {
        (sender(setting, "there"), receiver(setting, "back"))
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Out<WORDS>, In<WORDS>) {
        both
    }

    fn connect(setting: &Setting) -> (Out<WORDS>, In<WORDS>) {
        (sender(setting, "back"), receiver(setting, "there"))
    }
}

impl<const WORDS: usize> Outgoing for Out<WORDS> {
    fn send(&mut self, number: u64) {
        let mut sample = self.publisher.loan_uninit().expect("a sample");
        // SAFETY: the sample has room for a message.
        unsafe { words::fill(sample.payload_mut().as_mut_ptr().cast(), WORDS, number) };
        // SAFETY: every word of the sample is written.
        let sample = unsafe { sample.assume_init() };
        assert_eq!(sample.send().expect("a subscriber"), 1, "one subscriber receives the message");
        if let Some(notifier) = &self.notifier {
            notifier.notify().expect("a listener");
        }
    }
}

impl<const WORDS: usize> Incoming for In<WORDS> {
    fn receive(&mut self) -> u64 {
        loop {
            if let Some(sample) = self.subscriber.receive().expect("a publisher") {
                // SAFETY: the sample is a message of so many words.
                return unsafe { words::sum(sample.payload().as_ptr(), WORDS) };
            }
            match &self.listener {
                // Wait for a second at most, because a notification can be lost.
                Some(listener) => {
                    listener.timed_wait(|_| (), Duration::from_secs(1)).expect("a notifier");
                }
                None => spin_loop(),
            }
        }
    }
}
