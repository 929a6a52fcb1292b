//! The distribution of many times.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The times of round trips, exact to 0.1 %.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Histogram<u64>);

/// The longest time that is told apart.
const MOST: Duration = Duration::from_secs(10);

impl Latencies {
    pub(super) fn new() -> Latencies {
        let most = u64::try_from(MOST.as_nanos()).unwrap_or(u64::MAX);
        Latencies(Histogram::new_with_bounds(1, most, 3).expect("valid bounds"))
    }

    pub(super) fn record(&mut self, time: Duration) {
        self.0.saturating_record(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len()
    }

    /// Returns the nanoseconds that this percentage of the times does not exceed.
    pub(super) fn percentile(&self, percentile: f64) -> u64 {
        self.0.value_at_percentile(percentile)
    }

    /// Returns the number of times in classes whose limits grow by a constant factor: for each class its
    /// upper limit in nanoseconds and the count. Times outside of the percentiles 0.1 and 99.9 are in the
    /// first and in the last class.
    pub(super) fn classes(&self, count: usize) -> Vec<(f64, u64)> {
        let low = as_f64(self.percentile(0.1).max(1));
        let high = as_f64(self.percentile(99.9)).max(low * 1.2);
        let factor = (high / low).powf(1.0 / as_f64(count as u64));
        let mut classes: Vec<(f64, u64)> = (1..=count)
            .map(|class| (low * factor.powi(i32::try_from(class).unwrap_or(i32::MAX)), 0))
            .collect();
        for value in self.0.iter_recorded() {
            let ns = as_f64(value.value_iterated_to());
            let class = classes.iter().position(|(limit, _)| ns <= *limit).unwrap_or(count - 1);
            classes[class].1 += value.count_at_value();
        }
        classes
    }
}

#[allow(clippy::cast_precision_loss, reason = "the report rounds the numbers")]
pub(super) fn as_f64(number: u64) -> f64 {
    number as f64
}
