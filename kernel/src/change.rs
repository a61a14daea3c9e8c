//! What a use case does with its store again and again: changing one aggregate, and processing what is due.

use std::convert::Infallible;

use crate::{Commit, CommitError, CommitOutcome, StoreError, Version};

/// The number of attempts to change an aggregate despite concurrent changes.
pub const ATTEMPTS: usize = 3;

/// The errors of a change. `R` has the domain's reasons, and `U` names the service's unique values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError<R = Infallible, U = Infallible> {
    /// The resource does not exist.
    #[error("the resource does not exist")]
    NotFound,
    /// The resource has another version than the caller expects.
    #[error("the resource has another version")]
    PreconditionFailed,
    /// Concurrent changes prevented every attempt.
    #[error("concurrent changes prevented every attempt")]
    Contention,
    /// The resource does not allow the change.
    #[error(transparent)]
    Rejected(R),
    /// Another resource has this unique value.
    #[error("another resource has this value")]
    Duplicate(U),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Finds an aggregate, lets `decide` change it and commits. Returns the changed aggregate.
///
/// `decide` returns the aggregate as it is then, with its commit; without one, nothing is stored. If the caller expects a version,
/// another one is [`ChangeError::PreconditionFailed`]. Without it, a concurrent change is followed by a new attempt, up to
/// [`ATTEMPTS`] in all.
pub async fn change<A, W, E, R, U, F, C>(
    expected: Option<Version>,
    find: impl Fn() -> F,
    version: impl Fn(&A) -> Version,
    decide: impl Fn(A) -> Result<(A, Option<Commit<W, E>>), R>,
    commit: impl Fn(Commit<W, E>) -> C,
) -> Result<A, ChangeError<R, U>>
where
    F: Future<Output = Result<Option<A>, StoreError>>,
    C: Future<Output = Result<CommitOutcome, CommitError<U>>>,
{
    for _ in 0..ATTEMPTS {
        let found = find().await?.ok_or(ChangeError::NotFound)?;
        if expected.is_some_and(|expected| expected != version(&found)) {
            return Err(ChangeError::PreconditionFailed);
        }
        let (changed, decided) = decide(found).map_err(ChangeError::Rejected)?;
        let Some(decided) = decided else { return Ok(changed) };
        match commit(decided).await {
            Ok(CommitOutcome::Committed | CommitOutcome::AlreadyProcessed { .. }) => return Ok(changed),
            Err(CommitError::Conflict) if expected.is_some() => return Err(ChangeError::PreconditionFailed),
            Err(CommitError::Conflict) => {}
            Err(CommitError::Duplicate(value)) => return Err(ChangeError::Duplicate(value)),
            Err(CommitError::Unavailable(error)) => return Err(error.into()),
        }
    }
    Err(ChangeError::Contention)
}

/// Processes items of a background job one after the other and returns the number of those for which `step` returned true.
///
/// An item that the store rejects does not block the others; its error is returned if no item was processed. If the store is
/// unavailable, the rest is left for the next run.
pub async fn process_each<T, F>(items: Vec<T>, step: impl Fn(T) -> F) -> Result<usize, StoreError>
where
    F: Future<Output = Result<bool, StoreError>>,
{
    let (mut processed, mut rejected) = (0, None);
    for item in items {
        match step(item).await {
            Ok(done) => processed += usize::from(done),
            Err(StoreError::Unavailable) => return Err(StoreError::Unavailable),
            Err(error) => rejected = Some(error),
        }
    }
    match rejected {
        Some(error) if processed == 0 => Err(error),
        _ => Ok(processed),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::future::ready;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// A counter, and its version.
    type Counter = (i32, Version);
    type Committed = Result<CommitOutcome, CommitError<&'static str>>;

    /// Returns the output of a future that never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn one() -> Version {
        Version::NONE.next()
    }

    /// Increments a counter whose commits end as given. Returns the result and the number of commits.
    fn increment(
        found: Option<Counter>,
        expected: Option<Version>,
        commits: &[Committed],
    ) -> (Result<Counter, ChangeError<&'static str, &'static str>>, usize) {
        let count = Cell::new(0);
        let changed = change(
            expected,
            || ready(Ok(found)),
            |(_, version)| *version,
            |(value, version)| match value {
                99 => Err("the counter is full"),
                0 => Ok(((value, version), None)),
                _ => {
                    let commit = Commit { write: Some(value + 1), events: Vec::new(), receipt: None };
                    Ok(((value + 1, version), Some(commit)))
                }
            },
            |commit: Commit<i32, ()>| {
                assert_eq!(commit.write, Some(2));
                count.set(count.get() + 1);
                ready(commits[count.get() - 1].clone())
            },
        );
        (now(changed), count.get())
    }

    #[test]
    fn a_concurrent_change_is_followed_by_another_attempt() {
        let conflict = Err(CommitError::Conflict);
        let committed = Ok(CommitOutcome::Committed);
        let once = [conflict.clone(), committed];
        assert_eq!(increment(Some((1, one())), None, &once), (Ok((2, one())), 2));
        let always = [conflict.clone(), conflict.clone(), conflict.clone()];
        assert_eq!(increment(Some((1, one())), None, &always), (Err(ChangeError::Contention), 3));
        assert_eq!(increment(Some((1, one())), Some(one()), &[conflict]), (Err(ChangeError::PreconditionFailed), 1));
    }

    #[test]
    fn nothing_is_committed_without_a_change() {
        assert_eq!(increment(None, None, &[]), (Err(ChangeError::NotFound), 0));
        assert_eq!(increment(Some((1, one())), Some(Version::NONE), &[]), (Err(ChangeError::PreconditionFailed), 0));
        assert_eq!(increment(Some((99, one())), None, &[]), (Err(ChangeError::Rejected("the counter is full")), 0));
        assert_eq!(increment(Some((0, one())), None, &[]), (Ok((0, one())), 0));
    }

    #[test]
    fn errors_of_a_commit_are_returned() {
        let taken = [Err(CommitError::Duplicate("name"))];
        assert_eq!(increment(Some((1, one())), None, &taken), (Err(ChangeError::Duplicate("name")), 1));
        let down = [Err(CommitError::Unavailable(StoreError::Unavailable))];
        assert_eq!(
            increment(Some((1, one())), None, &down),
            (Err(ChangeError::Unavailable(StoreError::Unavailable)), 1)
        );
    }

    #[test]
    fn an_item_that_the_store_rejects_does_not_block_the_others() {
        let process = |results: &[Result<bool, StoreError>]| {
            let seen = RefCell::new(0);
            let step = |result| {
                *seen.borrow_mut() += 1;
                ready(result)
            };
            (now(process_each(results.to_vec(), step)), *seen.borrow())
        };
        let (internal, down) = (Err(StoreError::Internal), Err(StoreError::Unavailable));
        assert_eq!(process(&[internal, Ok(true), Ok(false), Ok(true)]), (Ok(2), 4));
        assert_eq!(process(&[internal, Ok(false)]), (Err(StoreError::Internal), 2));
        assert_eq!(process(&[Ok(true), down, Ok(true)]), (Err(StoreError::Unavailable), 2));
        assert_eq!(process(&[]), (Ok(0), 0));
    }
}
