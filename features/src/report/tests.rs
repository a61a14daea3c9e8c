//! Tests of the report: a failure is visible in each of its forms.

use askama::Template;

use super::junit;
use super::page::Page;
use super::results::{Case, ReportedStep, Seen, merged};

fn case(name: &str, line: usize, failure: Option<&str>) -> Case {
    let table = vec![vec!["a <cell>".to_owned()]];
    let step =
        ReportedStep { keyword: "Then".to_owned(), text: "it is so".to_owned(), table, outcome: "passed".to_owned() };
    Case {
        feature: "F".to_owned(),
        about: "About it".to_owned(),
        rule: "R".to_owned(),
        name: name.to_owned(),
        line,
        tags: vec!["time".to_owned()],
        example: vec![vec!["way".to_owned()], vec!["up".to_owned()]],
        steps: vec![step],
        runs: 1,
        seconds: 0.5,
        failure: failure.map(|why| (why.to_owned(), "SEED=7 ./mart test features -- \"B\"".to_owned())),
    }
}

fn seen(level: &str, cases: &[Case]) -> Seen {
    let (folder, level) = ("order".to_owned(), level.to_owned());
    Seen { folder, level, digest: 1, seconds: 2.0, wrong: Vec::new(), cases: merged(cases) }
}

#[test]
fn a_failure_under_one_seed_fails_the_scenario() {
    let cases =
        [case("A", 3, None), case("B", 9, None), case("A", 3, None), case("B", 9, Some("why")), case("B", 9, None)];
    let merged = merged(&cases);
    assert_eq!(merged.iter().map(|case| (case.name.as_str(), case.runs)).collect::<Vec<_>>(), [("A", 2), ("B", 3)]);
    assert!(merged[0].failure.is_none());
    assert!(merged[1].failure.as_ref().is_some_and(|(why, again)| why == "why" && again.starts_with("SEED=7")));
}

#[test]
fn the_page_lists_failures_first_and_works_offline() {
    let all = [
        seen("in process", &[case("A", 3, None), case("B", 9, Some("<why>"))]),
        seen("on servers", &[case("A", 3, None), case("B", 9, None)]),
    ];
    let page = Page::of(&all).render().expect("rendered");
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page: {page}"));
    assert!(at("Failed: 1") < at("<h2>F</h2>") && at("</span> B") < at("</span> A"), "failures come first");
    for part in ["a &#60;cell&#62;", "&#60;why&#62;", "way: up", "@time", "in process", "on servers", "SEED=7"] {
        at(part);
    }
    assert!(!page.contains("http"), "it works without a network");
}

#[test]
fn junit_reports_each_level_and_each_failure() {
    let report = junit::of(&[seen("in process", &[case("A", 3, None), case("B", 9, Some("<why>"))])]);
    for part in [r#"tests="2""#, r#"failures="1""#, "order in process", "B (line 9)", "&lt;why&gt;", "SEED=7"] {
        assert!(report.contains(part), "{part}: {report}");
    }
}
