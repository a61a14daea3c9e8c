//! The methods of a service that its templates call.

use crate::scaffold::Scaffold;

impl Scaffold {
    /// Returns whether the service has operations, generated or not.
    pub(crate) fn serves(&self) -> bool {
        !self.protobuf.is_empty()
    }

    /// Returns whether the core has callers: operations or event handlers.
    pub(crate) fn acts(&self) -> bool {
        self.serves() || !self.consumes.is_empty()
    }

    /// Returns whether scenarios can be generated for the service.
    pub(crate) fn has_features(&self) -> bool {
        self.answers() || !self.consumes.is_empty()
    }

    /// Returns whether a scenario calls an operation.
    pub(crate) fn answers(&self) -> bool {
        self.creates() || !self.restricted.is_empty()
    }

    pub(crate) fn updates(&self) -> bool {
        self.resources.iter().any(|resource| resource.update.is_some())
    }

    /// Returns the modules of consumed events and their aliases, each once.
    pub(crate) fn modules(&self) -> Vec<(&str, &str)> {
        let mut modules: Vec<(&str, &str)> =
            self.consumes.iter().map(|consumed| (consumed.module.as_str(), consumed.alias.as_str())).collect();
        modules.sort_unstable();
        modules.dedup();
        modules
    }

    pub(crate) fn dependencies(&self) -> Vec<String> {
        let mut lines = vec![format!("{}-core = {{ path = \"../core\" }}", self.name)];
        let mut need = |when: bool, name: &str| {
            if when {
                lines.push(format!("{name}.workspace = true"));
            }
        };
        for name in
            ["anyhow", "axum", "clap", "include_dir", "mart-chassis", "mart-kernel", "mart-proto", "sqlx", "tokio"]
        {
            need(true, name);
        }
        need(!self.consumes.is_empty(), "tracing");
        for name in ["time", "uuid"] {
            need(self.creates(), name);
        }
        lines.sort_unstable();
        lines
    }

    pub(crate) fn test_dependencies(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut need = |when: bool, name: &str| {
            if when {
                lines.push(format!("{name}.workspace = true"));
            }
        };
        need(true, "devstack");
        for name in ["cucumber", "features"] {
            need(self.has_features(), name);
        }
        for name in ["reqwest", "serde_json"] {
            need(self.creates(), name);
        }
        need(!self.consumes.is_empty(), "prost");
        if self.has_features() {
            lines.push(format!("{}-core = {{ path = \"../core\", features = [\"testing\"] }}", self.name));
            lines.push("mart-kernel = { workspace = true, features = [\"testing\"] }".to_owned());
        }
        lines.sort_unstable();
        lines
    }
}
