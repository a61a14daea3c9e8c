//! The W3C trace context (level 1, version 00): one trace through HTTP, outbox, Kafka and handlers.
//!
//! The current context is task-local, so that cores and ports need no parameter for it. Spans are not exported; every log line has
//! the trace's id.

use std::fmt;
use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument;
use uuid::Uuid;

use crate::failpoints;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// The trace and the span of the current task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// Starts a new trace with the flag sampled.
    pub fn root() -> Self {
        Self { trace: random(), span: span(), flags: 1 }
    }

    /// Parses a `traceparent` header; `None` if it is invalid.
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        if !hex(version, 2) || version == "ff" || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        // Later versions may have more parts; version 00 has exactly four.
        if version == "00" && parts.next().is_some() {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace, span, flags: u8::from_str_radix(flags, 16).ok()? })
    }

    /// Returns a new span of the same trace.
    #[must_use]
    pub fn child(self) -> Self {
        Self { span: span(), ..self }
    }

    /// Returns the trace's id as 32 hexadecimal digits.
    pub fn trace_id(self) -> String {
        format!("{:032x}", self.trace)
    }
}

impl fmt::Display for TraceContext {
    /// Writes the value of a `traceparent` header.
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

/// Returns the current trace context, or a new one if there is none.
pub fn current() -> TraceContext {
    CURRENT.try_with(|context| *context).unwrap_or_else(|_| TraceContext::root())
}

/// Runs work in a trace context.
pub async fn within<F: Future>(context: TraceContext, work: F) -> F::Output {
    CURRENT.scope(context, work).await
}

/// Runs work in a separate task with the current trace and span. The task continues if its handle is dropped.
pub fn detached<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let work = failpoints::during(&failpoints::step(), work).in_current_span();
    tokio::spawn(within(current(), work))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[tokio::test]
    async fn detached_work_keeps_its_trace_and_outlives_its_handle() {
        let (context, (done, result)) = (TraceContext::root(), tokio::sync::oneshot::channel());
        let work = async move {
            tokio::task::yield_now().await;
            done.send(current())
        };
        within(context, async { drop(detached(work)) }).await;
        assert_eq!(result.await, Ok(context));
    }

    #[test]
    fn a_trace_context_parses_what_it_prints() {
        let context = TraceContext::parse(HEADER).expect("the example of the specification");
        assert_eq!(context.to_string(), HEADER);
        assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
        let child = context.child();
        assert_eq!(child.trace_id(), context.trace_id());
        assert_ne!(child, context);
        assert_eq!(TraceContext::parse(&TraceContext::root().to_string()).map(|root| root.flags), Some(1));
    }

    #[test]
    fn an_invalid_trace_context_is_not_parsed() {
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
        assert!(TraceContext::parse(&HEADER.replacen("00", "cc", 1)).is_some(), "later versions are parsed");
    }

    #[tokio::test]
    async fn the_current_context_is_that_of_the_task() {
        let context = TraceContext::root();
        assert_eq!(within(context, async { current() }).await, context);
        assert_ne!(current(), context);
    }
}
