//! The three kinds of files.

/// How martgen maintains a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Always rewritten.
    Generated,
    /// Rewritten unless a recorded waiver keeps an edited one.
    Managed,
    /// Written once, and maintained by hand from then on.
    Scaffold,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Generated, Self::Managed, Self::Scaffold];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Managed => "managed",
            Self::Scaffold => "scaffold",
        }
    }
}
