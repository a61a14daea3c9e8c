//! Collects the results of a run from cucumber's events.

use std::collections::HashMap;
use std::time::Instant;

use cucumber::event::{Cucumber, Feature, Hook, RetryableScenario, Rule, Scenario, Step};
use cucumber::{Event, Writer, cli, parser};

use super::results::{Case, ReportedStep};
use crate::Outcome;
use crate::reading::tags_of;

/// Collects the results.
pub(crate) struct Collector {
    again: String,
    running: HashMap<(String, usize), (Case, Instant)>,
    outcome: Outcome,
}

impl Collector {
    /// Creates a collector; the command that reruns a failure begins with this text.
    pub(crate) fn new(again: &str) -> Self {
        Self { again: again.to_owned(), running: HashMap::new(), outcome: Outcome::default() }
    }

    /// Returns the collected results.
    pub(crate) fn outcome(self) -> Outcome {
        self.outcome
    }

    /// Adds an event of a scenario.
    fn scenario<W>(
        &mut self,
        feature: &gherkin::Feature,
        rule: Option<&gherkin::Rule>,
        scenario: &gherkin::Scenario,
        event: Scenario<W>,
    ) {
        let key = (feature.name.clone(), scenario.position.line);
        let (case, begun) =
            self.running.entry(key.clone()).or_insert_with(|| (new_case(feature, rule, scenario), Instant::now()));
        let again = format!("{} {:?}", self.again, scenario.name);
        match event {
            Scenario::Background(step, Step::Passed(..)) | Scenario::Step(step, Step::Passed(..)) => {
                case.steps.push(shown(&step, "passed"));
            }
            Scenario::Background(step, Step::Skipped) | Scenario::Step(step, Step::Skipped) => {
                case.steps.push(shown(&step, "failed"));
                case.failure = Some((format!("no step is written for {:?}", step.value), again));
            }
            Scenario::Background(step, Step::Failed(_, _, _, why))
            | Scenario::Step(step, Step::Failed(_, _, _, why)) => {
                case.steps.push(shown(&step, "failed"));
                case.failure = Some((format!("{} {}: {why}", step.keyword.trim(), step.value), again));
            }
            Scenario::Hook(_, Hook::Failed(_, why)) => {
                let why = why.downcast_ref::<String>().map_or("a hook failed", String::as_str);
                case.failure = Some((why.to_owned(), again));
            }
            Scenario::Finished => {
                let seconds = begun.elapsed().as_secs_f64();
                let Some((mut case, _)) = self.running.remove(&key) else { return };
                let left = scenario.steps.iter().skip(case.steps.len().saturating_sub(background(feature, rule)));
                let left: Vec<ReportedStep> = left.map(|step| shown(step, "not run")).collect();
                case.steps.extend(left);
                case.seconds = seconds;
                self.outcome.cases.push(case);
            }
            _ => {}
        }
    }
}

/// Returns a scenario that has run no step yet.
fn new_case(feature: &gherkin::Feature, rule: Option<&gherkin::Rule>, scenario: &gherkin::Scenario) -> Case {
    Case {
        feature: feature.name.clone(),
        about: feature.description.clone().unwrap_or_default(),
        rule: rule.map(|rule| rule.name.clone()).unwrap_or_default(),
        name: scenario.name.clone(),
        line: scenario.position.line,
        tags: tags_of(feature, rule, &scenario.tags),
        example: example(scenario),
        steps: Vec::new(),
        runs: 1,
        seconds: 0.0,
        failure: None,
    }
}

/// Returns the header and the row that a scenario was made of; cucumber leaves only these in its examples.
fn example(scenario: &gherkin::Scenario) -> Vec<Vec<String>> {
    let table = scenario.examples.first().and_then(|examples| examples.table.as_ref());
    table.map(|table| table.rows.clone()).unwrap_or_default()
}

/// Returns the number of background steps of a scenario.
fn background(feature: &gherkin::Feature, rule: Option<&gherkin::Rule>) -> usize {
    let steps = |background: Option<&gherkin::Background>| background.map_or(0, |background| background.steps.len());
    steps(feature.background.as_ref()) + steps(rule.and_then(|rule| rule.background.as_ref()))
}

/// Returns a step with its outcome.
fn shown(step: &gherkin::Step, outcome: &str) -> ReportedStep {
    ReportedStep {
        keyword: step.keyword.trim().to_owned(),
        text: step.value.clone(),
        table: step.table.as_ref().map(|table| table.rows.clone()).unwrap_or_default(),
        outcome: outcome.to_owned(),
    }
}

impl<W: 'static> Writer<W> for Collector {
    type Cli = cli::Empty;

    async fn handle_event(&mut self, event: parser::Result<Event<Cucumber<W>>>, _: &cli::Empty) {
        match event.map(|event| event.value) {
            Ok(Cucumber::Feature(feature, Feature::Scenario(scenario, RetryableScenario { event, .. }))) => {
                self.scenario(&feature, None, &scenario, event);
            }
            Ok(Cucumber::Feature(feature, Feature::Rule(rule, Rule::Scenario(scenario, happened)))) => {
                self.scenario(&feature, Some(&rule), &scenario, happened.event);
            }
            Ok(_) => {}
            Err(error) => self.outcome.wrong.push(format!("a feature can't be read: {error}")),
        }
    }
}

// The result does not depend on the order of events of scenarios that run side by side.
impl cucumber::writer::Normalized for Collector {}
