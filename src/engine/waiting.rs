//! Work that waits for other threads: each piece in a thread that does nothing else meanwhile.
//!
//! The common pool is not for it. There, one that waits for other threads takes up further work on top of its own:
//! a reading that holds a connection would begin the next, which waits for that connection for ever. A dataset that
//! waits for its columns would take up the next dataset, and this one a further one: as deep as the project has datasets, which
//! no stack has room for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Does the work for each item, a few at a time, and returns the results in the items' order.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            let result = work(item);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..rayon::current_num_threads().min(items.len()) {
            scope.spawn(run);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Condvar;
    use std::time::Duration;

    use rayon::prelude::*;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..50).collect();
        let results = each(&items, |item| {
            std::thread::sleep(Duration::from_millis((50 - item) / 10));
            item * 2
        });
        assert_eq!(results, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(each(&[] as &[u64], |item| *item).is_empty());
    }

    #[test]
    fn who_holds_what_there_is_one_of_begins_nothing_else() {
        let (free, freed) = (Mutex::new(true), Condvar::new());
        let other = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        each(&[(); 20], |()| {
            let mut held = freed.wait_while(free.lock().unwrap(), |free| !*free).unwrap();
            *held = false;
            drop(held);
            // As a writer does that hands its pages to other threads.
            let sum: u64 = other.install(|| (0..1_000_u64).into_par_iter().sum());
            assert_eq!(sum, 499_500);
            *free.lock().unwrap() = true;
            freed.notify_one();
        });
    }
}
