//! A status line while the walk goes on: entries, entries each second, the current place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::output;
use crate::report::sanitize;
use crate::survey::progress::Progress;

/// How often the line is renewed.
const BEAT: Duration = Duration::from_millis(200);

/// Widest place that is shown, in characters.
const WIDEST: usize = 60;

/// Runs `work`, and shows how far it is if `shown`.
pub(super) fn watch<T: Send>(progress: &Progress, shown: bool, work: impl FnOnce() -> T + Send) -> T {
    if !shown {
        return work();
    }
    let done = AtomicBool::new(false);
    let begun = Instant::now();
    thread::scope(|threads| {
        let watcher = threads.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                output::status(&line(progress, begun.elapsed()));
                thread::park_timeout(BEAT);
            }
            output::status("");
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        watcher.thread().unpark();
        result
    })
}

fn line(progress: &Progress, since: Duration) -> String {
    let (entries, place) = progress.look();
    let each_second = entries as f64 / since.as_secs_f64().max(0.001);
    let place = sanitize::line(&place);
    let count = place.chars().count();
    let place = match count > WIDEST {
        true => format!("…{}", place.chars().skip(count - WIDEST).collect::<String>()),
        false => place,
    };
    format!("{entries} entries, {each_second:.0}/s  {place}")
}
