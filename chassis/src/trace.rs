//! One trace through HTTP, outbox, Kafka and handler: the W3C trace context (level 1, version 00).
//!
//! The context of the work at hand is task-local, so that cores and ports need no parameter for it. Spans are not
//! exported from here; every log line carries the trace's id.

use std::fmt;
use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument;
use uuid::Uuid;

use crate::points;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// Which trace the work at hand belongs to, and which step of it this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// Starts a new trace, marked as sampled.
    pub fn root() -> Self {
        Self { trace: random(), span: span(), flags: 1 }
    }

    /// Reads a `traceparent` header; `None` where it is not one, and a new trace has to start.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if !hex(version, 2) || version == "ff" || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        // Later versions may add parts, version 00 has exactly four.
        if version == "00" && parts.next().is_some() {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace, span, flags: u8::from_str_radix(flags, 16).ok()? })
    }

    /// The next step of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: span(), ..self }
    }

    /// The trace's id as 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for TraceContext {
    /// The form of the `traceparent` header.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

fn random() -> u128 {
    Uuid::new_v4().as_u128()
}

fn span() -> u64 {
    // The last eight bytes of a random UUID, without its two variant bits: never zero for long.
    Uuid::new_v4().as_u64_pair().1.rotate_left(7) | 1
}

/// The trace context of the work at hand, or a new one outside any.
pub fn current() -> TraceContext {
    CURRENT.try_with(|context| *context).unwrap_or_else(|_| TraceContext::root())
}

/// Runs work within a trace context.
pub async fn within<F: Future>(context: TraceContext, work: F) -> F::Output {
    CURRENT.scope(context, work).await
}

/// Does work in a task of its own, within the trace and the span at hand: it goes on when nobody waits for it any more.
pub fn detached<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = points::during(&points::step(), work).in_current_span();
    tokio::spawn(within(current(), work))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[tokio::test]
    async fn what_is_detached_keeps_its_trace_and_goes_on_when_nobody_waits() {
        let (context, (done, told)) = (TraceContext::root(), tokio::sync::oneshot::channel());
        let work = async move {
            tokio::task::yield_now().await;
            done.send(current())
        };
        within(context, async { drop(detached(work)) }).await;
        assert_eq!(told.await, Ok(context));
    }

    #[test]
    fn a_trace_context_reads_back_what_it_prints() {
        let context = TraceContext::parse(HEADER).expect("the example of the specification");
        assert_eq!(context.to_string(), HEADER);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child, context);
        assert_eq!(TraceContext::parse(&TraceContext::root().to_string()).map(|root| root.flags), Some(1));
    }

    #[test]
    fn what_is_not_a_trace_context_is_not_read() {
        for header in [
            "",
            "00",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
        assert!(TraceContext::parse(&HEADER.replacen("00", "cc", 1)).is_some(), "later versions are read");
    }

    #[tokio::test]
    async fn the_context_is_that_of_the_work_at_hand() {
        let context = TraceContext::root();
        assert_eq!(within(context, async { current() }).await, context);
        assert_ne!(current(), context);
    }
}
