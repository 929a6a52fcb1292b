//! The threads that write to a watch channel and read it.

use std::borrow::Borrow as _;
use std::path::Path;
use std::time::Duration;

use pagemate::channel::watch::{Reader, Writer};

use super::attack::{Attack, Random};
use super::endpoints::{received, sent};
use super::options;
use super::traffic::Traffic;
use super::users::{self, NAME, Outcome, User, Users};

const MOMENT: Duration = Duration::from_millis(2);

/// The most calls with one endpoint.
const CALLS: u64 = 300;

/// Runs a writer, readers and the hostile process. A reader can tell invalid bytes from valid ones if values
/// have different lengths.
pub(crate) fn overwrite<M: Traffic + ?Sized>(place: &Path, have_lengths: bool) {
    let users = Users::new(have_lengths);
    users.run(Attack::new(place), |scope| {
        users.start(scope, write::<M>);
        users.start(scope, read::<M>);
        users.start(scope, read::<M>);
        users.start(scope, users::list);
    });
    let mut reader: Reader<M> = options().create_new(NAME).unwrap();
    let mut writer: Writer<M> = options().open(NAME).unwrap();
    writer.write(M::make(&mut Random(1), writer.max_len()).borrow()).unwrap();
    reader.changed().unwrap();
}

fn write<M: Traffic + ?Sized>(user: &User<'_>, random: &mut Random) {
    while user.goes_on() {
        let Some(mut writer) = user.open(|| options().open_or_create::<Writer<M>>(NAME)) else {
            continue;
        };
        for _ in 0..random.below(CALLS) {
            let value = M::make(random, writer.max_len());
            match random.below(4) {
                0 => {
                    let publish = || writer.loan().and_then(|loan| M::publish(loan, random));
                    sent(user, &user.call("publish", publish));
                }
                1 => {
                    sent(user, &user.call("loan", || writer.loan().map(drop)));
                }
                _ => {
                    sent(user, &user.call("write", || writer.write(value.borrow())));
                }
            }
        }
        user.call("drop writer", || drop(writer));
    }
}

fn read<M: Traffic + ?Sized>(user: &User<'_>, random: &mut Random) {
    while user.goes_on() {
        let Some(mut reader) = user.open(|| options().open_or_create::<Reader<M>>(NAME)) else {
            continue;
        };
        for _ in 0..random.below(CALLS) {
            let outcome = read_once(&mut reader, user, random);
            if !user.goes_on() || outcome == Outcome::Corrupted && random.below(2) == 0 {
                break;
            }
        }
        user.call("drop reader", || drop(reader));
    }
}

fn read_once<M: Traffic + ?Sized>(
    reader: &mut Reader<M>,
    user: &User<'_>,
    random: &mut Random,
) -> Outcome {
    match random.below(8) {
        0..4 => received(user, &user.call("read", || reader.read())),
        4..6 => {
            let wait = || {
                reader.wait_for_change_timeout(MOMENT)?;
                reader.read()
            };
            received(user, &user.call("wait_for_change_timeout", wait))
        }
        6 => {
            let mut value = M::make(random, 10);
            received(user, &user.call("read_into", || reader.read_into(&mut value)))
        }
        _ => {
            user.call("has_writer", || reader.has_writer()).unwrap();
            user.call("wait_for_writer", || reader.wait_for_writer(MOMENT)).unwrap();
            Outcome::Nothing
        }
    }
}
